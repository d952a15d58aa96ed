"""Plays the part of the server in a transcript: what it sent then it sends again, to a suite that plays its part anew.

A transcript is what crossed the wires of one case on a genuine server. What the suite chooses freely (message ids,
tags, branches, ports) is chosen anew each time; so each thing that it sends is compared with what it sent then, and the
words that differ are replaced in what the server sends. Gaps of time are kept, on the run's scale.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import lzma
import re
import time
from pathlib import Path
from typing import cast

import msgspec
from msgspec import Struct

from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import Endpoints, ServerUnderTest

SECRET = "cymru"
_WORD = re.compile(r"[A-Za-z0-9_.-]+")
_LISTENS = re.compile(r"udp/127\.0\.0\.1:(\d+)")
_PORTS = re.compile(r"127\.0\.0\.1:(\d+)")


class Transcript(Struct, frozen=True):
    """One case as it ran on a genuine server."""

    case: str
    verdict: str
    """in the words of the suite that ran it"""
    version: str
    events: tuple[WireEvent, ...]


def read(path: Path) -> list[Transcript]:
    """The transcripts of a file: a JSON object a line, packed by xz."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [msgspec.convert(json.loads(line), Transcript) for line in lines if line.strip()]


class _Line:
    """One connection, or the datagrams of one address: what came on it and how to answer."""

    def __init__(self) -> None:
        self.arrived = bytearray()
        self.ended = False

    def send(self, data: bytes) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """End it, where it can be ended."""


class _Datagrams(_Line):
    def __init__(self, socket: asyncio.DatagramTransport, address: tuple[str, int]) -> None:
        super().__init__()
        self._socket = socket
        self.address = address

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self.address)


class _Stream(_Line):
    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    def close(self) -> None:
        self._transport.close()


class _Connection(asyncio.Protocol):
    def __init__(self, stage: PlayedServer, lines: list[_Line]) -> None:
        self._stage = stage
        self._lines = lines

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line = _Stream(cast(asyncio.Transport, transport))
        self._stage.streams.append(self._line)
        self._lines.append(self._line)
        self._stage.bell.set()

    def data_received(self, data: bytes) -> None:
        self._line.arrived += data
        self._stage.bell.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._line.ended = True
        self._stage.bell.set()


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, stage: PlayedServer) -> None:
        self._stage = stage

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        line = self.line(addr)
        line.arrived += data
        self._stage.bell.set()

    def line(self, address: tuple[str, int]) -> _Datagrams:
        for line in self._stage.datagrams:
            if line.address == address:
                return line
        line = _Datagrams(self.transport, address)
        self._stage.datagrams.append(line)
        return line


class PlayedServer:
    """The server of one transcript."""

    def __init__(self, transcript: Transcript, scale: float) -> None:
        self._events = transcript.events
        self._version = transcript.version
        self._scale = scale
        self.bell = asyncio.Event()
        self.streams: list[_Line] = []
        self.datagrams: list[_Datagrams] = []
        self._applications: list[_Line] = []
        self._callers: list[_Line] = []
        """TCP connections to the SIP port"""
        self._claimed: dict[str, _Line] = {}
        self._words: dict[str, str] = {"*****": SECRET}

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._admin = await loop.create_server(lambda: _Connection(self, self._applications), "127.0.0.1", 0)
        self._socket = _Socket(self)
        while True:  # until a port is free for both transports
            self._tcp = await loop.create_server(lambda: _Connection(self, self._callers), "127.0.0.1", 0)
            self._port = self._tcp.sockets[0].getsockname()[1]
            try:
                await loop.create_datagram_endpoint(
                    lambda: self._socket, local_addr=("127.0.0.1", self._port)
                )
                break
            except OSError:
                self._tcp.close()
        then = next((found[1] for event in self._events if (found := _LISTENS.search(event.data))), "")
        self._words[then] = str(self._port)
        self._playing = asyncio.create_task(self._play())

    # What the suite's runner wants of a server

    @property
    def endpoints(self) -> Endpoints:
        admin = self._admin.sockets[0].getsockname()
        here = f"127.0.0.1:{self._port}"
        return Endpoints((admin[0], admin[1]), SECRET, (f"tcp/{here}", f"udp/{here}"), self._version)

    async def advance(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._scale)

    def now(self) -> float:
        return time.monotonic()

    def occupancy(self) -> dict[str, int] | None:
        return None

    async def gone(self) -> str:
        return ""

    async def stop(self) -> None:
        self._playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._playing
        for line in self.streams:
            line.close()
        self._admin.close()
        self._tcp.close()
        self._socket.transport.close()

    # The play

    async def _play(self) -> None:
        before = 0.0
        for event in self._events:
            if event.source == "server" and event.kind != "note":
                await asyncio.sleep(max(0.0, event.at - before) * self._scale)
                await self._say(event)
            elif event.kind == "note" and event.summary == "closed by the server":
                self._claimed[event.source].close()
            elif event.kind != "note":
                await self._hear(event)
            elif event.summary == "connected":
                await self._connected(event.source)
            before = event.at

    async def _connected(self, name: str) -> None:
        while not self._applications:
            self.bell.clear()
            await self.bell.wait()
        self._claimed[name] = self._applications.pop(0)

    async def _hear(self, event: WireEvent) -> None:
        """What the suite sent then it sends now."""
        then = event.data
        length = len(then.replace("|authenticate|*****|", f"|authenticate|{SECRET}|"))
        while True:
            line = self._claimed.get(event.source) or self._new_line(event)
            if line is not None and len(line.arrived) >= length:
                break
            self.bell.clear()
            await self.bell.wait()
        self._claimed[event.source] = line
        now = bytes(line.arrived[:length]).decode("latin-1")
        del line.arrived[:length]
        self._learn(then, now)

    def _new_line(self, event: WireEvent) -> _Line | None:
        taken = list(self._claimed.values())
        lines: list[_Line] = self._callers if "SIP/2.0/TCP" in event.data else [*self.datagrams]
        return next((line for line in lines if line.arrived and line not in taken), None)

    def _learn(self, then: str, now: str) -> None:
        for old, new in zip(_WORD.findall(then), _WORD.findall(now), strict=False):
            if old != new and len(old) == len(new):
                self._words[old] = new

    async def _say(self, event: WireEvent) -> None:
        line = self._claimed.get(event.target)
        if line is None:
            line = await self._reached(event)
            self._claimed[event.target] = line
        line.send(self._now(event).encode("latin-1"))

    def _now(self, event: WireEvent) -> str:
        if event.kind != "frame":
            return self._replaced(event.data)
        length, _, payload = event.data.partition("#")
        now = self._replaced(payload)
        return f"{int(length) + len(now) - len(payload)}#{now}"

    def _replaced(self, text: str) -> str:
        return _WORD.sub(lambda word: self._words.get(word[0], word[0]), text)

    async def _reached(self, event: WireEvent) -> _Line:
        """A line to a peer that has not spoken yet: at the first address in the message that is no known peer's."""
        known = {line.address[1] for line in self._claimed.values() if isinstance(line, _Datagrams)}
        for port in (int(found) for found in _PORTS.findall(self._replaced(event.data))):
            if port in known or port == self._port:
                continue
            if "SIP/2.0/TCP" not in event.data.partition("\r\n")[2][:20]:
                return self._socket.line(("127.0.0.1", port))
            with contextlib.suppress(OSError):
                return await self._connect(port)
        raise LookupError(f"nobody knows where {event.target} is: {event.summary}")

    async def _connect(self, port: int) -> _Line:
        lines: list[_Line] = []
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: _Connection(self, lines), "127.0.0.1", port)
        return lines[0]


class PlayedTarget:
    """Starts the server of one transcript."""

    embedded = False
    shared = True

    def __init__(self, transcript: Transcript, scale: float) -> None:
        """``scale`` is the factor for the transcript's gaps of time."""
        self._transcript = transcript
        self._scale = scale

    @property
    def description(self) -> str:
        return f"transcript of {self._transcript.case}"

    async def start(self, settings: ServerSettings | None) -> ServerUnderTest:
        server = PlayedServer(self._transcript, self._scale)
        await server.open()
        return server
