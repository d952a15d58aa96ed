"""A telephone that plays a script, as caller or callee, and tells what became of each act."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from msgspec import Struct

from drachtio_conformance.peers.sip_compose import HeaderLine
from drachtio_conformance.peers.sip_peer import SipPeer
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
from drachtio_conformance.telephone.user_agent import GIVES_UP, UserAgent, intervals, is_call, named, said
from msgtrace import sip
from msgtrace.sip import SipMessage

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
        self._agent = UserAgent(peer, patience=patience, follows=follows)
        self._begin(Side.CALLER)
        self._phase = Phase.OVER

    def _begin(self, side: Side) -> None:
        self._did: list[Done] = []
        self._phase = Phase.OPEN
        self._side = side
        self._final: SipMessage | None = None

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
        self._begin(Side.CALLER)
        self._agent.request_call(uri, tuple(headers), body)
        await self._play(script)
        if not self._did:
            await self._connected()
        return Played(self._did, self._final)

    async def take(self, script: Sequence[Act] = (), *, within: float) -> Played | None:
        """Await a call and play the script; a call that it leaves open is answered 200. Raises ScriptError.

        None if no call comes ``within`` so many seconds.
        """
        script = checked(script, Side.CALLEE)
        self._begin(Side.CALLEE)
        self._agent.begin()
        invite = await self._agent.next(is_call, within)
        if invite is None:
            self._phase = Phase.OVER
            return None
        self._agent.called(invite)
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
        self._begin(Side.CALLER)
        self._agent.begin()
        name = self._agent.request(method, uri, tuple(headers), body=body)
        self._final = final = await self._agent.response(name, self._agent.patience)
        if final is None:
            return self._told(method, self._agent.silence(method))
        return self._told(method, f"{method} was answered {said(final)}", good=(final.status or 0) < 300)

    @property
    def reached(self) -> bool:
        """Whether anything has come back."""
        return self._final is not None or self._agent.rings

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
        if act.phase is Phase.UP and self._agent.hung_up:
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
                ended = await self._agent.pause(act.seconds)
                return True, "talked" if ended else f"talked for {act.seconds:g} s"
            case HangUp():
                return await self._hang_up(act.after)
            case HungUp():
                if await self._agent.pause(act.seconds):
                    return True, "the other side hung up"
                return False, f"nobody hung up within {act.seconds:g} s"

    # As a caller

    async def _connected(self) -> None:
        """Await the final response to the INVITE, and acknowledge it."""
        self._final = final = await self._agent.response(self._agent.invite, self._agent.patience)
        if final is None:
            told = self._agent.silence("INVITE")
            if self._agent.rings and await self._cancelled(min(self._agent.patience, 4.0)) is not None:
                told += ", so it was cancelled"
            self._phase = Phase.OVER
            self._told("call", told)
        elif (final.status or 0) >= 300:
            self._phase = Phase.OVER
            self._told("call", f"INVITE was answered {said(final)}")
        else:
            self._phase = Phase.UP
            self._told("call", f"answered {said(final)}", good=True)

    async def _cancel(self, after: float) -> tuple[bool, str]:
        final = await self._agent.response(self._agent.invite, min(after, self._agent.patience))
        if final is None and not self._agent.rings:
            # What nobody has heard of may not be cancelled yet (RFC 3261 §9.1).
            final = await self._agent.response(
                self._agent.invite, self._agent.patience, enough=lambda _: True
            )
            if final is None:
                return False, self._agent.silence("INVITE")
            final = None if (final.status or 0) < 200 else final
        if final is not None:
            self._final = final
            told = f"INVITE was answered {said(final)} before it was to be cancelled"
            if (final.status or 0) < 300:
                told += f"; {(await self._hang_up(0))[1]}"
            return False, told
        self._final = final = await self._cancelled(min(self._agent.patience, _AFTER_CANCEL))
        if final is None:
            return False, f"cancelled after {after:g} s, and not answered then"
        told = f"cancelled after {after:g} s: INVITE was answered {said(final)}"
        if (final.status or 0) < 300:  # the CANCEL came too late
            told += f"; {(await self._hang_up(0))[1]}"
        return final.status == 487, told

    async def _cancelled(self, seconds: float) -> SipMessage | None:
        """Send CANCEL; the final response to the INVITE."""
        self._agent.peer.cancel(self._agent.invite)
        final = None
        for interval in intervals(seconds):
            if (final := await self._agent.response(self._agent.invite, interval, repeats=False)) is not None:
                break
            if self._agent.closed:
                break
            if self._agent.peer.transport == "udp":
                self._agent.peer.cancel(self._agent.invite)
        return final

    async def _hang_up_early(self) -> tuple[bool, str]:
        rings = await self._agent.response(
            self._agent.invite,
            self._agent.patience,
            enough=lambda response: bool(sip.tag(response.first("To"))),
        )
        if rings is None:
            return False, self._agent.silence("INVITE")
        if (rings.status or 0) >= 200:
            self._final = rings
            told = f"INVITE was answered {said(rings)} before it rang"
            if (rings.status or 0) < 300:
                told += f"; {(await self._hang_up(0))[1]}"
            return False, told
        self._agent.peer.request("BYE", in_dialog=True)
        self._final = final = await self._agent.response(
            self._agent.invite, min(self._agent.patience, _AFTER_CANCEL), repeats=False
        )
        if final is None:
            return False, f"hung up behind {said(rings)}, and INVITE was not answered then"
        return True, f"hung up behind {said(rings)}: INVITE was answered {said(final)}"

    async def _leave_unacknowledged(self) -> tuple[bool, str]:
        """The far end repeats its answer for 32 s, and hangs up (RFC 3261 §13.3.1.4)."""
        self._final = final = await self._agent.response(
            self._agent.invite, self._agent.patience, acknowledges=False
        )
        if final is None:
            return False, self._agent.silence("INVITE")
        if (final.status or 0) >= 300:
            return False, f"INVITE was answered {said(final)}"
        answer, self._agent.invite = said(final), ""  # repetitions stay unacknowledged
        if await self._agent.pause(max(self._agent.patience, 40.0)):
            return True, f"answered {answer}, not acknowledged: the other side hung up"
        return False, f"answered {answer}, not acknowledged, and nobody hung up"

    # As a callee

    async def _ring(self, seconds: float) -> tuple[bool, str]:
        self._agent.peer.respond(180, to=self._agent.invite)
        ended = await self._agent.next(self._is_end, seconds)
        if ended is None:
            return True, f"rang for {seconds:g} s"
        told = await self._end_unanswered(ended)
        self._phase = Phase.OVER
        return True, f"rang, and was {told} within {seconds:g} s"

    async def _say_nothing(self) -> tuple[bool, str]:
        ended = await self._agent.next(self._is_end, GIVES_UP)
        if ended is None:
            return False, "not answered; left, and nobody cancelled"
        return True, f"not answered; {await self._end_unanswered(ended)}"

    def _is_end(self, message: SipMessage) -> bool:
        return self._agent.is_ours(message, "CANCEL", "BYE")

    async def _end_unanswered(self, ended: SipMessage) -> str:
        """487 to the INVITE that a CANCEL or BYE has ended."""
        self._agent.peer.respond(200, to=named(ended))
        await self._agent.answered(487, described=False)
        return "cancelled" if ended.method == "CANCEL" else "hung up"

    async def _answer(self, status: int) -> tuple[bool, str]:
        if not await self._agent.answered(status, described=status < 300):
            return False, f"answered {status}, and no ACK came"
        return True, f"answered {status}"

    # In a call

    async def _hold(self, seconds: float) -> tuple[bool, str]:
        held, answer = await self._offer("sendonly")
        if not held or await self._agent.pause(seconds):
            return held, f"put on hold: {answer}"
        good, back = await self._offer("sendrecv")
        return good, f"on hold for {seconds:g} s: {answer}; taken back: {back}"

    async def _offer(self, direction: Direction) -> tuple[bool, str]:
        """A re-INVITE with this direction; the answer, and the direction that it names."""
        deadline = time.monotonic() + self._agent.patience
        self._agent.description = session_description.turned(self._agent.description, direction)
        final = await self._agent.offer()
        while final is not None and final.status == 491 and time.monotonic() < deadline:
            if await self._agent.pause(random.uniform(*(_OWNER if self._side is Side.CALLER else _OTHER))):
                break
            final = await self._agent.offer()
        if final is None:
            return False, "not answered"
        if (final.status or 0) >= 300:
            return False, said(final)
        return True, f"{said(final)} ({session_description.direction(final.body)})"

    async def _dial(self, digits: str) -> tuple[bool, str]:
        for digit in digits:
            final = await self._agent.asked(
                "INFO",
                (("Content-Type", "application/dtmf-relay"),),
                f"Signal={digit}\r\nDuration=160\r\n",
            )
            if final is None or (final.status or 0) >= 300:
                return False, f"dialled {digit}: {said(final) if final else 'not answered'}"
            if self._agent.hung_up and digit != digits[-1]:
                return False, f"dialled {digits} up to {digit}"
        return True, f"dialled {digits}"

    async def _refer(self, to: str) -> tuple[bool, str]:
        final = await self._agent.asked("REFER", (("Refer-To", f"<{to}>"),), "")
        good = final is not None and (final.status or 0) < 300
        return good, f"referred to {to}: {said(final) if final else 'not answered'}"

    async def _hang_up(self, after: float) -> tuple[bool, str]:
        if await self._agent.pause(after):
            return True, "the other side hung up"
        final = await self._agent.asked("BYE", (), "")
        told = f"hung up after {after:g} s"
        if final is None:
            return False, f"{told}, and BYE was not answered"
        # Both may hang up at once: then either side's BYE may be answered 481.
        return final.status == 200 or self._agent.hung_up, f"{told}: {said(final)}"
