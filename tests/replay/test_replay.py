"""Replay notices what differs: a token, an octet, a message too few or too many, a stale list."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from drachtio_conformance.cases.loader import LoadError
from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.replay import expected, files
from drachtio_conformance.replay.command import Replay
from drachtio_conformance.replay.files import Remark, TraceError
from drachtio_conformance.replay.order import ordered

RECORDED = Path(__file__).parent / "recorded"
CALL = "call-answered-bye-of-the-caller"


def copied(folder: Path, name: str = CALL) -> Path:
    for suffix in (files.LOG_SUFFIX, files.SIP_SUFFIX):
        (folder / f"{name}{suffix}").write_bytes((RECORDED / f"{name}{suffix}").read_bytes())
    return folder / f"{name}{files.LOG_SUFFIX}"


def altered(file: Path, before: bytes, after: bytes) -> None:
    data = file.read_bytes()
    assert before in data
    file.write_bytes(data.replace(before, after, 1))


def replayed(log: Path, listed: str = "") -> CaseResult:
    expectations = None
    if listed:
        file = log.with_name("expect.yaml")
        file.write_text(listed, "utf-8")
        expectations = expected.load(file, {"DEV-21"})
    return asyncio.run(Replay(expectations).run(log))


@pytest.mark.parametrize(
    ("suffix", "before", "after"),
    [
        (".log", b"|Msg sent:|", b"|msg sent:|"),
        (".log", b"|sip|network|", b"|sip|NETWORK|"),
        (".log", b"SIP/2.0 200 OK\r\nVia", b"SIP/2.0 200 Ok\r\nVia"),
        (".sip.txt", b"SIP/2.0 100 Trying", b"SIP/2.0 100 trying"),
        (".sip.txt", b"Call-ID: ", b"Call-Id: "),
    ],
)
def test_an_octet_that_differs_is_noticed(tmp_path: Path, suffix: str, before: bytes, after: bytes) -> None:
    log = copied(tmp_path)
    altered(log if suffix == ".log" else files.partner(log), before, after)
    assert replayed(log).verdict is Verdict.FAIL


def test_a_message_that_was_not_recorded_is_noticed(tmp_path: Path) -> None:
    log = copied(tmp_path)
    sip = files.partner(log)
    data = sip.read_bytes()
    start = data.rindex(b"### ", 0, data.index(b"SIP/2.0 100 Trying"))
    end = data.index(b"### ", start + 1)
    sip.write_bytes(data[:start] + data[end:])
    result = replayed(log)
    assert result.verdict is Verdict.FAIL
    assert "100 Trying" in result.reason


def test_a_listed_difference_must_occur(tmp_path: Path) -> None:
    listed = f"""
differences:
  - trace: {CALL}
    entry: sip 2
    deviation: DEV-21
    instead:
      - sip_expect: {{peer: phone, status: 101}}
"""
    assert replayed(copied(tmp_path), listed).verdict is Verdict.FAIL


def test_a_listed_difference_must_be_one(tmp_path: Path) -> None:
    listed = f"""
differences:
  - trace: {CALL}
    entry: sip 2
    deviation: DEV-21
    instead:
      - sip_expect: {{peer: phone, status: 100}}
"""
    result = replayed(copied(tmp_path), listed)
    assert result.verdict is Verdict.FAIL
    assert "no difference" in result.reason


def test_a_listed_difference_passes(tmp_path: Path) -> None:
    log = copied(tmp_path)
    altered(files.partner(log), b"SIP/2.0 100 Trying", b"SIP/2.0 100 trying")
    listed = f"""
differences:
  - trace: {CALL}
    entry: sip 2
    deviation: DEV-21
    instead:
      - sip_expect: {{peer: phone, start: SIP/2.0 100 Trying}}
"""
    result = replayed(log, listed)
    assert (result.verdict, result.reason) == (Verdict.PASS, "differs as listed (DEV-21)")


def test_a_known_failure_that_passes_fails(tmp_path: Path) -> None:
    listed = f"known_failing:\n  - {{trace: {CALL}, reason: once it did}}\n"
    assert replayed(copied(tmp_path), listed).verdict is Verdict.UNEXPECTED_PASS


def test_an_entry_names_a_known_row(tmp_path: Path) -> None:
    listed = f"differences:\n  - {{trace: {CALL}, entry: sip 2, deviation: DEV-9999, instead: []}}\n"
    with pytest.raises(LoadError, match=r"expect\.yaml:2: expected a row of docs/deviations\.md"):
        replayed(copied(tmp_path), listed)


@pytest.mark.parametrize(
    ("log", "sip", "told"),
    [
        (b"hello", b"", r"x\.log:1: expected ===> or <===, got 'hello'"),
        (b"===>\r\nhello", b"", r"x\.log:1: expected LENGTH#, got 'hello'"),
        (b"===>\r\n10#id1|ping", b"", r"x\.log:1: expected a payload of 10 octets, 2 are missing"),
        (b"", b"hello\n", r"x\.sip\.txt:1: expected ### HH:MM:SS"),
        (b"", b"### 07:00:00.000000 udp nonsense\n", r"x\.sip\.txt:1: expected 'udp NAME"),
        (
            b"",
            b"### 07:00:00.000000 udp a(1.1.1.1:1) -> 1.1.1.1:2 (9 bytes)\nx",
            r"x\.sip\.txt:1: expected 9 octets",
        ),
    ],
)
def test_what_is_no_trace_is_told_with_its_line(tmp_path: Path, log: bytes, sip: bytes, told: str) -> None:
    (tmp_path / "x.log").write_bytes(log)
    (tmp_path / "x.sip.txt").write_bytes(sip)
    with pytest.raises(TraceError, match=told):
        files.read(tmp_path / "x.log")


def test_a_chunk_may_hold_several_frames(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(b"===>[a]\r\n8#id1|ping8#id2|ping\r\n<===[a]\r\n3#x|y\r\n")
    (tmp_path / "x.sip.txt").write_bytes(b"### 07:00:00.5 NOTE\n".replace(b".5 NOTE", b".500000 NOTE done"))
    trace = files.read(tmp_path / "x.log")
    assert [(frame.application, frame.from_server, frame.payload) for frame in trace.frames] == [
        ("a", False, "id1|ping"),
        ("a", False, "id2|ping"),
        ("a", True, "x|y"),
    ]
    assert trace.sip == (Remark(at=25200.5, text="done", line=1),)


def test_both_files_become_one_order() -> None:
    """Routes before calls; a frame behind what caused it; what an application sends before what that causes."""
    trace = files.read(RECORDED / f"{CALL}.log")
    entries = [moment.entry for moment in ordered(trace) if not isinstance(moment.entry, Remark)]
    labels = [entry.entry for entry in entries]
    offered = next(frame.entry for frame in trace.frames if "|sip|network|" in frame.payload)
    answered = next(
        frame.entry for frame in trace.frames if not frame.from_server and "|sip|" in frame.payload
    )
    ok = next(one.entry for one in trace.messages if one.raw.startswith("SIP/2.0 200 OK"))
    assert labels.index("log 4") < labels.index("sip 1") < labels.index(offered)
    assert labels.index(offered) < labels.index(answered) < labels.index(ok)


def test_who_is_connected_to_authenticates_when_its_request_comes(tmp_path: Path) -> None:
    request = "x|sip|network|9|udp|127.0.0.1|5080|10:00:02.000002|t||127.0.0.1|5060|\r\nOPTIONS sip:a SIP/2.0\r\n\r\n"
    frames = ("n|response|m|OK|udp/127.0.0.1:5060|v0.9.5|udp/127.0.0.1:5060", request)
    raw = "".join(f"{len(frame)}#{frame}" for frame in frames)
    (tmp_path / "x.log").write_text(
        f"===>[outbound]\n21#m|authenticate|cymru|\n<===[outbound raw]\n{raw}\n", "latin-1", newline=""
    )
    sip = "OPTIONS sip:a SIP/2.0\r\nCall-ID: {0}\r\nCSeq: 1 OPTIONS\r\n\r\n"
    (tmp_path / "x.sip.txt").write_text(
        "".join(
            f"### 10:00:0{number}.000000 udp uac(127.0.0.1:5080) -> 127.0.0.1:5060 ({len(sip.format(number))} bytes)\n"
            f"{sip.format(number)}\n"
            for number in (1, 2)
        ),
        "latin-1",
        newline="",
    )
    trace = files.read(tmp_path / "x.log")
    assert {frame.application for frame in trace.frames} == {"outbound"}
    order = [getattr(moment.entry, "entry", "") for moment in ordered(trace)]
    assert order == ["sip 1", "sip 2", "log 1", "log 2", "log 3"]


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drachtio_conformance.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command(tmp_path: Path) -> None:
    log = copied(tmp_path)
    passed = conformance("replay", str(log), "--report", str(tmp_path / "report"))
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "1 case" in passed.stdout
    assert (tmp_path / "report" / "index.html").stat().st_size > 10_000
    altered(log, b"|Msg sent:|", b"|msg sent:|")
    failed = conformance("replay", str(tmp_path))
    assert failed.returncode == 1
    assert "(log " in failed.stdout
    steps = conformance("replay", str(log), "--steps")
    assert "- sip_send:" in steps.stdout
    nothing = conformance("replay", str(tmp_path / "nothing.log"))
    assert (nothing.returncode, nothing.stderr.count("\n")) == (2, 1)


def test_recording(tmp_path: Path) -> None:
    made = conformance(
        "record", "--filter", "ping/basic/answered", "--filter", "ping/basic/thousand", str(tmp_path)
    )
    assert made.returncode == 0, made.stderr
    assert "1 of 2 cases are in" in made.stdout
    assert "ping/basic/thousand: not recorded: " in made.stdout
    assert replayed(tmp_path / "ping-basic-answered.log").verdict is Verdict.PASS
