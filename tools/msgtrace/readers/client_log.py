"""Client logs: records opened by ``===>`` (from the application) or ``<===``, and the listings of documents.

A client writes the arrow, CR LF, what it sent or read, CR LF. A send is one frame; what was read is a piece of
the stream. A document shows a frame behind the arrow, where ``\\r\\n`` may be spelled out, and prose after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.frames import LengthUnit
from msgtrace.ordinary import AROUND_CLIENT, CLIENT, Detail, Run, Search
from msgtrace.readers.records import with_line_ends
from msgtrace.streams import Streams
from msgtrace.wrapping import LONGEST_LINE

BEGINNING = re.compile(rb"\n(===>|<===)[ \t]*((?:\[[^\]\r\n]*\])?)")

_PLAIN = re.compile(rb"\n(===>|<===)\r\n([0-9]{1,8})#")
_NEXT_RECORD = (b"\r\n=", b"\r\n<")
_HEAD = re.compile(r"[ \t]*([0-9]{1,8})#")
_SPELLED_OUT = re.compile(r"\\r\\n(?:\r?\n)?")
_LAST_LINE_OF_LISTING = re.compile(r"(?<!\\r\\n)\r?\n")


def read(blocks: Iterable[bytes], account: Account, runs: Detail | None = None) -> Iterator[Entry | Run]:
    """Entries of a log whose lines are clean; ``runs`` of ordinary frames instead of theirs, if they are wanted."""
    search = Search(CLIENT, runs) if runs else None
    streams = Streams(account)
    text, line = b"\n", 0  # a line end before the first line, so that a record may begin there
    for block in blocks:
        text += block
        place = 0
        shown = text.decode("latin-1") if search else ""
        while True:
            if (
                search
                and not streams.waiting
                and (run := search.by_length(shown, place, line + 1, AROUND_CLIENT)).frames
            ):
                account.frames += run.octets
                account.ascii_frames += len(run.frames)
                streams.skip(run.octets_from_server, True)
                streams.skip(run.octets - run.octets_from_server, False)
                line += text.count(b"\n", place, run.end)
                place = run.end
                yield run
            plain = _PLAIN.match(text, place)
            if plain is not None:  # nearly every record: one frame in ASCII, and the next record
                start = plain.end()
                end = start + int(plain[2])
                payload = text[start:end]
                if text[end : end + 3] in _NEXT_RECORD and payload.isascii():
                    entry = streams.plain(payload, start - plain.start(2), line + 1, plain[1] == b"<===")
                    if entry is not None:
                        yield entry
                        line += payload.count(b"\n") + 2
                        place = end + 1
                        continue
            following = BEGINNING.search(text, place + 1)
            if following is None:
                break
            piece = text[place : following.start()]
            yield from record(piece, line + 1, streams, account)
            line += piece.count(b"\n")
            place = following.start()
        text = text[place:]
        if len(text) > LONGEST_LINE:
            yield from record(text, line + 1, streams, account)
            line += text.count(b"\n")
            text = b""
    yield from record(text.removesuffix(b"\n"), line + 1, streams, account)
    yield from streams.close()


def record(text: bytes, line: int, streams: Streams, account: Account) -> Iterator[Entry]:
    """A record of any kind, with the line end before it and without that before the next."""
    begins = BEGINNING.match(text)
    if begins is None:
        account.other += max(0, len(text) - 1)
        return
    from_server = begins[1] == b"<==="
    connection = begins[2][1:-1].decode("latin-1")
    text = text[begins.end() :]
    if text.startswith(b"\r\n"):
        chunk = text[2:]
    elif text.startswith(b"\n"):
        chunk = text[1:]
    else:
        if text.strip():
            yield from _listing(text.decode("latin-1"), connection, from_server, line, account)
        return
    if chunk.endswith(b"\r\n"):
        chunk = chunk[:-2]
    elif chunk.endswith(b"\r"):
        chunk = chunk[:-1]
    yield from streams.record(with_line_ends(chunk), line, "", connection, from_server)


def _listing(text: str, connection: str, from_server: bool, line: int, account: Account) -> Iterator[Entry]:
    """A frame as documents show it, behind the arrow; what follows the listing is prose."""
    head = _HEAD.match(text)
    if head is None:
        shown = ascii(text.strip()[:24])
        account.damage += len(text)
        yield Entry(
            kind=EntryKind.DAMAGE,
            line=line,
            data=f"expected digits and '#' behind the arrow, got {shown}",
        )
        return
    length, rest = int(head[1]), text[head.end() :]
    if "\\r\\n" in rest:
        listed = rest[: _end_of_listing(rest)]
        account.other += len(rest) - len(listed)
        rest = whole = _SPELLED_OUT.sub("\r\n", listed)
        payload = rest[:length] if len(rest) >= length else whole
        prose = 0
    else:
        rest = rest if "\r" in rest else rest.replace("\n", "\r\n")
        whole = rest.rstrip()
        fits = len(rest) == length or rest[length : length + 1] in ("\r", "\n")
        payload = rest[:length] if fits else whole
        prose = len(rest[len(payload) :].strip())
    account.other += prose
    account.frames += len(head[0].strip()) + len(payload)
    units = (LengthUnit.BYTES,) if len(payload) == length else ()
    account.units[units] = account.units.get(units, 0) + 1
    yield Entry(
        kind=EntryKind.FRAME,
        line=line,
        connection=connection,
        from_server=from_server,
        data=payload,
        length=length,
        units=units,
        missing=max(0, length - len(payload)) if length - len(payload) <= 4 else 0,
    )


def _end_of_listing(text: str) -> int:
    """Where a listing with spelled-out line ends stops: at the first line that does not end in one."""
    match = _LAST_LINE_OF_LISTING.search(text)
    return match.start() if match else len(text)
