"""``call URI``: our SIP peer places one call (INVITE, ACK, BYE) or sends one request, and the ladder is drawn.

What the suite's SIP peer does step by step in a case, it does here by itself: it passes over provisional responses
(PRACK for the reliable ones), acknowledges the final one, hangs up an answered call after a while, and repeats over
UDP what is not answered (RFC 3261 §17.1: after T1, then at doubled intervals up to T2).
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable

from msgspec import Struct

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.peers.admin_peer import ConnectFailed
from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.recorder import Recorder, WireEvent
from drachtio_conformance.peers.sip_compose import Changes
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import StreamEndpoint, UdpEndpoint
from drachtio_conformance.peers.transports import DEFAULT_PORTS, SECURE, TRANSPORTS
from drachtio_conformance.peers.variables import Variables
from msgtrace import sip
from msgtrace.sip import SipMessage

_NOT_ALONE = {
    "CANCEL": "it ends an INVITE that has no final response yet; a call that rings is cancelled after --timeout",
    "ACK": "it follows the final response to an INVITE, and call sends it by itself",
    "PRACK": "it follows a reliable provisional response to an INVITE, and call sends it by itself",
}
"""methods that make no sense outside a call, and why"""
_T1, _T2 = 0.5, 4.0
_GOODBYE = 1.0
"""seconds that the far end may take to hear of the end"""
_SECURED = {"": "tls", "tcp": "tls", "ws": "wss"}
"""what a sips URI means by a transport (RFC 3261 §26.2.2)"""
_URI = re.compile(
    r"(?P<scheme>(?i:sips?)):(?:[^@]*@)?"
    r"(?P<host>\[[0-9a-fA-F:]+\]|[^:;?@\[\]]+)(?::(?P<port>\d{1,5}))?(?P<parameters>(?:;[^?]*)?)(?:\?.*)?"
)


class CallError(ValueError):
    """The call cannot be placed as it was asked for; the message says why."""


class Call(Struct, frozen=True, kw_only=True):
    """What to send and how."""

    uri: str
    method: str = "INVITE"
    transport: str = ""
    """``udp``, ``tcp``, ``tls``, ``ws`` or ``wss``; empty: the URI's transport parameter, else udp, or tls for sips"""
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    """octets; None: an SDP offer in an INVITE, nothing else"""
    hold: float = 0.5
    """seconds between ACK and BYE; the far end may hang up before"""
    patience: float = 32.0
    """seconds that a final response is waited for"""
    cancel_after: float | None = None
    """seconds after which an INVITE that has no final response is cancelled"""
    early_bye: bool = False
    """hang up as soon as it rings"""
    reinvite: bool = False
    """change the session once, behind the ACK"""
    no_ack: bool = False
    """never acknowledge the answer"""


class Outcome(Struct, frozen=True):
    """What came of it."""

    events: list[WireEvent]
    exit_code: ExitCode
    """OK: answered 2xx and hung up; FAILURES: another final response; NO_PEER: none"""
    sentence: str


async def place(call: Call, progress: Callable[[WireEvent], None] | None = None) -> Outcome:
    """Place the call; ``progress`` is told each event as it happens. Raises CallError."""
    if call.method in _NOT_ALONE:
        raise CallError(f"{call.method} is no request of its own: {_NOT_ALONE[call.method]}")
    host, port, transport = destination(call)
    recorder = _Recorder(progress)
    local = _local_address(host, port)
    peer: SipPeer | None = None

    def arrived(raw: str) -> None:
        recorder.sip("phone", raw, from_server=True)

    endpoint: UdpEndpoint | StreamEndpoint
    if transport == "udp":
        endpoint = UdpEndpoint((host, port), arrived)
    else:
        endpoint = StreamEndpoint((host, port), arrived, transport=transport)
    shown = f"[{host}]" if ":" in host else host
    try:
        if isinstance(endpoint, StreamEndpoint):
            await endpoint.open(local, seconds=min(call.patience, 5.0))
        else:
            await endpoint.open(local)
            endpoint.hear_of_closed_ports()
        peer = SipPeer(
            "phone",
            transport,
            local,
            endpoint=endpoint,
            server=f"{shown}:{port}",
            recorder=recorder,
            variables=Variables(),
        )
        return await _Caller(
            peer, call, f"{shown}:{port}", datagrams=transport == "udp", recorder=recorder
        ).run()
    except ConnectFailed as error:
        return Outcome(recorder.events, ExitCode.NO_PEER, str(error))
    finally:
        (peer or endpoint).close()
        await endpoint.gone(_GOODBYE)


def destination(call: Call) -> tuple[str, int, str]:
    """Host, port and transport of the URI. Raises CallError."""
    match = _URI.fullmatch(call.uri)
    if match is None:
        raise CallError(f"expected a SIP URI like sip:bob@127.0.0.1:5060, got '{call.uri}'")
    parameter = re.search(r";transport=(\w+)", match["parameters"], re.IGNORECASE)
    transport = call.transport or (parameter[1].lower() if parameter else "")
    if match["scheme"].lower() == "sips":
        transport = _SECURED.get(transport, transport)
        if transport not in SECURE:
            raise CallError(f"sips goes by tls or wss, not by {transport}: try sip:, got '{call.uri}'")
    transport = transport or "udp"
    if transport not in TRANSPORTS:
        raise CallError(f"expected a transport of {', '.join(TRANSPORTS)}, got '{transport}'")
    host = match["host"].strip("[]")
    port = int(match["port"] or DEFAULT_PORTS[transport])
    if not 0 < port < 65536:
        raise CallError(f"expected a port from 1 to 65535, got {port}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise CallError(f"cannot resolve {host}: {error.strerror}") from None
    return str(found[0][4][0]), port, transport


def _local_address(host: str, port: int) -> str:
    """The address from which ``host`` is reached; sends nothing. Raises CallError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, port))
            return str(probe.getsockname()[0])
    except OSError as error:
        raise CallError(f"no way to {host}: {error.strerror}") from None


class _Recorder(Recorder):
    """Tells each event at once."""

    def __init__(self, progress: Callable[[WireEvent], None] | None) -> None:
        super().__init__()
        self._progress = progress

    def sip(self, peer: str, raw: str, *, from_server: bool) -> None:
        super().sip(peer, raw, from_server=from_server)
        if self._progress is not None:
            self._progress(self.events[-1])


class _Caller:
    """One call, from its first request to its last answer."""

    def __init__(self, peer: SipPeer, call: Call, where: str, *, datagrams: bool, recorder: Recorder) -> None:
        """``where`` is HOST:PORT, for messages; over ``datagrams`` what is not answered is repeated."""
        self._peer = peer
        self._call = call
        self._where = where
        self._datagrams = datagrams
        self._recorder = recorder
        self._provisional = False
        self._hung_up = False
        self._reliable = 0
        """RSeq of the latest provisional response that was acknowledged"""

    async def run(self) -> Outcome:
        call, peer = self._call, self._peer
        peer.request(
            call.method, uri=call.uri, changes=Changes(headers=call.headers), body=call.body, save=call.method
        )
        if call.early_bye:
            return await self._hang_up_early()
        until = call.patience if call.cancel_after is None else min(call.cancel_after, call.patience)
        final = await self._final(call.method, until)
        if final is None and call.cancel_after is not None and self._provisional:
            return await self._cancelled(call.cancel_after)
        if final is None:
            return await self._unanswered()
        answer = final.start_line.removeprefix("SIP/2.0 ")
        if call.no_ack and final.status is not None and final.status < 300:
            return await self._never_acknowledged(answer)
        if call.method == "INVITE":
            peer.ack()
        if final.status is None or final.status >= 300:
            return self._outcome(ExitCode.FAILURES, f"{call.method} was answered {answer}")
        if call.method != "INVITE":
            return self._outcome(ExitCode.OK, f"{call.method} was answered {answer}")
        if call.reinvite:
            peer.request("INVITE", in_dialog=True, save="INVITE")
            changed = await self._final("INVITE", call.patience)
            if changed is None:
                return self._outcome(
                    ExitCode.FAILURES, f"answered {answer}, but the re-INVITE was not answered"
                )
            peer.ack()
            if changed.status is None or changed.status >= 300:
                text = changed.start_line.removeprefix("SIP/2.0 ")
                return self._outcome(
                    ExitCode.FAILURES, f"answered {answer}, but the re-INVITE was answered {text}"
                )
        await self._talk()
        if self._hung_up:
            return self._outcome(ExitCode.OK, f"answered {answer}; the other side hung up")
        peer.request("BYE", in_dialog=True, save="BYE")
        goodbye = await self._final("BYE", min(call.patience, 32.0))
        if goodbye is None:
            return self._outcome(ExitCode.FAILURES, f"answered {answer}, but BYE was not answered")
        if goodbye.status is None or goodbye.status >= 300:
            text = goodbye.start_line.removeprefix("SIP/2.0 ")
            return self._outcome(ExitCode.FAILURES, f"answered {answer}, but BYE was answered {text}")
        return self._outcome(ExitCode.OK, f"answered {answer}, held for {call.hold:g} s, hung up")

    async def _cancelled(self, after: float) -> Outcome:
        """Cancel the INVITE; the far end's 487 is what is wanted."""
        self._peer.cancel()
        final = await self._final("INVITE", min(self._call.patience, 8.0))
        if final is None:
            return self._outcome(ExitCode.FAILURES, f"cancelled after {after:g} s, and not answered then")
        self._peer.ack()
        answer = final.start_line.removeprefix("SIP/2.0 ")
        good = final.status == 487
        return self._outcome(
            ExitCode.OK if good else ExitCode.FAILURES,
            f"cancelled after {after:g} s: INVITE was answered {answer}",
        )

    async def _hang_up_early(self) -> Outcome:
        """Send BYE as soon as it rings; the INVITE is answered 487, or otherwise."""
        rings = await self._final("INVITE", self._call.patience, early=True)
        if rings is None:
            return await self._unanswered()
        answer = rings.start_line.removeprefix("SIP/2.0 ")
        if rings.status is not None and rings.status >= 200:
            self._peer.ack()
            return self._outcome(ExitCode.FAILURES, f"INVITE was answered {answer} before it rang")
        self._peer.request("BYE", in_dialog=True, save="BYE")
        final = await self._final("INVITE", min(self._call.patience, 8.0))
        if final is None:
            return self._outcome(
                ExitCode.FAILURES, f"hung up behind {answer}, and INVITE was not answered then"
            )
        self._peer.ack("INVITE")
        text = final.start_line.removeprefix("SIP/2.0 ")
        return self._outcome(ExitCode.OK, f"hung up behind {answer}: INVITE was answered {text}")

    async def _never_acknowledged(self, answer: str) -> Outcome:
        """Wait for the far end to give up: it repeats its answer for 32 s, and hangs up (RFC 3261 §13.3.1.4)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + max(self._call.patience, 40.0)
        while not self._hung_up and (left := deadline - loop.time()) > 0:
            try:
                incoming = await self._peer.endpoint.incoming.take(left)
            except NothingCame:
                break
            if isinstance(incoming, Closed):
                break
            message = sip.parse(incoming.raw)
            self._peer.learn(incoming)
            if message.is_request:
                self._answer(message)
        if self._hung_up:
            return self._outcome(ExitCode.OK, f"answered {answer}, not acknowledged: the other side hung up")
        return self._outcome(ExitCode.FAILURES, f"answered {answer}, not acknowledged, and nobody hung up")

    async def _unanswered(self) -> Outcome:
        """No final response came in time."""
        call = self._call
        if isinstance(self._peer.endpoint, UdpEndpoint) and self._peer.endpoint.refused:
            text = f"nobody listens at {self._where} (udp): the port is closed"
            return self._outcome(ExitCode.NO_PEER, text)
        if not self._provisional:
            code = ExitCode.NO_PEER
            return self._outcome(code, f"{call.method} was not answered within {call.patience:g} s")
        text = f"{call.method} had no final response within {call.patience:g} s"
        if call.method == "INVITE":
            self._peer.cancel()
            if await self._final("INVITE", min(call.patience, 4.0)) is not None:
                self._peer.ack()
                text += ", so it was cancelled"
        return self._outcome(ExitCode.FAILURES, text)

    async def _final(self, method: str, patience: float, *, early: bool = False) -> SipMessage | None:
        """The final response to the latest ``method`` request, which is repeated until something comes; or None.

        ``early``: or the first provisional one that makes a dialog.
        """
        loop = asyncio.get_running_loop()
        deadline, interval, answered = loop.time() + patience, _T1, False
        while (left := deadline - loop.time()) > 0:
            repeating = self._datagrams and not answered
            try:
                incoming = await self._peer.endpoint.incoming.take(min(left, interval) if repeating else left)
            except NothingCame:
                if repeating and loop.time() < deadline:
                    self._peer.retransmit(method)
                    interval = min(2 * interval, _T2)
                continue
            if isinstance(incoming, Closed):
                return None
            message = sip.parse(incoming.raw)
            self._peer.learn(incoming)
            if message.is_request:
                self._answer(message)
            elif message.cseq[1] == method and message.status is not None:
                answered = True
                if message.status >= 200:
                    return message
                self._provisional = True
                if method == "INVITE" and message.has("RSeq"):
                    self._acknowledge(message)
                if early and sip.tag(message.first("To")):
                    return message
        return None

    def _acknowledge(self, response: SipMessage) -> None:
        """PRACK a reliable provisional response (RFC 3262 §4), again when it comes again: one of the two was lost."""
        number = response.first("RSeq").strip()
        if not number.isdigit() or int(number) < self._reliable:
            return
        if int(number) == self._reliable:
            self._peer.retransmit("PRACK")
            return
        self._reliable = int(number)
        which = f"{number} {response.cseq[0]} INVITE"
        self._peer.request("PRACK", in_dialog=True, changes=Changes(headers=(("RAck", which),)), save="PRACK")

    async def _talk(self) -> None:
        """Wait for the far end to hang up, or for the time of the call to pass."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._call.hold
        while not self._hung_up and (left := deadline - loop.time()) > 0:
            try:
                incoming = await self._peer.endpoint.incoming.take(left)
            except NothingCame:
                return
            if isinstance(incoming, Closed):
                return
            message = sip.parse(incoming.raw)
            self._peer.learn(incoming)
            if message.is_request:
                self._answer(message)
            elif message.cseq[1] == "INVITE":
                self._peer.ack()  # the 2xx was repeated: our ACK was lost

    def _answer(self, request: SipMessage) -> None:
        """Requests of the far end: BYE ends the call, others are fine with us; an ACK is not answered."""
        if request.method == "BYE":
            self._hung_up = True
        if request.method != "ACK":
            self._peer.respond(200 if request.method in ("BYE", "OPTIONS", "INFO") else 488)

    def _outcome(self, code: ExitCode, sentence: str) -> Outcome:
        return Outcome(self._recorder.events, code, sentence)
