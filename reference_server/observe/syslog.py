"""The log by syslog: one datagram a record, in the form of RFC 3164 in which the genuine server writes it.

::

    <182>Nov 23 07:45:44 host recv 311 bytes from udp/[127.0.0.1]:21100 at 07:44:09.598522:
    OPTIONS sip:15551234@127.0.0.1:21060 SIP/2.0
    …

The number is eight times the facility plus the severity: notice 5, error 2, warning 4, info 6, debug 7. There is no
tag, and line ends within a record stay as they are. A record too large for a datagram is cut, and says so.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import suppress
from typing import Final

from reference_server.config.model import LogLevel, SyslogConfiguration
from reference_server.observe.datagrams import BETWEEN_WORDS, LARGEST, Datagrams
from reference_server.observe.octets import to_octets

_SEVERITIES: Final = {
    LogLevel.NOTICE: 5,
    LogLevel.ERROR: 2,
    LogLevel.WARNING: 4,
    LogLevel.INFO: 6,
    LogLevel.DEBUG: 7,
}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""whatever the locale says"""


class SyslogForm:
    """Implements ``Form``."""

    def __init__(self, facility: int, host: str = "") -> None:
        """``facility`` as RFC 3164 numbers it; ``host`` is this machine's name, by default what it says itself."""
        self._facility = facility
        self._host = (host or socket.gethostname()).partition(".")[0] or "localhost"
        self._second = -1
        self._time = ""

    def __call__(self, level: LogLevel, text: str, now: float) -> bytes:
        """One datagram."""
        second = int(now)
        if second != self._second:
            at = time.localtime(second)
            self._second = second
            self._time = (
                f"{_MONTHS[at.tm_mon - 1]} {at.tm_mday:2} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
            )
        priority = 8 * self._facility + _SEVERITIES[level]
        record = to_octets(f"<{priority}>{self._time} {self._host} {text}")
        if len(record) <= LARGEST:
            return record
        cut = f" … ({len(record)} octets)".encode()
        return record[: LARGEST - len(cut)] + cut


class Syslog:
    """A sink that sends each record; what was lost, the next record that gets through says before itself."""

    def __init__(
        self, configuration: SyslogConfiguration, form: SyslogForm, out: Datagrams | None = None
    ) -> None:
        self._form = form
        self._out = out or Datagrams(configuration.address, configuration.port)
        self._place = f"{configuration.address} port {configuration.port}"
        self._next_word = 0.0
        self._complained = False

    def write(self, record: bytes, now: float) -> None:
        """Queue one record."""
        if self._out.losing and now >= self._next_word:
            self._next_word = now + BETWEEN_WORDS
            self._tell(now)
        self._out.write(record)

    def close(self) -> None:
        """Send the rest, with a word of what was lost."""
        self._tell(time.time())
        self._out.close()
        if self._out.losing:
            self._tell(time.time())

    def _tell(self, now: float) -> None:
        lost = self._out.take_lost()
        if lost is None:
            return
        text = f"{lost.count} records are missing here: {lost.reason}"
        self._out.write(self._form(LogLevel.ERROR, text, now), stands_for=lost.count)
        if not self._complained and sys.stderr is not None:
            self._complained = True  # where the log fails, the log is no place to say so
            with suppress(OSError, ValueError):
                os.write(sys.stderr.fileno(), f"syslog, {self._place}: {text}\n".encode())
