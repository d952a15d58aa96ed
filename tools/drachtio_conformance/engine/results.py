"""What a run leaves behind: the one model from which every report (terminal, JUnit, JSON, HTML) is made.

Text of the wire is held as ``str`` in which each character is one octet (latin-1).
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from drachtio_conformance.peers.recorder import WireEvent


class Verdict(StrEnum):
    """The outcome of a case (design: the conformance contract, 2)."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    NOT_APPLICABLE = "not-applicable"
    KNOWN_FAILING = "known-failing"
    UNEXPECTED_PASS = "unexpected-pass"
    ERROR = "error"


class StepOutcome(StrEnum):
    """The outcome of one step."""

    OK = "ok"
    FAILED = "failed"
    ERROR = "error"
    NOT_OFFERED = "not-offered"
    """the peer says that it does not do what the step is about"""
    NOT_RUN = "not-run"


class StepResult(Struct, kw_only=True):
    """One step of a case as it ran."""

    kind: str
    """the step's name in the vocabulary: ``expect``, ``sip_request`` …"""
    sentence: str
    """what it does, in words"""
    source: str
    """``file:line``"""
    outcome: StepOutcome = StepOutcome.NOT_RUN
    expected: str = ""
    actual: str = ""
    is_check: bool = False
    started: float = 0.0
    """seconds since the case began"""


class CaseResult(Struct, kw_only=True):
    """One case as it ran."""

    name: str
    """path: ``framing/split/every-byte``"""
    title: str
    clauses: list[str]
    verdict: Verdict
    reason: str = ""
    """why it is not a plain pass, in one sentence"""
    source: str = ""
    duration: float = 0.0
    steps: list[StepResult] = field(default_factory=list)
    events: list[WireEvent] = field(default_factory=list)
    rerun: str = ""
    """the command that runs this case alone"""
    killer: bool = False
    """whether the server was gone after it"""
    mutant: str = ""
    """for a broken twin: what was altered"""


class RunResult(Struct, kw_only=True):
    """A whole run of the suite."""

    target: str
    """``reference server (embedded)`` or ``HOST:PORT``"""
    server_version: str
    suite_version: str
    started: str
    """ISO 8601, UTC"""
    duration: float
    cases: list[CaseResult] = field(default_factory=list)
    unreached: int = 0
    """how many cases a run that was interrupted, or that lost its server, did not come to"""
    lost: str = ""
    """why the run ended early: the server went away and did not come back"""
