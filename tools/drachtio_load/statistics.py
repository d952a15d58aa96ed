"""What SIPp counted: its statistics file (``-trace_stat``) and its message counts (``-trace_counts``).

Both are CSV with ``;``, one line for each report, cumulative columns marked ``(C)``; the last line tells the
end of the run. SIPp's exit code alone cannot tell a hung call from an idle peer, so a run is judged by these
files.
"""

from __future__ import annotations

import csv
from pathlib import Path

from msgspec import Struct

_FAILED = "Failed"
_CUMULATIVE = "(C)"

_REASONS = {
    "FailedCannotSendMessage": "a message could not be sent",
    "FailedMaxUDPRetrans": "retransmitted to the end without an answer",
    "FailedTcpConnect": "TCP connection refused",
    "FailedTcpClosed": "TCP connection closed by the peer",
    "FailedUnexpectedMessage": "another message than the scenario's next came",
    "FailedCallRejected": "call rejected",
    "FailedRegexpDoesntMatch": "a header has another value than the scenario expects",
    "FailedRegexpHdrNotFound": "a header that the scenario expects is missing",
    "FailedOutboundCongestion": "outbound congestion",
    "FailedTimeoutOnRecv": "no answer in time",
    "FailedTimeoutOnSend": "could not send in time",
}


class StatisticsError(ValueError):
    """A statistics file is missing or is not one; the text names it."""


class CallStatistics(Struct, frozen=True, kw_only=True):
    """The calls of one run, from SIPp's last report."""

    created: int
    successful: int
    failed: int
    unfinished: int
    """begun, and neither successful nor failed when SIPp ended"""
    retransmissions: int
    """messages that SIPp sent again"""
    unexpected: int
    """messages that belonged to no call, or to one already over"""
    began: float
    """Unix seconds"""
    seconds: float
    """length of the run"""
    response_milliseconds: float
    """mean time from the first request to the response that the scenario waits for; 0 if none came"""
    failures: dict[str, int]
    """reason, in words, to number of calls"""

    @property
    def rate(self) -> float:
        """Calls a second that were really made."""
        return self.created / self.seconds if self.seconds else 0.0


def read_statistics(path: Path) -> CallStatistics:
    """Reads the last report of a ``-trace_stat`` file; raises StatisticsError."""
    last = report_rows(path)[-1]

    def counted(column: str) -> int:
        return number(path, last, column)

    failures: dict[str, int] = {}
    for column in last:
        if column.startswith(_FAILED) and column.endswith(_CUMULATIVE) and column != "FailedCall(C)":
            count = counted(column)
            if count:
                name = column.removesuffix(_CUMULATIVE)
                failures[_REASONS.get(name, name)] = count
    return CallStatistics(
        created=counted("TotalCallCreated"),
        successful=counted("SuccessfulCall(C)"),
        failed=counted("FailedCall(C)"),
        unfinished=counted("CurrentCall"),
        retransmissions=counted("Retransmissions(C)"),
        unexpected=counted("OutOfCallMsgs(C)") + counted("DeadCallMsgs(C)"),
        began=moment(last, "StartTime"),
        seconds=moment(last, "CurrentTime") - moment(last, "StartTime"),
        response_milliseconds=_duration(last.get("ResponseTime1(C)", "")) * 1000,
        failures=failures,
    )


def count_received(path: Path) -> int:
    """How many messages of the peer a ``-trace_counts`` file tells of; raises StatisticsError."""
    last = report_rows(path)[-1]
    return sum(int(count) for column, count in last.items() if column.endswith(("_Recv", "_Unexp")) and count)


def report_rows(path: Path) -> list[dict[str, str]]:
    """The reports of a file, at least one: column to text. Raises StatisticsError."""
    try:
        with path.open(newline="", encoding="latin-1") as file:
            rows = [row for row in csv.reader(file, delimiter=";") if row]
    except OSError:
        raise StatisticsError(f"sipp wrote no {path.name}") from None
    if len(rows) < 2:
        raise StatisticsError(f"{path.name}: expected a heading and figures, got {len(rows)} line(s)")
    # The last one may be half written while SIPp runs; heading and rows alike end in an empty field.
    whole = [row for row in rows[1:] if len(row) >= len(rows[0])] or rows[-1:]
    return [{column: value for column, value in zip(rows[0], row, strict=False) if column} for row in whole]


def number(path: Path, row: dict[str, str], column: str) -> int:
    """A count of a report. Raises StatisticsError."""
    text = row.get(column, "")
    try:
        return int(text)
    except ValueError:
        raise StatisticsError(f"{path.name}: expected a number in column {column}, got {text!r}") from None


def moment(row: dict[str, str], column: str) -> float:
    """Unix seconds of a report; SIPp writes ``DATE<tab>TIME<tab>UNIX SECONDS``. Raises StatisticsError."""
    text = row.get(column, "")
    try:
        return float(text.split("\t")[-1])
    except ValueError:
        raise StatisticsError(f"expected a time in column {column}, got {text!r}") from None


def _duration(text: str) -> float:
    """Seconds of SIPp's ``HH:MM:SS:uuuuuu`` (or ``HH:MM:SS``); 0 for an empty field."""
    if not text:
        return 0.0
    hours, minutes, seconds, *micros = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + (int(micros[0]) / 1e6 if micros else 0.0)
