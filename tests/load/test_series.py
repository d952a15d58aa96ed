from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_load.series import (
    Percentiles,
    ResponseTime,
    milliseconds,
    percentiles,
    read_intervals,
    read_response_times,
)
from drachtio_load.statistics import StatisticsError
from tests.load.test_statistics import moment, write


def report(
    at: float, created: int, open_calls: int, successful: int, failed: int, repeated: int
) -> list[str]:
    counts = [created, open_calls, 0, successful, failed, 0, 0, 0, 0, repeated]
    return [moment(0), moment(at), *map(str, counts), "00:00:00"]


def test_what_happened_between_two_reports(tmp_path: Path) -> None:
    rows = [report(0, 0, 0, 0, 0, 0), report(1, 10, 4, 5, 1, 2), report(3, 40, 0, 39, 1, 2)]
    first, second = read_intervals(write(tmp_path / "s.csv", *rows))
    assert (first.begun, first.open, first.successful, first.failed, first.retransmissions) == (
        10,
        4,
        5,
        1,
        2,
    )
    assert (second.begun, second.successful, second.failed, second.retransmissions) == (30, 34, 0, 0)
    assert (second.at, second.length, second.rate) == (3.0, 2.0, 15.0)


def test_the_remnant_at_the_end_belongs_to_the_last_second(tmp_path: Path) -> None:
    rows = [report(0, 0, 0, 0, 0, 0), report(1, 10, 4, 5, 1, 2), report(1.02, 10, 0, 9, 1, 2)]
    (only,) = read_intervals(write(tmp_path / "s.csv", *rows))
    assert (only.begun, only.successful, round(only.length, 2)) == (10, 9, 1.02)


def test_a_row_that_is_half_written_does_not_count(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", report(0, 0, 0, 0, 0, 0), report(1, 10, 4, 5, 1, 2))
    path.write_text(path.read_text() + moment(0) + ";" + moment(2) + ";99")
    assert [one.begun for one in read_intervals(path)] == [10]


def test_response_times(tmp_path: Path) -> None:
    path = tmp_path / "x_rtt.csv"
    path.write_text("Date_ms;response_time_ms;rtd_no\n12.001;0;1\n1024;7;1\n")
    assert read_response_times(path) == [ResponseTime(0.012001, 0.0), ResponseTime(1.024, 7.0)]
    assert read_response_times(tmp_path / "none.csv") == []
    path.write_text("Date_ms;response_time_ms;rtd_no\nabc\n")
    with pytest.raises(StatisticsError, match="expected TIME;MILLISECONDS;NUMBER, got 'abc'"):
        read_response_times(path)


def test_percentiles_are_values_that_were_measured() -> None:
    times = [ResponseTime(0, value) for value in range(1, 101)]
    assert percentiles(times) == Percentiles(count=100, p50=50, p90=90, p99=99, max=100)
    assert percentiles(times[:1]) == Percentiles(count=1, p50=1, p90=1, p99=1, max=1)
    assert percentiles([]) == Percentiles()


def test_less_than_sipp_can_tell() -> None:
    assert (milliseconds(0), milliseconds(1234.0)) == ("< 1 ms", "1,234 ms")
