"""Calls while the callback hangs for ever: what each caller hears, and what the server keeps meanwhile."""

from __future__ import annotations

import asyncio
import re
from typing import Final, cast

from msgspec import Struct

from tests.bench.measure import memory_of
from tests.bench.subjects import Callback
from tests.peers.processes import Server

RATE: Final = 200
"""calls a second"""

PATIENCE: Final = 10.0
"""seconds behind the last call in which its final response may come"""

_CALL: Final = re.compile(rb"\r\nCall-ID: (\d+)@hanging\r\n")


class Hanging(Struct, frozen=True, kw_only=True):
    """One run."""

    calls: int
    answered: int
    """callers that heard one final response, whatever was repeated"""
    statuses: list[str]
    """of the final responses"""
    memory: list[float]
    """MiB of resident memory at half the time, at three quarters and at the end"""

    @property
    def told(self) -> str:
        """A sentence."""
        memory = " → ".join(f"{megabytes:.0f}" for megabytes in self.memory)
        return (
            f"A callback that never answers, {RATE} calls a second: {self.answered} of {self.calls} callers heard one"
            f" final response ({', '.join(self.statuses)}); memory at half the time, three quarters, and the end:"
            f" {memory} MiB."
        )


class _Callers(asyncio.DatagramProtocol):
    """All callers on one socket; each acknowledges what ends its call."""

    def __init__(self) -> None:
        self.finals: dict[int, set[bytes]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._port = int(transport.get_extra_info("sockname")[1])

    def call(self, number: int) -> None:
        self._transport.sendto(self._request("INVITE", number, b""))

    def datagram_received(self, data: bytes, addr: object) -> None:
        found = _CALL.search(data)
        if found is None or not data.startswith(b"SIP/2.0 ") or data[8:9] == b"1":
            return
        number = int(found[1])
        head = data.partition(b"\r\n")[0]
        to = re.search(rb"\r\nTo: [^\r]*;tag=([^\r;]+)", data)
        self.finals.setdefault(number, set()).add(head + b" " + (to[1] if to else b""))
        self._transport.sendto(self._request("ACK", number, to[1] if to else b""))

    def _request(self, method: str, number: int, tag: bytes) -> bytes:
        to = f";tag={tag.decode()}" if tag else ""
        return (
            f"{method} sip:bob@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK-h{number}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:alice@127.0.0.1>;tag=h{number}\r\nTo: <sip:bob@127.0.0.1>{to}\r\n"
            f"Call-ID: {number}@hanging\r\nCSeq: 1 {method}\r\nContact: <sip:alice@127.0.0.1:{self._port}>\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode()


def hang(seconds: float) -> Hanging:
    """``RATE`` calls a second for so long, of a server whose callback takes every question and never answers."""
    callback = Callback()
    server = Server("--loglevel", "error", "--http-handler", callback.url)
    try:
        return asyncio.run(_called(server, round(RATE * seconds)))
    finally:
        server.stop()
        callback.stop()


async def _called(server: Server, calls: int) -> Hanging:
    loop = asyncio.get_running_loop()
    transport, callers = await loop.create_datagram_endpoint(
        _Callers, remote_addr=("127.0.0.1", server.sip_port("udp"))
    )
    memory: list[float] = []
    begun = loop.time()
    for number in range(calls):
        await asyncio.sleep(max(begun + number / RATE - loop.time(), 0))
        callers.call(number)
        if number in (calls // 2, calls * 3 // 4, calls - 1):
            memory.append(memory_of(server.process))
    deadline = loop.time() + PATIENCE
    while len(callers.finals) < calls and loop.time() < deadline:
        await asyncio.sleep(0.1)
    transport.close()
    heard = callers.finals.values()
    return Hanging(
        calls=calls,
        answered=sum(len(finals) == 1 for finals in heard),
        statuses=sorted(
            {final.rpartition(b" ")[0].decode("latin-1")[8:] for finals in heard for final in finals}
        ),
        memory=memory,
    )
