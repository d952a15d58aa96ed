"""From what SIPp left to one sentence and one exit code."""

from __future__ import annotations

from msgspec import Struct

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.sipp import LoadRun

INTERRUPTED = 130
"""exit code of a run that Ctrl-C or another signal has ended before its time, however its calls went until then"""


class Judgement(Struct, frozen=True):
    """What a run comes to."""

    code: int
    """an ExitCode, or INTERRUPTED"""
    sentence: str


def judge(run: LoadRun) -> Judgement:
    """OK when every planned call succeeded; NO_PEER when nothing at all came from the peer; else FAILURES.

    HARNESS when SIPp itself failed, which says nothing about the peer; INTERRUPTED when somebody ended the run.
    """
    statistics, plan = run.statistics, run.plan
    peer = f"{plan.host}:{plan.port} ({plan.transport})"
    if run.interrupted and (statistics is None or not statistics.created):
        return Judgement(INTERRUPTED, f"{plan.scenario.name} to {peer}: interrupted before the first call.")
    if statistics is None:
        return Judgement(
            ExitCode.HARNESS, f"sipp ended with status {run.exit_code}: {run.complaint or 'no statistics'}"
        )
    if statistics.created == 0:
        why = run.complaint or "no call was begun"
        return Judgement(ExitCode.HARNESS, f"sipp ended with status {run.exit_code}: {why}")
    if statistics.successful == plan.calls and not statistics.failed and not run.ended_by_deadline:
        # also if somebody has asked for an end, and it came by itself before
        return Judgement(
            ExitCode.OK, f"{_calls(plan.calls)} of {plan.scenario.name} to {peer}: all successful."
        )
    if run.received == 0 and not run.interrupted:
        return Judgement(ExitCode.NO_PEER, f"Nothing came back from {peer} in {_calls(statistics.created)}.")
    parts = [f"{statistics.successful} of {_calls(plan.calls)} successful"]
    parts += [f"{count} failed ({reason})" for reason, count in statistics.failures.items()]
    if unexplained := statistics.failed - sum(statistics.failures.values()):
        parts.append(f"{unexplained} failed")
    if statistics.unfinished:
        parts.append(f"{statistics.unfinished} hung")
    if missing := plan.calls - statistics.created:
        parts.append(f"{missing} never begun")
    if run.ended_by_deadline:
        parts.append(f"ended after {plan.allowed_seconds():g} s, the deadline")
    if run.interrupted:
        parts.append(f"interrupted after {statistics.seconds:.1f} s")
    first = f" {run.first_failed.sentence()}." if run.first_failed is not None else ""
    code = INTERRUPTED if run.interrupted else ExitCode.FAILURES
    return Judgement(code, f"{plan.scenario.name} to {peer}: {', '.join(parts)}.{first}")


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"
