"""Server logs: lines ``YYYY-MM-DD HH:MM:SS.ffffff message``, of the genuine server and of the reference server.

A debug log holds what was read from applications (whole frames without their length) and what was sent to them;
at info each SIP message is traced. The genuine server's trace makes every line end CR LF, takes leading blanks
off, and loses the last octet; the length that it tells is that on the wire, so that what lacks can be told, and where
lines of somebody else begin. Up to 0.7 a stamp reads ``00001b65|2017-Jun-27 07:48:59.059161| ``; through syslog it is
syslog's.

Behind a frame the genuine server writes a line end, and its logger another one: always up to Boost 1.70, since 1.71
only if there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.frames import unit_ends
from msgtrace.ordinary import SERVER, Detail, Run, Search, ends_like_sip
from msgtrace.readers.records import records, records_and_runs, with_line_ends
from msgtrace.readers.whole_traces import TRACE, WholeTraces
from msgtrace.sip_stream import START
from msgtrace.streams import Streams
from msgtrace.wrapping import SYSLOG_STAMP

BEGINNING = re.compile(rb"\n(20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}) ")
OLD_BEGINNING = re.compile(
    rb"\n[0-9a-f]{8}\|(20[0-9]{2}-[A-Z][a-z]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6})\| "
)
SYSLOG_BEGINNING = re.compile(rb"\n" + SYSLOG_STAMP.pattern)
TRACED_BY_SYSLOG = re.compile(
    rb"\n" + SYSLOG_STAMP.pattern.partition(rb"(?=")[0] + rb"(?:recv|send) [0-9]+ bytes (?:from|to) "
)
_READ = re.compile(rb"(?:[\w:]*::)?read_handler read: ")
_SENDING = re.compile(rb"[^\r\n#|]{0,80}?\bSending(?: response)?: (?=[0-9]{1,8}#)")
_HEAD = re.compile(rb"([0-9]{1,8})#")
_RULE = re.compile(rb"(?m)^[ \t]*-{60,}[ \t]*(?:\r?\n|\Z)")
_INDENT = re.compile(rb"(?m)^   ")
_CONTENT_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,8})", re.IGNORECASE)
_CONTENT_TYPE = re.compile(rb"\n(?:content-type|c)[ \t]*:", re.IGNORECASE)
_NO_SDP = re.compile(rb"(?<=\n)(?:\r?\n)*(?=[^a-z\r\n]|[a-z][^=])")
_NO_METHOD = re.compile(rb"\n[Cc][Ss][Ee][Qq]: [0-9]+ [A-Z]+[^A-Za-z0-9.!%*_+`'~\s-]")
_END_MARK = re.compile(rb" \r?\n")
_ENCODED = re.compile(rb"\r?\n[ \t]*<ENCODED DATA>?[\s>]*\Z")
_ENCODED_REMARK = "its body is no ASCII, and the log shows <ENCODED DATA> in its place"
_MONTHS = {
    name: f"{number:02}"
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}


def read(
    blocks: Iterable[bytes],
    account: Account,
    runs: Detail | None = None,
    beginning: re.Pattern[bytes] = BEGINNING,
) -> Iterator[Entry | Run]:
    """Entries of a log whose lines are clean; ``runs`` of ordinary frames instead of theirs, if they are wanted."""
    log = ServerLog(account)
    search = Search(SERVER, runs) if runs and beginning is BEGINNING else None
    whole = WholeTraces()

    def ordinary(text: str, place: int, line: int) -> Run | None:
        if search is None or log.streams.waiting or whole.looks_ahead:
            return None
        run = search.by_records(text, place, line)
        account.frames += run.octets
        account.ascii_frames += run.from_server
        log.streams.skip(run.octets_from_server, True)
        return run

    cut = records_and_runs(blocks, beginning, ordinary) if search else records(blocks, beginning)
    for found in whole.of(cut):
        if isinstance(found, Run):
            yield found
            continue
        line, groups, text = found
        if groups is None:
            account.other += max(0, len(text) - 1)
            continue
        yield from log.record(text, line, groups[0].decode("ascii"))
    yield from log.streams.close()


def moment(stamp: str) -> str:
    """The time of a stamp: 2017-Jun-27 becomes 2017-06-27, and syslog's date without year is left off."""
    if stamp[:2] == "20":
        month = _MONTHS.get(stamp[5:8])
        return f"{stamp[:5]}{month}{stamp[8:]}" if month else stamp
    return stamp[7:]


class ServerLog:
    """Reads records one by one."""

    def __init__(self, account: Account, connection: str = "") -> None:
        self._account = account
        self._connection = connection
        self.streams = Streams(account)

    def record(self, text: bytes, line: int, stamp: str) -> Iterator[Entry]:
        """What stands behind the stamp, up to that of the next record, without the line end before that."""
        first = text[:1]
        if first in (b"r", b"s") and (trace := TRACE.match(text)):
            yield from self._traced(trace, text[trace.end() :], line, moment(stamp))
        elif first in (b"C", b"r") and (begins := _READ.match(text)):
            payload, rest = frame_without_length(text[begins.end() :])
            self._account.other += rest
            self._account.frames += len(payload)
            yield Entry(
                kind=EntryKind.FRAME,
                line=line,
                time=moment(stamp),
                connection=self._connection,
                from_server=False,
                data=payload.decode("latin-1"),
            )
        elif b"Sending" in text[:100] and (begins := _SENDING.match(text)):
            data, rest = frame_with_length(text[begins.end() :])
            self._account.other += rest
            yield from self.streams.whole(data, line, moment(stamp), self._connection, from_server=True)
        else:
            self._account.other += len(text) + len(stamp) + 2

    def _traced(self, trace: re.Match[bytes], text: bytes, line: int, stamp: str) -> Iterator[Entry]:
        """A SIP message: exactly as long as it says, or with what the genuine server leaves of it."""
        direction, size, transport, host, port, at = trace.groups()
        said = int(size)
        if text.startswith(b"   ---"):
            text = _INDENT.sub(b"", _RULE.sub(b"", text))
        shown, foreign = _without_foreign_lines(text, said)
        self._account.other += foreign
        message = shown.removesuffix(b" ")
        missing, remark = 0, ""
        encoded = _ENCODED.search(message)
        if encoded is not None and len(with_line_ends(message)) != said:
            message = with_line_ends(message[: encoded.start()]).rstrip(b"\r\n") + b"\r\n\r\n"
            missing, remark = max(0, said - len(message)), _ENCODED_REMARK
        elif len(message) != said:
            message, missing = _restored(with_line_ends(message), said)
        self._account.sip += min(len(shown), len(message))
        time = stamp if "." in stamp else at.decode("ascii")
        if START.match(message.lstrip(b"\r\n")) is None or _NO_METHOD.search(message):
            begins = ascii(message[:40].decode("latin-1"))
            yield Entry(
                kind=EntryKind.DAMAGE,
                line=line,
                time=time,
                data=f"expected a SIP message of {said} octets behind the trace, got {begins}",
            )
            return
        address = host.decode("latin-1")
        address = f"[{address}]" if ":" in address else address
        peer = f"{transport.decode()}/{address}:{port.decode()}"
        sent = direction == b"send"
        yield Entry(
            kind=EntryKind.SIP,
            line=line,
            time=time,
            connection=self._connection,
            from_server=sent,
            peer=peer,
            source="" if sent else peer,
            target=peer if sent else "",
            data=message.decode("latin-1"),
            length=said,
            missing=missing,
            remark=remark,
        )


def frame_without_length(text: bytes) -> tuple[bytes, int]:
    """A frame as it was read from an application, and how many octets behind it are somebody else's.

    Its end shows by its Content-Length; without one, by the blank line of a message without a body, or by what the
    writer puts behind it.
    """
    converted = b"\r" not in text  # then the writer's line feed looks like one of the frame's
    data = with_line_ends(text.removesuffix(b"\n") if converted and text.endswith(b"\n\n") else text)
    head, separator, message = data.partition(b"\r\n")
    if not separator or START.match(message.lstrip(b"\r\n")) is None:
        carries = head.split(b"|")[1:2] in ([b"sip"], [b"proxy"])
        if not separator or carries or not message.strip():
            return _without_writers_end(data), 0
        return head, len(message)
    blank = data.find(b"\r\n\r\n", len(head) + 2)
    whole = _without_writers_end(data)
    if blank < 0 or (not converted and ends_like_sip(whole.decode("latin-1"), 0, len(whole))):
        return whole, 0
    length = _CONTENT_LENGTH.search(data, len(head), blank + 2)
    body = blank + 4
    if length is not None:
        end = body + int(length[1])
        if end <= len(data) and data[end : end + 1] in (b"", b"\r", b"\n"):
            return data[:end], len(data[end:].strip())
    elif not data[body:].startswith(b"v=0") and not _CONTENT_TYPE.search(data, len(head), blank + 2):
        return data[:body], len(data[body:].strip())
    elif data[body:].startswith(b"v=0") and (foreign := _NO_SDP.search(data, body)):
        return data[: foreign.start()], len(data) - foreign.start()
    return whole, 0


def _without_writers_end(text: bytes) -> bytes:
    """Of two line feeds behind CR LF the last is the writer's; a single CR LF is the frame's."""
    if text.endswith(b"\n") and not text.endswith(b"\r\n"):
        return text[:-1]
    return text if b"|" not in text.rstrip(b"\r\n").rpartition(b"\n")[2] else text.rstrip(b"\r\n")


def frame_with_length(text: bytes) -> tuple[bytes, int]:
    """A frame whose length is known, and how many octets behind it are somebody else's."""
    data = with_line_ends(text)
    head = _HEAD.match(data)
    if head is None:
        return data, 0
    ends = unit_ends(data, head.end(), int(head[1]))
    for end in ends.values():
        if not data[end:].strip(b"\r\n \t"):
            return data[:end], 0
    for end in ends.values():
        if data[end : end + 1] in (b"\r", b"\n"):
            return data[:end], len(data) - end
    return data.removesuffix(b"\n") if not data.endswith(b"\r\n") else data, 0


def _without_foreign_lines(text: bytes, said: int) -> tuple[bytes, int]:
    """The message as it is shown, and how many octets of other lines stand behind it.

    The last line of a trace ends with a blank in the place of its last octet; a message may be shown longer than it
    was, since each line feed became CR LF.
    """
    if len(text) <= said + 1 and b"\r" in text:
        return text, 0
    crs = 0 if b"\r" in text else text.count(b"\n")
    if len(text) + crs <= said + 1:
        return text, 0
    mark = _END_MARK.search(text, max(0, _place_of(text, said - 4)))
    if mark is not None:
        return text[: mark.start() + 1], len(text) - mark.end()
    end = _place_of(text, said)
    if end < len(text) and text[end - 1 : end] == b"\n":
        return text[:end], len(text) - end
    return text, 0


def _place_of(text: bytes, octets: int) -> int:
    """Where in ``text`` so many octets of the message have been shown; its line ends count two."""
    if b"\r" in text:
        return octets
    place = counted = 0
    while counted < octets:
        end = text.find(b"\n", place)
        if end < 0 or counted + end - place + 2 > octets:
            return place + octets - counted
        counted += end - place + 2
        place = end + 1
    return place


def _restored(message: bytes, said: int) -> tuple[bytes, int]:
    """The message with the line end that the log took, and how many octets still lack."""
    if b"\r\n\r\n" not in message:
        return message.rstrip(b"\r\n") + b"\r\n\r\n", 0
    if said - len(message) >= 2 and not message.endswith(b"\n"):
        message += b"\r\n"
    return message, max(0, said - len(message))
