"""Callers over UDP who repeat what is not answered (:rfc:`3261#section-17`), and keep books of what they hear."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, cast

from msgspec import Struct, field

T1: Final = 0.5
_CALL_ID: Final = re.compile(r"\r\nCall-ID: (\d+)@callers\r\n")
_TO: Final = re.compile(r"\r\nTo: ([^\r]*)")
_CSEQ: Final = re.compile(r"\r\nCSeq: \d+ ([A-Z]+)")


class Heard(Struct):
    """What one caller has heard."""

    finals: set[str] = field(default_factory=set)
    """status and To tag of the final responses to its INVITE"""
    bye: int = 0
    """status of the first final response to its BYE"""

    @property
    def over(self) -> bool:
        """Everything that it sent is answered."""
        return bool(self.finals) and (bool(self.bye) or not any(one.startswith("2") for one in self.finals))


def outcome(heard: Iterable[Heard]) -> Counter[str]:
    """How many callers have heard what, as ``200``, ``200 BYE 481``, ``503``.

    One who has heard two final responses, or whose call is not over, stands for itself.
    """
    return Counter([_told(one) for one in heard])


def _told(heard: Heard) -> str:
    if len(heard.finals) != 1 or not heard.over:
        return str(heard)
    status = next(iter(heard.finals)).partition(" ")[0]
    return status if heard.bye in (0, 200) else f"{status} BYE {heard.bye}"


class Callers(asyncio.DatagramProtocol):
    """Any number of calls from one socket: INVITE, ACK, and a BYE at once behind a 2xx."""

    def __init__(self) -> None:
        self.heard: dict[int, Heard] = {}
        self._open: set[int] = set()
        self._all_over = asyncio.Event()
        self._waiting: dict[tuple[int, str], asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._port = int(transport.get_extra_info("sockname")[1])

    def call(self, number: int) -> None:
        """Begin a call."""
        self.heard[number] = Heard()
        self._open.add(number)
        self._all_over.clear()
        self._repeat(number, "INVITE", "<sip:bob@127.0.0.1>", T1)

    async def finish(self, patience: float) -> None:
        """Wait until all calls are over, but no longer than ``patience`` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._all_over.wait()

    def _close(self, number: int) -> None:
        if self.heard[number].over:
            self._open.discard(number)
        if not self._open:
            self._all_over.set()

    def _repeat(self, number: int, method: str, to: str, interval: float) -> None:
        self._send(number, method, to)
        longest = 64 * T1 if method == "INVITE" else 4.0
        self._waiting[number, method] = asyncio.get_running_loop().call_later(
            interval, self._repeat, number, method, to, min(2 * interval, longest)
        )

    def _answered(self, number: int, method: str) -> None:
        waiting = self._waiting.pop((number, method), None)
        if waiting is not None:
            waiting.cancel()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """A response."""
        text = data.decode("latin-1")
        call, to, cseq = _CALL_ID.search(text), _TO.search(text), _CSEQ.search(text)
        if not (call and to and cseq and text.startswith("SIP/2.0 ")):
            return
        number, method, status = int(call[1]), cseq[1], int(text[8:11])
        self._answered(number, method)
        if status < 200:
            return
        heard = self.heard[number]
        if method == "BYE":
            heard.bye = heard.bye or status
            self._close(number)
            return
        first = not heard.finals
        heard.finals.add(f"{status} {to[1].partition(';tag=')[2]}")
        self._send(number, "ACK", to[1], same_branch=status >= 300)
        if status < 300 and first:
            self._repeat(number, "BYE", to[1], T1)
        self._close(number)

    def _send(self, number: int, method: str, to: str, *, same_branch: bool = False) -> None:
        branch = f"z9hG4bK{number}{'INVITE' if same_branch else method}"
        cseq = 2 if method == "BYE" else 1
        self._transport.sendto(
            f"{method} sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self._port};rport;branch={branch}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:alice@127.0.0.1>;tag=a{number}\r\nTo: {to}\r\n"
            f"Call-ID: {number}@callers\r\nCSeq: {cseq} {method}\r\nContact: <sip:alice@127.0.0.1:{self._port}>\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )


async def called(port: int, calls: int, rate: float, patience: float = 64 * T1) -> list[Heard]:
    """``calls`` calls to ``port`` of 127.0.0.1, ``rate`` a second; returns when all are over, or patience is."""
    loop = asyncio.get_running_loop()
    transport, callers = await loop.create_datagram_endpoint(Callers, remote_addr=("127.0.0.1", port))
    begun = loop.time()
    for number in range(calls):
        await asyncio.sleep(max(begun + number / rate - loop.time(), 0))
        callers.call(number)
    await callers.finish(patience)
    transport.close()
    return list(callers.heard.values())
