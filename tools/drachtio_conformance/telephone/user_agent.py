"""What a SIP endpoint does of itself, beside what it is told: it repeats, passes over, acknowledges, answers.

Over UDP it repeats what is not answered (RFC 3261 §17.1: after T1, then at doubled intervals up to T2). It passes over
provisional responses (PRACK for the reliable ones), acknowledges final ones, and answers what the other side asks for
in a call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.sip_compose import SDP, Changes, HeaderLine
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import StreamEndpoint, UdpEndpoint
from drachtio_conformance.telephone import session_description
from msgtrace import sip
from msgtrace.sip import SipMessage

_T1, _T2 = 0.5, 4.0
GIVES_UP = 32.0
"""64·T1: seconds that what has to come is waited for"""
_DESCRIBED: tuple[HeaderLine, ...] = (("Content-Type", "application/sdp"),)


class UserAgent:
    """One side of one call after the other, on a SIP peer."""

    def __init__(self, peer: SipPeer, *, patience: float, follows: bool) -> None:
        """``patience`` is how long answers are waited for, in seconds.

        ``follows``: its requests go where the call came from, since it knows no server.
        """
        self.peer = peer
        self.patience = patience
        self._follows = follows
        self._datagrams = peer.transport == "udp"
        self._sent = 0
        self.begin()

    def begin(self, invite: str = "", description: str = SDP) -> None:
        """Another call; ``invite`` is the name of its INVITE, if it is ours, ``description`` what it offers."""
        self.invite = invite
        """the name of the INVITE that began the call"""
        self.description = description
        """the session as we describe it"""
        self.hung_up = False
        """the other side has sent BYE"""
        self.closed = False
        """there is no connection any more"""
        self.rings = False
        """our INVITE has had a provisional response"""
        self._offering = False
        self._call_id = ""
        self._reliable = 0  # RSeq of the latest provisional response that was acknowledged

    def called(self, invite: SipMessage) -> None:
        """This INVITE has begun the call."""
        self.invite = named(invite)
        self._call_id = invite.call_id

    def request_call(self, uri: str, headers: tuple[HeaderLine, ...], body: str | None) -> None:
        """Begin a call; no body: an offer."""
        name = self._name("INVITE")
        self.begin(name, body if body is not None and "\nm=" in body else SDP)
        self.peer.request("INVITE", uri=uri, changes=Changes(headers), body=body, save=name)
        self._call_id = self.peer.call_id

    def request(self, method: str, uri: str, headers: tuple[HeaderLine, ...], *, body: str | None) -> str:
        """Send a request outside of calls; its name."""
        name = self._name(method)
        self.peer.request(method, uri=uri, changes=Changes(headers), body=body, save=name)
        return name

    async def pause(self, seconds: float) -> bool:
        """Let time pass; whether the other side has hung up."""
        if not self.hung_up:
            await self.next(lambda _: self.hung_up, seconds)
        return self.hung_up

    async def asked(self, method: str, headers: tuple[HeaderLine, ...], body: str) -> SipMessage | None:
        """The final response to a request inside the dialog."""
        name = self._name(method)
        self.peer.request(method, in_dialog=True, changes=Changes(headers), body=body, save=name)
        return await self.response(name, self.patience)

    async def offer(self) -> SipMessage | None:
        """Offer the session anew, as it is described, by a re-INVITE; its final response."""
        self._offering = True
        final = await self.asked("INVITE", _DESCRIBED, self.description)
        self._offering = False
        return final

    async def answered(self, status: int, described: bool) -> bool:
        """Answer the INVITE, again and again until the ACK comes (RFC 3261 §13.3.1.4, §17.2.1)."""
        body = self.description if described else ""
        changes = Changes(_DESCRIBED if described else ())
        for interval in intervals(GIVES_UP):
            self.peer.respond(status, to=self.invite, changes=changes, body=body)
            if await self.next(lambda message: self.is_ours(message, "ACK"), interval) is not None:
                return True
            if self.closed:
                break
        return False

    def is_ours(self, request: SipMessage, *methods: str) -> bool:
        """Whether it is a request of this call by one of these methods."""
        return request.is_request and request.method in methods and request.call_id == self._call_id

    def _name(self, method: str) -> str:
        self._sent += 1
        return f"{method} {self._sent}"

    def silence(self, method: str) -> str:
        """Why there is no final response."""
        endpoint = self.peer.endpoint
        if isinstance(endpoint, UdpEndpoint) and endpoint.refused:
            return f"nobody listens at {self.peer.server} (udp): the port is closed"
        if self.closed:
            return f"the connection was closed before {method} was answered"
        if self.rings:
            return f"{method} had no final response within {self.patience:g} s"
        return f"{method} was not answered within {self.patience:g} s"

    async def response(
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
        method, answered = name.partition(" ")[0], not repeats or (name == self.invite and self.rings)
        deadline, waits = time.monotonic() + seconds, intervals(seconds)
        while (left := deadline - time.monotonic()) > 0 and not self.closed:
            repeating = self._datagrams and not answered
            message = await self.next(
                lambda message: message.status is not None and self.peer.belongs(message, name),
                min(left, next(waits, left)) if repeating else left,
            )
            if message is None:
                if repeating and time.monotonic() < deadline and not self.closed:
                    self.peer.retransmit(name)
                continue
            answered = True
            if (message.status or 0) >= 200:
                if method == "INVITE" and (acknowledges or (message.status or 0) >= 300):
                    self.peer.ack(name)
                return message
            self.rings = self.rings or name == self.invite
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
        self.peer.request("PRACK", in_dialog=True, changes=Changes((("RAck", which),)), save="PRACK")

    async def next(self, wanted: Callable[[SipMessage], bool], seconds: float) -> SipMessage | None:
        """The next message that is wanted; to others the telephone does what a telephone does.

        None behind ``seconds``, or when the connection is closed.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                item = await self.peer.endpoint.incoming.take(left)
            except NothingCame:
                return None
            if isinstance(item, Closed):
                if self._awaits_calls or self._has_connection():
                    continue  # one of another call
                self.closed = True
                return None
            message = sip.parse(item.raw)
            repeated = self.peer.is_repeat(item.raw)
            self.peer.learn(item, save=named(message) if message.is_request else None)
            if repeated:
                self._again(message)
                continue
            if wanted(message):
                if self._follows and is_call(message):
                    self.peer.endpoint.turn_to(item.reply)
                return message
            self._usual(message)
            if wanted(message):  # what it did may be what was waited for
                return message
        return None

    @property
    def _awaits_calls(self) -> bool:
        return self._follows and not self.invite

    def _has_connection(self) -> bool:
        endpoint = self.peer.endpoint
        return isinstance(endpoint, StreamEndpoint) and endpoint.connected

    def _again(self, message: SipMessage) -> None:
        """It was repeated: what was said to it was lost."""
        if message.is_request:
            if not is_call(message):
                self._usual(message)
        elif message.has("RSeq") and message.first("RSeq").strip() == str(self._reliable):
            self.peer.retransmit("PRACK")
        elif (message.status or 0) >= 200 and self.invite and self.peer.belongs(message, self.invite):
            self.peer.ack(self.invite)

    def _usual(self, message: SipMessage) -> None:
        """What any telephone answers; a call that comes meanwhile finds it busy."""
        if not message.is_request or message.method == "ACK":
            return
        name = named(message)
        if is_call(message):
            self.peer.respond(486, to=name)
        elif message.method in ("INVITE", "UPDATE") and (message.body or message.method == "INVITE"):
            self._reoffered(message, name)
        elif message.method == "REFER":
            self._transferred(name)
        else:
            self.hung_up = self.hung_up or self.is_ours(message, "BYE")
            self.peer.respond(200, to=name)

    def _reoffered(self, message: SipMessage, name: str) -> None:
        """The session is offered anew: agree, but not while an offer of our own is open (RFC 3261 §14.2)."""
        if self._offering:
            self.peer.respond(491, to=name)
            return
        answer = session_description.mirrored(session_description.direction(message.body))
        self.description = session_description.turned(self.description, answer)
        self.peer.respond(200, to=name, changes=Changes(_DESCRIBED), body=self.description)

    def _transferred(self, name: str) -> None:
        """Say that the other telephone was reached, at once (RFC 3515 §2.4.4): nobody is called."""
        self.peer.respond(202, to=name)
        state = (
            ("Event", "refer"),
            ("Subscription-State", "terminated;reason=noresource"),
            ("Content-Type", "message/sipfrag;version=2.0"),
        )
        body = "SIP/2.0 200 OK\r\n"
        self.peer.request(
            "NOTIFY", in_dialog=True, changes=Changes(state), body=body, save=self._name("NOTIFY")
        )


def is_call(message: SipMessage) -> bool:
    return message.is_request and message.method == "INVITE" and not sip.tag(message.first("To"))


def named(request: SipMessage) -> str:
    """By which a request that came is remembered."""
    return f"{request.method} {request.cseq[0]} {request.call_id}"


def said(response: SipMessage) -> str:
    """``200 OK``"""
    return response.start_line.removeprefix("SIP/2.0 ")


def intervals(seconds: float) -> Iterator[float]:
    """Between repetitions: T1, doubled up to T2, so many seconds in all."""
    interval = _T1
    while seconds > 0:
        yield min(interval, seconds)
        seconds -= interval
        interval = min(2 * interval, _T2)
