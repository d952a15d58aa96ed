"""The log: lines ``YYYY-MM-DD HH:MM:SS.ffffff message`` in local time, as the genuine server writes them.

A message may have several lines; only its first bears the time. Its characters below U+0100 are octets of the wire
and are written as they are. Where a message costs something to make, ask ``enabled`` first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import BinaryIO, Protocol

from reference_server.config.model import LogLevel
from reference_server.observe.octets import to_octets


class LogSink(Protocol):
    """Where records go."""

    def write(self, record: bytes, now: float) -> None:
        """Take one whole record; ``now`` is Unix seconds. It never raises."""

    def flush(self) -> None:
        """Let go of what is collected."""

    def close(self) -> None:
        """Flush, and write nothing from now on."""


class Console:
    """Records on a stream, standard error as a rule. When the stream breaks, they go nowhere."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream: BinaryIO | None = stream

    def write(self, record: bytes, now: float) -> None:
        """Write and flush."""
        if self._stream is None:
            return
        try:
            self._stream.write(record)
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None

    def flush(self) -> None:
        """Nothing is collected."""

    def close(self) -> None:
        """The stream stays open: it is not ours."""
        self._stream = None


class LocalTime:
    """Formats Unix seconds as local time; what is formatted for a second is kept for it."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def format(self, now: float) -> str:
        """``YYYY-MM-DD HH:MM:SS.ffffff``"""
        microseconds = round(now * 1_000_000)
        second = microseconds // 1_000_000
        if second != self._second:
            self._text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
            self._second = second
        return f"{self._text}.{microseconds % 1_000_000:06d}"


class Log:
    """One log with a level; quietest first: notice, error, warning, info, debug."""

    def __init__(
        self, level: LogLevel, sinks: Sequence[LogSink], wall: Callable[[], float] = time.time
    ) -> None:
        """``wall`` gives Unix seconds."""
        self.level = level
        self._sinks = tuple(sinks)
        self._wall = wall
        self._time = LocalTime()

    def enabled(self, level: LogLevel) -> bool:
        """Whether a message of that level is written."""
        return level <= self.level

    def notice(self, text: str) -> None:
        """What is always said."""
        self._write(text)

    def error(self, text: str) -> None:
        """Something failed."""
        if self.level >= LogLevel.ERROR:
            self._write(text)

    def warning(self, text: str) -> None:
        """Something is odd."""
        if self.level >= LogLevel.WARNING:
            self._write(text)

    def info(self, text: str) -> None:
        """What happens; the SIP trace is here."""
        if self.level >= LogLevel.INFO:
            self._write(text)

    def debug(self, text: str) -> None:
        """How it happens."""
        if self.level >= LogLevel.DEBUG:
            self._write(text)

    def at(self, level: LogLevel, text: str) -> None:
        """A message of a level that is known only now."""
        if level <= self.level:
            self._write(text)

    def flush(self) -> None:
        """Let every sink write what it has collected."""
        for sink in self._sinks:
            sink.flush()

    def close(self) -> None:
        """Flush and close every sink."""
        for sink in self._sinks:
            sink.close()

    def _write(self, text: str) -> None:
        now = self._wall()
        record = to_octets(f"{self._time.format(now)} {text}\n")
        for sink in self._sinks:
            sink.write(record, now)
