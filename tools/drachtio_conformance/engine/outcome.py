"""What the verdicts of a run add up to: the counts, the exit code and the sentence that says it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from drachtio_conformance.engine.results import CaseResult, RunResult, StepOutcome, StepResult, Verdict


class ExitCode(IntEnum):
    """How a command of the suite ends (design: the conformance contract, 2); never a count."""

    OK = 0
    FAILURES = 1
    USAGE = 2
    NO_PEER = 3
    """the peer never came up: nothing listens, or it accepts and never answers"""
    HARNESS = 4
    """the suite itself failed; says nothing about the peer"""


GLYPHS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.WARN: "!",
    Verdict.NOT_APPLICABLE: "–",
    Verdict.KNOWN_FAILING: "~",
    Verdict.UNEXPECTED_PASS: "?",
    Verdict.ERROR: "E",
}
"""one character for each verdict, in terminal and HTML"""

SEVERITY = (
    Verdict.ERROR,
    Verdict.FAIL,
    Verdict.UNEXPECTED_PASS,
    Verdict.KNOWN_FAILING,
    Verdict.WARN,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)
"""worst first: what a clause tested by several cases shows"""

FAILING = frozenset({Verdict.FAIL, Verdict.UNEXPECTED_PASS, Verdict.ERROR})
"""the verdicts that make a run fail"""


def counts(cases: Iterable[CaseResult]) -> dict[Verdict, int]:
    """How many cases have each verdict; every verdict is a key."""
    result = dict.fromkeys(Verdict, 0)
    for case in cases:
        result[case.verdict] += 1
    return result


def most_telling_first(cases: Iterable[CaseResult]) -> list[CaseResult]:
    """The cases in their order, those that killed the server ahead."""
    return sorted(cases, key=lambda case: not case.killer)


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict that matters most, or None of none."""
    return min(verdicts, key=SEVERITY.index, default=None)


def exit_code(run: RunResult) -> ExitCode:
    """OK, FAILURES, or HARNESS when the suite itself failed and no case judged the peer to have failed."""
    verdicts = {case.verdict for case in run.cases}
    if verdicts & {Verdict.FAIL, Verdict.UNEXPECTED_PASS}:
        return ExitCode.FAILURES
    if Verdict.ERROR in verdicts:
        return ExitCode.HARNESS
    return ExitCode.OK


def sentence(run: RunResult) -> str:
    """``63 cases in 4.1 s: 61 pass, 2 fail``; broken twins and what was not run are told apart."""
    cases = [case for case in run.cases if not case.mutant]
    twins = [case for case in run.cases if case.mutant]
    number = "1 case" if len(cases) == 1 else f"{len(cases)} cases"
    broken = f"; broken twins of {len(twins)}: {_told(twins)}" if twins else ""
    ended = "the server went away" if run.lost else "interrupted"
    rest = f"; {ended}, {run.unreached} not run" if run.unreached or run.lost else ""
    return f"{number} in {seconds(run.duration)}: {_told(cases)}{broken}{rest}"


def _told(cases: Iterable[CaseResult]) -> str:
    """``61 pass, 2 fail``"""
    told = [f"{number} {verdict}" for verdict, number in counts(cases).items() if number]
    return ", ".join(told) or "nothing ran"


def seconds(duration: float) -> str:
    """A duration for people: ``4 ms``, ``1.25 s``, ``2 min 5 s``."""
    if duration < 0.9995:
        return f"{duration * 1000:.0f} ms"
    if duration < 60:
        return f"{duration:.3g} s"
    return f"{int(duration) // 60} min {int(duration) % 60} s"


def family(case: CaseResult) -> str:
    """The first part of a case's name: ``framing`` of ``framing/split/every-byte``."""
    return case.name.partition("/")[0]


def decisive_step(case: CaseResult) -> StepResult | None:
    """The step at which a case failed, if one did."""
    for step in case.steps:
        if step.outcome in (StepOutcome.FAILED, StepOutcome.ERROR):
            return step
    return None
