"""Ordinary frames, found many at a time: what nearly all of a large log is made of.

A frame is ordinary if it is in ASCII, is as long as it says, stands in its log as its writer puts it there, and carries
a SIP message that begins with a plain start line: a request or response from the network, the server's ``OK`` with what
it sent, or what an application sends. One regular expression for each form of log recognises record, frame, tokens and
start line in one go, which is several times as quick as taking them apart one after the other.

The readers look for a run of such frames wherever nothing is left over from before, and read all else by themselves. A
run is what they would have read, no more and no less: that is tested for every sample and for damaged input.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from msgspec import Struct

Ordinary: TypeAlias = tuple[str, bool | None, int, re.Match[str]]
"""time, from the server?, where in the matched text the frame ends, and the match with the groups below"""

TIME, FROM_SERVER, LENGTH, ID, ASKED, MORE, RECEIVED, SENT, META_END, STATUS, REQUEST = range(1, 12)
"""Groups: what the log adds (time, a mark if the server sent it), then of the frame its length, message id, the id that
an ``OK`` answers and the tokens behind it, the transaction id of what was received or is sent, and, behind an empty one
where the tokens end, of the start line status and reason, or method and Request-URI."""

# All but one octet is looked for twice as quickly as all but two. So a token may run over the end of its line here, and
# whether one has is looked up behind the match. What is longer than any of ours ends the look, which else were as long
# as the file.
_TOKEN = r"[^|]{0,256}+"
_TOKENS = r"[^\r]{0,4096}+"
_PAYLOAD = (
    rf"({_TOKEN})\|(?:response\|({_TOKEN})\|OK(\|{_TOKENS})?"
    rf"|sip\|(?:network\|(?:{_TOKEN}\|){{5}}({_TOKEN})(?:\|{_TOKENS})?"
    rf"|(?!network\||application\|)({_TOKEN})\|{_TOKENS}))"
    r"()\r\n(?:SIP/2\.0 (\S[^\r\n]*+)|([A-Z]++ [^ \r\n]++) SIP/2\.0)\r\n"
)
_FRAME = rf"([0-9]{{1,8}})#{_PAYLOAD}"
_DAY = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}"
_CENTURY = "\n20"
_SECOND = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"
_LOGGED = re.compile(rf"()(?:(<===)|===>)\r\n{_FRAME}")


class Run(Struct, gc=False):
    """Ordinary frames that follow each other."""

    frames: list[Ordinary]
    end: int
    """where in the text what follows them begins"""
    from_server: int
    """how many the server sent, as the log says"""
    octets_from_server: int
    """of these, their lengths included"""
    octets: int
    """of all, their lengths included"""


class Form(Struct, frozen=True):
    """How a form of log puts frames one behind the other."""

    pattern: re.Pattern[str]
    """a frame and what the log puts before it, with the groups above"""
    follows: re.Pattern[str]
    """what must stand behind it, besides another one"""
    between: str
    """what stands at the end of its record, which it is no part of"""
    cut_at_records: bool
    """whether what looks like the beginning of a record is one, even within a frame"""

    def run(self, text: str, place: int) -> Run:
        """The ordinary frames that begin at ``place``, none if what stands there is something else."""
        match, follows, between = self.pattern.match, self.follows.match, self.between
        gap, size, ascii_only, cut_at_records = len(between), len(text), text.isascii(), self.cut_at_records
        frames: list[Ordinary] = []
        from_server = octets_from_server = octets = 0
        found = match(text, place)
        while found is not None:
            time, mark, length, sent = found.group(TIME, FROM_SERVER, LENGTH, SENT)
            if mark != "" and (mark is None) is (sent is None):
                break  # the log says the other direction
            begin, head = found.start(ID), found.end()
            if cut_at_records:
                after = text.find(_CENTURY, head)
                end = after - gap
                if after < 0 or (length is not None and begin + int(length) != end):
                    break
            else:
                end = begin + int(length)
                after = end + gap
                if after > size:
                    break
            if head > end or (gap and text[end:after] != between):
                break
            if text.find("\r", begin) != found.start(META_END):
                break
            if not ascii_only and not text[begin:end].isascii():
                break
            following = match(text, after)
            if following is None and follows(text, after) is None:
                break
            octets += end - begin if length is None else end - begin + len(length) + 1
            if mark:
                from_server += 1
                octets_from_server += end - begin + len(length) + 1
            frames.append((time, None if mark == "" else mark is not None, end, found))
            found, place = following, after
        return Run(frames, place, from_server, octets_from_server, octets)


BARE = Form(re.compile(rf"()(){_FRAME}"), re.compile(r"[0-9]{1,10}#|\Z"), "", False)
"""A stream of frames and nothing else."""

CLIENT = Form(re.compile(rf"()\n(?:(<===)|===>)\r\n{_FRAME}"), re.compile(r"\n[=<]"), "\r", False)
"""A client's log: an arrow, the frame, a line end."""

_DEBUG_RECORD = re.compile(rf"\n{_DAY}T{_SECOND}\.[0-9]{{3}}Z [A-Za-z0-9_.*@/-]+(?::[A-Za-z0-9_.*@/-]+)+ ")


def debug(server: str) -> Form:
    """DEBUG=drachtio:agent, written to a file; frames that are sent are those to ``server``, as the log names it."""
    time = rf"({_DAY}T{_SECOND}\.[0-9]{{3}}Z)"
    arrow = rf"(?:(<===)|wp#send {re.escape(server)} - )"
    return Form(re.compile(rf"\n{time} drachtio:agent {arrow}{_FRAME}"), _DEBUG_RECORD, "", True)


SERVER = Form(
    re.compile(
        rf"\n({_DAY} {_SECOND}\.[0-9]{{6}}) Client::(?:read_handler read: |[^\s#|]{{1,60}}+ (Sending(?: response)?: ))"
        rf"(?(2)([0-9]{{1,8}})#){_PAYLOAD}"
    ),
    re.compile(rf"\n{_DAY} {_SECOND}\.[0-9]{{6}} "),
    "\n",
    True,
)
"""A server's log, in which what it reads has no length."""


def logged(text: str, time: str) -> Ordinary | None:
    """A record of a client's log that a logger has wrapped, if it is one ordinary frame."""
    found = _LOGGED.match(text)
    if found is None or not text.isascii():
        return None
    if (found[FROM_SERVER] is None) is (found[SENT] is None):
        return None
    end = found.start(ID) + int(found[LENGTH])
    if found.end() > end or end + 2 != len(text) or not text.endswith("\r\n"):
        return None
    if text.find("\r", found.start(ID)) != found.start(META_END):
        return None
    return time, found[FROM_SERVER] is not None, end, found
