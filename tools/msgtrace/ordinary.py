"""Ordinary frames, found many at a time: what nearly all of a large log is made of.

A frame is ordinary if it is in ASCII, is as long as it says, stands in its log as its writer puts it there, and carries
a SIP message that begins with a plain start line: a request or response from the network, the server's ``OK`` with what
it sent, or what an application sends. One regular expression for each form of log recognises record, frame, tokens,
start line and CSeq in one go, which is several times as quick as taking them apart one after the other; another one
serves those who only count, and tells what kind of message it is.

The readers look for a run of such frames wherever nothing is left over from before, and read all else by themselves. A
run is what they would have read, no more and no less: that is tested for every sample and for damaged input.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import islice, repeat
from operator import itemgetter
from typing import TypeAlias

from msgspec import Struct

MINUTE, SECOND, FROM_SERVER, LENGTH, META = range(1, 6)
"""Groups of any match: what the log adds (hours and minutes with their colons, seconds, a mark if the server sent it),
then of the frame its length and the line with its tokens."""
ID, ASKED, MORE, RECEIVED, SENT, STATUS, CSEQ, REQUEST = range(6, 14)
"""Groups of a match for a line: message id, the id that an ``OK`` answers and the tokens behind it, the transaction id
of what was received or is sent; of a status line status and reason with the method of the CSeq, or of a request line
method and URI."""
_IS_OK, _IS_RECEIVED = 6, 7
OK_WITH_RESPONSE, NETWORK_RESPONSE, SENT_RESPONSE, OK_WITH_REQUEST, NETWORK_REQUEST, SENT_REQUEST = range(
    8, 14
)
"""Groups of a match for counting, all empty: ``lastindex``, the last one that took part, tells the kind of message."""

Moment: TypeAlias = tuple[str, str | None]
"""Hours and minutes with their colons, and seconds, or a time that is written otherwise, and None."""
NO_MOMENT: Moment = ("", None)

# All but one octet is looked for twice as quickly as all but two. So a token may run over the end of its line here, and
# whether one has is looked up behind the match. What is longer than any of ours ends the look, which else were as long
# as the file.
_TOKEN = r"[^|]{0,256}+"
_TOKENS = r"[^\r]{0,4096}+"
_FIVE = rf"{_TOKEN}\|" * 5
_REQUEST_LINE = r"[A-Z]++ [^ \r\n]++"
# Fields before a CSeq that is written as nearly everybody writes it, or before the blank line if there is none.
_TO_CSEQ = r"(?>(?:[^\r\nCc].*+\n|[Cc][^\r\nSs].*+\n){0,200})(?:CSeq: [0-9]++ ([A-Z]++)\r\n|(?<=\r\n)\r\n)"


class Detail(Enum):
    """What is wanted of ordinary frames: as much as a line for each needs, or the kind alone."""

    LINE = "line"
    KIND = "kind"


class _Payload(Struct, frozen=True):
    """Pieces of a pattern of a payload."""

    id: str
    received: str
    """behind the id, from the server"""
    sent: str
    """to it"""
    start_line: str

    def pattern(self, mark: bool) -> str:
        """If the log has a mark for what the server sent, it must be right."""
        rest = (
            f"(?({FROM_SERVER})(?:{self.received})|{self.sent})"
            if mark
            else f"(?:{self.received}|{self.sent})"
        )
        return rf"({self.id}\|{rest})\r\n{self.start_line}"


_PAYLOADS = {
    Detail.LINE: _Payload(
        rf"({_TOKEN})",
        rf"response\|({_TOKEN})\|OK(\|{_TOKENS})?|sip\|network\|{_FIVE}({_TOKEN})(?:\|{_TOKENS})?",
        rf"sip\|(?!network\||application\|)({_TOKEN})\|{_TOKENS}",
        rf"(?:SIP/2\.0 (\S[^\r\n]*+)(?<=\S)\r\n{_TO_CSEQ}|({_REQUEST_LINE}) SIP/2\.0\r\n)",
    ),
    Detail.KIND: _Payload(
        _TOKEN,
        rf"response\|{_TOKEN}\|OK()(?:\|{_TOKENS})?|sip\|network\|(){_FIVE}{_TOKEN}(?:\|{_TOKENS})?",
        rf"sip\|(?!network\||application\|){_TOKEN}\|{_TOKENS}",
        rf"(?:SIP/2\.0 \S[^\r]*+\r\n(?({_IS_OK})()|(?({_IS_RECEIVED})()|()))"
        rf"|{_REQUEST_LINE} SIP/2\.0\r\n(?({_IS_OK})()|(?({_IS_RECEIVED})()|())))",
    ),
}
_DAY = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}"
_CENTURY = "\n20"
_MINUTE = r"[0-9]{2}:[0-9]{2}:"
_SECOND = r"[0-9]{2}\.[0-9]"
_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9}Z\Z")


class Run(Struct, gc=False):
    """Ordinary frames that follow each other."""

    frames: list[re.Match[str]]
    ends: list[int]
    """where each ends in the text that it was found in"""
    times: Iterable[Moment]
    """of each; it may be iterated once"""
    stamps: Iterable[str]
    """the same as the log has them, empty where it has none; it may be iterated once"""
    line: int
    """on which the first begins, from 1; 0 where the recording has no lines"""
    end: int
    """where what follows them begins"""
    from_server: int
    """how many the server sent, as the log says"""
    octets_from_server: int
    """of these, their lengths included"""
    octets: int
    """of all, their lengths included"""
    offset: int = 0
    """where the first begins in its stream, if the recording has no lines"""

    def lines(self) -> Iterator[int]:
        """The line on which each begins."""
        if not self.line:
            yield from repeat(0, len(self.frames))
            return
        line, before = self.line, None
        for found in self.frames:
            if found.string is not before:  # the first of all, or each stands on a line of its own
                line += before is not None
                before, place = found.string, found.start()
            else:
                line += before.count("\n", place, found.start())
                place = found.start()
            yield line


class Form(Struct, frozen=True):
    """How a form of log puts frames one behind the other."""

    before: str
    """pattern of what stands before a payload, with the groups ``MINUTE`` … ``LENGTH``"""
    follows: str
    """pattern of what must stand behind a frame, besides another one"""
    between: str = ""
    """the octet at the end of its record, if there is one, which it is no part of"""
    marks: bool = True
    """whether the log tells who sent a frame"""
    stamp: int = 0
    """how long the time is that stands behind the line end of a record"""


class Search:
    """Finds the ordinary frames in a form of log."""

    def __init__(self, form: Form, detail: Detail) -> None:
        payload = _PAYLOADS[detail]
        self.detail = detail
        self._match = re.compile(form.before + payload.pattern(form.marks)).match
        self._follows = re.compile(form.follows).match
        self._between = form.between
        self._stamp = form.stamp

    def by_length(self, text: str, place: int, line: int, around: int = 0, *, offset: int = 0) -> Run:
        """The ordinary frames that begin at ``place``, on ``line`` or ``offset``; none if something else stands there.

        What follows a frame stands where its length says, and ``around`` octets of a record are no part of its frame.
        """
        match, follows = self._match, self._follows
        between, size, ascii_only = self._between, len(text), text.isascii()
        gap = len(between)
        frames: list[re.Match[str]] = []
        ends: list[int] = []
        begins, from_server, octets_from_server = place, 0, 0
        found = match(text, place)
        while found is not None:
            mark, length, meta = found.group(FROM_SERVER, LENGTH, META)
            begin = found.start(META)
            end = begin + int(length)
            after = end + gap
            if after > size or found.end() > end or "\r" in meta:
                break
            if (gap and text[end] != between) or not (ascii_only or text[begin:end].isascii()):
                break
            following = match(text, after)
            if following is None and follows(text, after) is None:
                break
            if mark:
                from_server += 1
                octets_from_server += after - place
            frames.append(found)
            ends.append(end)
            found, place = following, after
        octets = place - begins - around * len(frames)
        octets_from_server -= around * from_server
        times, stamps = repeat(NO_MOMENT), repeat("")
        return Run(frames, ends, times, stamps, line, place, from_server, octets_from_server, octets, offset)

    def by_records(self, text: str, place: int, line: int) -> Run:
        """The same in a log where what looks like the beginning of a record is one, even within a frame."""
        match, follows, find = self._match, self._follows, text.find
        between, ascii_only = self._between, text.isascii()
        gap = len(between)
        frames: list[re.Match[str]] = []
        ends: list[int] = []
        from_server = octets_from_server = octets = 0
        found = match(text, place)
        while found is not None:
            mark, length, meta = found.group(FROM_SERVER, LENGTH, META)
            begin, head = found.start(META), found.end()
            after = find(_CENTURY, head)
            end = after - gap
            if end < head or "\r" in meta:
                break
            if gap:
                if text[end] != between:
                    break
                if text[end - 1] == "\r":  # a single line end: it is the frame's own (Boost 1.71 and later)
                    end += 1
                if length is None and not ends_like_sip(text, begin, end):
                    break  # perhaps lines of somebody else
            octets_here = end - begin
            if length is not None:
                if int(length) != octets_here:
                    break
                octets_here += len(length) + 1
            if not (ascii_only or text[begin:end].isascii()):
                break
            following = match(text, after)
            if following is None and follows(text, after) is None:
                break
            octets += octets_here
            if mark:
                from_server += 1
                octets_from_server += octets_here
            frames.append(found)
            ends.append(end)
            found, place = following, after
        times = map(_MOMENT_OF, frames)
        stamps = (text[(at := found.start() + 1) : at + self._stamp] for found in frames)
        return Run(frames, ends, times, stamps, line, place, from_server, octets_from_server, octets)

    def each(self, texts: Sequence[str], stamps: Sequence[str], index: int, line: int) -> Run:
        """The same in records that a logger has wrapped, from ``index`` on; each text is one, if it is ordinary, and
        the first stands on ``line``."""
        match = self._match
        frames: list[re.Match[str]] = []
        ends: list[int] = []
        from_server = octets_from_server = octets = 0
        for text in islice(texts, index, None):
            found = match(text)
            if found is None:
                break
            mark, length, meta = found.group(FROM_SERVER, LENGTH, META)
            begin = found.start(META)
            end = begin + int(length)
            if end + 2 != len(text) or found.end() > end or "\r" in meta:
                break
            if text[end:] != "\r\n" or not text.isascii():
                break
            octets_here = end - found.start(LENGTH)
            octets += octets_here
            if mark:
                from_server += 1
                octets_from_server += octets_here
            frames.append(found)
            ends.append(end)
        stamped = islice(stamps, index, None)
        times = map(moment_of, islice(stamps, index, None))
        place = index + len(frames)
        return Run(frames, ends, times, stamped, line, place, from_server, octets_from_server, octets)


def moment_of(stamp: str) -> Moment:
    """The moment of a time as a logger writes it."""
    return (stamp[11:17], stamp[17:-1]) if _USUAL.match(stamp) else (stamp, None)


def ends_like_sip(text: str, begin: int, end: int) -> bool:
    """Whether what stands there ends with an empty line, or with a line of SDP: nobody else's lines are behind it."""
    if text[end - 2 : end] != "\r\n":
        return False
    last = text.rfind("\n", begin, end - 2) + 1
    return last == end - 2 or text[last + 1 : last + 2] == "="


_MOMENT_OF: Callable[[re.Match[str]], Moment] = itemgetter(MINUTE, SECOND)
_LENGTH = r"([0-9]{1,8})#"

BARE = Form(rf"()()(){_LENGTH}", r"[0-9]{1,10}#|\Z", marks=False)
"""A stream of frames and nothing else."""

CLIENT = Form(rf"()()\n(?:(<===)|===>)\r\n{_LENGTH}", r"\n[=<]", "\r")
"""A client's log: an arrow, the frame, a line end."""
AROUND_CLIENT = len("\n===>\r\n\r")

LOGGED = Form(rf"()()(?:(<===)|===>)\r\n{_LENGTH}", "")
"""A record of it that a logger has wrapped."""


def debug(server: str) -> Form:
    """DEBUG=drachtio:agent, written to a file; frames that are sent are those to ``server``, as the log names it."""
    arrow = rf"(?:(<===)|wp#send {re.escape(server)} - )"
    name = r"[A-Za-z0-9_.*@/-]+"
    return Form(
        rf"\n{_DAY}T({_MINUTE})({_SECOND}{{3}})Z drachtio:agent {arrow}{_LENGTH}",
        rf"\n{_DAY}T{_MINUTE}{_SECOND}{{3}}Z {name}(?::{name})+ ",
        stamp=len("2026-11-23T07:26:06.658Z"),
    )


SERVER = Form(
    rf"\n{_DAY} ({_MINUTE})({_SECOND}{{6}}) Client::(?:read_handler read: |[^\s#|]{{1,60}}+ (Sending(?: response)?: ))"
    rf"(?({FROM_SERVER}){_LENGTH})",
    rf"\n{_DAY} {_MINUTE}{_SECOND}{{6}} ",
    "\n",
    stamp=len("2026-11-23 07:36:00.531104"),
)
"""A server's log, in which what it reads has no length."""
