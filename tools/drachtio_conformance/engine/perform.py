"""Carries out one step on the stage, whatever its kind, and says how it went."""

from __future__ import annotations

from drachtio_conformance.engine.results import StepOutcome, StepResult
from drachtio_conformance.peers.admin_peer import ConnectFailed, NotRead, Unreachable
from drachtio_conformance.peers.sip_peer import SipStateError
from drachtio_conformance.peers.variables import UnknownVariable, octets, readable
from drachtio_conformance.steps import absence_steps, admin_steps, composite_steps, sip_steps, vocabulary
from drachtio_conformance.steps.patterns import PatternError
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage, StepError
from drachtio_conformance.steps.vocabulary import CHECKS, Located, Step
from drachtio_conformance.steps.wording import sentence


def not_run(located: Located) -> StepResult:
    """The result of a step whose turn has not come."""
    kind = str(located.step.__struct_config__.tag)
    return StepResult(
        kind=kind, sentence=sentence(located.step), source=located.source, is_check=kind in CHECKS
    )


async def perform(stage: Stage, located: Located) -> StepResult:
    """Carry out a step; a failure is in the result, nothing is raised for what a peer or a case does."""
    result = not_run(located)
    result.started = stage.recorder.now()
    stage.begin_step()
    try:
        finding = await carry_out(stage, located.step)
    except CheckFailed as failure:
        result.outcome = StepOutcome.FAILED
        finding = Finding(expected=failure.expected, actual=failure.actual)
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


async def carry_out(stage: Stage, step: Step) -> Finding:
    """Carry out a step. Raises CheckFailed, and for steps that cannot be carried out StepError and its like."""
    match step:
        case vocabulary.Connect():
            await stage.connect(step.name)
            return Finding()
        case vocabulary.Authenticate():
            return await admin_steps.authenticate(stage, step)
        case vocabulary.Route() | vocabulary.RemoveRoute():
            return await admin_steps.route(stage, step)
        case vocabulary.Ping():
            return await admin_steps.ping(stage, step)
        case vocabulary.Send():
            return await admin_steps.send(stage, step)
        case vocabulary.SendBytes():
            return await admin_steps.send_bytes(stage, step)
        case vocabulary.Expect():
            return await admin_steps.expect(stage, step)
        case vocabulary.ExpectClose():
            return await absence_steps.expect_close(stage, step)
        case vocabulary.ExpectNothing():
            return await absence_steps.expect_nothing(stage, step)
        case vocabulary.Close() | vocabulary.Abort():
            return _close(stage, step.of, broken=isinstance(step, vocabulary.Abort))
        case vocabulary.SipPeer():
            await stage.open_peer(step.name, step.transport, step.family)
            return Finding()
        case vocabulary.SipRequest():
            return sip_steps.request(stage, step)
        case vocabulary.SipSend():
            return sip_steps.send(stage, step)
        case vocabulary.SipExpect():
            return await sip_steps.expect(stage, step)
        case vocabulary.SipNothing():
            return await absence_steps.sip_nothing(stage, step)
        case vocabulary.SipRespond():
            return sip_steps.respond(stage, step)
        case vocabulary.SipAck():
            return sip_steps.ack(stage, step)
        case vocabulary.SipCancel():
            return sip_steps.cancel(stage, step)
        case vocabulary.SipRetransmit():
            return sip_steps.retransmit(stage, step)
        case vocabulary.Respond():
            return await admin_steps.respond(stage, step)
        case vocabulary.Advance():
            return await composite_steps.advance(stage, step)
        case vocabulary.CallSucceeds():
            return await composite_steps.call_succeeds(stage, step)
        case vocabulary.Alive():
            return await composite_steps.alive(stage, step)
        case vocabulary.Note():
            return Finding()


def _close(stage: Stage, name: str, *, broken: bool) -> Finding:
    if name in stage.peers:
        stage.peer(name).close(broken=broken)
    elif broken:
        stage.application(name).abort()
    else:
        stage.application(name).close()
    return Finding()
