"""What came back: how many answers of each status, awaited by the scenario or not.

SIPp's counts (``-trace_counts``) name what the scenario awaited; that another message came it counts without saying
which. That one stands in the error file, once for each call that it failed.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from msgspec import Struct

from drachtio_load.complaints import unexpected_messages
from drachtio_load.statistics import StatisticsError, report_rows

_AWAITED = re.compile(r"\d+_(?P<name>[^_]+)_Recv")


class Answer(Struct, frozen=True, kw_only=True):
    """One status, or one method of the peer's own requests, over all calls."""

    name: str
    """``180``, ``404 Not Found``, ``BYE``"""
    awaited: int = 0
    """where the scenario awaited it"""
    unawaited: int = 0
    """where another message was awaited, so that the call failed"""


def read_answers(counts: Path, errors: Path) -> list[Answer]:
    """The answers of a run by status, requests behind them; empty if SIPp wrote no counts."""
    try:
        last = report_rows(counts)[-1]
    except StatisticsError:
        return []
    awaited: Counter[str] = Counter()
    for column, text in last.items():
        if (matched := _AWAITED.fullmatch(column)) and text.isdigit():
            awaited[matched["name"]] += int(text)
    unawaited: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    for line in unexpected_messages(errors):
        name, reason = _name_and_reason(line)
        unawaited[name] += 1
        reasons.setdefault(name, reason)
    names = sorted(name for name in awaited | unawaited if awaited[name] or unawaited[name])
    return [
        Answer(
            name=f"{name} {reasons.get(name, '')}".rstrip(), awaited=awaited[name], unawaited=unawaited[name]
        )
        for name in names
    ]


def _name_and_reason(start_line: str) -> tuple[str, str]:
    """``404`` and ``Not Found``; of a request its method alone."""
    if start_line.startswith("SIP/2.0 "):
        status, _, reason = start_line.removeprefix("SIP/2.0 ").partition(" ")
        return status, reason
    return start_line.partition(" ")[0], ""
