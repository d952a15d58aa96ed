"""A ladder for a terminal of any width: times, time since the row before, lifelines, arrows with labels.

Every line fits the width, if at least two columns a lifeline are there; labels become brief, and then are cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgtrace import ladder
from msgtrace.colours import Colour, Paint
from msgtrace.octets import one_line
from msgtrace.rows import Row

_TIMES = 19
"""columns of the time and of the time since the row before, with the blank behind them"""
_WIDEST = 48
"""columns between two lifelines, beyond which the eye loses the line"""


def text(rows: Sequence[Row], width: int, paint: Paint) -> str:
    """The ladder; ends with a line end."""
    plan = ladder.build(rows)
    columns = len(plan.lifelines)
    room = max(20, width - _TIMES)
    gap = max(4, min(_WIDEST, room // max(1, columns)))
    lefts = [_TIMES + gap // 2 + gap * index for index in range(columns)]
    lines = [_heading(plan.lifelines, lefts, gap).rstrip()]
    before = 0.0
    for row, arrow in zip(rows, plan.arrows, strict=True):
        lines.append(_line(row, arrow, lefts, width=width, before=before, paint=paint))
        before = row.at
    return "\n".join(lines) + "\n"


def _heading(lifelines: Sequence[str], lefts: Sequence[int], gap: int) -> str:
    canvas = [" "] * (lefts[-1] + gap)
    for name, left in zip(lifelines, lefts, strict=True):
        # The port tells peers apart, if there is no room for all.
        shown = name if len(name) < gap else "…" + name[2 - gap :]
        start = max(0, left - len(shown) // 2)
        canvas[start : start + len(shown)] = shown
    return "".join(canvas)


def _line(
    row: Row, arrow: ladder.Arrow, lefts: Sequence[int], *, width: int, before: float, paint: Paint
) -> str:
    since = row.at - before
    times = f"{row.at:9.3f}" + (f" {f'+{since:.3f}':>8} " if since >= 0.0005 else " " * 10)
    lines = [" "] * (lefts[-1] + 1)
    for left in lefts:
        lines[left] = "│"
    if arrow.source < 0 or arrow.source == arrow.target:
        left = lefts[arrow.source] if arrow.source >= 0 else lefts[0]
        head = "".join(lines[_TIMES : left + 1])
        label = f" ({one_line(row.summary, 400)})"
        room = max(12, width - left - 1)
        label = label if len(label) <= room else f"{label[: room - 2]}…)"
        return times + head + (paint(Colour.BAD, label) if row.bad else label)
    first, last = sorted((lefts[arrow.source], lefts[arrow.target]))
    inner = last - first - 1
    label = _label(row, inner - 4)
    body = f" {label} ".center(inner - 1, "─") if label else "─" * (inner - 1)
    right = arrow.source < arrow.target
    shaft = f"{body}▶" if right else f"◀{body}"
    colour = Colour.BAD if row.bad else (Colour.GOOD if 200 <= row.status < 300 else None)
    drawn = paint(colour, shaft) if colour else shaft
    return (times + "".join(lines[_TIMES : first + 1]) + drawn + "".join(lines[last:])).rstrip()


def _label(row: Row, room: int) -> str:
    again = ""
    if row.times > 1:
        again = f" ×{row.times} until {row.until:.1f}"
        again = again if len(row.brief + again) <= room else f" ×{row.times}"
    for label in (row.summary + again, row.summary.partition(" sip:")[0] + again, row.brief + again):
        if len(label) <= room:
            return label
    cut = row.summary + again if room > 24 else row.brief + again
    if room > 24:
        return row.summary[: room - len(again) - 1] + "…" + again
    return cut[: max(0, room - 1)] + "…" if room > 1 else ""
