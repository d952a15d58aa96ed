"""The trace file of ``--trace``: one JSON object a line for each frame, SIP message and event.

docs/trace.schema.json describes the objects. Octets that are UTF-8 stand as text, others in base64. Lines are
collected and written once a second and at the end.
"""

from __future__ import annotations

import os
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from reference_server.core.ports import Flow
from reference_server.observe.octets import readable, to_octets

FORMAT = 1
"""Raised when a reader of the former format would misunderstand the new one."""

FLUSH_AFTER = 1.0
"""Seconds that a line is kept back at most."""

_COLLECTED = 256 * 1024  # octets that are kept back at most


class Record(Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What every line has."""

    time: str
    """UTC, ``2026-11-23T07:44:09.846150Z``"""


class Start(Record, frozen=True, kw_only=True, tag="start"):
    """The first line of a run; a file that is appended to has several."""

    format: int
    server: str
    """version of the server"""
    pid: int


class Frame(Record, frozen=True, kw_only=True, tag="frame"):
    """A frame of an admin connection; exactly one of ``text`` and ``base64`` has its payload."""

    connection: int
    direction: str
    """``sent`` or ``received`` by the server"""
    octets: int
    """of the payload as it stands here; on the wire a masked secret had others"""
    text: str | None = None
    base64: str | None = None


class Sip(Record, frozen=True, kw_only=True, tag="sip"):
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


class Event(Record, frozen=True, kw_only=True, tag="event"):
    """Something that happened to a connection or a call."""

    name: str
    details: dict[str, str | int]


class TraceFileError(Exception):
    """The trace file cannot be opened; the text says which and why."""


class JsonlTrace:
    """A tap that writes the trace file."""

    def __init__(
        self,
        path: str,
        version: str,
        later: Callable[[float, Callable[[], None]], object],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Append to the file at ``path``; ``later(seconds, callback)`` is the loop's. Raises TraceFileError."""
        self._path = Path(path)
        self._later = later
        self._wall = wall
        self._encoder = msgspec.json.Encoder()
        self._lines = bytearray()
        self._flush_is_due = False
        try:
            self._file = self._path.open("ab", buffering=0)
        except (OSError, ValueError) as reason:
            text = os.strerror(reason.errno) if isinstance(reason, OSError) and reason.errno else str(reason)
            raise TraceFileError(f"cannot open the trace file {path}: {text}") from None
        self._add(Start(time=self._now(), format=FORMAT, server=version, pid=os.getpid()))

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        """One line."""
        text, base64 = _text_or_base64(payload)
        self._add(
            Frame(
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
        readable_text, base64 = _text_or_base64(text)
        self._add(
            Sip(
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
        self._add(Event(time=self._now(), name=name, details=shown))

    def flush(self) -> None:
        """Write what has been collected. A file that cannot be written to any more ends the trace."""
        self._flush_is_due = False
        if self._file.closed:
            return
        try:
            while self._lines:
                del self._lines[: self._file.write(self._lines)]
        except OSError as reason:
            text = os.strerror(reason.errno or 0)
            sys.stderr.write(f"the trace ends, cannot write to {self._path}: {text}\n")
            self._lines.clear()
            self._file.close()

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        self._file.close()

    def _now(self) -> str:
        moment = datetime.fromtimestamp(self._wall(), UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"

    def _add(self, record: Record) -> None:
        if self._file.closed:
            return
        self._lines += self._encoder.encode(record) + b"\n"
        if len(self._lines) >= _COLLECTED:
            self.flush()
        elif not self._flush_is_due:
            self._flush_is_due = True
            self._later(FLUSH_AFTER, self.flush)


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
