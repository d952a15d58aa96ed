"""Logs in which records of several forms, or of several services, are mixed: each line is given to the record that it
belongs to, and each record to the reader of its form.

A record ends where its announced length ends, or where a record of any known form begins in its service; what stands
behind it are other lines of the log. A line that looks like the beginning of a record inside a message whose length
says that it goes on is part of the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from msgtrace.entries import Account, Entry
from msgtrace.readers import client_log, debug_log, json_lines, server_log, whole_traces
from msgtrace.services import Line
from msgtrace.streams import Streams
from msgtrace.wrapping import SYSLOG_STAMP

_SERVER_NOW = re.compile(server_log.BEGINNING.pattern.removeprefix(rb"\n"))
_SERVER_OLD = re.compile(server_log.OLD_BEGINNING.pattern.removeprefix(rb"\n"))
_DEBUG = re.compile(debug_log.BEGINNING.pattern.removeprefix(rb"\n"))
_ARROW = re.compile(rb"(?:===>|<===)[ \t]*(?:\[[^\]\r\n]*\])?[ \t]*(?:\r?\Z|[0-9]{1,8}#)")
_JSON = re.compile(rb'\{".*\}\s*\Z')
_JSON_OF_OURS = re.compile(rb'"(?:===>|<===)|\{"kind": ?"')
_MOST_BEHIND = 500
"""lines of others after which a record that may still go on is taken for complete"""
_LARGEST = 4 * 1024 * 1024
"""octets of a record"""


class _Service:
    """The record of one service that is being read."""

    __slots__ = (
        *("begun", "client", "debug", "form", "json", "last", "length", "lines", "said", "server", "shown"),
        "stamp",
    )

    def __init__(self, account: Account, name: str) -> None:
        self.server = server_log.ServerLog(account, name)
        self.debug = debug_log.DebugLog(account, connection=name)
        self.client = Streams(account)
        self.json = Streams(account)
        self.form = ""
        self.stamp = ""
        self.begun = 0
        """line on which the record begins"""
        self.last = 0
        """line on which it went on last"""
        self.lines: list[bytes] = []
        self.length = 0
        self.said = 0
        """octets of the message that the record announces"""
        self.shown = 0
        """octets of it that are there; each line end counts two"""


def read(lines: Iterable[Line], account: Account, *, syslog: bool = False) -> Iterator[Entry]:
    """Entries in the order of the lines on which their records begin, as far as records end in time.

    ``syslog`` says that server's records begin with the stamp of syslog.
    """
    log = _MixedLog(account, syslog)
    for line in lines:
        yield from log.line(line)
    yield from log.close()


class _MixedLog:
    """All services, and the entries that wait for records which began before theirs."""

    def __init__(self, account: Account, syslog: bool) -> None:
        self._account = account
        self._syslog = syslog
        self._services: dict[str, _Service] = {}
        self._ready: list[Entry] = []

    def line(self, line: Line) -> Iterator[Entry]:
        """The next line."""
        service = self._services.get(line.service)
        if service is None:
            service = self._services[line.service] = _Service(self._account, line.service)
        begun = None if _goes_on(service) else beginning(line.text, self._syslog)
        if begun is None and service.form and service.length < _LARGEST:
            service.lines.append(line.text)
            service.length += len(line.text) + 1
            service.shown += len(line.text.rstrip(b"\r")) + 2
            service.last = line.number
        else:
            self._finish(service)
            if begun is None:
                self._account.other += len(line.text) + 1
            else:
                service.form, service.stamp, text = begun
                service.begun = service.last = line.number
                service.lines, service.length = [text], len(text) + 1
                service.said, service.shown = _announced(service.form, text), 0
                if service.form in ("json", "terminal"):
                    self._finish(service)
        for other in self._services.values():
            if other.form and line.number - other.last > _MOST_BEHIND:
                self._finish(other)
        yield from self._given_out()

    def close(self) -> Iterator[Entry]:
        """The log ends."""
        for service in self._services.values():
            self._finish(service)
            self._ready += service.server.streams.close()
            self._ready += service.debug.close()
            self._ready += service.client.close()
            self._ready += service.json.close()
        self._ready.sort(key=_line_of)
        yield from self._ready

    def _given_out(self) -> list[Entry]:
        """What no open record can come before."""
        if not self._ready:
            return []
        first_open = min((one.begun for one in self._services.values() if one.form), default=1 << 62)
        self._ready.sort(key=_line_of)
        count = sum(entry.line < first_open for entry in self._ready)
        given, self._ready = self._ready[:count], self._ready[count:]
        return given

    def _finish(self, service: _Service) -> None:
        """The record is complete."""
        form, text = service.form, b"\n".join(service.lines)
        service.form, service.lines, service.length, service.said = "", [], 0, 0
        line, stamp = service.begun, service.stamp
        match form:
            case "server":
                self._ready += service.server.record(text, line, stamp)
            case "debug":
                self._ready += service.debug.record(text, line, stamp, len(stamp))
            case "client":
                self._ready += client_log.record(b"\n" + text, line, service.client, self._account)
            case "json":
                self._ready += json_lines.line_of(text, line, service.json, self._account)
            case _:
                pass


def _line_of(entry: Entry) -> int:
    return entry.line


def beginning(text: bytes, syslog: bool) -> tuple[str, str, bytes] | None:
    """Form, stamp and first line of the record that begins with this line."""
    first = text[:1]
    if first in (b"=", b"<") and _ARROW.match(text):
        return "client", "", text
    if first == b"{":
        if not _JSON.match(text):
            return None
        if _JSON_OF_OURS.search(text):
            return "json", "", text
        return ("", "", text) if _is_object(text) else None
    if found := _SERVER_NOW.match(text) or _SERVER_OLD.match(text):
        return "server", found[1].decode("ascii"), text[found.end() :]
    if found := _DEBUG.match(text):
        return "debug", found[1].decode("ascii"), text[found.end() :]
    if syslog and (found := SYSLOG_STAMP.match(text)):
        return "server", found[1].decode("ascii"), text[found.end() :]
    return None


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _goes_on(service: _Service) -> bool:
    """Whether the announced length is not yet there; what the genuine server leaves off is less than one more line."""
    return service.shown + 3 < service.said


def _announced(form: str, first: bytes) -> int:
    """How long the message behind the first line of a record is, if that tells it."""
    trace = whole_traces.TRACE.match(first) if form == "server" else None
    return int(trace[2]) if trace is not None else 0
