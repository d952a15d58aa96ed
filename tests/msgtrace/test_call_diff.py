"""Two calls side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgtrace.cli import main
from tests.msgtrace import call_set
from tests.msgtrace.call_set import Played


@pytest.fixture
def log(tmp_path: Path) -> str:
    """Two calls that are alike, one that has 183 for 180, and one with another field."""
    play = Played()
    for name, ringing in (
        ("one", "180 Ringing"),
        ("two", "180 Ringing"),
        ("three", "183 Progress"),
        ("four", "180 Ringing"),
    ):
        play.request("INVITE", name, 1, answers=[ringing, "200 OK"])
        play.hang_up(name, 2)
    data = call_set.trace(play.scene)
    lines = data.splitlines(keepends=True)
    more = (rb"CSeq: 1 INVITE\r\n", rb"CSeq: 1 INVITE\r\nSupported: timer\r\n")
    lines = [line.replace(*more) if b"Call-ID: four" in line else line for line in lines]
    path = tmp_path / "log"
    path.write_bytes(b"".join(lines))
    return str(path)


def told(log: str, capsys: pytest.CaptureFixture[str], one: str, two: str, code: int) -> list[str]:
    """Lines of the difference."""
    assert main(["diff", one, two, log]) == code
    return capsys.readouterr().out.splitlines()


def test_calls_that_are_alike(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(log, capsys, "one", "two", 0)
    assert len(lines) > 8
    assert all(line.startswith("  ") for line in lines)


def test_a_message_that_only_one_has(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(log, capsys, "one", "3", 1)
    assert [line[0] for line in lines if line[0] in "-+"].count("-") == 3
    assert any(line.startswith("+") and "183 Progress" in line for line in lines)


def test_a_field_that_differs(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(log, capsys, "one", "four", 1)
    assert "~     supported: (none) | timer" in lines


def test_what_is_not_there(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "one", "bogus", log]) == 2
    assert "no call bogus among 4" in capsys.readouterr().err
