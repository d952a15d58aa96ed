"""All that the book needs of the conformance suite, in one place."""

from __future__ import annotations

from collections.abc import Sequence

from drachtio_conformance import data
from drachtio_conformance.cases import specification
from drachtio_conformance.cases.specification import Clause, Deviation, Specification
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report import ladder_svg

ROOT = data.root()
"""the checkout"""

__all__ = ["ROOT", "Clause", "Deviation", "Specification", "load", "picture"]


def load() -> Specification:
    """The clauses and deviations. Raises SpecificationError."""
    return specification.load(ROOT / "docs")


def picture(events: Sequence[tuple[float, str, str, str, str]], anchor: str) -> str:
    """A ladder of (time, kind, source, target, label) as SVG; arrow number i links to ``#ANCHOR-i``."""
    rows = [
        WireEvent(at=at, kind=kind, source=source, target=target, summary=label)
        for at, kind, source, target, label in events
    ]
    return str(ladder_svg.draw(rows, anchor))
