"""An application's connection to the admin port, played by the suite.

It sends frames (or any octets) and queues what comes: frames, damages, the end. It understands nothing of
what it carries, so it can be as wrong as a case wants.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import ssl
import struct
from typing import Literal, TypeAlias, cast

from drachtio_conformance.peers import tls
from drachtio_conformance.peers.channel import Bell, Channel, Closed
from drachtio_conformance.peers.recorder import Recorder
from msgtrace.frames import Damage, Frame, FrameDecoder

Split: TypeAlias = Literal["every-byte"] | list[int]
"""Where the octets are cut into separate segments: before each given offset, or everywhere."""
Incoming: TypeAlias = Frame | Damage | Closed


_LITTLE = 4096


class ConnectFailed(Exception):
    """A connection to the server could not be made."""


class Unreachable(ConnectFailed):
    """The server does not take a connection where it says that it listens."""


class NotRead(Exception):
    """The server takes no more octets."""


class AdminPeer(asyncio.Protocol):
    """One named application."""

    def __init__(
        self, name: str, recorder: Recorder, bell: Bell | None = None, *, patience: float = 0.0
    ) -> None:
        """``patience`` bounds each wait for the server to read, in seconds; ``connect`` sets it, too."""
        self.name = name
        self.incoming: Channel[Incoming] = Channel(bell)
        self.closed = False
        """by either side"""
        self._recorder = recorder
        self._decoder = FrameDecoder()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._patience = patience
        self._kept = b""
        self._gone = asyncio.Event()
        self.secure = False
        """it goes by TLS"""

    async def connect(self, host: str, port: int, *, seconds: float, secure: bool = False) -> None:
        """Open the connection, ``secure`` by TLS; ``seconds`` also bound each wait for the server to read.

        Raises Unreachable.
        """
        self._patience = seconds
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                context = tls.connecting() if secure else None
                await loop.create_connection(lambda: self, host, port, ssl=context)
        except TimeoutError:
            raise Unreachable(f"no connection to {host}:{port} within {seconds:g} s") from None
        except OSError as error:
            raise Unreachable(f"no connection to {host}:{port}: {told(error)}") from None
        self._recorder.note(self.name, "connected by TLS" if secure else "connected")

    @property
    def port(self) -> int:
        """The local port of the connection."""
        return int(self._connected().get_extra_info("sockname")[1])

    async def send_message(
        self, payload: str, *, split: Split | None = None, with_next: bool = False
    ) -> None:
        """Send a payload (wire text) as one frame, ``with_next``: at the front of what is sent next.

        Raises :class:`NotRead`.
        """
        if not self.closed:
            self._recorder.frame(self.name, payload, len(payload), from_server=False)
        data = f"{len(payload)}#{payload}".encode("latin-1")
        if with_next:
            self._kept += data
        else:
            await self._send(data, split)

    async def send_octets(self, data: str, *, split: Split | None = None) -> None:
        """Send exactly these octets (wire text). Raises :class:`NotRead`."""
        if not self.closed:
            self._recorder.octets(self.name, data, from_server=False)
        await self._send(data.encode("latin-1"), split)

    async def _send(self, data: bytes, split: Split | None) -> None:
        transport = self._connected()
        data, self._kept = self._kept + data, b""
        for piece in cut(data, split):
            if self.closed:
                return  # the server went away under us: what it did is for the next check to tell
            transport.write(piece)
            # Let the piece leave, and an embedded server read it, before the next is written.
            await asyncio.sleep(0)
            try:
                async with asyncio.timeout(self._patience):
                    await self._writable.wait()
            except TimeoutError:
                waiting = transport.get_write_buffer_size()
                raise NotRead(f"{waiting} octets were not read within {self._patience:g} s") from None

    def close(self) -> None:
        """End the connection in an orderly way."""
        if not self.closed and self._transport is not None:
            self._recorder.note(self.name, "closed by the application")
            self.closed = True
            self._transport.close()

    async def gone(self, seconds: float) -> None:
        """Wait until a connection that was closed is so: TLS has to say goodbye first, and to hear it."""
        if self._transport is None:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        except TimeoutError:
            self._transport.abort()
            await asyncio.sleep(0)

    async def leave(self, seconds: float) -> None:
        """End the connection and wait until the server has seen it, that is until it closed its side, too."""
        transport = self._transport
        if self.closed or transport is None:
            return
        self._recorder.note(self.name, "closed by the application")
        self.closed = True
        if transport.can_write_eof():
            transport.write_eof()
        else:  # TLS has no half
            transport.close()
        await self.gone(seconds)

    def stop_reading(self) -> None:
        """Leave in the network what comes from now on, and let that hold little."""
        transport = self._connected()
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LITTLE)
        transport.pause_reading()
        self._recorder.note(self.name, "reads nothing more")

    def abort(self) -> None:
        """Break the connection with RST."""
        if not self.closed and self._transport is not None:
            self._recorder.note(self.name, "broken by the application")
            self.closed = True
            reset(self._transport)

    def _connected(self) -> asyncio.Transport:
        if self._transport is None:
            raise ConnectFailed(f"{self.name} is not connected")
        return self._transport

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self.secure = transport.get_extra_info("ssl_object") is not None
        own_segments(transport)

    def data_received(self, data: bytes) -> None:
        """Called by the loop: decode, record and queue what came."""
        for item in self._decoder.feed(data):
            self._take(item)

    def _take(self, item: Frame | Damage) -> None:
        if isinstance(item, Frame):
            self._recorder.frame(self.name, item.payload, item.length, from_server=True)
        else:
            self._recorder.octets(self.name, item.octets, from_server=True)
        self.incoming.put(item)

    def eof_received(self) -> bool:
        """Called by the loop: the server will send no more."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._writable.set()
        self._gone.set()
        for item in self._decoder.close():
            self._take(item)
        if not self.closed:
            self.closed = True
            self._recorder.note(self.name, "reset by the server" if exc else "closed by the server")
            self.incoming.put(Closed(reset=exc is not None))

    def pause_writing(self) -> None:
        """Called by the loop: the socket takes no more."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Called by the loop."""
        self._writable.set()


def cut(data: bytes, split: Split | None) -> list[bytes]:
    """The segments to send: all at once, each octet alone, or cut before the given offsets."""
    if split is None:
        return [data]
    if split == "every-byte":
        return [data[index : index + 1] for index in range(len(data))]
    edges = [0, *sorted(offset for offset in split if 0 < offset < len(data)), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def own_segments(transport: asyncio.BaseTransport) -> None:
    """Each write becomes a segment of its own (no Nagle)."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def reset(transport: asyncio.Transport) -> None:
    """Close with RST instead of FIN."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def told(error: OSError) -> str:
    """What is wrong, in the system's words; asyncio's own text repeats the address and leaves out the reason."""
    if isinstance(error, ssl.SSLError):  # nor are OpenSSL's, whose text names its own files
        return f"the TLS handshake failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
    if isinstance(error, socket.gaierror):  # its numbers are not the system's
        return str(error.strerror)
    return os.strerror(error.errno) if error.errno else str(error)
