"""A tee between application and server: every octet goes on at once, and into a file.

The file has JSON lines (docs/recording.schema.json): ``recording`` once, ``opened`` and ``closed`` for each connection
of an application, ``chunk`` for each piece as it was read. Octets that are UTF-8 stand as text, others in base64.
What the application sends holds the shared secret, and so does the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import BinaryIO, Literal

import msgspec
from msgspec import Struct

FORMAT = 1
"""Raised when a reader of the former format would misunderstand the new one."""

CONNECT_TIMEOUT = 10.0
"""seconds"""
FLUSH_AFTER = 0.5
"""seconds that a line is kept back at most"""
_HIGH_WATER = 1024 * 1024  # octets that wait for a slow reader before the other side is not read any more
_COLLECTED = 256 * 1024

Direction = Literal["to-server", "to-application"]


class Line(Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What every line has."""

    time: str
    """UTC, ``2026-11-23T07:44:09.846150Z``"""


class Recording(Line, frozen=True, kw_only=True, tag="recording"):
    """The first line of a run; a file that is appended to has several."""

    format: int
    listen: str
    to: str


class Opened(Line, frozen=True, kw_only=True, tag="opened"):
    """An application has connected, and the recorder to the server for it."""

    connection: int
    """from 1 in each run"""
    application: str
    """``127.0.0.1:40312``"""
    server: str


class Chunk(Line, frozen=True, kw_only=True, tag="chunk"):
    """What was read at once; exactly one of ``text`` and ``base64`` has it."""

    connection: int
    direction: Direction
    octets: int
    text: str | None = None
    base64: str | None = None


class Closed(Line, frozen=True, kw_only=True, tag="closed"):
    """A connection has ended."""

    connection: int
    by: Literal["application", "server", "recorder"]
    reason: str = ""
    """if it was not closed in order"""


class TeeFile:
    """The file of a recording. Lines are collected and written twice a second and at the end."""

    def __init__(self, file: BinaryIO, failed: Callable[[str], None]) -> None:
        """``failed`` is told once, when writing fails; traffic goes on all the same."""
        self._file: BinaryIO | None = file
        self._failed = failed
        self._encoder = msgspec.json.Encoder()
        self._lines = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, line: Line) -> None:
        """Take one line."""
        self._encoder.encode_into(line, self._lines, len(self._lines))
        self._lines += b"\n"
        if len(self._lines) >= _COLLECTED:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER, self.flush)

    def flush(self) -> None:
        """Write what is collected."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._file is not None and self._lines:
            try:
                self._file.write(self._lines)
                self._file.flush()
            except OSError as error:
                self._file = None
                self._failed(f"the recording cannot be written any more: {error.strerror}")
        self._lines.clear()


class Recorder:
    """Listens for applications and connects each to the server."""

    def __init__(self, server: tuple[str, int], file: TeeFile, told: Callable[[str], None]) -> None:
        """``told`` takes a sentence for the user."""
        self._server = server
        self._file = file
        self._told = told
        self._count = 0
        self._open: set[asyncio.Transport] = set()
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; returns the address. Raises OSError if that cannot be done."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Application(self), host, port)
        address = self._listener.sockets[0].getsockname()
        listen = name_of(address)
        self._file.add(Recording(time=now(), format=FORMAT, listen=listen, to=name_of(self._server)))
        return str(address[0]), int(address[1])

    async def stop(self) -> None:
        """Close all connections and write what is left."""
        if self._listener is not None:
            self._listener.close()
        for task in list(self._tasks):
            task.cancel()
        for transport in list(self._open):
            transport.abort()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._file.flush()

    def accepted(self, application: _Application) -> None:
        """An application has connected: find the server."""
        task = asyncio.get_running_loop().create_task(self._connect(application))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, application: _Application) -> None:
        self._count += 1
        number = self._count
        peer = name_of(application.transport.get_extra_info("peername"))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, server = await loop.create_connection(lambda: _ServerSide(self), *self._server)
        except (OSError, TimeoutError) as error:
            why = (os.strerror(error.errno) if error.errno else str(error)) if error.args else "no answer"
            self._told(f"server {name_of(self._server)} is away ({why}); the connection of {peer} is closed")
            self._file.add(Opened(time=now(), connection=number, application=peer, server=""))
            self._file.add(Closed(time=now(), connection=number, by="recorder", reason=f"server away: {why}"))
            application.transport.abort()
            return
        self._file.add(Opened(time=now(), connection=number, application=peer, server=name_of(self._server)))
        pair = _Pair(number, self._file)
        application.join(pair, server)
        server.join(pair, application)

    def opened(self, transport: asyncio.Transport) -> None:
        """Remember an open connection."""
        self._open.add(transport)

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget it."""
        self._open.discard(transport)


class _Pair:
    """Two connections that are one to those at their ends."""

    __slots__ = ("_ended", "_file", "number")

    def __init__(self, number: int, file: TeeFile) -> None:
        self.number = number
        self._file = file
        self._ended = False

    def chunk(self, direction: Direction, data: bytes) -> None:
        try:
            text, base64 = data.decode("utf-8"), None
        except UnicodeDecodeError:
            text, base64 = None, b64encode(data).decode("ascii")
        self._file.add(
            Chunk(
                time=now(),
                connection=self.number,
                direction=direction,
                octets=len(data),
                text=text,
                base64=base64,
            )
        )

    def ended(self, by: Literal["application", "server"], error: Exception | None) -> None:
        if self._ended:
            return
        self._ended = True
        reason = "" if error is None else (getattr(error, "strerror", "") or str(error))
        self._file.add(Closed(time=now(), connection=self.number, by=by, reason=reason))


class _End(asyncio.Protocol):
    """One of the two connections."""

    side: Literal["application", "server"]
    direction: Direction
    transport: asyncio.Transport

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._other: _End | None = None
        self._pair: _Pair | None = None
        self._early: list[bytes] = []
        self._eof = False
        self._ended = False
        self._error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._recorder.opened(transport)

    def join(self, pair: _Pair, other: _End) -> None:
        """The other end is there; what has come meanwhile goes on."""
        self._pair, self._other = pair, other
        for data in self._early:
            self.data_received(data)
        self._early.clear()
        if self._eof:
            self.eof_received()
        if self._ended:
            self._pass_end()

    def data_received(self, data: bytes) -> None:
        if self._other is None or self._pair is None:
            self._early.append(data)
            if sum(map(len, self._early)) > _HIGH_WATER:
                self.transport.pause_reading()
            return
        self._other.transport.write(data)  # first it goes on, then into the file
        self._pair.chunk(self.direction, data)

    def eof_received(self) -> bool:
        self._eof = True
        if self._other is not None and not self._other.transport.is_closing():
            with contextlib.suppress(OSError):
                self._other.transport.write_eof()
        both = self._other is not None and self._other._eof
        return not both  # the other direction stays open until it ends, too

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, exc
        self._recorder.closed(self.transport)
        self._pass_end()

    def _pass_end(self) -> None:
        if self._pair is None or self._other is None:
            return
        self._pair.ended(self.side, self._error)
        if self._error is not None:
            self._other.transport.abort()
        else:
            self._other.transport.close()

    def pause_writing(self) -> None:
        if self._other is not None:
            with contextlib.suppress(RuntimeError):
                self._other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._other is not None and not self._other.transport.is_closing():
            with contextlib.suppress(RuntimeError):
                self._other.transport.resume_reading()


class _Application(_End):
    """The end towards the application."""

    side: Literal["application", "server"] = "application"
    direction: Direction = "to-server"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._recorder.accepted(self)

    def join(self, pair: _Pair, other: _End) -> None:
        super().join(pair, other)
        if not self.transport.is_closing() and not self.transport.is_reading():
            self.transport.resume_reading()


class _ServerSide(_End):
    """The end towards the server."""

    side: Literal["application", "server"] = "server"
    direction: Direction = "to-application"


def now() -> str:
    """UTC with microseconds."""
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def name_of(address: tuple[str, int]) -> str:
    """``127.0.0.1:9022``, ``[::1]:9022``."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def recording_schema() -> str:
    """docs/recording.schema.json: a line of a recording."""
    kinds = [Recording, Opened, Chunk, Closed]
    _, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    definitions["Chunk"]["oneOf"] = [{"required": ["text"]}, {"required": ["base64"]}]
    for member in ("text", "base64"):
        definitions["Chunk"]["properties"][member] = {"type": "string"}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of a recording of msgtrace record",
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds],
        "$defs": definitions,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
