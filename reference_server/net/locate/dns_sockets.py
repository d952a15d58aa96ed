"""The sockets of DNS questions, for dnspython: plain ones that wait on whatever loop runs.

dnspython's own would be the transports of asyncio. uvloop leaves such a one open for ever if its maker is cancelled
while it is being made, and then does not close itself. Here nothing is awaited between the making of a socket and its
``async with``. A socket is connected to its nameserver, so that the kernel tells if nobody listens there and drops what
others send.

This file imports dnspython; ``net/locate/dns.py`` loads it when the first question is asked.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import TypeVar

from dns._asyncbackend import (
    Backend,
    DatagramSocket,
    StreamSocket,
)  # dns.asyncbackend names them without a type
from dns.exception import Timeout

T = TypeVar("T")

LARGEST_ANSWER = 4096
"""Octets of one message of a nameserver."""

MOST_ANSWERED = 128
"""Records in one message, of all its sections."""

_HEADER = struct.Struct("!6xHHH")
"""Of a message (:rfc:`1035#section-4.1.1`): how many records are in its three sections behind the question."""
Address = tuple[str, int]
"""What connected sockets name their peer by; of IPv6 two parts more."""


class QuerySocket(DatagramSocket, StreamSocket):
    """One socket that does not block, connected or connecting."""

    def __init__(self, family: int, kind: int) -> None:
        super().__init__(family, kind)
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)
        self._before_message = 2 if kind == socket.SOCK_STREAM else 0
        self._seen = b""
        self._taken = 0

    async def connect(self, address: Address, timeout: float | None) -> None:
        """Connect, or close and raise OSError or Timeout."""
        try:
            try:
                self._socket.connect(address)
            except BlockingIOError:
                await self._ready(writing=True, timeout=timeout)
                error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, "cannot connect to the nameserver") from None
        except BaseException:
            self._socket.close()
            raise

    async def _ready(self, *, writing: bool, timeout: float | None) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        number = self._socket.fileno()

        def wake() -> None:
            if not ready.done():
                ready.set_result(None)

        if writing:
            loop.add_writer(number, wake)
        else:
            loop.add_reader(number, wake)
        try:
            await asyncio.wait_for(ready, timeout)
        except TimeoutError:
            raise Timeout from None
        finally:
            if writing:
                loop.remove_writer(number)
            else:
                loop.remove_reader(number)

    async def _when_ready(self, action: Callable[[], T], *, writing: bool, timeout: float | None) -> T:
        while True:
            try:
                return action()
            except (BlockingIOError, InterruptedError):
                await self._ready(writing=writing, timeout=timeout)

    async def sendto(self, what: bytes, destination: Address | None, timeout: float | None) -> int:
        """Send one datagram to the nameserver."""
        return await self._when_ready(lambda: self._socket.send(what), writing=True, timeout=timeout)

    async def recvfrom(self, size: int, timeout: float | None) -> tuple[bytes, Address]:
        """The next datagram of the nameserver."""
        data = await self.recv(size, timeout)
        peer: Address = self._socket.getpeername()
        return data, peer

    async def sendall(self, what: bytes, timeout: float | None) -> None:
        """Send on a stream."""
        while what:
            what = what[await self.sendto(what, None, timeout) :]

    async def recv(self, size: int, timeout: float | None) -> bytes:
        """What there is on a stream, empty at its end. Raises OSError if the message is too large."""
        data = await self._when_ready(lambda: self._socket.recv(size), writing=False, timeout=timeout)
        self._examine(data)
        return data

    def _examine(self, data: bytes) -> None:
        """Look at more octets of the one message that comes: a length on a stream, then the message."""
        if not self._before_message:
            self._seen, self._taken = b"", 0  # each datagram is one
        self._taken += len(data)
        header_end = self._before_message + _HEADER.size
        self._seen += data[: header_end - len(self._seen)]
        header = self._seen[self._before_message :]
        records: int = sum(_HEADER.unpack(header)) if len(header) == _HEADER.size else 0
        if self._taken > LARGEST_ANSWER + self._before_message or records > MOST_ANSWERED:
            raise OSError(
                f"expected an answer of at most {LARGEST_ANSWER} octets and {MOST_ANSWERED} records, got more"
            )

    async def close(self) -> None:
        """Close."""
        self._socket.close()

    async def getpeername(self) -> Address:
        """The nameserver's address."""
        peer: Address = self._socket.getpeername()
        return peer

    async def getsockname(self) -> Address:
        """Our own."""
        own: Address = self._socket.getsockname()
        return own


class QuerySockets(Backend):
    """Makes them."""

    def name(self) -> str:
        """For messages of dnspython."""
        return "loop"

    def datagram_connection_required(self) -> bool:
        """Then a datagram socket, too, is made with its destination."""
        return True

    async def make_socket(
        self,
        af: int,
        socktype: int,
        proto: int = 0,
        source: Address | None = None,
        destination: Address | None = None,
        timeout: float | None = None,
        ssl_context: object = None,
        server_hostname: str | None = None,
    ) -> QuerySocket:
        """A socket that is connected to ``destination``. Raises OSError, Timeout."""
        if destination is None:
            raise ValueError("expected the address of a nameserver")
        made = QuerySocket(af, socktype)
        await made.connect(destination, timeout)
        return made

    async def sleep(self, interval: float) -> None:
        """Wait before a server is asked again."""
        await asyncio.sleep(interval)

    async def wait_for(self, awaitable: Awaitable[T], timeout: float | None) -> T:
        """Wait, but not for ever."""
        try:
            return await asyncio.wait_for(awaitable, timeout)
        except TimeoutError:
            raise Timeout from None
