"""Which rows of docs/deviations.md may explain a difference between a recording and what our server does.

Rows are written for people; but what goes over the wire stands in them word for word: status codes, and texts in
backticks. Three things can speak for a row: our server has just said what the row says that we do; the recording has
there what it says that they do; something that the row names was said to the server before. It is a guess, and shown
as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from drachtio_conformance.cases.specification import Deviation
from drachtio_conformance.engine.outcome import decisive_step
from drachtio_conformance.engine.results import CaseResult, StepResult
from drachtio_conformance.replay.files import Frame, SipOctets, Trace

MOST = 3
"""Rows that are shown for one difference."""

_STATUS = re.compile(r"(?<![\d,.-])([2-6]\d\d)(?![\d,.-]\d|\d| s\b| KiB| MiB| octets| characters)")
_SAID = re.compile(r"SIP/2\.0 (\d{3})")
_QUOTED = re.compile(r"`([^`]+)`")
_PLACEHOLDER = re.compile(r"…|[A-Z]{4,}\Z")
_METHOD = re.compile(
    r"\b(INVITE|ACK|BYE|CANCEL|UPDATE|PRACK|REFER|NOTIFY|SUBSCRIBE|OPTIONS|REGISTER|INFO|MESSAGE)\b"
)
_SHORTEST = 6
"""Characters of a quoted text that say something."""


def explain(deviations: Iterable[Deviation], trace: Trace, result: CaseResult) -> list[Deviation]:
    """The rows that may be why the replay of ``trace`` ended in ``result``, the likeliest first."""
    step = decisive_step(result)
    if step is None:
        return []
    recorded = _recorded(trace, step)
    said = "\n".join(
        [frame.payload for frame in trace.frames if not frame.from_server]
        + [message.raw for message in trace.messages if not message.from_server]
    )
    weighed = [(_weight(row, recorded, step.actual, said=said), row) for row in deviations]
    likeliest = sorted((one for one in weighed if one[0] > 1), key=lambda one: -one[0])
    return [row for weight, row in likeliest[:MOST] if weight >= likeliest[0][0] - 1]


def _recorded(trace: Trace, step: StepResult) -> str:
    """What the recording has where the replay ended."""
    entries: list[Frame | SipOctets] = [*trace.frames, *trace.messages]
    for entry in entries:
        if step.source.endswith(f"({entry.entry})"):
            return entry.payload if isinstance(entry, Frame) else entry.raw
    return step.expected


def _weight(row: Deviation, recorded: str, came: str, *, said: str) -> int:
    """How much speaks for a row; 1 and less is nothing."""
    ours, theirs = _agreement(row.ours, came), _agreement(row.theirs, recorded)
    named = _quotes(row.theirs, said)
    if not ours and not (named and came.startswith("nothing came")):
        return 0
    methods = set(_METHOD.findall(row.theirs)) & set(_METHOD.findall(f"{came} {recorded}"))
    return 2 * ours + theirs + 2 * named + bool(methods)


def _agreement(cell: str, message: str) -> int:
    """2 if ``message`` has a text that the cell quotes, 1 if it has a status that the cell names."""
    if _quotes(cell, message):
        return 2
    return int(bool(set(_STATUS.findall(cell)) & set(_SAID.findall(message))))


def _quotes(cell: str, text: str) -> bool:
    """Whether ``text`` has something that the cell quotes."""
    quoted = (_PLACEHOLDER.split(one.replace("\\|", "|"))[0].rstrip(" |") for one in _QUOTED.findall(cell))
    return any(len(one) >= _SHORTEST and one in text for one in quoted)
