"""The trace file of ``--trace``: one JSON object a line for each frame, SIP message and event.

docs/trace.schema.json describes the objects. Octets that are UTF-8 stand as text, others in base64. Lines leave by a
thread, once a second and at the end. The file is for its owner only. While it cannot be written to (the disk is full),
lines are dropped; the event ``trace-gap`` stands where they would have stood.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from reference_server.core.ports import Flow
from reference_server.observe.background import Background
from reference_server.observe.octets import readable, to_octets

FORMAT = 1
"""Raised when a reader of the former format would misunderstand the new one."""

PACE = 1.0
"""Seconds that a line is kept back at most."""


class Record(Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What every line has."""

    time: str
    """UTC, ``2026-11-23T07:44:09.846150Z``"""


class StartRecord(Record, frozen=True, kw_only=True, tag="start"):
    """The first line of a run; a file that is appended to has several."""

    format: int
    server: str
    """version of the server"""
    pid: int


class FrameRecord(Record, frozen=True, kw_only=True, tag="frame"):
    """A frame of an admin connection; exactly one of ``text`` and ``base64`` has its payload."""

    connection: int
    direction: str
    """``sent`` or ``received`` by the server"""
    octets: int
    """of the payload as it stands here; on the wire a masked secret had others"""
    text: str | None = None
    base64: str | None = None


class SipRecord(Record, frozen=True, kw_only=True, tag="sip"):
    """A SIP message; exactly one of ``text`` and ``base64`` has it."""

    direction: str
    transport: str
    remote: str
    """``127.0.0.1:5060``, ``[::1]:5060``"""
    local: str
    connection: int = 0
    """number of the TCP connection; absent for datagrams"""
    octets: int
    text: str | None = None
    base64: str | None = None


class EventRecord(Record, frozen=True, kw_only=True, tag="event"):
    """Something that happened to a connection or a call."""

    name: str
    details: dict[str, str | int]


class TraceFileError(Exception):
    """The trace file cannot be opened; the text says which and why."""


class TraceFile:
    """A sink of whole lines; used by one thread."""

    def __init__(self, path: str) -> None:
        """Open for appending. Raises TraceFileError."""
        self._path = Path(path)
        self._missed = 0
        try:
            self._descriptor = os.open(
                self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except (OSError, ValueError) as reason:
            text = os.strerror(reason.errno) if isinstance(reason, OSError) and reason.errno else str(reason)
            raise TraceFileError(f"cannot open the trace file {path}: {text}") from None
        self._regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        if self._regular:  # the mode of /dev/stderr is not ours to set
            with suppress(PermissionError):
                os.fchmod(self._descriptor, 0o600)

    def write(self, lines: bytes, now: float) -> None:
        """Append all, or nothing of it; lines that were missed before are counted in a line of their own."""
        if self._descriptor < 0:
            return
        gap = _gap(self._missed, "the file could not be written to", now) if self._missed else b""
        before = os.fstat(self._descriptor).st_size
        try:
            rest = memoryview(gap + lines)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as reason:
            if self._regular:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, before)  # no half lines
            if not self._missed:
                _complain(f"cannot write to the trace file {self._path}: {os.strerror(reason.errno or 0)}")
            self._missed += lines.count(b"\n")
            return
        if self._missed:
            _complain(f"the trace file {self._path} is written to again, {self._missed} lines are missing")
            self._missed = 0

    def close(self) -> None:
        """Nothing is written from now on."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _complain(text: str) -> None:
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{text}\n")


class JsonlTrace:
    """A tap that writes the trace file."""

    def __init__(
        self,
        path: str,
        version: str,
        *,
        mask: Callable[[str], str] = str,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Append to the file at ``path``; ``mask`` hides what nobody shall read. Raises TraceFileError."""
        self._mask = mask
        self._wall = wall
        self._encoder = msgspec.json.Encoder()
        self._file = Background(TraceFile(path), missed=_overflowed, pace=PACE)
        self._add(StartRecord(time=_utc(wall()), format=FORMAT, server=version, pid=os.getpid()))

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        """One line."""
        text, base64 = _text_or_base64(self._mask(payload))
        self._add(
            FrameRecord(
                time=self._now(),
                connection=connection,
                direction=_DIRECTION[sent],
                octets=len(payload),
                text=text,
                base64=base64,
            )
        )

    def sip(self, sent: bool, flow: Flow, text: str) -> None:
        """One line."""
        readable_text, base64 = _text_or_base64(self._mask(text))
        self._add(
            SipRecord(
                time=self._now(),
                direction=_DIRECTION[sent],
                transport=flow.transport.name,
                remote=_address(flow.remote_host, flow.remote_port),
                local=_address(flow.local.host, flow.local.port),
                connection=flow.connection,
                octets=len(text),
                text=readable_text,
                base64=base64,
            )
        )

    def event(self, name: str, **details: str | int) -> None:
        """One line."""
        shown = {key: _shown(value) for key, value in details.items()}
        self._add(EventRecord(time=self._now(), name=name, details=shown))

    def close(self) -> None:
        """Write the rest and close the file."""
        self._file.close()

    def _now(self) -> str:
        return _utc(self._wall())

    def _add(self, record: Record) -> None:
        self._file.write(self._encoder.encode(record) + b"\n", self._wall())


def _utc(now: float) -> str:
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def _gap(lines: int, reason: str, now: float) -> bytes:
    event = EventRecord(time=_utc(now), name="trace-gap", details={"lines": lines, "reason": reason})
    return msgspec.json.encode(event) + b"\n"


def _overflowed(lines: int, now: float) -> bytes:
    return _gap(lines, "they were not taken in time", now)


_DIRECTION = ("received", "sent")


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _text_or_base64(octets: str) -> tuple[str | None, str | None]:
    text = readable(octets)
    return (text, None) if text is not None else (None, b64encode(to_octets(octets)).decode("ascii"))


def _shown(value: str | int) -> str | int:
    """A detail of an event: octets of the wire as the text they are, our own words as they are."""
    if isinstance(value, str):
        text = readable(value)
        return value if text is None else text
    return value
