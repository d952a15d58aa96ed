"""Broken twins of a case: what was tried, what was not noticed, and what need not be tried again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from drachtio_conformance.engine.attempt import Attempt
from drachtio_conformance.engine.results import StepOutcome
from drachtio_conformance.steps.mutation import Mutation, MutationKind
from drachtio_conformance.steps.step import Located
from drachtio_conformance.targets.settings import ServerSettings


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
    """how many twins ran"""
    survivors: tuple[Survivor, ...]
    reason: str = ""
    """why none could run"""
    shared: int = 0
    """how many need not run again: a case that begins with the same steps has run them"""


def story(settings: ServerSettings | None, steps: Sequence[Located]) -> bytes:
    """A digest of all that leads to the last of ``steps``, a check.

    Whether its twins are noticed depends on nothing else, except that a duplicate is for a later check to notice.
    """
    return hashlib.sha256(msgspec.json.encode((settings, [located.step for located in steps]))).digest()


def noticed(twin: Attempt, index: int, mutation: Mutation) -> bool:
    """Whether a twin failed at the check that it concerns, step ``index``; a duplicate may fail a later one."""
    ended = twin.ended_at
    if ended is None or twin.steps[ended].outcome is not StepOutcome.FAILED:
        return False
    return ended >= index if mutation.kind is MutationKind.DUPLICATE else ended == index
