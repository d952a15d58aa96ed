"""Reads the JSON lines that the reference server's ``--trace`` writes (docs/trace.schema.json)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from msgtrace.frames import LengthUnit
from msgtrace.recordings import Entry, EntryKind, NotARecording


class _Line(Struct, frozen=True, kw_only=True, tag_field="kind"):
    time: str


class _Start(_Line, frozen=True, kw_only=True, tag="start"):
    format: int
    server: str


class _Frame(_Line, frozen=True, kw_only=True, tag="frame"):
    connection: int
    direction: str
    octets: int
    text: str | None = None
    base64: str | None = None


class _Sip(_Line, frozen=True, kw_only=True, tag="sip"):
    direction: str
    transport: str
    remote: str
    local: str
    text: str | None = None
    base64: str | None = None


class _Event(_Line, frozen=True, kw_only=True, tag="event"):
    name: str
    details: dict[str, str | int]


_DECODER: msgspec.json.Decoder[_Start | _Frame | _Sip | _Event] = msgspec.json.Decoder(
    _Start | _Frame | _Sip | _Event
)

FORMAT = 1
"""the format that this reader knows"""


def read(text: str) -> Iterator[Entry]:
    """The entries of a trace; ``text`` holds one octet a character. Raises NotARecording for another format."""
    lines = text.split("\n")
    first = _decode(lines[0])
    if not isinstance(first, _Line):
        raise NotARecording(f"line 1: not a line of the server's trace: {first}")
    if isinstance(first, _Start) and first.format > FORMAT:
        raise NotARecording(
            f"line 1: expected format {FORMAT} or older, got {first.format}; a newer msgtrace reads it"
        )
    return _entries(lines)


def _entries(lines: list[str]) -> Iterator[Entry]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"line {number}"
        match _decode(line):
            case _Start() as start:
                yield Entry(
                    kind=EntryKind.NOTE, where=where, time=start.time, data=f"server {start.server} started"
                )
            case _Event() as event:
                details = " ".join(f"{key}={value}" for key, value in event.details.items())
                yield Entry(
                    kind=EntryKind.NOTE,
                    where=where,
                    time=event.time,
                    connection=str(event.details.get("connection", "")),
                    data=f"{event.name} {details}".rstrip().encode("utf-8").decode("latin-1"),
                )
            case _Frame() as frame:
                yield Entry(
                    kind=EntryKind.FRAME,
                    where=where,
                    time=frame.time,
                    connection=str(frame.connection),
                    from_server=frame.direction == "sent",
                    data=_octets(frame),
                    length=frame.octets,
                    units=(LengthUnit.BYTES,),
                )
            case _Sip() as sip:
                yield Entry(
                    kind=EntryKind.SIP,
                    where=where,
                    time=sip.time,
                    from_server=sip.direction == "sent",
                    peer=f"{sip.transport}/{sip.remote}",
                    data=_octets(sip),
                )
            case str() as problem:
                yield Entry(kind=EntryKind.DAMAGE, where=where, data=problem)


def _decode(line: str) -> _Start | _Frame | _Sip | _Event | str:
    """One line, or what is wrong with it."""
    try:
        return _DECODER.decode(line.encode("latin-1"))
    except msgspec.MsgspecError as error:
        cut = "" if line.rstrip().endswith("}") else "; the line is cut off"
        return f"{error}{cut}"
    except UnicodeDecodeError as error:
        return f"not UTF-8 at octet {error.start} of the line"


def _octets(line: _Frame | _Sip) -> str:
    if line.base64 is not None:
        try:
            return b64decode(line.base64, validate=True).decode("latin-1")
        except ValueError:
            return ""
    return (line.text or "").encode("utf-8").decode("latin-1")
