"""Call ladders: who sent what to whom, as data for a drawing and as text for a terminal.

SIP peers stand on the left, the server (if there is one) in the middle, applications on the right; within a side the
order is that of first appearance. Any row type with the attributes of :class:`Row` will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct


class Row(Protocol):
    """Something that crossed a wire, or a remark."""

    @property
    def at(self) -> float:
        """seconds"""

    @property
    def kind(self) -> str:
        """``frame``, ``sip`` or ``note``"""

    @property
    def source(self) -> str:
        """lifeline that sent it"""

    @property
    def target(self) -> str:
        """lifeline that got it"""

    @property
    def summary(self) -> str:
        """one line"""


class Arrow(Struct, frozen=True):
    """One line of a ladder."""

    index: int
    """number of the row it was made from"""
    at: float
    kind: str
    label: str
    source: int
    """index of a lifeline; -1 where the row names none"""
    target: int
    """equal to ``source`` for a remark about one lifeline"""


class Ladder(Struct, frozen=True):
    """What a drawing needs."""

    lifelines: tuple[str, ...]
    arrows: tuple[Arrow, ...]


def build(rows: Iterable[Row], *, server: str = "server") -> Ladder:
    """Arrange rows as a ladder; ``server`` is the name of the middle lifeline."""
    rows = list(rows)
    left: dict[str, None] = {}
    right: dict[str, None] = {}
    for row in rows:
        side = left if row.kind == "sip" else right
        for name in (row.source, row.target):
            if name and name != server and name not in left and name not in right:
                side[name] = None
    # A capture of telephones has no server, and none is made up.
    meets_server = not (left or right) or any(server in (row.source, row.target) for row in rows)
    lifelines = (*left, *([server] if meets_server else []), *right)
    position = {name: index for index, name in enumerate(lifelines)}
    arrows = tuple(
        Arrow(
            index,
            row.at,
            row.kind,
            row.summary,
            position.get(row.source, -1),
            position.get(row.target, position.get(row.source, -1)),
        )
        for index, row in enumerate(rows)
    )
    return Ladder(lifelines, arrows)


def text(rows: Sequence[Row], *, server: str = "server", width: int = 100) -> str:
    """The ladder as text, at most about ``width`` columns wide; labels that do not fit are cut with ``…``."""
    ladder = build(rows, server=server)
    columns = len(ladder.lifelines)
    time_width = 9
    gap = max(12, min(44, (width - time_width - 8) // max(1, columns - 1))) if columns > 1 else 12
    lefts = [time_width + 6 + gap * index for index in range(columns)]
    lines = [_heading(ladder.lifelines, lefts, gap)]
    lines.extend(_line(arrow, lefts) for arrow in ladder.arrows)
    return "\n".join(lines) + "\n"


def _heading(lifelines: tuple[str, ...], lefts: list[int], gap: int) -> str:
    canvas = [" "] * (lefts[-1] + gap)
    for name, left in zip(lifelines, lefts, strict=True):
        shown = name if len(name) <= gap - 2 else "…" + name[3 - gap :]  # the port tells peers apart
        start = max(0, left - len(shown) // 2)
        canvas[start : start + len(shown)] = shown
    return "".join(canvas).rstrip()


def _line(arrow: Arrow, lefts: list[int]) -> str:
    canvas = [" "] * (lefts[-1] + 1)
    for left in lefts:
        canvas[left] = "│"
    moment = f"{arrow.at:8.3f}"
    canvas[: len(moment)] = moment
    if arrow.source < 0 or arrow.source == arrow.target:
        left = lefts[arrow.source] if arrow.source >= 0 else lefts[0]
        return ("".join(canvas[: left + 1]) + f" ({arrow.label})").rstrip()
    first, last = sorted((lefts[arrow.source], lefts[arrow.target]))
    canvas[first + 1 : last] = "─" * (last - first - 1)
    if arrow.source < arrow.target:
        canvas[last - 1] = "▶"
    else:
        canvas[first + 1] = "◀"
    label = f" {_cut(arrow.label, last - first - 7)} "
    start = first + 1 + (last - first - 1 - len(label)) // 2
    canvas[start : start + len(label)] = label
    return "".join(canvas)


def _cut(label: str, room: int) -> str:
    return label if len(label) <= room else label[: max(0, room - 1)] + "…"
