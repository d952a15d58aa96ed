"""All that the book needs of the conformance suite, in one place."""

from __future__ import annotations

from drachtio_conformance import data, specification
from drachtio_conformance.specification import Clause, Deviation, Specification

ROOT = data.root()
"""the checkout"""

__all__ = ["ROOT", "Clause", "Deviation", "Specification", "load"]


def load() -> Specification:
    """The clauses and deviations. Raises SpecificationError."""
    return specification.load(ROOT / "docs")
