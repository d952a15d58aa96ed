"""Reads recordings of the admin protocol, whoever wrote them, into one kind of entry.

Three forms are known, and told apart by their first octets:

- a bare stream of frames, ``56#id|authenticate|…``, as a packet capture or ``nc`` gives it: no directions, no times;
- the text form of client logs and of documents, each record opened by ``===>`` (from the application) or ``<===``
  at the start of a line, perhaps with a connection's name in brackets; the frame stands on the next line, as a
  client writes it, or on the same line, as documents show it (then ``\\r\\n`` may be spelled out);
- the JSON lines that the reference server's ``--trace`` writes.

What cannot be read becomes an entry of the kind ``damage``, which says what and where; reading goes on behind it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from msgtrace.frames import Damage, DamageKind, Frame, FrameDecoder, LengthUnit

_ARROW = re.compile(r"^(===>|<===)[ \t]*(?:\[([^\]\r\n]*)\])?", re.MULTILINE)
_LINE_END = re.compile(r"[ \t]*(\r?\n)")
_HEAD = re.compile(r"[ \t]*([0-9]{1,8})#")
_SPELLED_OUT = re.compile(r"\\r\\n(?:\r?\n)?")
_LAST_LINE_OF_LISTING = re.compile(r"(?<!\\r\\n)\r?\n")


class NotARecording(ValueError):
    """The input is in none of the known forms; the message says what stands at its beginning."""


class EntryKind(StrEnum):
    """What an entry is."""

    FRAME = "frame"
    SIP = "sip"
    NOTE = "note"
    DAMAGE = "damage"
    """octets that cannot be read"""


class Entry(Struct, frozen=True, kw_only=True):
    """One thing that a recording holds."""

    kind: EntryKind
    where: str
    """``line 12`` or ``octet 345``"""
    time: str = ""
    """as the recording has it; empty if it has none"""
    connection: str = ""
    """which admin connection: a name or number, empty if the recording knows one only"""
    from_server: bool | None = None
    """direction, if it is known"""
    peer: str = ""
    """of a SIP message: the address on the other side"""
    data: str = ""
    """payload of a frame (without its length), SIP message, remark, or the explanation of a damage; octets"""
    length: int = -1
    """of a frame: the number before ``#``; -1 where the recording has none"""
    units: tuple[LengthUnit, ...] = ()
    """of a frame: what the length counts; empty if it is wrong"""


def read(data: bytes) -> Iterator[Entry]:
    """The entries of a recording. Raises NotARecording before the first entry."""
    text = data.decode("latin-1").removeprefix("\xef\xbb\xbf")
    start = text.lstrip()[:1]
    if start == "{":
        from msgtrace import server_trace

        return server_trace.read(text)
    if _ARROW.search(text):
        return _text_form(text)
    if start.isascii() and start.isdigit() and re.match(r"\s*[0-9]{1,10}(#|\Z)", text):
        return _stream(data)
    if not start:
        return iter(())
    raise NotARecording(
        "not a recording of the admin protocol: expected a frame ('56#…'), a record that "
        f"begins with '===>' or '<===', or the server's JSON lines; got {text[:24]!a} at octet 0"
    )


def _stream(data: bytes) -> Iterator[Entry]:
    decoder = FrameDecoder()
    for item in [*decoder.feed(data), *decoder.close()]:
        yield from _entry(item, f"octet {item.offset}")


def _text_form(text: str) -> Iterator[Entry]:
    """Records in order; what a connection sent is one stream, since a record may hold a part of a frame or many."""
    arrows = list(_ARROW.finditer(text))
    lines = _LineNumbers(text)
    restore = "\r" not in text
    streams: dict[tuple[str, bool], _Stream] = {}
    for position, arrow in enumerate(arrows):
        end = arrows[position + 1].start() if position + 1 < len(arrows) else len(text)
        connection, from_server, line = arrow[2] or "", arrow[1] == "<===", lines.of(arrow.start())
        body = text[arrow.end() : end]
        line_end = _LINE_END.match(body)
        if line_end is None:
            yield _listing(body, connection, from_server, line)
            continue
        chunk = body[line_end.end() :]
        chunk = chunk.removesuffix("\r\n") if chunk.endswith("\r\n") else chunk.removesuffix("\n")
        stream = streams.setdefault((connection, from_server), _Stream(connection, from_server))
        yield from stream.feed(chunk.replace("\n", "\r\n") if restore else chunk, line)
    for stream in streams.values():
        yield from stream.close()


class _Stream:
    """What one side of one connection sent, and the lines of the log on which it stands."""

    def __init__(self, connection: str, from_server: bool) -> None:
        self._connection = connection
        self._from_server = from_server
        self._decoder = FrameDecoder()
        self._offsets: list[int] = []
        self._lines: list[int] = []
        self._size = 0

    def feed(self, chunk: str, line: int) -> Iterator[Entry]:
        self._offsets.append(self._size)
        self._lines.append(line)
        self._size += len(chunk)
        yield from self._entries(self._decoder.feed(chunk.encode("latin-1")))

    def close(self) -> Iterator[Entry]:
        yield from self._entries(self._decoder.close())

    def _entries(self, items: list[Frame | Damage]) -> Iterator[Entry]:
        for item in items:
            line = self._lines[bisect_right(self._offsets, item.offset) - 1]
            yield from _entry(item, f"line {line}", self._connection, self._from_server)


class _LineNumbers:
    """Line numbers of places in a text, from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def of(self, place: int) -> int:
        return bisect_right(self._starts, place)


def _entry(
    item: Frame | Damage, where: str, connection: str = "", from_server: bool | None = None
) -> Iterator[Entry]:
    match item:
        case Frame(length=0):
            return
        case Frame():
            yield Entry(
                kind=EntryKind.FRAME,
                where=where,
                connection=connection,
                from_server=from_server,
                data=item.payload,
                length=item.length,
                units=item.units,
            )
        case Damage(kind=DamageKind.STRAY_WHITESPACE):
            return
        case Damage():
            yield Entry(kind=EntryKind.DAMAGE, where=where, connection=connection, data=item.explanation)


def _listing(body: str, connection: str, from_server: bool, line: int) -> Entry:
    """A frame as documents show it, behind the arrow; what follows the listing is prose."""
    where = f"line {line}"
    head = _HEAD.match(body)
    if head is None:
        shown = ascii(body.strip()[:24])
        return Entry(
            kind=EntryKind.DAMAGE, where=where, data=f"expected digits and '#' behind the arrow, got {shown}"
        )
    length, rest = int(head[1]), body[head.end() :]
    if "\\r\\n" in rest:
        rest = whole = _SPELLED_OUT.sub("\r\n", rest[: _end_of_listing(rest)])
    else:
        rest = rest if "\r" in rest else rest.replace("\n", "\r\n")
        whole = rest.rstrip()
    fits = len(rest) == length or rest[length : length + 1] in ("\r", "\n")
    payload = rest[:length] if fits else whole
    return Entry(
        kind=EntryKind.FRAME,
        where=where,
        connection=connection,
        from_server=from_server,
        data=payload,
        length=length,
        units=(LengthUnit.BYTES,) if len(payload) == length else (),
    )


def _end_of_listing(text: str) -> int:
    """Where a listing with spelled-out line ends stops: at the first line that does not end in one."""
    match = _LAST_LINE_OF_LISTING.search(text)
    return match.start() if match else len(text)
