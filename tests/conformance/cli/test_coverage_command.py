"""``coverage``: what recordings of applications have exercised and violated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drachtio_conformance.cli import coverage_command
from drachtio_conformance.cli.main import main

RECORDED = Path(__file__).parents[2] / "replay" / "recorded"
GOOD = str(RECORDED / "call-answered-after-the-callers-bye.log")
SAID = [
    ("===>", "7aad0c94|authenticate|cymru|"),
    ("<===", "x|response|7aad0c94|OK|udp/127.0.0.1:5060|v0.9.5|udp/127.0.0.1:5060"),
    ("===>", "c72afaf3|route|INVITE"),
    ("<===", "y|response|c72afaf3|OK"),
]
TOLERATED = "".join(f"{arrow}\n{len(payload)}#{payload}\n" for arrow, payload in SAID)


def test_a_violation_is_shown_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.log"
    trace.write_text(TOLERATED)
    assert main(["coverage", str(trace)]) == 1
    told = capsys.readouterr().out
    assert (
        f"{trace}, line 5: violation: APP-6: route|INVITE matches no request. Write verbs in lower case"
        in told
    )
    assert "APP-6     violated 1 of 2 times        Route each method once, in lower case" in told
    assert "APP-1     2 times" in told
    assert "1 violated" in told


def test_what_was_not_exercised(capsys: pytest.CaptureFixture[str]) -> None:
    main(["coverage", GOOD])
    told = capsys.readouterr().out
    assert "not exercised: " in told
    assert "PROXY-2" in told.rpartition("not exercised: ")[2]
    assert "APP-7 " not in told.rpartition("not exercised: ")[2]


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.log"
    trace.write_text(TOLERATED.replace("INVITE", "invite"))
    assert main(["coverage", "--json", str(trace)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["frames"] == 4
    assert told["problems"] == []
    assert told["exercised"]["APP-6"] == 2


def test_a_recording_that_begins_in_the_middle_is_given_the_benefit_of_the_doubt(tmp_path: Path) -> None:
    trace = tmp_path / "trace.log"
    trace.write_text("===>\n" + "39#a|sip|f6fadfa7|\r\nSIP/2.0 200 OK\r\n\r\n\r\n"[:50])
    assert coverage_command.measure([str(trace)]).violated == {}


def test_what_is_no_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear all,")
    assert main(["coverage", str(other)]) == 2
    assert capsys.readouterr().err
