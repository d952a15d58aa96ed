"""``msgtrace decode --calls``: why calls failed and how many for each cause, then a line for each call.

On a terminal a line is as wide as that, and what became of a call goes on below; elsewhere it stays on one line.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence

from msgspec import Struct

from msgtrace.calls import Call
from msgtrace.colours import Colour, Paint
from msgtrace.verdict import Ending, Verdict, is_cancelled, judge

SIGNS = {Ending.GOOD: "✓", Ending.WARN: "⚠", Ending.BAD: "✗", Ending.OPEN: "…"}
COLOURS = {
    Ending.GOOD: Colour.GOOD,
    Ending.WARN: Colour.REMARK,
    Ending.BAD: Colour.BAD,
    Ending.OPEN: Colour.REMARK,
}
_NARROW = 110
"""columns below which times are short and names are cut earlier"""
_LEAST = 24
"""columns for what became of a call"""


class Judged(Struct, frozen=True):
    """A call with its verdict, and how it belongs to others."""

    call: Call
    verdict: Verdict
    leg_of: int = 0
    """number of the call of which it is a further leg"""
    legs: tuple[tuple[int, Verdict], ...] = ()
    """its further legs"""

    @property
    def text(self) -> str:
        """What became of it, and of its legs if they failed."""
        said = self.verdict.text
        if self.leg_of:
            said += f"; leg of call {self.leg_of}"
        for number, verdict in self.legs:
            failed = verdict in self._failed and self.verdict.ending is Ending.BAD
            said += f"; its other leg is call {number}" + (f": {verdict.text}" if failed else "")
        return said

    @property
    def _failed(self) -> list[Verdict]:
        """Of its legs what may have made it fail: they failed, or nothing came back."""
        if is_cancelled(self.verdict):
            return []  # that is what the legs come from
        return [
            verdict
            for _, verdict in self.legs
            if verdict.ending is Ending.BAD or (verdict.ending is Ending.OPEN and verdict.final is None)
        ]

    @property
    def cause(self) -> str:
        """Why it failed: what its other leg failed of, if there is one."""
        failed = self._failed
        return (
            f"{self.verdict.cause}, since its other leg: {failed[-1].cause}" if failed else self.verdict.cause
        )


def judged(calls: Sequence[Call], legs: dict[int, Call]) -> list[Judged]:
    """All calls with their verdicts; ``legs`` tells by number of which call one is a leg."""
    verdicts = {call.number: judge(call) for call in calls}
    further: dict[int, list[tuple[int, Verdict]]] = {}
    for number, first in legs.items():
        further.setdefault(first.number, []).append((number, verdicts[number]))
    return [
        Judged(
            call,
            verdicts[call.number],
            legs[call.number].number if call.number in legs else 0,
            tuple(further.get(call.number, ())),
        )
        for call in calls
    ]


def table(
    rows: Sequence[Judged],
    paint: Paint,
    *,
    failed_only: bool,
    file: str,
    width: int = 0,
    of: int = 0,
) -> Iterator[str]:
    """Causes, heading, lines, and a sentence with the numbers.

    ``file`` is named in the command that shows one call; ``width`` 0 is without limit; ``of`` so many calls in the
    recording ``rows`` are those that fit.
    """
    shown = [row for row in rows if row.verdict.ending is Ending.BAD or not failed_only]
    failed = [row for row in rows if row.verdict.ending is Ending.BAD]
    yield from _causes(failed, paint, width)
    if shown:
        yield paint(Colour.STRONG, heading(width))
    for row in shown:
        yield from line(row, paint, width)
    count = {ending: sum(row.verdict.ending is ending for row in rows) for ending in Ending}
    among = f" of {of:,}" if of and of != len(rows) else ""
    legs = sum(row.leg_of > 0 for row in rows)
    other_legs = f", of which {legs:,} are other legs" if legs else ""
    counted = (
        f"{len(rows):,}{among} call{'s' if len(rows) != 1 else ''}{other_legs}: {count[Ending.BAD]:,} failed, "
        f"{count[Ending.OPEN]:,} unfinished"
    )
    if count[Ending.WARN]:
        counted += f", {count[Ending.WARN]:,} with a remark"
    if failed:
        numbers = ", ".join(str(row.call.number) for row in failed[:10]) + (", …" if len(failed) > 10 else "")
        counted += f". Failed: {numbers}. See one: msgtrace decode --call {failed[0].call.number} --ladder "
        counted += shlex.quote(file)
    yield from _wrapped(counted, width)


def _causes(failed: Sequence[Judged], paint: Paint, width: int) -> Iterator[str]:
    """How many failed for each cause, the most first; each call once, its legs not again."""
    whole = [row for row in failed if not row.leg_of]
    causes: dict[tuple[str, str], list[Judged]] = {}
    for row in whole:
        causes.setdefault((row.call.method, row.cause), []).append(row)
    if len(whole) < 2:
        return
    for (method, cause), rows in sorted(causes.items(), key=lambda pair: -len(pair[1])):
        numbers = ", ".join(str(row.call.number) for row in rows[:3]) + (", …" if len(rows) > 3 else "")
        what = "call" if len(rows) == 1 else "calls"
        for place, text in enumerate(
            _wrapped(f"{method} {cause} ({what} {numbers})".lstrip(), max(0, width - 10))
        ):
            yield f"{f'{len(rows):,} ×':>9} {paint(Colour.BAD, text)}" if not place else f"{'':10}{text}"
    yield ""


def heading(width: int) -> str:
    """Names of the columns."""
    if 0 < width < _NARROW:
        return f"    call  {'time':8}  {'method':8}  {'from':10}  {'to':10}  what became of it"[:width]
    return f"    call  message  {'time':15}  {'method':8}  {'from':16}  {'to':16}  what became of it"


def line(row: Judged, paint: Paint, width: int) -> Iterator[str]:
    """One call."""
    call, colour = row.call, COLOURS[row.verdict.ending]
    time, method = _clock(call.begin), call.method[:8]
    if 0 < width < _NARROW:
        head = f"{call.number:4}  {time[:8]:8}  {method:8}  {call.caller[:10]:10}  {call.callee[:10]:10}  "
    else:
        head = f"{call.number:4}  {call.first:7}  {time:15}  {method:8}  {call.caller[:16]:16}  {call.callee[:16]:16}  "
    sign = paint(colour, SIGNS[row.verdict.ending])
    room = width - len(head) - 4 if width else 0
    if width and room < _LEAST:  # what became of it stands below
        yield f"  {sign} {head[: width - 4].rstrip()}"
        for text in _wrapped(row.text, max(_LEAST, width - 8)):
            yield f"{'':8}{paint(colour, text)}"
        return
    first, *rest = _wrapped(row.text, room)
    yield f"  {sign} {head}{paint(colour, first)}"
    for text in rest:
        yield f"{'':{len(head) + 4}}{paint(colour, text)}"


def _wrapped(text: str, width: int) -> list[str]:
    if not width or len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _clock(time: str) -> str:
    place = time.find(":")
    return time[place - 2 :].rstrip("Z")[:15] if place >= 2 else ""
