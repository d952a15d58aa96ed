"""Server logs: lines ``YYYY-MM-DD HH:MM:SS.ffffff message``, of the genuine server and of the reference server.

A debug log holds what was read from applications (whole frames without their length) and what was sent to them;
at info each SIP message is traced. The genuine server's trace makes every line end CR LF, takes leading blanks
off, and loses the last octet; the length that it tells is that on the wire, so that what lacks can be told.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.ordinary import SERVER, Detail, Run, Search
from msgtrace.readers.records import Record, records, records_and_runs, with_line_ends
from msgtrace.streams import Streams

BEGINNING = re.compile(rb"\n(20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}) ")
_READ = re.compile(rb"(?:[\w:]*::)?read_handler read: ")
_SENDING = re.compile(rb"[^\r\n#|]{0,80}?\bSending(?: response)?: (?=[0-9]{1,8}#)")
_TRACE = re.compile(
    rb"(recv|send) ([0-9]+) bytes (?:from|to) ([a-z]+)/\[?([^\]\s]*?)\]?:([0-9]+) at ([0-9:.]+):[ \t]*\r?\n"
)
_LARGEST = 1_000_000  # octets of a SIP message; no transport carries more
_RULE = re.compile(rb"(?m)^[ \t]*-{60,}[ \t]*(?:\r?\n|\Z)")
_INDENT = re.compile(rb"(?m)^   ")


def read(blocks: Iterable[bytes], account: Account, runs: Detail | None = None) -> Iterator[Entry | Run]:
    """Entries of a log whose lines are clean; ``runs`` of ordinary frames instead of theirs, if they are wanted."""
    streams = Streams(account)
    search = Search(SERVER, runs) if runs else None
    whole = _WholeTraces()

    def ordinary(text: str, place: int) -> Run | None:
        if search is None or streams.waiting or whole.looks_ahead:
            return None
        run = search.by_records(text, place)
        account.frames += run.octets
        account.ascii_frames += run.from_server
        streams.skip(run.octets_from_server, True)
        return run

    cut = records_and_runs(blocks, BEGINNING, ordinary) if search else records(blocks, BEGINNING)
    for found in whole.of(cut):
        if isinstance(found, Run):
            yield found
            continue
        line, groups, text = found
        if groups is None:
            account.other += max(0, len(text) - 1)
            continue
        time = groups[0].decode("ascii")
        first = text[:1]
        if first in (b"r", b"s") and (trace := _TRACE.match(text)):
            yield _traced(trace, text[trace.end() :], line, time, account)
        elif first in (b"C", b"r") and (begins := _READ.match(text)):
            payload = with_line_ends(_without_line_end(text[begins.end() :]))
            account.frames += len(payload)
            yield Entry(
                kind=EntryKind.FRAME,
                line=line,
                time=time,
                from_server=False,
                data=payload.decode("latin-1"),
            )
        elif b"Sending" in text[:100] and (begins := _SENDING.match(text)):
            data = with_line_ends(_without_line_end(text[begins.end() :]))
            yield from streams.whole(data, line, time, from_server=True)
        else:
            account.other += len(text) + len(time) + 2
    yield from streams.close()


class _WholeTraces:
    """Puts together again what was cut within a SIP message: a body may hold lines that look like records.

    Behind the head of a trace the reference server writes exactly as many octets as that says, and a blank. So if a
    record ends sooner and a later one ends just there, all between is one message. The genuine server's traces, which
    are shorter than they say, end nowhere in particular and stay as they were cut.
    """

    def __init__(self) -> None:
        self.looks_ahead = False
        """what comes now may belong to a message that has begun"""
        self._ahead: deque[tuple[Record | Run, int]] = deque()  # with the place where each ends
        self._ends: set[int] = set()
        self._place = 0

    def of(self, cut: Iterable[Record | Run]) -> Iterator[Record | Run]:
        """The records, those of one message as one."""
        source = iter(cut)
        while self._ahead or self._pull(source):
            found, end = self._ahead.popleft()
            self._ends.discard(end)
            if isinstance(found, Run) or found[1] is None:
                yield found
                continue
            line, groups, text = found
            whole = end + max(0, _size_of_trace(text) - len(text))
            self.looks_ahead = True
            while self._place < whole and self._pull(source):
                pass
            self.looks_ahead = False
            yield (line, groups, self._joined(text, whole)) if whole in self._ends else found

    def _pull(self, source: Iterator[Record | Run]) -> bool:
        found = next(source, None)
        if found is None:
            return False
        if isinstance(found, Run) or found[1] is None:
            self._place += 1 << 32  # nothing goes on beyond it
        else:
            self._place += len(_beginning(found)) + len(found[2])
        self._ahead.append((found, self._place))
        if not isinstance(found, Run) and found[2].endswith(b" "):
            self._ends.add(self._place)
        return True

    def _joined(self, text: bytes, whole: int) -> bytes:
        pieces = [text]
        end = 0
        while end < whole:
            found, end = self._ahead.popleft()
            self._ends.discard(end)
            assert not isinstance(found, Run)
            pieces += [_beginning(found), found[2]]
        return b"".join(pieces)


def _beginning(record: Record) -> bytes:
    return b"\n%b " % (record[1] or (b"",))[0]


def _size_of_trace(text: bytes) -> int:
    """How long the record is that begins with ``text`` if the reference server wrote it; 0 if it is no trace."""
    if text[:1] not in (b"r", b"s") or not (trace := _TRACE.match(text)):
        return 0
    said = int(trace[2][:8])
    return trace.end() + said + 1 if said <= _LARGEST else 0


def _without_line_end(text: bytes) -> bytes:
    """The writer put a line end behind the frame, before that of the record."""
    return text[:-1] if text.endswith(b"\n") else text


def _traced(trace: re.Match[bytes], text: bytes, line: int, time: str, account: Account) -> Entry:
    """A SIP message: exactly as long as it says, or with what the genuine server leaves of it."""
    direction, size, transport, host, port, _ = trace.groups()
    said = int(size)
    if text.startswith(b"   ---"):
        text = _INDENT.sub(b"", _RULE.sub(b"", text))
    message = text[:-1] if text.endswith(b" ") else text
    missing = 0
    if len(message) != said:
        message, missing = _restored(with_line_ends(message), said)
    account.sip += min(len(text), len(message))
    address = host.decode("latin-1")
    address = f"[{address}]" if ":" in address else address
    peer = f"{transport.decode()}/{address}:{port.decode()}"
    sent = direction == b"send"
    return Entry(
        kind=EntryKind.SIP,
        line=line,
        time=time,
        from_server=sent,
        peer=peer,
        source="" if sent else peer,
        target=peer if sent else "",
        data=message.decode("latin-1"),
        length=said,
        missing=missing,
    )


def _restored(message: bytes, said: int) -> tuple[bytes, int]:
    """The message with the line end that the log took, and how many octets still lack."""
    if b"\r\n\r\n" not in message:
        return message.rstrip(b"\r\n") + b"\r\n\r\n", 0
    if said - len(message) >= 2 and not message.endswith(b"\n"):
        message += b"\r\n"
    return message, max(0, said - len(message))
