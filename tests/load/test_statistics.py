from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_load.statistics import StatisticsError, count_received, read_statistics

COLUMNS = [
    "StartTime",
    "CurrentTime",
    "TotalCallCreated",
    "CurrentCall",
    "SuccessfulCall(P)",
    "SuccessfulCall(C)",
    "FailedCall(C)",
    "FailedTimeoutOnRecv(C)",
    "FailedUnexpectedMessage(C)",
    "OutOfCallMsgs(C)",
    "DeadCallMsgs(C)",
    "Retransmissions(C)",
    "ResponseTime1(C)",
]


def moment(seconds: float) -> str:
    return f"2026-11-23\t09:44:29.782540\t{1795427069.5 + seconds}"


def write(path: Path, *rows: list[str]) -> Path:
    path.write_text("".join(";".join([*row, ""]) + "\n" for row in (COLUMNS, *rows)))
    return path


def test_the_last_report_counts(tmp_path: Path) -> None:
    first = [moment(0), moment(1), "3", "3", "0", "0", "0", "0", "0", "0", "0", "0", "00:00:00"]
    last = [moment(0), moment(4), "10", "1", "2", "6", "3", "2", "1", "4", "5", "7", "00:00:01:250000"]
    read = read_statistics(write(tmp_path / "statistics.csv", first, last))
    assert (read.created, read.unfinished, read.successful, read.failed) == (10, 1, 6, 3)
    assert (read.retransmissions, read.unexpected) == (7, 9)
    assert read.seconds == 4.0
    assert read.rate == 2.5
    assert read.response_milliseconds == 1250.0
    assert read.failures == {
        "no answer in time": 2,
        "another message than the scenario's next came": 1,
    }


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StatisticsError, match=r"sipp wrote no statistics\.csv"):
        read_statistics(tmp_path / "statistics.csv")


def test_a_heading_alone_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(StatisticsError, match="expected a heading and figures, got 1 line"):
        read_statistics(write(tmp_path / "statistics.csv"))


def test_a_figure_that_is_none_is_named(tmp_path: Path) -> None:
    row = [moment(0), moment(1), "many", "0", "0", "0", "0", "0", "0", "0", "0", "0", ""]
    with pytest.raises(StatisticsError, match="expected a number in column TotalCallCreated, got 'many'"):
        read_statistics(write(tmp_path / "statistics.csv", row))


def test_messages_of_the_peer_are_counted_awaited_or_not(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("CurrentTime;0_INVITE_Sent;1_100_Recv;1_100_Unexp;2_200_Recv;\nx;9;1;0;0;\nx;9;4;2;3;\n")
    assert count_received(path) == 9
