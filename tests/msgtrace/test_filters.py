"""Times to filter by."""

from __future__ import annotations

import pytest

from msgtrace.filters import moment, within


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
