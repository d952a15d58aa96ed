"""A callback that the suite plays: an HTTP server that queues what it is asked, and answers with any octets."""

from __future__ import annotations

import asyncio
import re
from typing import TypeAlias, cast

from msgspec import Struct

from drachtio_conformance.peers.admin_peer import ConnectFailed, told
from drachtio_conformance.peers.channel import Bell, Channel
from drachtio_conformance.peers.recorder import Recorder

_LENGTH = re.compile(rb"\r\nContent-Length: *([0-9]{1,9})\r\n", re.IGNORECASE)


class Asked(Struct, frozen=True):
    """One HTTP request."""

    raw: str
    """wire text"""
    connection: HttpConnection
    """where its answer goes"""


Incoming: TypeAlias = Asked


class CallbackPeer:
    """One named callback."""

    def __init__(self, name: str, recorder: Recorder, bell: Bell | None = None) -> None:
        self.name = name
        self.incoming: Channel[Incoming] = Channel(bell)
        self.closed = False
        self._recorder = recorder
        self._latest: HttpConnection | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[HttpConnection] = set()

    async def listen(self, host: str, port: int) -> None:
        """Listen where the server expects it. Raises ConnectFailed."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: HttpConnection(self), host, port, reuse_address=True
            )
        except OSError as error:
            raise ConnectFailed(f"{self.name} cannot listen on {host}:{port}: {told(error)}") from None

    def arrived(self, raw: str, connection: HttpConnection) -> None:
        """A whole question came."""
        self._recorder.http(self.name, raw, from_server=True)
        self.incoming.put(Asked(raw, connection))

    def joined(self, connection: HttpConnection) -> None:
        """A connection was made."""
        self._connections.add(connection)

    def left(self, connection: HttpConnection) -> None:
        """It is gone."""
        self._connections.discard(connection)

    def learn(self, asked: Asked) -> None:
        """``asked`` is what is answered next."""
        self._latest = asked.connection

    def answer(self, data: str, *, close: bool) -> bool:
        """Send these octets (wire text) as the answer to what was asked last; False if nothing was."""
        if self._latest is None:
            return False
        if data:
            self._recorder.http(self.name, data, from_server=False)
        self._latest.write(data.encode("latin-1"), close=close)
        return True

    def close(self) -> None:
        """Listen no more, and break every connection."""
        self.closed = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.abort()


class HttpConnection(asyncio.Protocol):
    """One connection of the server to a callback."""

    def __init__(self, callback: CallbackPeer) -> None:
        self._callback = callback
        self._came = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self._callback.joined(self)

    def data_received(self, data: bytes) -> None:
        """Called by the loop: queue each question that is complete."""
        self._came += data
        while (end := self._came.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._came[: end + 2])
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._came) < size:
                return
            raw, self._came = self._came[:size], self._came[size:]
            self._callback.arrived(raw.decode("latin-1"), self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._callback.left(self)
        self._transport = None

    def write(self, data: bytes, *, close: bool) -> None:
        """Send; a connection that is gone takes nothing."""
        if self._transport is not None:
            self._transport.write(data)
            if close:
                self._transport.close()

    def abort(self) -> None:
        """Break it."""
        if self._transport is not None:
            self._transport.abort()
