"""What a step's checks have shown of themselves: that they object to what they must object to."""

from __future__ import annotations

from msgspec import Struct, field

from drachtio_conformance.steps.mutation import Mutation


class Proof(Struct):
    """What became of the broken twins of one step's checks while the step was carried out."""

    noticed: int = 0
    """how many were"""
    unnoticed: list[Mutation] = field(default_factory=list)
    """what the check did not object to, though it asserts the contrary"""
    open: list[Mutation] = field(default_factory=list)
    """what only a case played anew can show, since it is for something that comes later to object"""
