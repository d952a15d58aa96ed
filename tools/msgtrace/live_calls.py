"""``msgtrace decode --follow --calls``: a call is listed as soon as it is known how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgtrace.answers import shown
from msgtrace.call_choice import Chosen
from msgtrace.call_table import Judged, heading, line
from msgtrace.colours import Colour, Paint
from msgtrace.entries import Entry
from msgtrace.verdict import Ending, judge


def rows(
    entries: Iterable[Entry], chosen: Chosen, paint: Paint, width: int, *, failed_only: bool
) -> Iterator[str]:
    """The heading at once, then a line for each call that ends; again if what became of it turns out otherwise."""
    yield paint(Colour.STRONG, heading(width))
    told: dict[int, str] = {}
    for item in shown(entries, hold=0, learn=chosen.index.learn):
        chosen.take(item)
        call = chosen.index.of(item)
        if call is None or call.number not in chosen:
            continue
        verdict = judge(call)
        if verdict.ending is Ending.OPEN or (failed_only and verdict.ending is not Ending.BAD):
            continue
        if told.get(call.number) == verdict.cause or _may_change(verdict.text):
            continue
        told[call.number] = verdict.cause
        yield from line(Judged(call, verdict), paint, width)


def _may_change(text: str) -> bool:
    """What the next message may refute: an application that has not yet responded is not silent."""
    return text.startswith("no response: ") or ("challenged: " in text and "no other try" in text)
