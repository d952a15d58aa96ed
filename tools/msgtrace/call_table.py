"""``msgtrace decode --calls``: one line for each call, what became of it and why."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from msgtrace.calls import Call
from msgtrace.colours import Colour, Paint
from msgtrace.verdict import Ending, judge

_SIGNS = {Ending.GOOD: "✓", Ending.WARN: "⚠", Ending.BAD: "✗", Ending.OPEN: "…"}
_COLOURS = {
    Ending.GOOD: Colour.GOOD,
    Ending.WARN: Colour.REMARK,
    Ending.BAD: Colour.BAD,
    Ending.OPEN: Colour.REMARK,
}


def table(calls: Sequence[Call], paint: Paint, *, failed_only: bool, file: str) -> Iterator[str]:
    """Heading, lines, and a sentence with the numbers; ``file`` is named in the command that shows one call."""
    outcomes = [(call, verdict.ending, verdict.text) for call in calls for verdict in (judge(call),)]
    shown = [row for row in outcomes if row[1] is Ending.BAD or not failed_only]
    if shown:
        yield paint(
            Colour.STRONG,
            f"    call  message  time             {'method':8}  {'from':16}  {'to':16}  what became of it",
        )
    for call, ending, text in shown:
        time = _clock(call.begin)
        way = f"{call.caller[:16]:16}  {call.callee[:16]:16}"
        sign = paint(_COLOURS[ending], _SIGNS[ending])
        yield (
            f"  {sign} {call.number:4}  {call.first:7}  {time:15}  {call.method[:8]:8}  {way}  "
            f"{paint(_COLOURS[ending], text)}"
        )
    failed = [call.number for call, ending, _ in outcomes if ending is Ending.BAD]
    still_open = sum(ending is Ending.OPEN for _, ending, _ in outcomes)
    counted = (
        f"{len(calls)} call{'s' if len(calls) != 1 else ''}: {len(failed)} failed, {still_open} unfinished"
    )
    if failed:
        numbers = ", ".join(map(str, failed[:10])) + (", …" if len(failed) > 10 else "")
        counted += (
            f". Failed: {numbers}. See one: msgtrace decode --call {failed[0]} --ladder {shlex.quote(file)}"
        )
    yield counted


def _clock(time: str) -> str:
    place = time.find(":")
    return time[place - 2 :].rstrip("Z")[:15] if place >= 2 else ""
