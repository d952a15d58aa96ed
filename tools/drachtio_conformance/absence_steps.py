"""Carries out the checks that nothing comes.

Silence cannot be waited for. So the suite provokes something that the server sends behind whatever it had to send
before, on the same channel, and demands that this *barrier* is the next thing to come.
"""

from __future__ import annotations

from drachtio_conformance.admin_peer import AdminPeer, Incoming, new_id
from drachtio_conformance.admin_steps import first_answer
from drachtio_conformance.channel import Closed, NothingCame
from drachtio_conformance.mutation import FOREIGN_FRAME
from drachtio_conformance.sip_peer import SipPeer
from drachtio_conformance.sip_steps import foreign_message
from drachtio_conformance.sip_transport import Incoming as SipIncoming
from drachtio_conformance.sip_transport import Received
from drachtio_conformance.stage import CheckFailed, Finding, Stage, StepError
from drachtio_conformance.steps import ExpectNothing, Mutation, MutationKind, SipNothing
from msgtrace import sip
from msgtrace.frames import Damage, Frame

_UNANSWERABLE = "SIP/2.0 200 OK\r\nX-Barrier: yes\r\n\r\n"


async def expect_nothing(stage: Stage, step: ExpectNothing) -> Finding:
    """No frame comes to an application."""
    peer = stage.application(step.app)
    barrier = [f"{step.app}.ping"] if step.barrier is None and step.quiet is None else step.barrier or []
    if step.quiet is None and (not barrier or barrier[-1].partition(".")[0] != step.app):
        raise StepError(f"the last barrier must be of {step.app} itself ({step.app}.ping or {step.app}.sip)")
    stage.asserted += [*step.mutate, Mutation(kind=MutationKind.INJECT)]
    if stage.take_mutation() is not None:
        peer.incoming.put_back(FOREIGN_FRAME)
    for one in barrier[: -1 if step.quiet is None else None]:
        await _pass(stage, one)
    if step.quiet is not None:
        return await _quiet_application(stage, peer, step.quiet)
    message_id = await _provoke(stage, peer, barrier[-1])
    try:
        item = await peer.incoming.take(stage.patience(None))
    except NothingCame as error:
        raise CheckFailed(f"the answer to the barrier {barrier[-1]}", str(error)) from None
    if isinstance(item, Frame) and item.payload.split("|")[1:3] == ["response", message_id]:
        return Finding(expected="nothing", actual="nothing")
    raise CheckFailed("nothing", _shown(item))


async def _quiet_application(stage: Stage, peer: AdminPeer, quiet: str) -> Finding:
    try:
        item = await peer.incoming.take(stage.patience(quiet))
    except NothingCame as silence:
        return Finding(expected="nothing", actual=str(silence))
    raise CheckFailed("nothing", _shown(item))


def _shown(item: Incoming | SipIncoming) -> str:
    match item:
        case Frame():
            return item.payload
        case Damage():
            return item.octets
        case Closed():
            return "the connection was closed"
        case _:
            return item.raw


async def sip_nothing(stage: Stage, step: SipNothing) -> Finding:
    """No SIP message comes to a peer."""
    peer = stage.peer(step.peer)
    barrier = [step.peer] if step.barrier is None and step.quiet is None else step.barrier or []
    if step.quiet is None and (not barrier or barrier[-1] != step.peer):
        raise StepError(f"the last barrier must be {step.peer} itself")
    stage.asserted += [*step.mutate, Mutation(kind=MutationKind.INJECT)]
    if stage.take_mutation() is not None:
        peer.endpoint.incoming.put_back(foreign_message())
    for one in barrier[: -1 if step.quiet is None else None]:
        await _pass(stage, one)
    if step.quiet is not None:
        return await _quiet_peer(stage, peer, step.quiet)
    branch = peer.probe()

    def counts(item: SipIncoming) -> bool:
        return not (step.repeats and isinstance(item, Received) and peer.is_repeat(item.raw))

    try:
        item = await peer.endpoint.incoming.take_first(counts, stage.patience(None))
    except NothingCame as error:
        raise CheckFailed("481 to the BYE that serves as barrier", str(error)) from None
    if _answers(item, branch):
        return Finding(expected="nothing", actual="nothing")
    raise CheckFailed("nothing", _shown(item))


async def _quiet_peer(stage: Stage, peer: SipPeer, quiet: str) -> Finding:
    try:
        item = await peer.endpoint.incoming.take(stage.patience(quiet))
    except NothingCame as silence:
        return Finding(expected="nothing", actual=str(silence))
    raise CheckFailed("nothing", _shown(item))


async def _pass(stage: Stage, barrier: str) -> None:
    """Pass a barrier on another channel; what comes before it there stays queued."""
    name = barrier.partition(".")[0]
    if barrier in stage.peers:
        peer = stage.peer(barrier)
        branch = peer.probe()
        try:
            await peer.endpoint.incoming.take_first(
                lambda item: isinstance(item, Closed) or _answers(item, branch), stage.patience(None)
            )
        except NothingCame as error:
            raise CheckFailed("481 to the BYE that serves as barrier", str(error)) from None
        return
    application = stage.application(name)
    message_id = await _provoke(stage, application, barrier)
    await first_answer(stage, application, message_id, stage.patience(None))


async def _provoke(stage: Stage, peer: AdminPeer, barrier: str) -> str:
    message_id = new_id()
    match barrier.partition(".")[2]:
        case "ping":
            await peer.send_message(f"{message_id}|ping")
        case "sip":
            await peer.send_message(f"{message_id}|sip|{new_id()}|\r\n{_UNANSWERABLE}")
        case other:
            raise StepError(
                f"a barrier is APP.ping, APP.sip or a SIP peer's name, not {barrier!r} ({other!r})"
            )
    return message_id


def _answers(item: SipIncoming, branch: str) -> bool:
    return not isinstance(item, Closed) and sip.parse(item.raw).branch == branch
