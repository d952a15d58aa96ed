"""A recorded call as a scenario of SIPp: SIPp plays both ends of it against each other, without any server."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from drachtio_load.free_port import free_port
from drachtio_load.sipp import Transport, sipp_command
from msgtrace.answers import shown
from msgtrace.cli import main
from msgtrace.recordings import read
from msgtrace.sipp import NoCallForSipp, scenario
from tests.bench import msgtrace as bench
from tests.msgtrace.call_set import message
from tests.peers.callees import is_open

SDP = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
CONTACT = "Contact: <sip:somebody@192.0.2.9:5070>"
Flow = list[tuple[bool, str]]


def of_caller(
    start: str, cseq: str, *, tagged: bool = True, branch: str = "1", body: str = ""
) -> tuple[bool, str]:
    """What the caller sends, or gets."""
    request = not start.startswith("SIP/")
    text = message(
        f"{start} sip:bob@192.0.2.1 SIP/2.0" if request else start,
        "c1",
        cseq,
        ("a", "b" if tagged else ""),
        vias=[f"192.0.2.9:5070 {branch}"],
        extra=CONTACT,
        body=body,
    )
    return request, text


def of_callee(start: str, cseq: str) -> tuple[bool, str]:
    """What is said in a transaction that the callee begins."""
    request = not start.startswith("SIP/")
    line = f"{start} sip:alice@192.0.2.9:5070 SIP/2.0" if request else start
    return not request, message(line, "c1", cseq, ("b", "a"), vias=["192.0.2.1:5060 9"])


INVITE = of_caller("INVITE", "1 INVITE", tagged=False, body=SDP)
ANSWERED: Flow = [
    INVITE,
    of_caller("SIP/2.0 100 Trying", "1 INVITE", tagged=False),
    of_caller("SIP/2.0 180 Ringing", "1 INVITE"),
    of_caller("SIP/2.0 200 OK", "1 INVITE", body=SDP),
    of_caller("SIP/2.0 200 OK", "1 INVITE", body=SDP),
    of_caller("ACK", "1 ACK", branch="2"),
]
FLOWS: dict[str, Flow] = {
    "the caller hangs up": [
        *ANSWERED,
        of_caller("BYE", "2 BYE", branch="3"),
        of_caller("SIP/2.0 200 OK", "2 BYE", branch="3"),
    ],
    "the callee hangs up": [*ANSWERED, of_callee("BYE", "1 BYE"), of_callee("SIP/2.0 200 OK", "1 BYE")],
    "refused": [INVITE, of_caller("SIP/2.0 486 Busy Here", "1 INVITE"), of_caller("ACK", "1 ACK")],
    "cancelled": [
        INVITE,
        of_caller("SIP/2.0 180 Ringing", "1 INVITE"),
        of_caller("CANCEL", "1 CANCEL", tagged=False),
        of_caller("SIP/2.0 200 OK", "1 CANCEL"),
        of_caller("SIP/2.0 487 Request Terminated", "1 INVITE"),
        of_caller("ACK", "1 ACK"),
    ],
}


def log(flow: Flow, *, calls: bool) -> bytes:
    """A server's log of the leg to the caller, or of that to the callee."""
    lines = []
    for number, (by_caller, text) in enumerate(flow):
        way = "recv {} bytes from" if by_caller is calls else "send {} bytes to"
        stamp = f"2026-11-23 07:36:00.{number:06}"
        lines.append(f"{stamp} {way.format(len(text))} udp/[192.0.2.9]:5070 at 07:36:00.000000:\n{text}\n")
    return "".join(lines).encode()


def sipp(file: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """SIPp with one call of a scenario."""
    return subprocess.Popen(
        [
            *(sipp_command(), "-sf", str(file), "-m", "1", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin"),
            *("-recv_timeout", "5000", "-timeout", "15", "-timeout_error", "-skip_rlimit", "-trace_err"),
            *("-error_file", str(file.with_suffix(".err")), *arguments),
        ],
        cwd=file.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("flow", FLOWS)
def test_sipp_plays_both_ends(flow: str, tmp_path: Path) -> None:
    files = {}
    for name, calls in (("caller", True), ("callee", False)):
        (tmp_path / f"{name}.log").write_bytes(log(FLOWS[flow], calls=calls))
        files[name] = tmp_path / f"{name}.xml"
        assert main(["to-sipp", str(tmp_path / f"{name}.log"), "-o", str(files[name])]) == 0
    port = free_port()
    callee = sipp(files["callee"], "-p", str(port))
    try:
        while not is_open(Transport.UDP, port):
            assert callee.poll() is None, complaints(tmp_path)
            time.sleep(0.01)
        caller = sipp(files["caller"], "-p", str(free_port()), f"127.0.0.1:{port}")
        assert caller.wait(20) == 0, complaints(tmp_path)
        assert callee.wait(20) == 0, complaints(tmp_path)
    finally:
        callee.kill()
        callee.wait()


def complaints(folder: Path) -> str:
    return "\n".join(file.read_text("latin-1") for file in folder.glob("*.err"))


def test_what_frames_do_not_tell_is_put_in() -> None:
    cancelled = [text for by_caller, text in FLOWS["cancelled"] if by_caller][:2]
    parts = [
        (True, f"id{number}|sip|network|{len(text)}|udp|192.0.2.9|5070|07:36:00.0|t|||\r\n{text}")
        for number, text in enumerate(cancelled)
    ]
    lines = list(scenario(list(shown(read(bench.written("client log", parts).encode()))), "x"))
    expected = ['  <recv response="200"/>', '  <recv response="487"/>']
    assert [line for line in lines if "<recv" in line][1:] == expected
    assert any("ACK sip:bob@[remote_ip]:[remote_port] SIP/2.0" in line for line in lines)


def test_markup_in_a_message_stays_text() -> None:
    evil = log([(True, INVITE[1].replace("alice", "al]]>ice"))], calls=True)
    text = "\n".join(scenario(list(shown(read(evil))), 'a"<b>'))
    assert "<scenario name='a\"&lt;b&gt;'>" in text
    assert "]]>ice" not in text


@pytest.mark.parametrize(("flow", "told"), [([], "no request"), ([ANSWERED[3]], "no request")])
def test_what_is_no_call_is_told(flow: Flow, told: str) -> None:
    with pytest.raises(NoCallForSipp, match=told):
        scenario(list(shown(read(log(flow, calls=True) or b"2026-11-23 07:36:00.000000 x\n"))), "x")


def test_a_call_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.log").write_bytes(log(ANSWERED, calls=True))
    assert main(["to-sipp", str(tmp_path / "x.log"), "--call", "7"]) == 1
    assert "no call 7 among 1" in capsys.readouterr().err
