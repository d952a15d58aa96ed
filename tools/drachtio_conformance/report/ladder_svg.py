"""Draws what crossed the wires of a case as an SVG ladder: SIP peers left, the server, applications right.

Each arrow links to the element that shows its octets. Colours come from the page's style sheet (classes ``frame``,
``sip``, ``note``, ``failed``), so that one drawing serves light and dark. ``templates/case.js`` draws the ladders of
packed cases by the same measures.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape
from msgspec import structs

from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report.visible import visible
from msgtrace import ladder
from msgtrace.ladder import Arrow

_TIME = 64
"""width of the column of times"""
_EDGE = 62
"""distance of the outer lifelines from the edge"""
_GAP = 236
"""distance between lifelines"""
_HEAD = 40
_ROW = 32
_GLYPH = 6.3
"""mean width of a character of a label"""


def _columns(names: Sequence[str]) -> tuple[list[int], int]:
    """Where the lifelines stand, and how wide the drawing is."""
    x = [_TIME + _EDGE + _GAP * position for position in range(len(names))]
    return x, _TIME + 2 * _EDGE + _GAP * max(len(names) - 1, 1)


def draw(events: Sequence[WireEvent], anchor: str, failure: str = "") -> Markup:
    """The ladder; event number i links to ``#ANCHOR-i``. ``failure`` is written below the last event."""
    plan = ladder.build([structs.replace(event, summary=visible(event.summary)) for event in events])
    names = plan.lifelines
    x, width = _columns(names)
    rows = len(events) + (1 if failure else 0)
    height = _HEAD + _ROW * rows + 18
    parts = [
        Markup('<svg class="ladder" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img">').format(
            w=width, h=height
        ),
        Markup("<title>Message ladder: {}</title>").format(", ".join(names)),
    ]
    for name, left in zip(names, x, strict=True):
        parts.append(
            Markup(
                '<path class="life" d="M{x} {top}V{bottom}"/><rect class="head" x="{left}" y="6" '
                'width="{wide}" height="24" rx="6"/><text class="name" x="{x}" y="22">{name}</text>'
            ).format(x=left, top=30, bottom=height - 6, left=left - 54, wide=108, name=_cut(name, 100))
        )
    for arrow in plan.arrows:
        y = _HEAD + _ROW * (arrow.index + 1) - 8
        parts.append(_arrow(arrow, names, y, x=x, width=width, anchor=f"{anchor}-{arrow.index}"))
    if failure:
        y = _HEAD + _ROW * rows - 8
        parts.append(
            Markup(
                '<path class="failed" d="M{left} {y}H{right}"/>'
                '<text class="failed" x="{mid}" y="{up}">{text}</text>'
            ).format(
                left=_TIME,
                right=width - 8,
                y=y,
                up=y - 6,
                mid=(_TIME + width) // 2,
                text=_cut(failure, width - 90),
            )
        )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _arrow(arrow: Arrow, names: Sequence[str], y: int, *, x: list[int], width: int, anchor: str) -> Markup:
    time = Markup('<text class="time" x="56" y="{y}">{at:.3f}</text>').format(y=y + 4, at=arrow.at)
    if _is_remark(arrow):
        label, middle = _remark(arrow, x, width)
        return time + Markup('<text class="note" x="{x}" y="{y}">{text}</text>').format(
            x=middle, y=y + 4, text=label
        )
    start, end = x[arrow.source], x[arrow.target]
    direction = 1 if end > start else -1
    return time + Markup(
        '<a class="{kind}" href="#{anchor}"><title>{source} → {target}: {full}</title>'
        '<rect class="hit" x="{left}" y="{top}" width="{wide}" height="{row}"/>'
        '<path d="M{start} {y}H{tip}m{back} -4l{forth} 4l{back} 4"/>'
        '<text x="{middle}" y="{up}">{label}</text></a>'
    ).format(
        kind=arrow.kind,
        anchor=anchor,
        source=names[arrow.source],
        target=names[arrow.target],
        full=arrow.label,
        left=min(start, end),
        top=y - 22,
        wide=abs(end - start),
        row=_ROW - 2,
        start=start,
        y=y,
        tip=end - direction,
        back=-7 * direction,
        forth=7 * direction,
        middle=(start + end) // 2,
        up=y - 6,
        label=_cut(arrow.label, abs(end - start) - 16),
    )


def _is_remark(arrow: Arrow) -> bool:
    return arrow.kind == "note" or arrow.source == arrow.target or min(arrow.source, arrow.target) < 0


def _remark(arrow: Arrow, x: list[int], width: int) -> tuple[str, int]:
    """The text of a remark and the middle of it, within the drawing."""
    label = _short(arrow.label, width - _TIME)
    half = int(len(label) * _GLYPH / 2)
    middle = x[arrow.source] if arrow.source >= 0 else (_TIME + width) // 2
    return label, max(min(middle, width - half), _TIME + half)


def _short(text: str, room: float) -> str:
    """``text`` shortened to ``room`` units of the drawing."""
    limit = max(int(room / _GLYPH), 4)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _cut(text: str, room: float) -> Markup:
    return escape(_short(text, room))
