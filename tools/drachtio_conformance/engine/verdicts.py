"""What one pass through a case's steps says about the peer, and what that is worth where a failure is known."""

from __future__ import annotations

from drachtio_conformance.cases.case import ExpectUnder, position
from drachtio_conformance.engine.attempt import Attempt
from drachtio_conformance.engine.results import CaseResult, StepOutcome, StepResult, Verdict
from drachtio_conformance.peers.variables import UnknownVariable, Variables, octets
from drachtio_conformance.steps.patterns import matches

_NOTHING = "nothing"
"""``got: nothing``: nothing comes in time, however long that is."""
_SENTENCES = (
    "nothing came",
    "nothing (",
    "the server ",
    "the connection ",
    "still open",
    "no frame",
    "no connection",
)
"""how a text begins that says what happened instead of what came"""


def judge(result: CaseResult, attempt: Attempt) -> None:
    """The plain verdict of a pass through the steps, into ``result``."""
    if attempt.crashes:
        result.verdict = Verdict.FAIL
        result.reason = f"an exception escaped in the server: {attempt.crashes[0]}"
    elif attempt.ended_at is not None:
        step = attempt.steps[attempt.ended_at]
        if step.outcome is StepOutcome.NOT_OFFERED:
            result.verdict = Verdict.NOT_APPLICABLE
            result.reason = step.actual
        elif step.outcome is StepOutcome.ERROR:
            result.verdict = Verdict.ERROR
            result.reason = f"{step.source}: {step.kind}: {step.actual}"
        else:
            result.verdict = Verdict.FAIL
            result.reason = "; ".join((f"{step.source}: {difference(step)}", *attempt.objections))
    elif attempt.objections:
        result.verdict = Verdict.FAIL
        result.reason = "; ".join(attempt.objections)
    elif attempt.leftovers:
        result.verdict = Verdict.FAIL
        result.reason = (
            f"after everybody has gone and 64·T1 have passed the server still holds {attempt.leftovers}"
        )


def difference(step: StepResult) -> str:
    """A step that failed in one line: ``expected …, got …``, or ``expected …, but nothing came within 2 s``."""
    came = _came(step)
    return f"expected {step.expected}, {'but' if came.startswith(_SENTENCES) else 'got'} {came}"


def _came(step: StepResult) -> str:
    return step.actual.partition("\n")[0]


def weigh_known(result: CaseResult, known: str) -> None:
    """The verdict where any failure is a known one (a line of a baseline)."""
    if result.verdict is Verdict.PASS:
        result.verdict = Verdict.UNEXPECTED_PASS
        result.reason = f"was expected to fail: {known}"
    elif result.verdict is Verdict.FAIL:
        result.verdict = Verdict.KNOWN_FAILING
        result.reason = f"{known} ({result.reason})"


def weigh_expected(result: CaseResult, attempt: Attempt, under: ExpectUnder, *, profile: str) -> None:
    """The verdict where a server of that profile does something else: it must do just that."""
    if under.steps:
        if result.verdict is Verdict.PASS:
            result.reason = f"as {profile} does: {under.reason}"
        return
    if under.at and result.verdict is Verdict.FAIL and not _fails_so(attempt, under):
        known = f"{under.reason}: at {under.at} comes {under.got}"
        result.reason = f"fails otherwise than {profile} does ({known}): {result.reason}"
        return
    weigh_known(result, under.reason)


def _fails_so(attempt: Attempt, under: ExpectUnder) -> bool:
    """Whether the pass ended at the check that is said to fail, with what is said to come there."""
    ended = attempt.ended_at
    if ended is None or ended != position(attempt.located, under.at):
        return False
    came = _came(attempt.steps[ended])
    if under.got == _NOTHING:
        return came.startswith("nothing came within ")
    try:
        return matches(under.got, octets(came), Variables(attempt.stage.variables.values))
    except UnknownVariable:
        return False
