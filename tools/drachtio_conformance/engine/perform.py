"""Carries out one step on the stage, whatever its kind, and says how it went."""

from __future__ import annotations

from drachtio_conformance.engine.results import StepOutcome, StepResult
from drachtio_conformance.peers.admin_peer import ConnectFailed, NotRead, Unreachable
from drachtio_conformance.peers.sip_peer import SipStateError
from drachtio_conformance.peers.variables import UnknownVariable, octets, readable
from drachtio_conformance.steps.patterns import PatternError
from drachtio_conformance.steps.stage import CheckFailed, Finding, NotOffered, Stage, StepError
from drachtio_conformance.steps.step import Located, name_of, sentence


def not_run(located: Located) -> StepResult:
    """The result of a step whose turn has not come."""
    step = located.step
    return StepResult(
        kind=name_of(step), sentence=sentence(step), source=located.source, is_check=step.is_check
    )


async def perform(stage: Stage, located: Located) -> StepResult:
    """Carry out a step; a failure is in the result, nothing is raised for what a peer or a case does."""
    result = not_run(located)
    result.started = stage.recorder.now()
    stage.begin_step()
    try:
        finding = await located.step.carry_out(stage)
    except CheckFailed as failure:
        result.outcome = StepOutcome.FAILED
        finding = Finding(expected=failure.expected, actual=failure.actual)
    except NotOffered as error:
        result.outcome = StepOutcome.NOT_OFFERED
        finding = Finding(actual=octets(str(error)))
    except NotRead as error:
        result.outcome = StepOutcome.FAILED
        finding = Finding(expected="the server reads what it is sent", actual=str(error))
    except Unreachable as error:
        result.outcome = StepOutcome.FAILED
        finding = Finding(expected="the server takes the connection", actual=str(error))
    except (StepError, ConnectFailed, PatternError, SipStateError, UnknownVariable) as error:
        result.outcome = StepOutcome.ERROR
        finding = Finding(actual=octets(str(error)))
    else:
        result.outcome = StepOutcome.OK
    result.expected = _without_secret(stage, readable(finding.expected))
    result.actual = _without_secret(stage, readable(finding.actual))
    return result


def _without_secret(stage: Stage, text: str) -> str:
    secret = stage.server.endpoints.secret
    return text.replace(secret, "(secret)") if secret else text
