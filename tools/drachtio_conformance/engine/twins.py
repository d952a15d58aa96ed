"""Broken twins of a case: what was tried, and what was not noticed."""

from __future__ import annotations

from msgspec import Struct

from drachtio_conformance.engine.attempt import Attempt
from drachtio_conformance.engine.results import StepOutcome
from drachtio_conformance.steps.mutation import Mutation, MutationKind


class Survivor(Struct, frozen=True):
    """A broken twin that was not noticed where it should have been: the check is worth nothing."""

    case: str
    source: str
    """``file:line`` of the check"""
    mutation: Mutation
    outcome: str
    """what happened instead"""


class MutantReport(Struct, frozen=True):
    """The broken twins of one case."""

    case: str
    run: int
    """how many twins there were"""
    survivors: tuple[Survivor, ...]
    reason: str = ""
    """why none could run"""


def noticed(twin: Attempt, index: int, mutation: Mutation) -> bool:
    """Whether a twin failed at the check that it concerns, step ``index``; a duplicate may fail a later one."""
    ended = twin.ended_at
    if ended is None or twin.steps[ended].outcome is not StepOutcome.FAILED:
        return False
    return ended >= index if mutation.kind is MutationKind.DUPLICATE else ended == index
