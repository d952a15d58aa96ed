"""A few lines of admin server for tests of the engine: right where it must be, wrong where a test wants it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import Endpoints, ServerUnderTest
from msgtrace.frames import Frame, FrameDecoder

SECRET = "s3cret"
UUID = "00000000-0000-4000-8000-000000000001"
Answer = Callable[[list[str]], list[str]]
"""Tokens of a request to the payloads that answer it; ``CLOSE`` ends the connection, ``DEAF`` the reading."""
CLOSE = "close"
DEAF = "deaf"


def right(tokens: list[str]) -> list[str]:
    """Authenticate, route, remove_route and ping as they must be answered."""
    head = f"{UUID}|response|{tokens[0]}"
    match tokens[1:]:
        case ["authenticate", secret, *_] if secret == SECRET:
            return [f"{head}|OK|udp/127.0.0.1:9,tcp/127.0.0.1:9|v0.9.5-rc3|udp/127.0.0.1:9"]
        case ["authenticate", *_]:
            return [f"{head}|NO|incorrect secret", CLOSE]
        case ["route" | "remove_route", _]:
            return [f"{head}|OK"]
        case ["ping", *_]:
            return [f"{head}|OK|pong"]
        case _:
            return [f"{head}|NO|Unknown message type", CLOSE]


def silent(tokens: list[str]) -> list[str]:
    """Never an answer."""
    return []


class _Connection(asyncio.Protocol):
    def __init__(self, answer: Answer, all_of_them: list[_Connection]) -> None:
        all_of_them.append(self)
        self._answer = answer
        self._decoder = FrameDecoder()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        for item in self._decoder.feed(data):
            payload = item.payload if isinstance(item, Frame) else item.octets
            for answer in self._answer(payload.split("\r\n")[0].split("|")):
                if answer == CLOSE:
                    self._transport.close()
                    return
                if answer == DEAF:
                    self._transport.pause_reading()
                    return
                self._transport.write(f"{len(answer)}#{answer}".encode("latin-1"))


class SmallServer:
    """A running one."""

    def __init__(self, server: asyncio.Server, connections: list[_Connection]) -> None:
        self._server = server
        self._connections = connections
        host, port = server.sockets[0].getsockname()
        self._endpoints = Endpoints(
            (host, port), SECRET, ("udp/127.0.0.1:9", "tcp/127.0.0.1:9"), "v0.9.5-rc3"
        )
        self.remaining: dict[str, int] = {}
        self.advanced = 0.0

    @property
    def endpoints(self) -> Endpoints:
        return self._endpoints

    async def advance(self, seconds: float) -> None:
        self.advanced += seconds

    def now(self) -> float:
        return time.monotonic() + self.advanced

    def occupancy(self) -> dict[str, int] | None:
        return self.remaining

    async def gone(self) -> str:
        return ""

    async def stop(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.abort()


class SmallTarget:
    """Starts them; ``started`` keeps the settings of each."""

    description = "small server"

    shared = True

    def __init__(self, answer: Answer = right, *, embedded: bool = True) -> None:
        self.embedded = embedded
        self.started: list[ServerSettings | None] = []
        self.remaining: dict[str, int] = {}
        self._answer = answer

    async def start(self, settings: ServerSettings | None) -> ServerUnderTest:
        self.started.append(settings)
        connections: list[_Connection] = []
        listening = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self._answer, connections), "127.0.0.1", 0
        )
        server = SmallServer(listening, connections)
        server.remaining = self.remaining
        return server
