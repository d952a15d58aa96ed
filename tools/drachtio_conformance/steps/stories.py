"""Steps that are small stories: a whole call, a second connection, the passing of time; and a remark."""

from __future__ import annotations

from typing import ClassVar, Literal

from drachtio_conformance.peers.admin_peer import AdminPeer, Incoming
from drachtio_conformance.peers.channel import NothingCame
from drachtio_conformance.peers.sip_compose import SDP
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.variables import new_id
from drachtio_conformance.steps.answers import answered, frame_of, judged
from drachtio_conformance.steps.control import Authenticate, Ping, Route
from drachtio_conformance.steps.mutation import Mutation, MutationKind
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.stage import CheckFailed, Finding, Stage
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Duration, Name, seconds
from msgtrace import messages, sip
from msgtrace.frames import Frame
from msgtrace.messages import Message


class Advance(Step, frozen=True, kw_only=True, tag="advance"):
    """Let time pass: at once on an embedded server, by waiting elsewhere."""

    shorthand: ClassVar[str] = "duration"
    duration: Duration

    def words(self) -> str:
        return f"{self.duration} pass"

    async def carry_out(self, stage: Stage) -> Finding:
        await stage.server.advance(seconds(self.duration))
        stage.recorder.note("server", f"{self.duration} later")
        return Finding()


class Alive(Step, frozen=True, kw_only=True, tag="alive"):
    """A new admin connection authenticates and its ping is answered; then it is closed."""

    is_check: ClassVar[bool] = True

    def words(self) -> str:
        return "the server still serves a new application"

    async def carry_out(self, stage: Stage) -> Finding:
        name = _unused(stage, "second")
        await Authenticate(app=name).carry_out(stage)
        await Ping(app=name).carry_out(stage)
        stage.application(name).close()
        return Finding(expected="OK|pong on a new connection", actual="OK|pong")


class CallSucceeds(Step, frozen=True, kw_only=True, tag="call_succeeds"):
    """A fresh caller's INVITE is answered 200 by an application, acknowledged, and ended by the caller's BYE.

    Without ``app`` a new application connects for it; if the case has others that routed ``invite``, the one
    that gets the call answers it.
    """

    is_check: ClassVar[bool] = True
    shorthand: ClassVar[str] = "app"
    app: Name | None = None
    transport: Literal["udp", "tcp"] = "udp"

    def words(self) -> str:
        return "a call succeeds"

    async def carry_out(self, stage: Stage) -> Finding:
        own = self.app is None
        name = _unused(stage, "callee") if self.app is None else self.app
        if own:
            await Authenticate(app=name).carry_out(stage)
            await Route(app=name, verb="invite").carry_out(stage)
        caller = await stage.open_peer(_unused(stage, "caller"), self.transport, "ipv4")
        caller.request("INVITE")
        call_id = stage.variables[f"{caller.name}.call_id"]
        candidates = [app for app in stage.applications.values() if own and not app.closed]
        callee, invite = await _offered(
            stage, candidates or [stage.application(name)], "INVITE", call_id=call_id
        )
        await _answer(stage, callee, invite, rest=f"Content-Type: application/sdp\r\n\r\n{SDP}")
        await _final(stage, caller, "INVITE")
        caller.ack()
        await _offered(stage, [callee], "ACK", call_id=call_id)
        caller.request("BYE", in_dialog=True)
        _, bye = await _offered(stage, [callee], "BYE", call_id=call_id)
        await _answer(stage, callee, bye, rest="\r\n")
        await _final(stage, caller, "BYE")
        caller.close()
        if own:
            stage.application(name).close()
        return Finding(expected="a call through an application", actual="INVITE 200 ACK BYE 200")


class Note(Step, frozen=True, kw_only=True, tag="note"):
    """A remark for the reader of the report."""

    shorthand: ClassVar[str] = "text"
    text: str

    def words(self) -> str:
        return self.text

    async def carry_out(self, stage: Stage) -> Finding:
        return Finding()


def _unused(stage: Stage, name: str) -> str:
    number = 1
    candidate = name
    while candidate in stage.applications or candidate in stage.peers:
        number += 1
        candidate = f"{name}{number}"
    return candidate


async def _offered(
    stage: Stage, applications: list[AdminPeer], method: str, *, call_id: str
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
    frame = judged(stage, application, item, judge=lambda item: frame_of(item, expected))
    return application, messages.decode(frame.payload, from_server=True)


async def _answer(stage: Stage, application: AdminPeer, request: Message, *, rest: str) -> None:
    """The application answers 200 and the server reports that it sent it."""
    message_id = new_id()
    transaction = request.get("transaction-id")
    await application.send_message(f"{message_id}|sip|{transaction}|\r\nSIP/2.0 200 OK\r\n{rest}")
    await answered(stage, application, message_id, answer="OK|application|**")


async def _final(stage: Stage, caller: SipPeer, method: str) -> None:
    """The caller gets 200."""
    await SipExpect(peer=caller.name, status=200, method=method, skip=["100"]).carry_out(stage)
