"""A run over time: SIPp's report of each second (``-trace_stat -fd 1``) and each response time (``-trace_rtt``)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from drachtio_load.statistics import StatisticsError, moment, number, report_rows

_REMNANT = 0.5
"""Seconds; a last interval that is shorter is added to the one before it."""


class Interval(Struct, frozen=True, kw_only=True):
    """What happened between two reports, about a second apart."""

    at: float
    """seconds since the run began, at the interval's end"""
    length: float
    """seconds"""
    begun: int
    successful: int
    failed: int
    retransmissions: int
    open: int
    """calls under way at the end"""

    @property
    def rate(self) -> float:
        """Calls begun in a second."""
        return self.begun / self.length if self.length else 0.0


class ResponseTime(Struct, frozen=True):
    """One measured response."""

    at: float
    """seconds since the run began"""
    milliseconds: float
    """SIPp counts whole ones"""


class Percentiles(Struct, frozen=True, kw_only=True):
    """Response times in milliseconds, by nearest rank; all 0 where nothing was measured."""

    count: int = 0
    p50: float = 0.0
    p90: float = 0.0
    p99: float = 0.0
    max: float = 0.0


def read_intervals(path: Path) -> list[Interval]:
    """The intervals of a statistics file; empty if it has fewer than two reports. Raises StatisticsError."""
    rows = report_rows(path)
    while len(rows) > 2 and moment(rows[-1], "CurrentTime") - moment(rows[-2], "CurrentTime") < _REMNANT:
        del rows[
            -2
        ]  # the last report, sometimes told twice, tells the end, often milliseconds behind the one before
    intervals: list[Interval] = []
    for before, row in itertools.pairwise(rows):
        length = moment(row, "CurrentTime") - moment(before, "CurrentTime")
        if length <= 0:
            continue

        def grown(column: str, row: dict[str, str] = row, before: dict[str, str] = before) -> int:
            return number(path, row, column) - number(path, before, column)

        intervals.append(
            Interval(
                at=moment(row, "CurrentTime") - moment(row, "StartTime"),
                length=length,
                begun=grown("TotalCallCreated"),
                successful=grown("SuccessfulCall(C)"),
                failed=grown("FailedCall(C)"),
                retransmissions=grown("Retransmissions(C)"),
                open=number(path, row, "CurrentCall"),
            )
        )
    return intervals


def read_response_times(path: Path) -> list[ResponseTime]:
    """Every response time of a ``-trace_rtt`` file; a missing file is an empty list. Raises StatisticsError."""
    if not path.is_file():
        return []
    times: list[ResponseTime] = []
    for line in path.read_text("latin-1").splitlines()[1:]:
        fields = line.split(";")
        try:
            times.append(ResponseTime(float(fields[0]) / 1000, float(fields[1])))
        except (ValueError, IndexError):
            raise StatisticsError(f"{path.name}: expected TIME;MILLISECONDS;NUMBER, got {line!r}") from None
    return times


def milliseconds(value: float) -> str:
    """For people; 0 means less than SIPp can tell."""
    return f"{value:,.0f} ms" if value else "< 1 ms"


def percentiles(times: Sequence[ResponseTime]) -> Percentiles:
    """The percentiles of these response times."""
    if not times:
        return Percentiles()
    ordered = sorted(one.milliseconds for one in times)

    def rank(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return Percentiles(count=len(ordered), p50=rank(0.5), p90=rank(0.9), p99=rank(0.99), max=ordered[-1])
