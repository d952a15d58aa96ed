"""Times of packets, in the way in which recordings write theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(nanoseconds: int) -> str:
    """``2026-11-23T07:46:06.250000Z`` of nanoseconds since 1970; empty beyond what has a date."""
    try:
        moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return ""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
