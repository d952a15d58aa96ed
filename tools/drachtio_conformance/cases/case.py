"""A conformance case as data: what it is about, where it applies, and its steps."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from drachtio_conformance.steps.step import Located
from drachtio_conformance.targets.settings import ServerSettings


class Level(StrEnum):
    """How binding the clause is; a failed ``should`` is a warning."""

    MUST = "must"
    SHOULD = "should"


class ExpectUnder(Struct, frozen=True, kw_only=True):
    """What happens under a profile that differs by a known defect."""

    reason: str
    steps: tuple[Located, ...] = ()
    """run instead of the case's steps, and must pass; without them the case counts as known-failing"""


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
