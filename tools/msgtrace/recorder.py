"""A tee between application and server: every octet goes on at once, and into a file.

Applications connect to it, and it to the server; in outbound mode, where the server connects to applications, it is the
other way round. Either connection may be TLS.

The file has JSON lines (docs/recording.schema.json): ``recording`` once, ``opened`` and ``closed`` for each connection
of an application, ``chunk`` for each piece as it was read. Octets that are UTF-8 stand as text, others in base64.
What the application sends holds the shared secret, and so does the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
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

Following = Callable[[], BinaryIO]
"""Gives the next file. Raises OSError."""
Direction = Literal["to-server", "to-application"]
Side = Literal["application", "server"]


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


class SipMessageLine(Line, frozen=True, kw_only=True, tag="sip"):
    """A SIP message that passed the network meanwhile, as a capture of it shows (``--sip``)."""

    direction: Literal["received", "sent"]
    """seen from the server"""
    transport: str
    remote: str
    local: str
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

    def __init__(
        self,
        file: BinaryIO,
        failed: Callable[[str], None],
        *,
        most: int = 0,
        following: Following | None = None,
    ) -> None:
        """``failed`` is told once, when writing fails; traffic goes on all the same.

        Of more than ``most`` octets a file has no more, but ``following`` gives the next one; 0 is without limit.
        """
        self._file: BinaryIO | None = file
        self._failed = failed
        self._most = most
        self._following = following
        self._size = _size(file) if most else 0
        self._begin: Callable[[], Sequence[Line]] = tuple
        self._encoder = msgspec.json.Encoder()
        self._lines = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def begins_with(self, lines: Callable[[], Sequence[Line]]) -> None:
        """What each further file begins with, so that it can be read alone."""
        self._begin = lines

    def add(self, line: Line) -> None:
        """Take one line."""
        self._encode(line)
        if len(self._lines) >= _COLLECTED:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER, self.flush)

    def _encode(self, line: Line) -> None:
        self._encoder.encode_into(line, self._lines, len(self._lines))
        self._lines += b"\n"

    def flush(self) -> None:
        """Write what is collected."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._file is not None and self._lines:
            try:
                self._file.write(self._lines)
                self._file.flush()
                self._size += len(self._lines)
                self._lines.clear()
                self._turn()
            except OSError as error:
                self._file = None
                self._failed(f"the recording cannot be written any more: {error.strerror}")
        self._lines.clear()

    def close(self) -> None:
        """Write what is left, and close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _turn(self) -> None:
        """To the next file, if this one is full."""
        if not self._most or self._size < self._most or self._following is None or self._file is None:
            return
        full, self._file = self._file, None
        full.close()
        self._file = self._following()
        for line in self._begin():
            self._encode(line)
        self._file.write(self._lines)
        self._size = len(self._lines)


def _size(file: BinaryIO) -> int:
    try:
        return os.fstat(file.fileno()).st_size
    except (OSError, ValueError):
        return 0


class Way(Struct, frozen=True, kw_only=True):
    """How the recorder connects."""

    to: tuple[str, int]
    """where it connects to: the server, in outbound mode the application"""
    outbound: bool = False
    """the server connects, and the recorder to the application"""
    listens_by_tls: ssl.SSLContext | None = None
    connects_by_tls: ssl.SSLContext | None = None


class Recorder:
    """Listens for one side and connects each of its connections to the other."""

    def __init__(self, way: Way, file: TeeFile, told: Callable[[str], None]) -> None:
        """``told`` takes a sentence for the user."""
        self._way = way
        self._file = file
        self._told = told
        self._count = 0
        self._open: set[asyncio.Transport] = set()
        self._pairs: dict[int, Opened] = {}
        self._listener: asyncio.Server | None = None
        self._listen = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; returns the address. Raises OSError if that cannot be done."""
        loop = asyncio.get_running_loop()
        came: Side = "server" if self._way.outbound else "application"
        self._listener = await loop.create_server(
            lambda: _End(self, came, accepted=True), host, port, ssl=self._way.listens_by_tls
        )
        address = self._listener.sockets[0].getsockname()
        self._listen = name_of(address)
        self._file.begins_with(self._beginning)
        for line in self._beginning():
            self._file.add(line)
        return str(address[0]), int(address[1])

    def _beginning(self) -> list[Line]:
        """The lines without which what follows is not understood."""
        begins = Recording(time=now(), format=FORMAT, listen=self._listen, to=name_of(self._way.to))
        return [begins, *self._pairs.values()]

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

    def accepted(self, end: _End) -> None:
        """Somebody has connected: find the other side."""
        task = asyncio.get_running_loop().create_task(self._connect(end))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, came: _End) -> None:
        self._count += 1
        number = self._count
        peer = name_of(came.transport.get_extra_info("peername"))
        way = self._way
        outbound, to = way.outbound, name_of(way.to)
        loop = asyncio.get_running_loop()
        wanted: Side = "application" if outbound else "server"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                tls = way.connects_by_tls
                _, other = await loop.create_connection(
                    lambda: _End(self, wanted), *way.to, ssl=tls, server_hostname=way.to[0] if tls else None
                )
        except (OSError, TimeoutError) as error:
            why = _why(error)
            self._told(f"{wanted} {to} is away ({why}); the connection of {peer} is closed")
            self._file.add(_opened(number, peer, "", outbound=outbound))
            self._file.add(
                Closed(time=now(), connection=number, by="recorder", reason=f"{wanted} away: {why}")
            )
            came.transport.abort()
            return
        opened = self._pairs[number] = _opened(number, peer, to, outbound=outbound)
        self._file.add(opened)
        pair = _Pair(number, self._file, self._pairs)
        came.join(pair, other)
        other.join(pair, came)

    def opened(self, transport: asyncio.Transport) -> None:
        """Remember an open connection."""
        self._open.add(transport)

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget it."""
        self._open.discard(transport)


def _opened(number: int, came: str, to: str, *, outbound: bool) -> Opened:
    application, server = (to, came) if outbound else (came, to)
    return Opened(time=now(), connection=number, application=application, server=server)


def _why(error: OSError | TimeoutError) -> str:
    if isinstance(error, ssl.SSLError):
        reason = error.reason or str(error)
        return getattr(error, "verify_message", "") or reason.lower().replace("_", " ")
    return (
        (os.strerror(error.errno) if error.errno and error.errno > 0 else str(error))
        if error.args
        else "no answer"
    )


class _Pair:
    """Two connections that are one to those at their ends."""

    __slots__ = ("_ended", "_file", "_pairs", "number")

    def __init__(self, number: int, file: TeeFile, pairs: dict[int, Opened]) -> None:
        """It leaves ``pairs`` when it ends."""
        self.number = number
        self._file = file
        self._pairs = pairs
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

    def ended(self, by: Side, error: Exception | None) -> None:
        if self._ended:
            return
        self._ended = True
        self._pairs.pop(self.number, None)
        reason = "" if error is None else (getattr(error, "strerror", "") or str(error))
        self._file.add(Closed(time=now(), connection=self.number, by=by, reason=reason))


class _End(asyncio.Protocol):
    """One of the two connections."""

    transport: asyncio.Transport

    def __init__(self, recorder: Recorder, side: Side, *, accepted: bool = False) -> None:
        """``side`` is who is at its far end; ``accepted`` says that it connected to the recorder."""
        self._recorder = recorder
        self._accepted = accepted
        self._side: Side = side
        self._direction: Direction = "to-server" if side == "application" else "to-application"
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
        if self._accepted:
            self._recorder.accepted(self)

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
        if self._accepted and not self.transport.is_closing() and not self.transport.is_reading():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._other is None or self._pair is None:
            self._early.append(data)
            if sum(map(len, self._early)) > _HIGH_WATER:
                self.transport.pause_reading()
            return
        self._other.transport.write(data)  # first it goes on, then into the file
        self._pair.chunk(self._direction, data)

    def eof_received(self) -> bool:
        self._eof = True
        if self._other is not None and not self._other.transport.is_closing():
            with contextlib.suppress(OSError):
                if self._other.transport.can_write_eof():
                    self._other.transport.write_eof()
                else:  # TLS has no half of a connection
                    self._other.transport.close()
        both = self._other is not None and self._other._eof
        return not both  # the other direction stays open until it ends, too

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, exc
        self._recorder.closed(self.transport)
        self._pass_end()

    def _pass_end(self) -> None:
        if self._pair is None or self._other is None:
            return
        self._pair.ended(self._side, self._error)
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


def now() -> str:
    """UTC with microseconds."""
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def name_of(address: tuple[str, int]) -> str:
    """``127.0.0.1:9022``, ``[::1]:9022``."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def recording_schema() -> str:
    """docs/recording.schema.json: a line of a recording."""
    kinds = [Recording, Opened, Chunk, SipMessageLine, Closed]
    _, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    for name in ("Chunk", "SipMessageLine"):
        definitions[name]["oneOf"] = [{"required": ["text"]}, {"required": ["base64"]}]
        for member in ("text", "base64"):
            definitions[name]["properties"][member] = {"type": "string"}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of a recording of msgtrace record",
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds],
        "$defs": definitions,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
