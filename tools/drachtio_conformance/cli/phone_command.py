"""``phone``: a telephone that is called; it takes calls as it is told, and says what became of them."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable

import msgspec
from msgspec import Struct

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.peers.admin_peer import ConnectFailed
from drachtio_conformance.peers.channel import Closed, NothingCame
from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.peers.sip_compose import SDP, Changes
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import UdpEndpoint
from drachtio_conformance.peers.variables import Variables
from drachtio_conformance.report.visible import visible
from msgtrace import ladder, sip
from msgtrace.sip import SipMessage

_T1, _T2 = 0.5, 4.0
_ENDING = 32.0
"""seconds that what has to come is waited for"""


class Manner(Struct, frozen=True, kw_only=True):
    """How calls are taken."""

    status: int | None = 200
    """None: not at all"""
    ring: float | None = None
    """seconds between 180 and the answer"""
    hang_up_after: float | None = None
    """seconds between ACK and BYE"""


class Taken(Struct, frozen=True):
    """What became of a call."""

    good: bool
    sentence: str
    caller: str
    """From of the INVITE"""


def run(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Take calls as ``options`` say; returns the exit code."""
    status = 486 if options.busy else options.status or 200
    manner = Manner(
        status=None if options.silent else status, ring=options.ring, hang_up_after=options.hang_up_after
    )
    try:
        return asyncio.run(_serve(options, manner, say))
    except ConnectFailed as error:
        sys.stderr.write(f"drachtio-conformance: {visible(str(error))}\n")
        return ExitCode.USAGE


async def _serve(options: argparse.Namespace, manner: Manner, say: Callable[[str], None]) -> int:
    recorder = Recorder()
    endpoint = UdpEndpoint(("127.0.0.1", 9), lambda raw: recorder.sip("phone", raw, from_server=True))
    await endpoint.open(options.host, options.port)
    variables = Variables()
    peer = SipPeer(
        "phone", "udp", options.host, endpoint=endpoint, server="", recorder=recorder, variables=variables
    )
    phone = Telephone(peer, endpoint, manner)
    say(msgspec.json.encode({"uri": f"sip:phone@{peer.address}"}).decode())
    sys.stdout.flush()
    code = ExitCode.OK
    try:
        for number in range(options.calls):
            taken = await phone.take(options.timeout)
            if taken is None:
                say(f"no call came within {options.timeout:g} s")
                return ExitCode.FAILURES if number else ExitCode.NO_PEER
            if options.json:
                say(msgspec.json.encode(taken).decode())
            else:
                say(ladder.text(recorder.events, width=100).rstrip("\n"))
                say(f"\n{taken.sentence}")
            sys.stdout.flush()
            recorder.events.clear()
            if not taken.good:
                code = ExitCode.FAILURES
    finally:
        peer.close()
    return code


class Telephone:
    """Takes one call after the other."""

    def __init__(self, peer: SipPeer, endpoint: UdpEndpoint, manner: Manner) -> None:
        self._peer = peer
        self._endpoint = endpoint
        self._manner = manner

    async def take(self, patience: float) -> Taken | None:
        """The next call, from its INVITE to its end; None if none comes within ``patience`` seconds."""
        invite = await self._next(patience, {"INVITE"})
        if invite is None:
            return None
        caller = invite.first("From")
        manner = self._manner
        if manner.status is None:
            cancelled = await self._next(_ENDING, {"CANCEL"})
            if cancelled is not None:
                self._end_cancelled()
            told = "cancelled" if cancelled is not None else "left, and nobody cancelled"
            return Taken(cancelled is not None, f"not answered; {told}", caller)
        if manner.ring is not None:
            self._peer.respond(180, to="INVITE")
            if await self._next(manner.ring, {"CANCEL", "BYE"}) is not None:
                self._end_cancelled()
                return Taken(True, f"rang, and was cancelled within {manner.ring:g} s", caller)
        if not await self._acknowledged(manner.status):
            return Taken(False, f"answered {manner.status}, and no ACK came", caller)
        if manner.status >= 300:
            return Taken(True, f"answered {manner.status}", caller)
        return await self._talk(caller)

    async def _acknowledged(self, status: int) -> bool:
        """Answer, again and again until the ACK comes (RFC 3261 §13.3.1.4)."""
        body = SDP if status < 300 else ""
        changes = Changes((("Content-Type", "application/sdp"),) if body else ())
        interval, deadline = _T1, time.monotonic() + _ENDING
        while time.monotonic() < deadline:
            self._peer.respond(status, to="INVITE", changes=changes, body=body)
            if await self._next(interval, {"ACK"}) is not None:
                return True
            interval = min(2 * interval, _T2)
        return False

    async def _talk(self, caller: str) -> Taken:
        """The call is up, until either side hangs up."""
        after = self._manner.hang_up_after
        if await self._next(_ENDING * 100 if after is None else after, {"BYE"}) is not None:
            self._peer.respond(200, to="BYE")
            return Taken(True, "answered 200; the caller hung up", caller)
        self._peer.request("BYE", in_dialog=True, save="BYE")
        interval, deadline = _T1, time.monotonic() + _ENDING
        while time.monotonic() < deadline:
            response = await self._next(interval, set(), to_bye=True)
            if response is not None:
                told = response.start_line.removeprefix("SIP/2.0 ")
                return Taken(
                    response.status == 200, f"answered 200, hung up after {after:g} s: {told}", caller
                )
            self._peer.retransmit("BYE")
            interval = min(2 * interval, _T2)
        return Taken(False, f"answered 200, hung up after {after:g} s, and BYE was not answered", caller)

    def _end_cancelled(self) -> None:
        """487 to the INVITE; its ACK is passed over when it comes."""
        self._peer.respond(200)
        self._peer.respond(487, to="INVITE")

    async def _next(self, patience: float, wanted: set[str], *, to_bye: bool = False) -> SipMessage | None:
        """The next request of a method that is ``wanted``, or the final response to our BYE; others are answered."""
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0:
            try:
                item = await self._endpoint.incoming.take(left)
            except NothingCame:
                return None
            if isinstance(item, Closed):
                return None
            message = sip.parse(item.raw)
            repeated = self._peer.is_repeat(item.raw)
            self._peer.learn(item, save=message.method if message.is_request and not repeated else None)
            if not message.is_request:
                if to_bye and message.cseq[1] == "BYE" and (message.status or 0) >= 200:
                    return message
                continue
            if message.method in wanted and not repeated:
                self._endpoint.turn_to(item.reply)
                return message
            if repeated or message.method == "ACK":
                continue
            if message.method == "INVITE" and sip.tag(message.first("To")):
                changes = Changes((("Content-Type", "application/sdp"),))
                self._peer.respond(200, changes=changes, body=SDP)
            elif message.method != "INVITE":
                self._peer.respond(200)
        return None
