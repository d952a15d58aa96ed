"""A conformance case as data: what it is about, where it applies, and its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct, field

from drachtio_conformance.steps.step import Located, name_of
from drachtio_conformance.targets.settings import ServerSettings

T = TypeVar("T")


class Level(StrEnum):
    """How binding the clause is; a failed ``should`` is a warning."""

    MUST = "must"
    SHOULD = "should"


class ExpectUnder(Struct, frozen=True, kw_only=True):
    """What a server of that profile does instead, for a known reason: in steps of its own, or at a check that fails."""

    reason: str
    steps: tuple[Located, ...] = ()
    """run instead of the case's steps, and must pass"""
    at: str = ""
    """the check that fails: ``sip_expect 2`` is the second ``sip_expect`` of the case; empty: nobody has measured it"""
    got: str = ""
    """pattern of what comes there, as the report says it; ``nothing``: nothing comes in time"""


class NoSuchStep(ValueError):
    """``at`` names no check of the case; the message says which there are."""


class Case(Struct, frozen=True, kw_only=True):
    """One case, independent of every other."""

    name: str
    """``framing/split/every-byte``"""
    title: str
    clauses: tuple[str, ...]
    steps: tuple[Located, ...]
    source: str
    """``file:line``"""
    requires: tuple[str, ...] = ()
    """features that the target must declare"""
    server: ServerSettings | None = None
    level: Level = Level.MUST
    slow: bool = False
    ends_open: bool = False
    """calls may still be up at its end (a recording that ends there): the server's tables are not looked at"""
    expect_under: dict[str, ExpectUnder] = field(default_factory=dict)
    danger: dict[str, str] = field(default_factory=dict)
    """profile to reason: the case kills or blocks that server"""

    def under(self, profile: str) -> ExpectUnder | None:
        """What a server of that profile does instead; ``drachtio-0.9`` speaks of 0.9.5, too, unless that is named."""
        return nearest(self.expect_under, profile)

    def danger_to(self, profile: str) -> str:
        """Why the case must not run against a server of that profile; empty if it may."""
        return nearest(self.danger, profile) or ""


def nearest(known: Mapping[str, T], profile: str) -> T | None:
    """The entry of the profile itself, else of the release line that it belongs to, else None."""
    while profile:
        if profile in known:
            return known[profile]
        profile = profile.rpartition(".")[0]
    return None


def position(steps: Sequence[Located], at: str) -> int:
    """Index of the step that ``at`` (``sip_expect 2``) names. Raises :class:`NoSuchStep`."""
    name, _, number = at.partition(" ")
    places = [index for index, located in enumerate(steps) if name_of(located.step) == name]
    checks = Counter(name_of(located.step) for located in steps if located.step.is_check)
    if name in checks and (not number or number.isdecimal()) and 0 < int(number or 1) <= len(places):
        return places[int(number or 1) - 1]
    there = ", ".join(f"{number} {kind}" if number > 1 else kind for kind, number in checks.items())
    raise NoSuchStep(
        f"expected a check of the case, like 'sip_expect 2', got '{at}'; it has {there or 'none'}"
    )
