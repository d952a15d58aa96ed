"""Steps that are small stories: a whole call, a second connection, the passing of time."""

from __future__ import annotations

from drachtio_conformance.peers.admin_peer import AdminPeer, Incoming, new_id
from drachtio_conformance.peers.channel import NothingCame
from drachtio_conformance.peers.sip_compose import SDP
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.steps import sip_steps
from drachtio_conformance.steps.admin_steps import altered, answered, authenticate, frame_of, ping, route
from drachtio_conformance.steps.mutation import Mutation, MutationKind
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage
from drachtio_conformance.steps.vocabulary import (
    Advance,
    Alive,
    Authenticate,
    CallSucceeds,
    Ping,
    Route,
    SipExpect,
    seconds,
)
from msgtrace import messages, sip
from msgtrace.frames import Frame
from msgtrace.messages import Message


async def advance(stage: Stage, step: Advance) -> Finding:
    """Let time pass."""
    await stage.server.advance(seconds(step.duration))
    stage.recorder.note("server", f"{step.duration} later")
    return Finding()


async def alive(stage: Stage, step: Alive) -> Finding:
    """A new connection authenticates and is ponged."""
    name = _unused(stage, "second")
    await authenticate(stage, Authenticate(app=name))
    await ping(stage, Ping(app=name))
    stage.application(name).close()
    return Finding(expected="OK|pong on a new connection", actual="OK|pong")


def _unused(stage: Stage, name: str) -> str:
    number = 1
    candidate = name
    while candidate in stage.applications or candidate in stage.peers:
        number += 1
        candidate = f"{name}{number}"
    return candidate


async def call_succeeds(stage: Stage, step: CallSucceeds) -> Finding:
    """INVITE, 200, ACK, BYE, 200, each seen by both ends."""
    own = step.app is None
    name = _unused(stage, "callee") if step.app is None else step.app
    if own:
        await authenticate(stage, Authenticate(app=name))
        await route(stage, Route(app=name, verb="invite"))
    caller = await stage.open_peer(_unused(stage, "caller"), step.transport, "ipv4")
    caller.request("INVITE")
    call_id = stage.variables[f"{caller.name}.call_id"]
    candidates = [app for app in stage.applications.values() if own and not app.closed]
    callee, invite = await _offered(stage, candidates or [stage.application(name)], "INVITE", call_id)
    await _answer(stage, callee, invite, f"Content-Type: application/sdp\r\n\r\n{SDP}")
    await _final(stage, caller, "INVITE")
    caller.ack()
    await _offered(stage, [callee], "ACK", call_id)
    caller.request("BYE", in_dialog=True)
    _, bye = await _offered(stage, [callee], "BYE", call_id)
    await _answer(stage, callee, bye, "\r\n")
    await _final(stage, caller, "BYE")
    caller.close()
    if own:
        stage.application(name).close()
    return Finding(expected="a call through an application", actual="INVITE 200 ACK BYE 200")


async def _offered(
    stage: Stage, applications: list[AdminPeer], method: str, call_id: str
) -> tuple[AdminPeer, Message]:
    """The request of that call, as it comes to one of these applications; other frames stay queued."""

    def wanted(item: Incoming) -> bool:
        if not isinstance(item, Frame):
            return False
        _, content = messages.split(item.payload)
        message = sip.parse(content)
        return message.is_request and message.method == method and message.call_id == call_id

    def look() -> tuple[AdminPeer, Incoming] | None:
        for application in applications:
            item = application.incoming.find(wanted)
            if item is not None:
                return application, item
        return None

    expected = f"the {method} of the call at {' or '.join(application.name for application in applications)}"
    try:
        application, item = await stage.bell.until(look, stage.patience(None))
    except NothingCame as error:
        raise CheckFailed(expected, str(error)) from None
    stage.asserts([Mutation(kind=MutationKind.DROP)])
    frame = frame_of(altered(stage, application, item), expected)
    return application, messages.decode(frame.payload, from_server=True)


async def _answer(stage: Stage, application: AdminPeer, request: Message, rest: str) -> None:
    """The application answers 200 and the server reports that it sent it."""
    message_id = new_id()
    transaction = request.get("transaction-id")
    await application.send_message(f"{message_id}|sip|{transaction}|\r\nSIP/2.0 200 OK\r\n{rest}")
    await answered(stage, application, message_id, "OK|application|**")


async def _final(stage: Stage, caller: SipPeer, method: str) -> None:
    """The caller gets 200."""
    await sip_steps.expect(stage, SipExpect(peer=caller.name, status=200, method=method, skip=["100"]))
