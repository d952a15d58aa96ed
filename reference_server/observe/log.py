"""The log: lines ``YYYY-MM-DD HH:MM:SS.ffffff message`` in local time, as the genuine server writes them.

A message may have several lines; only its first bears the time. Its characters below U+0100 are octets of the wire
and are written as they are. Where a message costs something to make, ask ``enabled`` first.
"""

from __future__ import annotations

import re
import select
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from reference_server.config.model import LogLevel
from reference_server.observe.octets import shown, to_octets


class LogSink(Protocol):
    """Where records go."""

    def write(self, record: bytes, now: float) -> None:
        """Take whole records; ``now`` is Unix seconds. It never raises."""

    def close(self) -> None:
        """Write what is collected, and nothing from now on."""


class RawStream(Protocol):
    """What a file of octets without a buffer can do; a lock of a buffer would outlive a thread that hangs."""

    def write(self, octets: memoryview, /) -> int | None:
        """Write some; None if nothing can be written now."""

    def fileno(self) -> int:
        """Its descriptor."""


class Console:
    """Records on a stream, standard error as a rule. When the stream breaks, they go nowhere."""

    def __init__(self, stream: RawStream, *, terminal: bool = False) -> None:
        """On a ``terminal`` what would steer it is escaped; else octets stay as they are."""
        self._stream: RawStream | None = stream
        self._terminal = terminal

    def write(self, record: bytes, now: float) -> None:
        """Write all, however long that takes."""
        if self._stream is None:
            return
        rest = memoryview(for_a_terminal(record) if self._terminal else record)
        try:
            while rest:
                written = self._stream.write(rest)
                if written is None:  # somebody has set it not to block
                    select.select([], [self._stream.fileno()], [])
                else:
                    rest = rest[written:]
        except (OSError, ValueError):
            self._stream = None

    def close(self) -> None:
        """The stream stays open: it is not ours."""
        self._stream = None


_STEERS = re.compile(rb"[^\t\n\x20-\x7e]")


def for_a_terminal(record: bytes) -> bytes:
    """Lines as they were, in which nothing but line ends and tabs is left of what could steer a terminal."""
    lines = record.replace(b"\r\n", b"\n")
    if not _STEERS.search(lines):
        return lines
    text = lines.decode("latin-1")
    return "\n".join("\t".join(map(shown, line.split("\t"))) for line in text.split("\n")).encode()


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


Form = Callable[[LogLevel, str, float], bytes]
"""Makes a record of a message of that level, at that time (Unix seconds)."""


class Lines:
    """The form of the genuine server's console and file. Implements ``Form``."""

    def __init__(self) -> None:
        self._time = LocalTime()

    def __call__(self, level: LogLevel, text: str, now: float) -> bytes:
        """``2026-11-23 07:44:09.846150 text``"""
        return to_octets(f"{self._time.format(now)} {text}\n")


class Log:
    """One log with a level; quietest first: notice, error, warning, info, debug."""

    def __init__(
        self,
        level: LogLevel,
        sinks: Sequence[LogSink],
        wall: Callable[[], float] = time.time,
        *,
        form: Form | None = None,
    ) -> None:
        """``wall`` gives Unix seconds; ``form`` is that of all ``sinks``, by default :class:`Lines`."""
        self.level = level
        self._outlets: list[tuple[Form, tuple[LogSink, ...]]] = []
        self._wall = wall
        self.add(form or Lines(), *sinks)

    def add(self, form: Form, *sinks: LogSink) -> None:
        """From now on these get every message, too, in a form of their own."""
        if sinks:
            self._outlets.append((form, sinks))

    def enabled(self, level: LogLevel) -> bool:
        """Whether a message of that level is written."""
        return level <= self.level

    def notice(self, text: str) -> None:
        """What is always said."""
        self._write(LogLevel.NOTICE, text)

    def error(self, text: str) -> None:
        """Something failed."""
        if self.level >= LogLevel.ERROR:
            self._write(LogLevel.ERROR, text)

    def warning(self, text: str) -> None:
        """Something is odd."""
        if self.level >= LogLevel.WARNING:
            self._write(LogLevel.WARNING, text)

    def info(self, text: str) -> None:
        """What happens; the SIP trace is here."""
        if self.level >= LogLevel.INFO:
            self._write(LogLevel.INFO, text)

    def debug(self, text: str) -> None:
        """How it happens."""
        if self.level >= LogLevel.DEBUG:
            self._write(LogLevel.DEBUG, text)

    def at(self, level: LogLevel, text: str) -> None:
        """A message of a level that is known only now."""
        if level <= self.level:
            self._write(level, text)

    def close(self) -> None:
        """Close every sink."""
        for _, sinks in self._outlets:
            for sink in sinks:
                sink.close()

    def _write(self, level: LogLevel, text: str) -> None:
        now = self._wall()
        for form, sinks in self._outlets:
            record = form(level, text, now)
            for sink in sinks:
                sink.write(record, now)
