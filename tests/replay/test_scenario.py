"""Recordings become cases in YAML, and these do again what was recorded; the genuine server's are replayed here, too,
so that a case can be compared with the replay."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from drachtio_conformance.cases import specification
from drachtio_conformance.cases.loader import parse
from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.replay import expected, files
from drachtio_conformance.replay.command import Replay, known_rows
from drachtio_conformance.replay.expected import Expectations
from drachtio_conformance.replay.files import TraceError
from drachtio_conformance.replay.scenario import scenario
from drachtio_conformance.targets.embedded import EmbeddedTarget
from msgtrace.cli import main

HERE = Path(__file__).parent
LISTED = HERE / "expect.yaml"
OWN = sorted((HERE / "recorded").glob("*.log"))
GENUINE = sorted((HERE.parents[2] / "shared" / "traces").glob("*.log"))
GOOD = {Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.KNOWN_FAILING}
CALL = HERE / "recorded" / "call-answered-bye-of-the-caller.log"
_LENGTH = re.compile(r"(?<=\|sip\|network\|)\d+|(?<=\|OK\|application\|)\d+")
NOT_FROM_FRAMES = {
    "call-answered-no-application": "no frame of the call",
    "call-timeouts-no-ack": "the time that passes has no frame",
    "call-timeouts-options-unanswered": "the time that passes has no frame",
    "dialog-requests-last-notify": "no frame tells when",
}


@pytest.fixture(scope="module")
def expectations() -> Expectations:
    return expected.load(LISTED, known_rows(specification.load()))


def played(text: str) -> CaseResult:
    (case,) = parse(text, name="recorded", file="recorded.yaml")

    async def run() -> CaseResult:
        runner = Runner(EmbeddedTarget(), Options())
        try:
            return await runner.run_case(case)
        finally:
            await runner.close()

    return asyncio.run(run())


def alone(log: Path, folder: Path) -> Path:
    """Its frames, without what endpoints sent and got."""
    copy = folder / log.name
    copy.write_bytes(log.read_bytes())
    return copy


@pytest.mark.parametrize("log", OWN, ids=lambda log: log.stem)
def test_both_sides_are_played_again(log: Path) -> None:
    result = played(scenario(log))
    assert result.verdict is Verdict.PASS, result.reason


@pytest.mark.parametrize(
    "log", [log for log in OWN if log.stem not in NOT_FROM_FRAMES], ids=lambda log: log.stem
)
def test_frames_alone_are_played_again(log: Path, tmp_path: Path) -> None:
    result = played(scenario(alone(log, tmp_path)))
    assert result.verdict is Verdict.PASS, result.reason


@pytest.mark.skipif(not GENUINE, reason="the recordings of the genuine server are not beside this clone")
@pytest.mark.parametrize("log", GENUINE, ids=lambda log: log.stem)
def test_what_the_genuine_server_did(log: Path, expectations: Expectations) -> None:
    """It is replayed as recorded, with the differences that are listed, and a case ends as that does."""
    result = asyncio.run(Replay(expectations).run(log))
    assert result.verdict in GOOD, f"{result.verdict}: {result.reason}"
    unlike = {one.trace for one in expectations.unspecified}
    unlike |= {one.trace for one in expectations.known_failing}
    if log.stem in unlike:
        return  # what it shows is left open, or known to fail: see expect.yaml
    if result.verdict is Verdict.NOT_APPLICABLE:
        with pytest.raises(TraceError, match="not written as a case"):
            scenario(log, listed=expectations)
        return
    result = played(scenario(log, listed=expectations))
    assert result.verdict is Verdict.PASS, result.reason


@pytest.mark.parametrize(
    ("before", "after"),
    [("|Msg sent:|", "|msg sent:|"), ("SIP/2.0 200 OK\r\nVia", "SIP/2.0 200 Ok\r\nVia")],
)
def test_a_frame_that_differs_is_noticed(before: str, after: str, tmp_path: Path) -> None:
    log = alone(CALL, tmp_path)
    data = log.read_bytes()
    assert before.encode() in data
    log.write_bytes(data.replace(before.encode(), after.encode()))
    assert played(scenario(log)).verdict is Verdict.FAIL


def moved(log: Path, folder: Path) -> Path:
    """The same call of a phone and a server that are elsewhere."""
    messages = [one for one in files.read(log).messages if one.endpoint == "phone"]
    phone, server = messages[0].port, messages[0].server_port
    moves = [
        (f"127.0.0.1{between}{port}", f"{host}{between}5060")
        for between in (":", "|")
        for port, host in ((phone, "192.0.2.9"), (server, "192.0.2.1"))
    ]
    moves.append((f"rport={phone}", "rport=5060"))
    written = b""
    for frame in files.read(log).frames:
        head, blank, body = frame.payload.partition("\r\n\r\n")
        seen = f";rport={phone}" if "|sip|network|" in head else "nothing"
        longer = len(head.partition("\r\n")[2].replace(seen, ""))
        for old, new in moves:
            head = head.replace(old, new)
        meta, _, sip = head.partition("\r\n")
        length = _LENGTH.search(meta)
        if length is not None:
            said = int(length[0]) + len(sip.replace(";rport=5060" if seen[0] == ";" else seen, "")) - longer
            head = f"{head[: length.start()]}{said}{head[length.end() :]}"
        payload = f"{head}{blank}{body}"
        arrow = "<===" if frame.from_server else "===>"
        written += f"{arrow}\r\n{len(payload)}#{payload}\r\n".encode("latin-1")
    (folder / "moved.log").write_bytes(written)
    return folder / "moved.log"


@pytest.mark.parametrize(
    "log", [CALL, CALL.with_name("response-echo-failure-of-invite.log")], ids=lambda log: log.stem
)
def test_whoever_was_elsewhere_is_played_on_loopback(log: Path, tmp_path: Path) -> None:
    text = scenario(moved(log, tmp_path))
    assert "192.0.2" not in text
    result = played(text)
    assert result.verdict is Verdict.PASS, result.reason


def test_of_several_calls_one(tmp_path: Path) -> None:
    log = tmp_path / "both.log"
    log.write_bytes(CALL.read_bytes() + CALL.with_name("response-echo-failure-of-invite.log").read_bytes())
    out = tmp_path / "case.yaml"
    assert main(["to-scenario", str(log), "--call", "1", "-o", str(out)]) == 0
    text = out.read_text()
    assert "BYE" in text
    assert "486" not in text
    assert main(["decode", "--calls", str(log)]) == 0


@pytest.mark.parametrize(
    ("text", "call", "told"),
    [
        ("8#id1|ping", ["--call", "3"], "x.log: no call 3 among 0"),
        ("2026-11-23 07:36:00.000000 hello\n", [], "no frames are in it"),
        ("nothing", [], "not a recording"),
    ],
)
def test_what_cannot_become_a_case_is_told(
    text: str, call: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "x.log"
    log.write_text(text)
    assert main(["to-scenario", str(log), *call]) == 1
    assert told in capsys.readouterr().err
