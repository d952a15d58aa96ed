"""The short path to one line for each message: for ordinary frames (:mod:`msgtrace.ordinary`).

Their lines need a few tokens, the start line and the CSeq, all of which the pattern has found, and are written at once,
without an :class:`Entry`, a :class:`Message` or a :class:`Shown`. Whatever else a recording holds takes the long way
through :mod:`msgtrace.follow` and :mod:`msgtrace.render`; both ways share one set of tables.

Both give the same text, octet for octet: a test runs both over every sample and over damaged input. So whoever changes
the words of a line changes them there and here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

import msgspec
from msgspec import Struct

from msgtrace.entries import Entry, EntryKind
from msgtrace.follow import (
    HELD,
    NO_RESPONSE_EXPECTED,
    OPEN,
    Follower,
    Question,
    Shown,
    between,
    minute_of,
    seconds,
)
from msgtrace.octets import one_line
from msgtrace.ordinary import ASKED, ID, MORE, RECEIVED, REQUEST, SENT, STATUS, Run
from msgtrace.render import duration, time_of
from msgtrace.render import line as line_of
from msgtrace.sip import CSEQ_BEFORE_BODY

_LINES_AT_ONCE = 400
_shown = lru_cache(1024)(one_line)  # the same few summaries come again and again


class _Line(Struct, gc=False):
    """A line, and what is needed to hold it back."""

    number: int
    text: str
    connection: str
    from_server: bool | None
    item: Shown | None = None
    """of what took the long way, and has no ``text`` yet"""


class LineFollower(Follower):
    """Numbers messages and finds answers as its parent does, and writes the lines itself."""

    def __init__(self, damaged: Callable[[Entry], None]) -> None:
        """``damaged`` gets each entry that tells of damage."""
        super().__init__(hold=HELD)
        self._damaged = damaged
        self._lines: deque[_Line] = deque()

    def texts(self, found: Iterable[Entry | Run]) -> Iterator[str]:
        """The lines of all that was found, with their line ends, many at a time."""
        ready: list[str] = []
        for one in found:
            if isinstance(one, Run):
                self._run(one, ready)
            else:
                self._lines.append(self._by_the_long_way(one))
                self._release(ready)
            if len(ready) >= _LINES_AT_ONCE:
                ready.append("")
                yield "\n".join(ready)
                ready.clear()
        ready += [self._text(line) for line in self._lines]
        if ready:
            ready.append("")
            yield "\n".join(ready)

    def _release(self, ready: list[str]) -> None:
        """Give to ``ready`` what is not, or no longer, behind a message that waits for its answer."""
        held, waiting = self._lines, self._waiting
        while held and (held[0].number not in waiting or len(held) > HELD):
            ready.append(self._text(held.popleft()))

    def _text(self, line: _Line) -> str:
        """What is written of a line that is held back no longer, answered or not."""
        item, unanswered = line.item, False
        if line.number in self._waiting and (item is None or item.message is not None):
            self._waiting.discard(line.number)
            answering = self._application_answers if line.from_server else self._server_answers
            unanswered = line.connection in answering  # else the log shows one side only
        if item is None:
            return f"{line.text}   (no answer)" if unanswered else line.text
        return line_of(msgspec.structs.replace(item, unanswered=True) if unanswered else item)

    def _by_the_long_way(self, entry: Entry) -> _Line:
        if entry.kind is EntryKind.DAMAGE:
            self._damaged(entry)
        item = self.read(entry)
        return _Line(item.number, "", entry.connection, item.from_server, item)

    def _run(self, run: Run, ready: list[str]) -> None:
        """All of a run: one loop, since it runs for each message of a large log."""
        held, waiting, asked_before, received_before = self._lines, self._waiting, self._asked, self._received
        time, at, clock = "", None, ""  # of the message before: the same, in a busy log
        for moment, from_server, end, match in run.frames:
            if moment != time:
                time, (at, clock) = moment, _clock(moment)
            number = self._number = self._number + 1
            asked, received, status, what = match.group(ASKED, RECEIVED, STATUS, REQUEST)
            if status is not None:
                what = status.rstrip()
                cseq = CSEQ_BEFORE_BODY.search(match.string, match.end() - 2, end)
                if cseq is not None and cseq[1] and (method := cseq[1].strip()):
                    what = f"{what} ({method})"
            question: Question | None = None
            if asked is not None:
                summary, arrow, from_server = f"OK {what}".rstrip(), "<--", True
                self._server_answers.add("")
                key = f"\n{asked}"
                question = asked_before.get(key)
                if question is not None and not ((more := match[MORE]) and "continue" in more.split("|")):
                    del asked_before[key]
            elif received is not None:
                summary, arrow, from_server = f"sip {what}".rstrip(), "<--", True
                if status is None and not what.startswith(NO_RESPONSE_EXPECTED):
                    received_before[f"\n{received}"] = Question(number, summary, at)
                    waiting.add(number)
                    if len(received_before) > OPEN:
                        self._forget_oldest(received_before)
            else:
                summary, arrow, from_server = f"sip {what}".rstrip(), "-->", False
                message_id, sent = match.group(ID, SENT)
                if status is not None:
                    self._application_answers.add("")
                    question = received_before.get(f"\n{sent}")
                if message_id:
                    asked_before[f"\n{message_id}"] = Question(number, summary, at)
                    waiting.add(number)
                    if len(asked_before) > OPEN:
                        self._forget_oldest(asked_before)
            place = number if number > 999 else f"{number:4}"  # the width costs as much as the number
            text = f"{place} {arrow} {clock}{_shown(summary)}"
            if question is not None:
                waiting.discard(question.number)
                begin = question.at
                if begin is None or at is None:
                    after = ""
                elif begin <= at < begin + 1:  # what else there is, between and duration know
                    after = f", {(at - begin) * 1000:.1f} ms"
                elif (took := between(begin, at)) is not None:
                    after = f", {duration(took)}"
                text = f"{text}   answers {question.number}: {_shown(question.summary, 60)}{after}"
            if not held and number not in waiting:
                ready.append(text)
                continue
            held.append(_Line(number, text, "", from_server))
            if held[0].number not in waiting or len(held) > HELD:
                self._release(ready)


def _clock(time: str) -> tuple[float | None, str]:
    """Seconds of the day and how they are shown: of a date and a time in one go, of others as elsewhere."""
    minute = minute_of(time[11:17])
    if minute is not None and time[10] in "T ":
        rest = time[17:].rstrip("Z")
        try:
            return minute + float(rest), f"{time[11:17]}{rest} "
        except ValueError:
            pass
    return seconds(time) if time else None, time_of(time)
