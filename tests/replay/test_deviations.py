"""Rows of docs/deviations.md that replay names when a recording differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_conformance.cases.specification import Deviation
from drachtio_conformance.cli.main import main
from drachtio_conformance.engine.results import CaseResult, StepOutcome, StepResult, Verdict
from drachtio_conformance.replay import files
from drachtio_conformance.replay.command import LISTED, PERHAPS
from drachtio_conformance.replay.deviations import explain

RECORDED = Path(__file__).parent / "recorded"
CALL = RECORDED / "call-answered-bye-of-the-caller.log"


def row(number: int, theirs: str, ours: str) -> Deviation:
    return Deviation(id=f"DEV-{number}", theirs=theirs, ours=ours, why="a lie", clauses=())


def ended(actual: str, expected: str = "a SIP message", entry: str = "") -> CaseResult:
    step = StepResult(
        kind="expect",
        sentence="",
        source=f"x.log:1 ({entry})",
        outcome=StepOutcome.FAILED,
        expected=expected,
        actual=actual,
    )
    return CaseResult(name="replay/x", title="", clauses=[], verdict=Verdict.FAIL, steps=[step])


def explained(result: CaseResult, *rows: Deviation) -> list[str]:
    return [found.id for found in explain(rows, files.read(CALL), result)]


@pytest.mark.parametrize(
    ("ours", "actual"),
    [
        ("answer `NOK\\|no such thing`", "token 3: NOK\nu|response|id|NOK|no such thing"),
        ("answer `NOK\\|too large: …`", "u|response|id|NOK|too large: 9 KiB"),
        ("answer `NOK\\|no header: LINE`", "u|response|id|NOK|no header: X"),
        ("answer 504 in time", "start line: SIP/2.0 504 Server Time-out"),
        ("say `Reason: x` with 481", "SIP/2.0 481 Call/Transaction Does Not Exist"),
    ],
)
def test_what_came_is_what_the_row_says_that_we_do(ours: str, actual: str) -> None:
    result = ended(actual)
    assert explained(result, row(1, "never answer", ours), row(2, "never answer", "answer 603")) == ["DEV-1"]


@pytest.mark.parametrize("actual", ["SIP/2.0 200 OK", "u|response|id|OK", "504 things"])
def test_what_no_row_says_is_not_explained(actual: str) -> None:
    assert explained(ended(actual), row(1, "answer 481 after 200 s", "answer 504 to `x`")) == []


def test_a_number_that_is_no_status_explains_nothing() -> None:
    assert explained(ended("SIP/2.0 480 Gone"), row(1, "wait", "wait 480 s, or until 12,480 are there")) == []


def test_what_the_recording_has_there_counts() -> None:
    result = ended("SIP/2.0 480 Gone", entry="sip 3")
    assert "SIP/2.0 200" in files.read(CALL).messages[2].raw
    rows = (row(1, "answer 503", "answer 480"), row(2, "send nothing, or 200 at once", "answer 480"))
    assert explained(result, *rows)[0] == "DEV-2"


def test_where_nothing_came_what_was_said_before_counts() -> None:
    rows = (row(1, "forget `route|invite`", "keep it"), row(2, "forget `route|message`", "keep it"))
    assert explained(ended("nothing came within 2 s"), *rows) == ["DEV-1"]
    assert explained(ended("SIP/2.0 200 OK"), *rows) == []


def test_a_case_that_did_not_fail_at_a_step_is_not_explained() -> None:
    result = ended("SIP/2.0 504 x")
    result.steps[0].outcome = StepOutcome.OK
    assert explained(result, row(1, "never answer", "answer 504")) == []


def test_the_command_names_the_rows_of_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "call-cancelled-after-200"
    for suffix in (files.LOG_SUFFIX, files.SIP_SUFFIX):
        text = (RECORDED / f"{name}{suffix}").read_bytes()
        (tmp_path / f"{name}{suffix}").write_bytes(text.replace(b"SIP/2.0 481 Call", b"SIP/2.0 487 Call"))
    assert main(["replay", str(tmp_path)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert PERHAPS in said
    assert f" ({name}). They: " in said


def test_the_command_names_the_rows_that_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "call-cancelled-after-200"
    for suffix in (files.LOG_SUFFIX, files.SIP_SUFFIX):
        text = (RECORDED / f"{name}{suffix}").read_bytes()
        (tmp_path / f"{name}{suffix}").write_bytes(text.replace(b"SIP/2.0 481 Call", b"SIP/2.0 487 Call"))
    differences = "".join(
        f"  - trace: {name}\n    entry: {one.entry}\n    deviation: DEV-75\n"
        "    instead:\n      - sip_expect: {peer: phone, status: 481}\n"
        for one in files.read(tmp_path / f"{name}.log").messages
        if one.raw.startswith("SIP/2.0 487 ")
    )
    (tmp_path / "expect.yaml").write_text(f"differences:\n{differences}")
    assert main(["replay", str(tmp_path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{LISTED} DEV-75 ({name}). They: " in said
    assert PERHAPS not in said
