"""A callback on a real socket that answers octet for octet what a test says, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress

from msgspec import Struct


class Asked(Struct, frozen=True):
    """One HTTP request."""

    line: str
    headers: dict[str, str]
    """names as they came"""
    body: bytes
    connection: int
    """counts connections from 1"""


def http(body: bytes | str, *, status: str = "200 OK", headers: str = "") -> bytes:
    """An HTTP response."""
    octets = body.encode() if isinstance(body, str) else body
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(octets)}\r\n\r\n".encode() + octets


def says(action: str, **data: object) -> bytes:
    """The response that decides so."""
    return http(json.dumps({"action": action, "data": data}), headers="Content-Type: application/json\r\n")


CLOSES = b""
"""The connection is closed without an answer."""


class Callback:
    """Answers each question with the next of ``answers``, the last one for ever; without any it is silent."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: asyncio.Queue[Asked] = asyncio.Queue()
        self.connections = 0
        self.left: asyncio.Queue[int] = asyncio.Queue()
        """connections that the server has closed"""
        self.port = 0
        self.closes_behind_answers = False
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *lines = head.rstrip().split("\r\n")
                headers = dict(one.split(": ", 1) for one in lines)
                body = await reader.readexactly(int(headers.get("Content-Length", "0")))
                self.asked.put_nowait(Asked(line, headers, body, number))
                if not self.answers:
                    continue
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is CLOSES:
                    break
                writer.write(answer)
                if self.closes_behind_answers:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.put_nowait(number)
        finally:
            self._writers.discard(writer)
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Callback]:
        """Listen on a free port."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await server.wait_closed()
            while self._writers:
                await asyncio.sleep(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def never_accepting() -> Iterator[int]:
    """A port of 127.0.0.1 whose queue of connections is full: who connects gets no answer, not even a refusal."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
