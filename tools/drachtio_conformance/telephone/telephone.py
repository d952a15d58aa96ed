"""A telephone that plays a script, as caller or callee.

What a SIP endpoint does of itself it does, too: it repeats over UDP what is not answered (RFC 3261 §17.1: after T1,
then at doubled intervals up to T2) and a 2xx until its ACK comes, passes over provisional responses (PRACK for the
reliable ones), acknowledges final ones, and answers what the other side asks for in a call.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.sip_compose import SDP, Changes, HeaderLine
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import StreamEndpoint, UdpEndpoint
from drachtio_conformance.telephone import session_description
from drachtio_conformance.telephone.acts import (
    Act,
    Answer,
    Cancel,
    Dtmf,
    EarlyBye,
    HangUp,
    Hold,
    HungUp,
    NoAck,
    Phase,
    Refer,
    Reinvite,
    Ring,
    Side,
    Silent,
    Talk,
    checked,
)
from drachtio_conformance.telephone.session_description import Direction
from msgtrace import sip
from msgtrace.sip import SipMessage

_T1, _T2 = 0.5, 4.0
GIVES_UP = 32.0
"""64·T1: seconds that what has to come is waited for"""
_AFTER_CANCEL = 8.0
_OWNER, _OTHER = (2.1, 4.0), (0.0, 2.0)
"""seconds before a re-INVITE that met another one is tried again (RFC 3261 §14.1)"""
_CLOSING = (Talk, HangUp, HungUp)
"""what needs not be done any more when the other side has hung up"""


class Done(Struct, frozen=True):
    """What became of one act."""

    act: str
    """its name; ``call`` is the INVITE of a caller that no act is about, ``answer`` that of a callee"""
    good: bool
    told: str


class Played(Struct, frozen=True):
    """What became of a call."""

    did: list[Done]
    message: SipMessage | None = None
    """a caller's: the final response to its INVITE; a callee's: the INVITE"""

    @property
    def good(self) -> bool:
        """Whether the call was answered 2xx, or as the script wants it, and each act was carried out."""
        return all(each.good for each in self.did)

    @property
    def sentence(self) -> str:
        """``answered 200 OK; hung up after 0.5 s: 200 OK``"""
        return "; ".join(each.told for each in self.did)

    @property
    def status(self) -> int | None:
        """The final response to a caller's INVITE; None if there was none."""
        return None if self.message is None else self.message.status


class Telephone:
    """Plays one script after the other on a SIP peer."""

    def __init__(self, peer: SipPeer, *, patience: float = GIVES_UP, follows: bool = False) -> None:
        """``patience`` is how long answers are waited for, in seconds.

        ``follows``: its requests go where the call came from, since it knows no server.
        """
        self._peer = peer
        self._patience = patience
        self._follows = follows
        self._datagrams = peer.transport == "udp"
        self._sent = 0
        self._begin()
        self._phase = Phase.OVER

    def _begin(self, invite: str = "", description: str = SDP) -> None:
        """Another call; ``invite`` is the name of its INVITE."""
        self._invite = invite
        self._description = description
        self._did: list[Done] = []
        self._phase = Phase.OPEN
        self._side = Side.CALLER
        self._final: SipMessage | None = None
        self._hung_up = False
        self._closed = False
        self._rings = False
        self._offering = False
        self._reliable = 0  # RSeq of the latest provisional response that was acknowledged

    # What is played

    async def call(
        self,
        uri: str,
        script: Sequence[Act] = (),
        *,
        headers: Sequence[HeaderLine] = (),
        body: str | None = None,
    ) -> Played:
        """Place a call and play the script; without one that ends it the call stays. Raises ScriptError.

        ``headers`` and ``body`` (wire text) are those of the INVITE; no body: an offer.
        """
        script = checked(script, Side.CALLER)
        name = self._name("INVITE")
        self._begin(name, body if body is not None and "\nm=" in body else SDP)
        self._peer.request("INVITE", uri=uri, changes=Changes(tuple(headers)), body=body, save=name)
        await self._play(script)
        if not self._did:
            await self._connected()
        return Played(self._did, self._final)

    async def take(self, script: Sequence[Act] = (), *, within: float) -> Played | None:
        """Await a call and play the script; a call that it leaves open is answered 200. Raises ScriptError.

        None if no call comes ``within`` so many seconds.
        """
        script = checked(script, Side.CALLEE)
        self._begin()
        invite = await self._next(_is_call, within)
        if invite is None:
            return None
        self._side = Side.CALLEE
        self._invite = _named(invite)
        await self._play(script)
        if self._phase is Phase.OPEN and (not self._did or self._did[-1].good):
            await self._carry_out(Answer())
        return Played(self._did, invite)

    async def go_on(self, script: Sequence[Act]) -> Played:
        """Play a script in the call that is up. Raises ScriptError."""
        script = checked(script, self._side, self._phase)
        self._did = []
        await self._play(script)
        return Played(self._did, self._final)

    async def ask(
        self, method: str, uri: str, *, headers: Sequence[HeaderLine] = (), body: str | None = None
    ) -> Played:
        """Send a request that begins no call, and await its final response."""
        self._begin()
        name = self._name(method)
        self._peer.request(method, uri=uri, changes=Changes(tuple(headers)), body=body, save=name)
        self._final = final = await self._response(name, self._patience)
        if final is None:
            return self._told(method, self._silence(method))
        return self._told(method, f"{method} was answered {_said(final)}", good=(final.status or 0) < 300)

    @property
    def reached(self) -> bool:
        """Whether anything has come back."""
        return self._final is not None or self._rings

    def _told(self, act: str, told: str, *, good: bool = False) -> Played:
        self._did.append(Done(act, good, told))
        return Played(self._did, self._final)

    async def _play(self, script: Sequence[Act]) -> None:
        for act in script:
            if not await self._ready_for(act):
                break
            await self._carry_out(act)

    async def _ready_for(self, act: Act) -> bool:
        """Whether the call is as far as the act needs it; what has no final response yet gets one."""
        if act.phase is Phase.UP and self._phase is Phase.OPEN:
            if self._side is Side.CALLER:
                await self._connected()
            else:
                await self._carry_out(Answer())
        if self._phase is not Phase.OVER:
            return True
        if not isinstance(act, _CLOSING) and all(each.good for each in self._did):
            self._told(act.name(), f"{act.name()} was not done")
        return False

    async def _carry_out(self, act: Act) -> None:
        good, told = await self._act(act)
        self._did.append(Done(act.name(), good, told))
        if act.phase is Phase.UP and self._hung_up:
            self._phase = Phase.OVER
            if not isinstance(act, HangUp | HungUp):
                self._did.append(Done("hung-up", True, "the other side hung up"))
        elif act.leads_to is Phase.OVER or (act.phase is Phase.OPEN and not good):
            self._phase = Phase.OVER
        elif self._phase is Phase.OPEN:
            self._phase = act.leads_to

    async def _act(self, act: Act) -> tuple[bool, str]:
        match act:
            case Ring():
                return await self._ring(act.seconds)
            case Answer():
                return await self._answer(act.status)
            case Silent():
                return await self._say_nothing()
            case Cancel():
                return await self._cancel(act.after)
            case EarlyBye():
                return await self._hang_up_early()
            case NoAck():
                return await self._leave_unacknowledged()
            case Reinvite():
                good, told = await self._offer("sendrecv")
                return good, f"re-INVITE: {told}"
            case Hold():
                return await self._hold(act.seconds)
            case Dtmf():
                return await self._dial(act.digits)
            case Refer():
                return await self._refer(act.to)
            case Talk():
                ended = await self._pause(act.seconds)
                return True, "talked" if ended else f"talked for {act.seconds:g} s"
            case HangUp():
                return await self._hang_up(act.after)
            case HungUp():
                if await self._pause(act.seconds):
                    return True, "the other side hung up"
                return False, f"nobody hung up within {act.seconds:g} s"

    # As a caller

    async def _connected(self) -> None:
        """Await the final response to the INVITE, and acknowledge it."""
        self._final = final = await self._response(self._invite, self._patience)
        if final is None:
            told = self._silence("INVITE")
            if self._rings and await self._cancelled(min(self._patience, 4.0)) is not None:
                told += ", so it was cancelled"
            self._phase = Phase.OVER
            self._told("call", told)
        elif (final.status or 0) >= 300:
            self._phase = Phase.OVER
            self._told("call", f"INVITE was answered {_said(final)}")
        else:
            self._phase = Phase.UP
            self._told("call", f"answered {_said(final)}", good=True)

    async def _cancel(self, after: float) -> tuple[bool, str]:
        final = await self._response(self._invite, min(after, self._patience))
        if (
            final is None and not self._rings
        ):  # nothing may be cancelled that nobody has heard of (RFC 3261 §9.1)
            final = await self._response(self._invite, self._patience, enough=lambda _: True)
            if final is None:
                return False, self._silence("INVITE")
            final = None if (final.status or 0) < 200 else final
        if final is not None:
            self._final = final
            told = f"INVITE was answered {_said(final)} before it was to be cancelled"
            if (final.status or 0) < 300:
                told += f"; {(await self._hang_up(0))[1]}"
            return False, told
        self._final = final = await self._cancelled(min(self._patience, _AFTER_CANCEL))
        if final is None:
            return False, f"cancelled after {after:g} s, and not answered then"
        told = f"cancelled after {after:g} s: INVITE was answered {_said(final)}"
        if (final.status or 0) < 300:  # the CANCEL came too late
            told += f"; {(await self._hang_up(0))[1]}"
        return final.status == 487, told

    async def _cancelled(self, seconds: float) -> SipMessage | None:
        """Send CANCEL; the final response to the INVITE."""
        self._peer.cancel(self._invite)
        final = None
        for interval in _intervals(seconds):
            if (final := await self._response(self._invite, interval, repeats=False)) is not None:
                break
            if self._closed:
                break
            if self._datagrams:
                self._peer.cancel(self._invite)
        return final

    async def _hang_up_early(self) -> tuple[bool, str]:
        rings = await self._response(
            self._invite, self._patience, enough=lambda response: bool(sip.tag(response.first("To")))
        )
        if rings is None:
            return False, self._silence("INVITE")
        if (rings.status or 0) >= 200:
            self._final = rings
            told = f"INVITE was answered {_said(rings)} before it rang"
            if (rings.status or 0) < 300:
                told += f"; {(await self._hang_up(0))[1]}"
            return False, told
        self._peer.request("BYE", in_dialog=True, save=self._name("BYE"))
        self._final = final = await self._response(
            self._invite, min(self._patience, _AFTER_CANCEL), repeats=False
        )
        if final is None:
            return False, f"hung up behind {_said(rings)}, and INVITE was not answered then"
        return True, f"hung up behind {_said(rings)}: INVITE was answered {_said(final)}"

    async def _leave_unacknowledged(self) -> tuple[bool, str]:
        """The far end repeats its answer for 32 s, and hangs up (RFC 3261 §13.3.1.4)."""
        self._final = final = await self._response(self._invite, self._patience, acknowledges=False)
        if final is None:
            return False, self._silence("INVITE")
        if (final.status or 0) >= 300:
            return False, f"INVITE was answered {_said(final)}"
        answer, self._invite = _said(final), ""  # repetitions stay unacknowledged
        if await self._pause(max(self._patience, 40.0)):
            return True, f"answered {answer}, not acknowledged: the other side hung up"
        return False, f"answered {answer}, not acknowledged, and nobody hung up"

    # As a callee

    async def _ring(self, seconds: float) -> tuple[bool, str]:
        self._peer.respond(180, to=self._invite)
        ended = await self._next(_is_end, seconds)
        if ended is None:
            return True, f"rang for {seconds:g} s"
        told = await self._end_unanswered(ended)
        self._phase = Phase.OVER
        return True, f"rang, and was {told} within {seconds:g} s"

    async def _say_nothing(self) -> tuple[bool, str]:
        ended = await self._next(_is_end, GIVES_UP)
        if ended is None:
            return False, "not answered; left, and nobody cancelled"
        return True, f"not answered; {await self._end_unanswered(ended)}"

    async def _end_unanswered(self, ended: SipMessage) -> str:
        """487 to the INVITE that a CANCEL or BYE has ended."""
        self._peer.respond(200, to=_named(ended))
        await self._acknowledged(487, "", ())
        return "cancelled" if ended.method == "CANCEL" else "hung up"

    async def _answer(self, status: int) -> tuple[bool, str]:
        described: tuple[HeaderLine, ...] = (("Content-Type", "application/sdp"),) if status < 300 else ()
        self._description = SDP
        if not await self._acknowledged(status, SDP if status < 300 else "", described):
            return False, f"answered {status}, and no ACK came"
        return True, f"answered {status}"

    async def _acknowledged(self, status: int, body: str, headers: tuple[HeaderLine, ...]) -> bool:
        """Answer the INVITE, again and again until the ACK comes (RFC 3261 §13.3.1.4, §17.2.1)."""
        for interval in _intervals(GIVES_UP):
            self._peer.respond(status, to=self._invite, changes=Changes(headers), body=body)
            if (
                await self._next(lambda message: message.is_request and message.method == "ACK", interval)
                is not None
            ):
                return True
            if self._closed:
                break
        return False

    # In a call

    async def _hold(self, seconds: float) -> tuple[bool, str]:
        held, answer = await self._offer("sendonly")
        if not held or await self._pause(seconds):
            return held, f"put on hold: {answer}"
        good, back = await self._offer("sendrecv")
        return good, f"on hold for {seconds:g} s: {answer}; taken back: {back}"

    async def _offer(self, wanted: Direction) -> tuple[bool, str]:
        """A re-INVITE with this direction; the answer, and the direction that it names."""
        self._description = session_description.turned(self._description, wanted)
        deadline = time.monotonic() + self._patience
        while True:
            self._offering = True
            final = await self._asked("INVITE", (("Content-Type", "application/sdp"),), self._description)
            self._offering = False
            if final is None:
                return False, "not answered"
            if final.status != 491 or time.monotonic() > deadline:
                break
            if await self._pause(random.uniform(*(_OWNER if self._side is Side.CALLER else _OTHER))):
                break
        if (final.status or 0) >= 300:
            return False, _said(final)
        return True, f"{_said(final)} ({session_description.direction(final.body)})"

    async def _dial(self, digits: str) -> tuple[bool, str]:
        for digit in digits:
            final = await self._asked(
                "INFO",
                (("Content-Type", "application/dtmf-relay"),),
                f"Signal={digit}\r\nDuration=160\r\n",
            )
            if final is None or (final.status or 0) >= 300:
                return False, f"dialled {digit}: {_said(final) if final else 'not answered'}"
            if self._hung_up and digit != digits[-1]:
                return False, f"dialled {digits} up to {digit}"
        return True, f"dialled {digits}"

    async def _refer(self, to: str) -> tuple[bool, str]:
        final = await self._asked("REFER", (("Refer-To", f"<{to}>"),), "")
        good = final is not None and (final.status or 0) < 300
        return good, f"referred to {to}: {_said(final) if final else 'not answered'}"

    async def _hang_up(self, after: float) -> tuple[bool, str]:
        if await self._pause(after):
            return True, "the other side hung up"
        final = await self._asked("BYE", (), "")
        told = f"hung up after {after:g} s"
        if final is None:
            return False, f"{told}, and BYE was not answered"
        # Both may hang up at once: then either side's BYE may be answered 481.
        return final.status == 200 or self._hung_up, f"{told}: {_said(final)}"

    async def _pause(self, seconds: float) -> bool:
        """Let time pass; whether the other side has hung up."""
        if not self._hung_up:
            await self._next(lambda _: self._hung_up, seconds)
        return self._hung_up

    async def _asked(self, method: str, headers: tuple[HeaderLine, ...], body: str) -> SipMessage | None:
        """The final response to a request inside the dialog."""
        name = self._name(method)
        self._peer.request(method, in_dialog=True, changes=Changes(headers), body=body, save=name)
        return await self._response(name, self._patience)

    # Messages

    def _name(self, method: str) -> str:
        self._sent += 1
        return f"{method} {self._sent}"

    def _silence(self, method: str) -> str:
        """Why there is no final response."""
        endpoint = self._peer.endpoint
        if isinstance(endpoint, UdpEndpoint) and endpoint.refused:
            return f"nobody listens at {self._peer.server} (udp): the port is closed"
        if self._closed:
            return f"the connection was closed before {method} was answered"
        if self._rings:
            return f"{method} had no final response within {self._patience:g} s"
        return f"{method} was not answered within {self._patience:g} s"

    async def _response(
        self,
        name: str,
        seconds: float,
        *,
        enough: Callable[[SipMessage], bool] = lambda _: False,
        acknowledges: bool = True,
        repeats: bool = True,
    ) -> SipMessage | None:
        """The final response to the request called ``name``, or a provisional one that is ``enough``; None if none.

        Over UDP the request is repeated until something comes.
        """
        method, answered = name.partition(" ")[0], not repeats or (name == self._invite and self._rings)
        deadline, intervals = time.monotonic() + seconds, _intervals(seconds)
        while (left := deadline - time.monotonic()) > 0 and not self._closed:
            repeating = self._datagrams and not answered
            message = await self._next(
                lambda message: message.status is not None and self._peer.belongs(message, name),
                min(left, next(intervals, left)) if repeating else left,
            )
            if message is None:
                if repeating and time.monotonic() < deadline and not self._closed:
                    self._peer.retransmit(name)
                continue
            answered = True
            if (message.status or 0) >= 200:
                if method == "INVITE" and (acknowledges or (message.status or 0) >= 300):
                    self._peer.ack(name)
                return message
            self._rings = self._rings or name == self._invite
            if method == "INVITE" and message.has("RSeq"):
                self._acknowledge(message)
            if enough(message):
                return message
        return None

    def _acknowledge(self, response: SipMessage) -> None:
        """PRACK a reliable provisional response (RFC 3262 §4)."""
        number = response.first("RSeq").strip()
        if not number.isdigit() or int(number) <= self._reliable:
            return
        self._reliable = int(number)
        which = f"{number} {response.cseq[0]} INVITE"
        self._peer.request("PRACK", in_dialog=True, changes=Changes((("RAck", which),)), save="PRACK")

    async def _next(self, wanted: Callable[[SipMessage], bool], seconds: float) -> SipMessage | None:
        """The next message that is wanted; to others the telephone does what a telephone does.

        None behind ``seconds``, or when the connection is closed.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                item = await self._peer.endpoint.incoming.take(left)
            except NothingCame:
                return None
            if isinstance(item, Closed):
                if self._awaits_calls or self._has_connection():
                    continue  # one of another call
                self._closed = True
                return None
            message = sip.parse(item.raw)
            repeated = self._peer.is_repeat(item.raw)
            self._peer.learn(item, save=_named(message) if message.is_request else None)
            if repeated:
                self._again(message)
                continue
            if wanted(message):
                if self._follows and _is_call(message):
                    self._peer.endpoint.turn_to(item.reply)
                return message
            self._usual(message)
            if wanted(message):  # what it did may be what was waited for
                return message
        return None

    @property
    def _awaits_calls(self) -> bool:
        return self._follows and not self._invite

    def _has_connection(self) -> bool:
        endpoint = self._peer.endpoint
        return isinstance(endpoint, StreamEndpoint) and endpoint.connected

    def _again(self, message: SipMessage) -> None:
        """It was repeated: what was said to it was lost."""
        if message.is_request:
            if not _is_call(message):
                self._usual(message)
        elif message.has("RSeq") and message.first("RSeq").strip() == str(self._reliable):
            self._peer.retransmit("PRACK")
        elif (message.status or 0) >= 200 and self._invite and self._peer.belongs(message, self._invite):
            self._peer.ack(self._invite)

    def _usual(self, message: SipMessage) -> None:
        """What any telephone answers; a call that comes meanwhile finds it busy."""
        if not message.is_request or message.method == "ACK":
            return
        name = _named(message)
        if _is_call(message):
            self._peer.respond(486, to=name)
        elif message.method in ("INVITE", "UPDATE") and (message.body or message.method == "INVITE"):
            self._reoffered(message, name)
        elif message.method == "REFER":
            self._transferred(name)
        else:
            self._hung_up = self._hung_up or message.method == "BYE"
            self._peer.respond(200, to=name)

    def _reoffered(self, message: SipMessage, name: str) -> None:
        """The session is offered anew: agree, but not while an offer of our own is open (RFC 3261 §14.2)."""
        if self._offering:
            self._peer.respond(491, to=name)
            return
        answer = session_description.mirrored(session_description.direction(message.body))
        self._description = session_description.turned(self._description, answer)
        changes = Changes((("Content-Type", "application/sdp"),))
        self._peer.respond(200, to=name, changes=changes, body=self._description)

    def _transferred(self, name: str) -> None:
        """Say that the other telephone was reached, at once (RFC 3515 §2.4.4): nobody is called."""
        self._peer.respond(202, to=name)
        state = (
            ("Event", "refer"),
            ("Subscription-State", "terminated;reason=noresource"),
            ("Content-Type", "message/sipfrag;version=2.0"),
        )
        body = "SIP/2.0 200 OK\r\n"
        self._peer.request(
            "NOTIFY", in_dialog=True, changes=Changes(state), body=body, save=self._name("NOTIFY")
        )


def _is_call(message: SipMessage) -> bool:
    return message.is_request and message.method == "INVITE" and not sip.tag(message.first("To"))


def _is_end(message: SipMessage) -> bool:
    return message.is_request and message.method in ("CANCEL", "BYE")


def _named(request: SipMessage) -> str:
    """By which a request that came is remembered."""
    return f"{request.method} {request.cseq[0]} {request.call_id}"


def _said(response: SipMessage) -> str:
    """``200 OK``"""
    return response.start_line.removeprefix("SIP/2.0 ")


def _intervals(seconds: float) -> Iterator[float]:
    """Between repetitions: T1, doubled up to T2, so many seconds in all."""
    interval = _T1
    while seconds > 0:
        yield min(interval, seconds)
        seconds -= interval
        interval = min(2 * interval, _T2)
