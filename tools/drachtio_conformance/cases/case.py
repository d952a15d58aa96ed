"""A conformance case as data: what it is about, where it applies, and its steps."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from drachtio_conformance.steps.vocabulary import Located


class Level(StrEnum):
    """How binding the clause is; a failed ``should`` is a warning."""

    MUST = "must"
    SHOULD = "should"


class ServerSettings(Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Settings of a server that a case needs for itself; what is ``None`` keeps its default."""

    emulate: str | None = None
    """dialect of the admin protocol, ``0.8``"""
    hangup_on_app_loss: bool | None = None
    frame_limit: int | None = None
    """octets"""
    frame_limit_before_authentication: int | None = None
    incomplete_frame_timeout: float | None = None
    """seconds"""
    incomplete_frame_timeout_before_authentication: float | None = None
    cdrs: bool | None = None
    """send call detail records; set by the runner for cases that require ``cdrs``"""
    external_ip: str | None = None
    outbound_proxy: str | None = None
    """a SIP URI"""
    aggressive_nat_detection: bool | None = None
    disable_nat_detection: bool | None = None
    ipv6: bool | None = None
    """listen on ::1, too; set by the runner for cases that require ``ipv6``"""
    t1: float | None = None
    t2: float | None = None
    t4: float | None = None
    t1x64: float | None = None


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
