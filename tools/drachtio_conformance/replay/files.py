"""Recorded traces as files: ``NAME.log`` (the admin connections) and ``NAME.sip.txt`` (the SIP side).

An entry of the first is a line ``===>`` (application to server) or ``<===``, with the application's name in brackets
where there are several (``raw`` behind it where octets were taken as they came), then ``len#payload``. An entry of the
second is a line
``### HH:MM:SS.ffffff udp NAME(host:port) -> host:port (n bytes)`` (UTC; the named side is the endpoint, the other is
the server), then that many octets; or a remark, ``### HH:MM:SS.ffffff NOTE text``. A message log of SIPp
(``-trace_msg``, its clock on UTC) may stand in for it: its one endpoint is called ``sipp``. Only SIP entries and
remarks carry a time of their own; order.py puts both files into one order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct, structs

LOG_SUFFIX = ".log"
SIP_SUFFIX = ".sip.txt"
APPLICATION = "app"
"""name of the application where a trace has only one"""

_ARROW = re.compile(rb"(===>|<===)(?:\[([^\]\r\n]*)\])?\r?\n")
_LENGTH = re.compile(rb"(\d{1,8})#")
_STAMP = re.compile(rb"### (\d\d:\d\d:\d\d\.\d{6}) ([^\r\n]*)\n")
_MESSAGE = re.compile(
    r"(udp|tcp) (?:([^\s()]+)\(([\d.]+):(\d+)\)|([\d.]+):(\d+)) -> "
    r"(?:([^\s()]+)\(([\d.]+):(\d+)\)|([\d.]+):(\d+)) \((\d+) bytes\)"
)
_SIPP = re.compile(
    rb"-{20,} \d{4}-\d\d-\d\d (?P<at>\d\d:\d\d:\d\d\.\d{6})\r?\n"
    rb"(?P<transport>UDP|TCP) message (?P<way>sent|received) [(\[](?P<length>\d+)[^\n]*\n\n"
)
_VIA_PORT = re.compile(r"^Via: SIP/2\.0/\S+ [^;\s]+:(\d+)", re.MULTILINE)
_URI_PORT = re.compile(r"^\S+ sip:[^;>\s]*:(\d+)")


class TraceError(Exception):
    """A trace cannot be read; the text begins with ``file:line:``."""


class Frame(Struct, frozen=True, kw_only=True):
    """One frame on an admin connection; the payload is wire text."""

    application: str
    from_server: bool
    payload: str
    entry: str
    """``log 7``: seventh entry of the .log"""
    line: int


class SipOctets(Struct, frozen=True, kw_only=True):
    """One SIP message between an endpoint and the server; wire text."""

    at: float
    """seconds since midnight, UTC"""
    endpoint: str
    """its name; empty where the trace names neither side"""
    transport: str
    port: int
    """the endpoint's"""
    server_port: int
    from_server: bool
    raw: str
    entry: str
    """``sip 4``: fourth message of the .sip.txt; remarks do not count"""
    line: int


class Remark(Struct, frozen=True, kw_only=True):
    """What the person or program that recorded noted down."""

    at: float
    text: str
    line: int


class Trace(Struct, frozen=True, kw_only=True):
    """One recorded exchange."""

    name: str
    frames: tuple[Frame, ...]
    sip: tuple[SipOctets | Remark, ...]
    one_sided: bool = False
    """only what endpoints sent is known, not what came to them: frames alone were recorded"""

    @property
    def messages(self) -> list[SipOctets]:
        """The SIP messages alone."""
        return [item for item in self.sip if isinstance(item, SipOctets)]


def find(paths: Iterable[Path]) -> list[Path]:
    """The .log files of traces below the given files and folders. Raises :class:`TraceError`."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            logs = sorted(file for file in path.rglob(f"*{LOG_SUFFIX}") if partner(file).is_file())
            if not logs:
                raise TraceError(f"{path}: expected recordings (NAME.log with NAME.sip.txt), there are none")
            found += logs
            continue
        log = path.with_name(path.name.removesuffix(SIP_SUFFIX).removesuffix(LOG_SUFFIX) + LOG_SUFFIX)
        if not log.is_file() or not partner(log).is_file():
            raise TraceError(f"{path}: expected {log.name} and {partner(log).name} side by side")
        found.append(log)
    return found


def partner(log: Path) -> Path:
    """The .sip.txt beside a .log."""
    return log.with_name(log.name.removesuffix(LOG_SUFFIX) + SIP_SUFFIX)


def read(log: Path) -> Trace:
    """Read both files of a trace. Raises :class:`TraceError`."""
    sip = tuple(messages(partner(log).read_bytes(), str(partner(log))))
    return Trace(
        name=log.name.removesuffix(LOG_SUFFIX),
        frames=tuple(frames(log.read_bytes(), str(log))),
        sip=tuple(_named(item) if isinstance(item, SipOctets) else item for item in sip),
    )


def _named(message: SipOctets) -> SipOctets:
    """Where neither side is named, the server sent it: only what it connects to has a port that nobody knows."""
    if message.endpoint:
        return message
    return structs.replace(
        message, endpoint="peer", from_server=True, port=message.server_port, server_port=message.port
    )


def frames(data: bytes, file: str) -> Iterator[Frame]:
    """The entries of a .log. Raises :class:`TraceError`."""
    position, number, application, from_server = 0, 0, "", False
    while data[position:].strip():
        position += len(data[position:]) - len(data[position:].lstrip(b"\r\n"))
        line = data.count(b"\n", 0, position) + 1
        if arrow := _ARROW.match(data, position):
            position = arrow.end()
        counted = _LENGTH.match(data, position)
        if counted is None or (arrow is None and not number):
            wanted = "LENGTH#" if arrow else "===> or <==="
            raise TraceError(f"{file}:{line}: expected {wanted}, got {_begin(data, position)}")
        end = counted.end() + int(counted[1])
        if end > len(data):
            missing = f"{end - len(data)} are missing"
            raise TraceError(f"{file}:{line}: expected a payload of {int(counted[1])} octets, {missing}")
        if arrow is not None:  # else the same side goes on: an entry may hold several frames
            application = arrow[2].decode("latin-1").removesuffix(" raw") if arrow[2] else APPLICATION
            from_server = arrow[1] == b"<==="
        number += 1
        yield Frame(
            application=application,
            from_server=from_server,
            payload=data[counted.end() : end].decode("latin-1"),
            entry=f"log {number}",
            line=line,
        )
        position = end


def messages(data: bytes, file: str) -> Iterator[SipOctets | Remark]:
    """The entries of a .sip.txt. Raises :class:`TraceError`."""
    if _SIPP.match(data):
        yield from _sipp_messages(data, file)
        return
    position, number = 0, 0
    while data[position:].strip():
        position += len(data[position:]) - len(data[position:].lstrip(b"\r\n"))
        line = data.count(b"\n", 0, position) + 1
        stamp = _STAMP.match(data, position)
        if stamp is None:
            raise TraceError(f"{file}:{line}: expected ### HH:MM:SS.ffffff, got {_begin(data, position)}")
        at, text = seconds_of_day(stamp[1].decode()), stamp[2].decode("utf-8", "replace")
        position = stamp.end()
        if text.startswith("NOTE "):
            yield Remark(at=at, text=text.removeprefix("NOTE "), line=line)
            continue
        match = _MESSAGE.fullmatch(text)
        if match is None:
            raise TraceError(
                f"{file}:{line}: expected 'udp NAME(host:port) -> host:port (n bytes)', got {text!r}"
            )
        end = position + int(match[12])
        if end > len(data):
            raise TraceError(f"{file}:{line}: expected {int(match[12])} octets, the file ends before")
        number += 1
        to_named = match[7] is not None
        source, target = int(match[4] or match[6]), int(match[9] or match[11])
        yield SipOctets(
            at=at,
            endpoint=match[7] if to_named else match[2] or "",
            transport=match[1],
            port=target if to_named else source,
            server_port=source if to_named else target,
            from_server=to_named,
            raw=data[position:end].decode("latin-1"),
            entry=f"sip {number}",
            line=line,
        )
        position = end


def _sipp_messages(data: bytes, file: str) -> Iterator[SipOctets]:
    """The entries of SIPp's message log, in which the ports stand in the messages alone."""
    position, number, port, server_port = 0, 0, 0, 0
    while data[position:].strip():
        position += len(data[position:]) - len(data[position:].lstrip(b"\r\n"))
        line = data.count(b"\n", 0, position) + 1
        match = _SIPP.match(data, position)
        if match is None:
            raise TraceError(f"{file}:{line}: expected a message of SIPp's log, got {_begin(data, position)}")
        position = match.end() + int(match["length"])
        raw = data[match.end() : position].decode("latin-1")
        sent = match["way"] == b"sent"
        via, uri = _VIA_PORT.search(raw), _URI_PORT.match(raw)
        if not number and (via is None or uri is None):
            raise TraceError(f"{file}:{line}: expected a request with ports in Via and URI first")
        if not number and via is not None and uri is not None:
            port, server_port = (int(via[1]), int(uri[1])) if sent else (int(uri[1]), int(via[1]))
        number += 1
        yield SipOctets(
            at=seconds_of_day(match["at"].decode()),
            endpoint="sipp",
            transport=match["transport"].decode().lower(),
            port=port,
            server_port=server_port,
            from_server=not sent,
            raw=raw,
            entry=f"sip {number}",
            line=line,
        )


def seconds_of_day(clock: str) -> float:
    """``07:33:51.717124`` in seconds since midnight."""
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def clock_of(seconds: float) -> str:
    """The other way."""
    micros = round(seconds * 1_000_000) % 86_400_000_000
    minutes, rest = divmod(micros, 60_000_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1_000_000:02}.{rest % 1_000_000:06}"


def _begin(data: bytes, position: int) -> str:
    return repr(data[position : position + 30].decode("latin-1"))
