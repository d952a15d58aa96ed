"""Ladders for issues and documents: a Mermaid sequence diagram, and an SVG drawing that stands alone."""

from __future__ import annotations

from collections.abc import Sequence

from msgtrace import ladder
from msgtrace.rows import Row

_MOST = 1_000
"""rows of a drawing"""
_TIME, _EDGE, _GAP, _HEAD, _ROW, _GLYPH = 120, 80, 240, 44, 30, 6.6


def mermaid(rows: Sequence[Row]) -> str:
    """A sequence diagram (https://mermaid.js.org/syntax/sequenceDiagram.html), as GitHub draws it."""
    rows = rows[:_MOST]
    plan = ladder.build(rows)
    lines = ["sequenceDiagram"]
    lines += [f"    participant p{index} as {_safe(name)}" for index, name in enumerate(plan.lifelines)]
    for row, arrow in zip(rows, plan.arrows, strict=True):
        label = _safe(f"{row.at:.3f} {row.summary}{_again(row)}")
        if arrow.source < 0 or arrow.source == arrow.target:
            lines.append(f"    Note over p{max(0, arrow.source)}: {label}")
        else:
            shaft = "-->>" if row.kind == "frame" else "->>"
            lines.append(f"    p{arrow.source}{shaft}p{arrow.target}: {label}")
    return "\n".join(lines) + "\n"


def _again(row: Row) -> str:
    return f" ×{row.times} until {row.until:.1f}" if row.times > 1 else ""


def _safe(text: str) -> str:
    """Mermaid knows entities as ``#35;``; what it takes for its own or for markup is one."""
    return "".join(f"#{ord(one)};" if one in '#;<>&"{}[]%\\`' else one for one in text)


def svg(rows: Sequence[Row]) -> str:
    """A drawing with its own colours, for light and dark grounds; text is escaped, and nothing is loaded."""
    rows = rows[:_MOST]
    plan = ladder.build(rows)
    count = len(plan.lifelines)
    x = [_TIME + _EDGE + _GAP * index for index in range(count)]
    width, height = x[-1] + _EDGE + 20, _HEAD + _ROW * len(rows) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        "<style>text{fill:#1c2024}.t{fill:#69707a}.l{stroke:#c3c8ce}.h{font-weight:600;text-anchor:middle}"
        ".m{text-anchor:middle}.sip{stroke:#0b68cb;fill:#0b68cb}.frame{stroke:#7a45b5;fill:#7a45b5}"
        ".bad{stroke:#c22b2b;fill:#c22b2b}rect{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#e6e9ec}"
        ".t{fill:#98a1ab}.l{stroke:#454c54}.sip{stroke:#6cb2ff;fill:#6cb2ff}.frame{stroke:#c19bee;fill:#c19bee}"
        ".bad{stroke:#ff7b72;fill:#ff7b72}rect{fill:#14171a}}</style>",
        f'<title>Ladder of {len(rows)} messages</title><rect width="{width}" height="{height}"/>',
    ]
    for name, left in zip(plan.lifelines, x, strict=True):
        parts.append(
            f'<line class="l" x1="{left}" x2="{left}" y1="{_HEAD - 14}" y2="{height - 8}"/>'
            f'<text class="h" x="{left}" y="18">{_text(name, _GAP - 12)}</text>'
        )
    for row, arrow in zip(rows, plan.arrows, strict=True):
        y = _HEAD + _ROW * (arrow.index + 1) - 8
        parts.append(f'<text class="t" x="8" y="{y}">{row.at:.3f}</text>')
        if arrow.source < 0 or arrow.source == arrow.target:
            left = x[arrow.source] if arrow.source >= 0 else _TIME
            parts.append(f'<text x="{left + 8}" y="{y}" font-style="italic">{_text(row.summary, 600)}</text>')
            continue
        begin, end = x[arrow.source], x[arrow.target]
        way = 1 if end > begin else -1
        kind = "bad" if row.bad else row.kind
        label = _text(row.summary, abs(end - begin) - 24 - _GLYPH * len(_again(row))) + _again(row)
        parts.append(
            f'<g class="{kind}"><line x1="{begin}" x2="{end - way * 7}" y1="{y}" y2="{y}"/>'
            f'<path d="M{end} {y}l{-way * 8} -4v8z" stroke="none"/></g>'
            f'<text class="m" x="{(begin + end) / 2:g}" y="{y - 5}">{label}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(text: str, room: float) -> str:
    fits = max(1, int(room / _GLYPH))
    shown = text if len(text) <= fits else text[: fits - 1] + "…"
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
