"""Logs that were pasted: lines wrapped at the width of a terminal or by a mail client, quotation marks, dashes and
blanks that a word processor has put in the place of plain ones.

A record is put right only where the length that it announces proves it: as it stands that does not fit, and put right
it fits to the octet. Whatever cannot be proved stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

from msgtrace.readers import mixed_log, whole_traces
from msgtrace.services import Line

WRAPPED = "messages whose lines were wrapped"
TYPOGRAPHIC = "messages with typographic quotation marks, dashes or blanks"
_MOST_LINES = 2000
_MOST_OCTETS = 128 * 1024
"""of a record that is looked at: each way in which it may have been wrapped is tried"""
_WIDTHS = range(40, 400)
"""columns at which lines are wrapped"""

Lines = list[tuple[int, bytes]]
"""number and text of each"""
_ARROW = re.compile(rb"(?:===>|<===)[ \t]*(?:\[[^\]\r\n]*\])?[ \t]*")
_DEBUG = re.compile(rb"\S+ [A-Za-z0-9_.*@/-]+(?::[A-Za-z0-9_.*@/-]+)+ (?:wp#send \S* - |<===)")
_SENDING = re.compile(rb"[0-9| :.A-Za-z-]{0,40}?[^\r\n#|]{0,80}?\bSending(?: response)?: (?=[0-9]{1,8}#)")
_TRACE_BEGINS = re.compile(rb"[^\r\n]{15,40}? (?=(?:recv|send) [0-9]+ bytes (?:from|to) )")
_LENGTH = re.compile(rb"([0-9]{1,8})#")
_START_LINE = re.compile(rb"SIP/2\.0 [0-9]{3} |[A-Z]{3,20} [^ \r\n]+ SIP/2\.0\r\n")
_CONTENT_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,8})[ \t]*\r\n", re.IGNORECASE)
_BEGINS_A_LINE = re.compile(
    rb"[A-Za-z][A-Za-z0-9-]*[ \t]*:(?:[ \t]|\Z)|[a-z]=|SIP/2\.0 [0-9]|[A-Z]{3,20} (?:sips?|tel|urn|im|pres):|[ \t]|\Z"
)
"""what a line of SIP or SDP begins with, where it is no rest of the one before"""
_KNOWN_BEGINNING = re.compile(_BEGINS_A_LINE.pattern + rb"|[{<=]|20[0-9]{2}-|[0-9]{1,8}#|drachtio:|wp#")
_HEAD_ALONE = re.compile(
    rb"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z [A-Za-z0-9_.*@/-]+(?::[A-Za-z0-9_.*@/-]+)+"
    rb"(?: wp#send \S+(?: -)?)?[ \t\r]*\Z"
)
"""the head of a record of DEBUG, without what it is of"""
_STRAY = re.compile(
    rb"\n[A-Z][A-Za-z-]{1,30}: [^\n]*\n(?!"
    + _KNOWN_BEGINNING.pattern.replace(rb"\Z", rb"\r?\n|\Z")
    + rb")|Z [^ :\n]{1,60}:[^ \n]{1,60}(?: wp#send \S{1,300}(?: -)?)?[ \t\r]*\n(?:-? ?[0-9]{1,8}#|<===[0-9]|wp#send )"
)
"""what follows a header of SIP, or a head of DEBUG, and cannot"""
_TYPED = re.compile("[\u2018-\u201f\u2010-\u2015\u2212\u00a0\u202f\u2007\u2009]")
_MARKS = dict.fromkeys("\u201c\u201d\u201e\u201f", '"') | dict.fromkeys("\u2018\u2019\u201a\u201b", "'")
_BLANKS = dict.fromkeys("\u00a0\u202f\u2007\u2009", " ")
_PLAIN = _MARKS | _BLANKS | dict.fromkeys("\u2010\u2011\u2212", "-")
_TABLES = tuple(
    str.maketrans(_PLAIN | dict.fromkeys("\u2012\u2013", short) | dict.fromkeys("\u2014\u2015", long))
    for short, long in (("-", "-"), ("--", "--"), ("-", "--"), ("--", "---"))
)
"""a word processor makes a dash of one, two or three hyphens"""


def may_help(sample: bytes) -> bool:
    """Whether a log looks as if lines in it were wrapped, or written by a word processor."""
    if b"\xe2\x80" in sample or b"\xc2\xa0" in sample:
        return True
    if _STRAY.search(sample):
        return True
    lines = [line.rstrip(b"\r") for line in sample.split(b"\n")]
    longest = max(map(len, lines))
    return longest in _WIDTHS and any(
        len(line) == longest and _KNOWN_BEGINNING.match(following) is None
        for line, following in pairwise(lines)
    )


def mended(lines: Iterable[Line], put_right: Counter[str], *, syslog: bool = False) -> Iterator[Line]:
    """The lines of a log, those of a record that was put right with the number of the line on which each began;
    ``put_right`` counts records by what was wrong with them."""
    record: list[Line] = []
    for line in lines:
        text = line.text
        begins = not (len(record) == 1 and _HEAD_ALONE.match(record[0].text)) and (
            mixed_log.beginning(text, syslog) is not None
            or text.startswith((b'{"', b"{\xe2\x80\x9c"))
            or _HEAD_ALONE.match(text) is not None
        )
        if record and (begins or line.service != record[0].service or len(record) == _MOST_LINES):
            yield from _record(record, put_right)
            record = []
        if record or begins:
            record.append(line)
        else:
            yield line
    yield from _record(record, put_right)


def _record(record: list[Line], put_right: Counter[str]) -> Iterator[Line]:
    if not record:
        return
    given: Lines = [(line.number, line.text.rstrip(b"\r")) for line in record]
    fits = _fits_json if given[0][1].startswith((b'{"', b"{\xe2\x80\x9c")) else _fits
    if sum(len(text) for _, text in given) > _MOST_OCTETS or fits(given):
        yield from record
        return
    for typographic in (False, True):
        for plain in _retyped(given) if typographic else (given,):
            if typographic and fits(plain):
                found, wrapped = plain, False
            else:
                found, wrapped = next((one for one in _unwrapped(plain) if fits(one)), []), True
            if found:
                put_right.update([WRAPPED] * wrapped + [TYPOGRAPHIC] * typographic)
                yield from (Line(record[0].service, number, text) for number, text in found)
                return
    if _HEAD_ALONE.match(record[0].text):  # it is the head of something, and ends what was before
        record[0] = msgspec.structs.replace(record[0], text=record[0].text.rstrip() + b" ")
    yield from record


def _retyped(lines: Lines) -> Iterator[Lines]:
    """The lines with plain characters in the place of typographic ones, in each way that these may have come about."""
    texts = [text.decode("utf-8", "surrogateescape") for _, text in lines]
    if not any(map(_TYPED.search, texts)):
        return
    for table in _TABLES:
        plain = [text.translate(table).encode("utf-8", "surrogateescape") for text in texts]
        yield [(number, text) for (number, _), text in zip(lines, plain, strict=True)]


def _unwrapped(lines: Lines) -> Iterator[Lines]:
    """The lines put together in each way in which they may have been wrapped."""
    columns = [len(text.decode("utf-8", "replace")) for _, text in lines]
    for width in sorted({max(columns), *columns[:2]} & set(_WIDTHS), reverse=True):

        def is_full(index: int, width: int = width) -> bytes | None:
            return b"" if columns[index] == width else None

        def goes_on(index: int, width: int = width) -> bytes | None:
            if columns[index] == width and not _begins_a_line(index):
                return b""
            return None

        def goes_on_behind_blanks(index: int, width: int = width) -> bytes | None:
            return None if _begins_a_line(index) else b"" if columns[index] == width else b" "

        def at_blanks(index: int) -> bytes | None:
            return None if _begins_a_line(index) else b"" if lines[index][1].endswith(b" ") else b" "

        def _begins_a_line(index: int) -> bool:
            return _BEGINS_A_LINE.match(lines[index + 1][1]) is not None

        for between in (is_full, goes_on, goes_on_behind_blanks, at_blanks):
            yield _joined(lines, between)


def _joined(lines: Lines, between: Callable[[int], bytes | None]) -> Lines:
    """``between`` tells what stood between a line and the next, None if that was a line end."""
    joined: Lines = []
    glue: bytes | None = None
    for index, (number, text) in enumerate(lines):
        if glue is None:
            joined.append((number, text))
        else:
            joined[-1] = (joined[-1][0], joined[-1][1] + glue + text)
        glue = between(index) if index + 1 < len(lines) else None
    return joined


def _fits(lines: Lines) -> bool:
    """Whether the record announces a length, and holds a message of that length."""
    first = lines[0][1]
    if begins := _TRACE_BEGINS.match(first):
        trace = whole_traces.TRACE.fullmatch(first[begins.end() :])
        return trace is not None and _is_traced(_text(lines[1:]), int(trace[2]))
    for pattern in (_ARROW, _DEBUG, _SENDING):
        if begins := pattern.match(first):
            return _are_frames(_text([(0, first[begins.end() :]), *lines[1:]]).removeprefix(b"\r\n"))
    return False


def _text(lines: Sequence[tuple[int, bytes]]) -> bytes:
    return b"\r\n".join(text for _, text in lines)


def _are_frames(text: bytes) -> bool:
    """Whether a frame stands at the beginning, and nothing but frames and the writer's line ends behind it."""
    text += b"\r\n\r\n\r\n"  # what stands there may have been trimmed
    count = 0
    while head := _LENGTH.match(text):
        end = head.end() + int(head[1])
        payload = text[head.end() : end]
        if len(payload) < int(head[1]) or not _is_whole(payload):
            return False
        count, text = count + 1, text[end:]
    return count > 0 and (not text.strip() or text.startswith(b"\r\n"))


def _is_whole(payload: bytes) -> bool:
    """Whether a frame's payload ends where the SIP message in it ends."""
    head, end, message = payload.partition(b"\r\n")
    if not end:
        return bool(head) and head.strip() == head
    return not message or _is_message(message)


def _is_message(message: bytes) -> bool:
    if _START_LINE.match(message) is None:
        return False
    blank = message.find(b"\r\n\r\n")
    if blank < 0:
        return False
    body = message[blank + 4 :]
    length = _CONTENT_LENGTH.search(message, 0, blank + 2)
    return len(body) == int(length[1]) if length is not None else not body or bool(body.strip(b"\r\n"))


def _is_traced(text: bytes, said: int) -> bool:
    """Whether that is a SIP message of so many octets, whose last ones the log may have left off."""
    text = text.rstrip(b" \r\n")
    ends = (text + end for end in (b"", b"\r\n", b"\r\n\r\n"))
    return any(len(message) == said and _is_message(message) for message in ends)


def _fits_json(lines: Lines) -> bool:
    """Whether that is an object of JSON on one line with a frame of the announced length, and nothing behind it."""
    if len(lines) > 1 and any(text.strip() for _, text in lines[1:]):
        return False
    try:
        value = msgspec.json.decode(lines[0][1], type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    text, octets = value.get("text"), value.get("octets")
    if isinstance(text, str) and isinstance(octets, int):
        return len(text.encode("utf-8", "surrogatepass")) == octets
    logged = value.get("message") or value.get("msg")
    if not isinstance(logged, str):
        return False
    data = logged.encode("utf-8", "surrogatepass")
    arrow = _ARROW.match(data)
    return arrow is not None and _are_frames(data[arrow.end() :].removeprefix(b"\r\n"))
