"""msgtrace check: what an application did wrong, where, and what is held against nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgtrace.cli import main
from tests.bench import msgtrace as bench
from tests.msgtrace import samples

CALL = list(bench.exchange(7))
BEGIN = [(False, "a1|authenticate|s3cret|"), (True, "b1|response|a1|OK|udp/127.0.0.1:5060|v0.9.5")]
WRONG: dict[str, list[tuple[bool, str]]] = {
    "APP-6: route|INVITE": [(False, "a2|route|INVITE"), (True, "b2|response|a2|OK")],
    "APP-8: SIP/2.0 486 Busy Here names 'x'": [(False, "a3|sip|x|\r\nSIP/2.0 486 Busy Here\r\n\r\n")],
    "APP-7: SIP/2.0 200 OK comes behind the final response": [*CALL[:5], (False, f"again{CALL[3][1][36:]}")],
    "FRAME-14: ": [(False, "a4|rout|invite")],
}


def checked(
    parts: list[tuple[bool, str]], folder: Path, *options: str, form: str = "client log", damage: str = ""
) -> int:
    file = folder / "x.log"
    file.write_text(bench.written(form, parts) + damage, newline="")
    return main(["check", str(file), *options])


@pytest.mark.parametrize("told", WRONG)
def test_a_violation_is_told_with_its_clause_and_place(
    told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked([*BEGIN, *WRONG[told]], tmp_path) == 1
    said = capsys.readouterr().out
    assert f"violation  {told}" in said
    number = next(place for place, part in enumerate([*BEGIN, *WRONG[told]], 1) if part == WRONG[told][-1])
    assert f"message {number if told[:5] != 'APP-6' else number - 1} (line " in said


def test_a_call_that_went_well_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked([*BEGIN, (False, "a2|route|invite"), (True, "b2|response|a2|OK"), *CALL], tmp_path) == 0
    assert capsys.readouterr().out == "5 frames of applications: 0 violations, 0 warnings, 0 hints\n"


def test_warnings_fail_if_asked_to(tmp_path: Path) -> None:
    parts = [*BEGIN, (False, f"{'i' * 200}|ping"), (True, f"b2|response|{'i' * 200}|OK|pong")]
    assert checked(parts, tmp_path) == 0
    assert checked(parts, tmp_path, "--strict") == 1


def test_where_a_recording_begins_within_a_session_unknown_ids_are_no_fault(tmp_path: Path) -> None:
    assert checked(CALL[3:], tmp_path) == 0
    assert checked([*BEGIN, *CALL[3:]], tmp_path) == 1


def test_what_one_side_alone_does_not_show_is_no_fault(tmp_path: Path) -> None:
    assert checked([part for part in [*BEGIN, *CALL] if not part[0]], tmp_path) == 0


def test_behind_damage_unknown_ids_are_no_fault(tmp_path: Path) -> None:
    lost = "===>\r\nnonsense\r\n" + bench.written("client log", CALL[3:])
    assert checked([*BEGIN, *CALL[:1]], tmp_path, damage=lost) == 0


def test_another_session_knows_nothing_of_the_one_before(tmp_path: Path) -> None:
    route = [(False, "a2|route|invite"), (True, "b2|response|a2|OK"), *CALL]
    assert checked([*BEGIN, *route, *BEGIN, *route], tmp_path) == 0
    assert checked([*BEGIN, *route, *route], tmp_path) == 1


def test_the_same_again_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked(
        [*BEGIN, *[(False, f"n{number}|sip|x|\r\nSIP/2.0 486 B\r\n\r\n") for number in range(9)]], tmp_path
    )
    said = capsys.readouterr().out
    assert said.count("APP-8") == 1
    assert " and 4 more" in said


@pytest.mark.parametrize("form", samples.FORMS)
def test_every_form_is_judged(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.log").write_text(samples.FORMS[form](), newline="")
    main(["check", str(tmp_path / "x.log")])
    out = capsys.readouterr().out
    assert "2 frames of applications" in out
    assert "s3cret" not in out
    left = form == "recording"  # which tells that the application has gone: what it owed is the server's
    assert ("open       INVITE has no final response when the recording ends" in out) is not left


def test_a_file_without_frames_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.log").write_text("2026-11-23 07:36:00.000000 nothing\n")
    assert main(["check", str(tmp_path / "x.log"), str(tmp_path / "absent")]) == 1
    said = capsys.readouterr().err
    assert "no frame of an application is in it" in said
    assert "absent: No such file" in said
