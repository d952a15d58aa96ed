"""Times and clauses to filter by."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgtrace.cli import main
from msgtrace.filters import moment, within
from tests.msgtrace.test_stats import log


@pytest.mark.parametrize(
    ("clock", "since", "until", "inside"),
    [
        ("2026-11-23T07:26:10.5Z", "07:26", None, True),
        ("2026-11-23T07:25:59.9Z", "07:26", None, False),
        ("07:26:10.500000", None, "07:26:10.5", True),
        ("07:26:10.500001", None, "07:26:10.5", False),
        ("2026-11-23 23:59:00.0", "23:00", "01:00", True),
        ("2026-11-24 00:30:00.0", "23:00", "01:00", True),
        ("2026-11-24 12:00:00.0", "23:00", "01:00", False),
        ("2026-11-24T00:30:00Z", "2026-11-23T23:00", "2026-11-24T01:00", True),
        ("2026-11-25T00:30:00Z", "2026-11-23T23:00", "2026-11-24T01:00", False),
        ("00:30:00.0", "2026-11-23T00:10", None, True),
        ("", "07:26", None, False),
        ("", None, None, True),
    ],
)
def test_times(clock: str, since: str | None, until: str | None, inside: bool) -> None:
    begin, end = (moment(text) if text else None for text in (since, until))
    assert within(clock, begin, end) is inside


@pytest.mark.parametrize("text", ["", "7", "25:00", "07:60", "noon", "2026-11-23"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time like"):
        moment(text)


@pytest.mark.parametrize("style", [["--calls"], [], ["--jsonl"]])
def test_a_clause_chooses_the_calls_that_it_explains(
    style: list[str], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "x.log").write_bytes(log((0, 0.5, 486), (5, 0.5, 503)))
    assert main(["decode", *style, "--clause", "call-2", str(tmp_path / "x.log")]) == 0
    said = capsysbinary.readouterr().out.decode()
    assert "503" in said
    assert "486" not in said
    assert main(["decode", *style, "--clause", "OUT-6", str(tmp_path / "x.log")]) == 1
    assert "fits" in capsysbinary.readouterr().err.decode()


def test_a_clause_needs_the_end_of_calls(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["decode", "--follow", "--clause", "OUT-6", "x.log"])
    assert "--follow does not wait" in capsys.readouterr().err
