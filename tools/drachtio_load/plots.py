"""Line plots as SVG text, without anything but the standard library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from msgspec import Struct

WIDTH, HEIGHT = 470, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 12, 28


class Line(Struct, frozen=True, kw_only=True):
    """One curve; the class gives it its colour in the style sheet."""

    name: str
    style: str
    """a class of load.css: ``a``, ``b`` or ``c``; ``target`` is dashed"""
    points: Sequence[tuple[float, float]]
    """(seconds, value)"""


def line_plot(label: str, unit: str, lines: Sequence[Line]) -> str:
    """An ``<svg>`` with axes, grid, curves, and the value of each point on hovering."""
    points = [point for line in lines for point in line.points]
    end = max((x for x, _ in points), default=1.0) or 1.0
    top, step = _scale(max((y for _, y in points), default=0.0))

    def across(x: float) -> float:
        return _LEFT + x / end * (WIDTH - _LEFT - _RIGHT)

    def up(y: float) -> float:
        return HEIGHT - _BOTTOM - y / top * (HEIGHT - _TOP - _BOTTOM)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">']
    for index in range(round(top / step) + 1):
        y = index * step
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{up(y):.1f}" y2="{up(y):.1f}"/>'
        )
        parts.append(
            f'<text class="tick" x="{_LEFT - 8}" y="{up(y) + 4:.1f}" text-anchor="end">{_figure(y)}</text>'
        )
    along, seconds = _scale(end)
    for index in range(round(along / seconds) + 1):
        x = index * seconds
        if x <= end:
            parts.append(
                f'<text class="tick" x="{across(x):.1f}" y="{HEIGHT - _BOTTOM + 18}" text-anchor="middle">'
                f"{_figure(x)} s</text>"
            )
    for line in lines:
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line.points)
        parts.append(f'<polyline class="curve {line.style}" points="{path}"/>')
        if line.style != "target":
            parts += [
                f'<circle class="dot {line.style}" cx="{across(x):.1f}" cy="{up(y):.1f}" r="5">'
                f"<title>{x:.1f} s: {escape(line.name)} {_figure(y)} {escape(unit)}</title></circle>"
                for x, y in line.points
            ]
    return "".join([*parts, "</svg>"])


def _scale(largest: float) -> tuple[float, float]:
    """The end of an axis and the distance of its marks: 1, 2 or 5 times a power of ten, three to six of them."""
    if largest <= 0:
        return 1.0, 1.0
    power = 10.0 ** math.floor(math.log10(largest / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= largest)
    return math.ceil(largest / step - 1e-9) * step, step


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
