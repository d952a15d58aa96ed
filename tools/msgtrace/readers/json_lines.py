"""JSON lines: what ``msgtrace record`` and the reference server's ``--trace`` write, and loggers that wrap client logs.

- ``{"kind": "frame" | "sip" | "event" | "start", …}`` is the server's trace (docs/trace.schema.json);
- ``{"kind": "chunk" | "opened" | "closed" | "recording", …}`` is a recording (docs/recording.schema.json);
- ``{"message": "===>\\r\\n56#…", "timestamp": …}`` (winston) and ``{"msg": "===>…", "time": …}`` (pino) hold
  records of a client log. Of lines without an arrow those with SIP in a field are read
  (:mod:`msgtrace.readers.json_sip`), the rest are other lines of that logger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO

import msgspec
from msgspec import Struct

from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.frames import LengthUnit
from msgtrace.ordinary import LOGGED, Detail, Run, Search
from msgtrace.readers import json_sip
from msgtrace.streams import Streams

FORMAT = 1
"""the format of either kind of file that this reader knows"""


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


class _Recording(_Line, frozen=True, kw_only=True, tag="recording"):
    format: int
    listen: str
    to: str


class _Chunk(_Line, frozen=True, kw_only=True, tag="chunk"):
    connection: int
    direction: str
    octets: int
    text: str | None = None
    base64: str | None = None


class _Opened(_Line, frozen=True, kw_only=True, tag="opened"):
    connection: int
    application: str
    server: str


class _Closed(_Line, frozen=True, kw_only=True, tag="closed"):
    connection: int
    by: str
    reason: str = ""


_Known = _Start | _Frame | _Sip | _Event | _Recording | _Chunk | _Opened | _Closed
_KNOWN: msgspec.json.Decoder[_Known] = msgspec.json.Decoder(_Known)


class _Logged(Struct, frozen=True):
    """A line of winston, pino or another logger."""

    message: str = ""
    msg: str = ""
    timestamp: str | int | float = ""
    time: str | int | float = ""


_LOGGED = msgspec.json.Decoder(_Logged)
_BRACE = ord("{")
_decode_logged = _LOGGED.decode


def read(blocks: Iterable[bytes], account: Account, runs: Detail | None = None) -> Iterator[Entry | Run]:
    """Entries of a file of JSON lines; ``runs`` of ordinary frames instead of theirs, if they are wanted.

    Raises NotARecording if it is of a newer format.
    """
    search = Search(LOGGED, runs) if runs else None
    streams = Streams(account)
    before = 0
    for block in blocks:
        records = _one_a_line(block) if search else []
        texts = [logged.message or logged.msg for logged in records]
        stamps = [moment(logged.timestamp or logged.time) for logged in records]
        lines = [] if records else block.splitlines()
        count, index = len(records) or len(lines), 0
        while index < count:
            if (
                search
                and records
                and not streams.waiting
                and (run := search.each(texts, stamps, index, before + index + 1)).frames
            ):
                account.frames += run.octets
                account.ascii_frames += len(run.frames)
                streams.skip(run.octets_from_server, True)
                streams.skip(run.octets - run.octets_from_server, False)
                index = run.end
                yield run
                continue
            lines = lines or block.splitlines()
            text = lines[index]
            index += 1
            number = before + index
            yield from line_of(text, number, streams, account)
        before += count
    yield from streams.close()


def line_of(text: bytes, number: int, streams: Streams, account: Account) -> Iterator[Entry]:
    """One line."""
    if text[:8] == b'{"kind":':
        yield from _known(text, number, streams, account)
    elif text[:1] == b"{":
        yield from _logged(text, number, streams, account)
    elif text[:4] in (b"===>", b"<==="):
        account.damage += len(text)
        yield Entry(kind=EntryKind.DAMAGE, line=number, data="a record of a client log among JSON lines")
    else:
        account.other += len(text) + 1 if text else 0


def _one_a_line(block: bytes) -> list[_Logged]:
    """The records of a client's log, if one stands on each line; none if a line holds something else."""
    if b"\r" in block or b'{"kind":' in block:
        return []
    lines = BytesIO(block).readlines()  # quicker than to split at octets
    try:
        records = [_decode_logged(line) for line in lines if line[0] == _BRACE]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    return records if len(records) == len(lines) else []


def check_first_line(line: bytes) -> None:
    """Raises NotARecording if the first line is not of a file that is known, in a format that is known."""
    if not line.startswith(b'{"kind":'):
        return
    first = _decode(line)
    if isinstance(first, _Start | _Recording) and first.format > FORMAT:
        raise NotARecording(
            f"line 1: expected format {FORMAT} or older, got {first.format}; a newer msgtrace reads it"
        )


def _logged(line: bytes, number: int, streams: Streams, account: Account) -> Iterator[Entry]:
    try:
        logged = _decode_logged(line)
    except msgspec.ValidationError:
        logged = _Logged()  # JSON, and another object than ours
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        account.damage += len(line)
        cut = "" if line.rstrip().endswith(b"}") else "; the line is cut off"
        yield Entry(kind=EntryKind.DAMAGE, line=number, data=f"{error}{cut}")
        return
    text = logged.message or logged.msg
    arrow = text[:4]
    time = moment(logged.timestamp or logged.time)
    if arrow not in ("===>", "<==="):
        found = json_sip.messages(line, number, time) if b"SIP/2.0" in line else []
        octets = min(sum(len(entry.data) for entry in found), len(line))
        account.sip += octets
        account.other += 0 if found else len(line) + 1
        yield from found
        return
    data = text[4:].encode("utf-8", "surrogatepass").removeprefix(b"\r\n").removesuffix(b"\r\n")
    yield from streams.record(data, number, time, "", arrow == "<===")


def moment(value: str | float) -> str:
    """The time of a logger's line; loggers write text, or seconds or milliseconds since 1970."""
    if isinstance(value, str):
        return value
    try:
        seconds = value / 1000 if value > 1e11 else value
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return ""


def _known(text: bytes, number: int, streams: Streams, account: Account) -> Iterator[Entry]:
    match _decode(text):
        case _Frame() as frame:
            data = _octets(frame)
            if isinstance(data, bytes):
                account.frames += min(len(data) + 1 + len(str(len(data))), len(text))
                account.units[LengthUnit.BYTES,] = account.units.get((LengthUnit.BYTES,), 0) + 1
                yield Entry(
                    kind=EntryKind.FRAME,
                    line=number,
                    time=frame.time,
                    connection=str(frame.connection),
                    from_server=frame.direction == "sent",
                    data=data.decode("latin-1"),
                    length=frame.octets,
                    units=(LengthUnit.BYTES,),
                )
                return
            problem = data
        case _Sip() as sip:
            data = _octets(sip)
            if isinstance(data, bytes):
                account.sip += min(len(data), len(text))
                yield Entry(
                    kind=EntryKind.SIP,
                    line=number,
                    time=sip.time,
                    from_server=sip.direction == "sent",
                    peer=f"{sip.transport}/{sip.remote}",
                    source=f"{sip.transport}/{sip.local if sip.direction == 'sent' else sip.remote}",
                    target=f"{sip.transport}/{sip.remote if sip.direction == 'sent' else sip.local}",
                    data=data.decode("latin-1"),
                )
                return
            problem = data
        case _Chunk() as chunk:
            data = _octets(chunk)
            if isinstance(data, bytes):
                yield from streams.feed(
                    data, number, chunk.time, str(chunk.connection), chunk.direction == "to-application"
                )
                return
            problem = data
        case _Closed() as closed:
            name = str(closed.connection)
            for from_server in (False, True):
                yield from streams.finish(name, from_server, closed.time)
            reason = f": {closed.reason}" if closed.reason else ""
            yield _note(number, closed.time, f"closed by {closed.by}{reason}", name)
            return
        case _Opened() as opened:
            told = f"opened by {opened.application}"
            yield _note(number, opened.time, told, str(opened.connection))
            return
        case _Recording() as recording:
            yield _note(number, recording.time, f"recorded between {recording.listen} and {recording.to}")
            return
        case _Start() as start:
            yield _note(number, start.time, f"server {start.server} started")
            return
        case _Event() as event:
            details = " ".join(f"{key}={value}" for key, value in event.details.items())
            connection = str(event.details.get("connection", ""))
            yield _note(number, event.time, f"{event.name} {details}".rstrip(), connection)
            return
        case str() as problem:
            pass
    account.damage += len(text)
    yield Entry(kind=EntryKind.DAMAGE, line=number, data=problem)


def _note(number: int, time: str, text: str, connection: str = "") -> Entry:
    octets = text.encode("utf-8", "surrogatepass").decode("latin-1")
    return Entry(kind=EntryKind.NOTE, line=number, time=time, connection=connection, data=octets)


def _decode(line: bytes) -> _Known | str:
    """One line, or what is wrong with it."""
    try:
        return _KNOWN.decode(line)
    except msgspec.MsgspecError as error:
        cut = "" if line.rstrip().endswith(b"}") else "; the line is cut off"
        return f"{error}{cut}"
    except UnicodeDecodeError as error:
        return f"not UTF-8 at octet {error.start} of the line"


def _octets(line: _Frame | _Sip | _Chunk) -> bytes | str:
    """The octets, or what is wrong with them."""
    if line.base64 is not None:
        from base64 import b64decode

        try:
            return b64decode(line.base64, validate=True)
        except ValueError as error:
            return f"not base64: {error}"
    return (line.text or "").encode("utf-8", "surrogatepass")
