"""Events in the log: one line each, ``name: key=value, key=value``, at the level that the event deserves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic

from reference_server.config.model import LogLevel
from reference_server.observe.log import Log
from reference_server.observe.octets import shown
from reference_server.sparingly import Sparingly

LEVELS: dict[str, LogLevel] = {
    "ack-not-sent": LogLevel.WARNING,
    "admin-attempt-delayed": LogLevel.WARNING,
    "admin-crowded-out": LogLevel.WARNING,
    "admin-incomplete-frame": LogLevel.WARNING,
    "admin-refused": LogLevel.WARNING,
    "application-does-not-read": LogLevel.ERROR,
    "application-over-limit": LogLevel.WARNING,
    "application-silent": LogLevel.WARNING,
    "application-not-reached": LogLevel.WARNING,
    "application-stuck": LogLevel.WARNING,
    "applications-crowded-out": LogLevel.WARNING,
    "blacklisted": LogLevel.DEBUG,
    "bye-not-sent": LogLevel.WARNING,
    "capture-lost": LogLevel.WARNING,
    "frame-not-sent": LogLevel.ERROR,
    "http-answer-odd": LogLevel.WARNING,
    "http-failed": LogLevel.WARNING,
    "internal-error": LogLevel.ERROR,
    "lint": LogLevel.WARNING,
    "nobody-routed": LogLevel.NOTICE,
    "refresh-not-sent": LogLevel.WARNING,
    "response-not-sent": LogLevel.WARNING,
    "sip-dropped": LogLevel.WARNING,
    "sip-refused": LogLevel.WARNING,
    "spam": LogLevel.NOTICE,
    "sip-transport": LogLevel.WARNING,
}
"""Where it is not ``info``."""


class EventLog:
    """A tap that writes events into the log; of those that tell of one limit at most one a second."""

    def __init__(self, log: Log, clock: Callable[[], float] = monotonic) -> None:
        """``clock`` is in seconds."""
        self._log = log
        self._clock = clock
        self._sparingly: dict[tuple[str, str | int], Sparingly] = {}
        """by event and limit, of both of which there is a fixed number"""

    def event(self, name: str, **details: str | int) -> None:
        """One line, or none if it is one of many."""
        level = LEVELS.get(name, LogLevel.INFO)
        if self._log.enabled(level):
            told = ", ".join(f"{key}={on_one_line(value)}" for key, value in details.items())
            line = f"{name}: {told}" if told else name
            limit = details.get("limit")
            if limit is None:
                self._log.at(level, line)
            else:
                self._say_sparingly((name, limit), level, line)

    def _say_sparingly(self, kind: tuple[str, str | int], level: LogLevel, line: str) -> None:
        """At most one line a second of each kind: strangers can cause as many as they like."""
        say = self._sparingly.get(kind)
        if say is None:
            say = self._sparingly[kind] = Sparingly(partial(self._log.at, level), self._clock)
        say(line)


def on_one_line(value: str | int) -> str:
    """A detail as it can stand in a line (in UTF-8): what a peer sent must not begin a new one."""
    return shown(str(value)).encode().decode("latin-1")
