"""The short path to one line for each message: for ordinary frames (:mod:`msgtrace.ordinary`).

Their lines need a few tokens, the start line and the CSeq, all of which the pattern has found, and are written at once,
without an :class:`Entry`, a :class:`Message` or a :class:`Shown`. Whatever else a recording holds takes the long way
through :mod:`msgtrace.answers` and :mod:`msgtrace.render`; both ways share one set of tables.

Lines are held back as the long way does it, yet looked through once a run: a line is marked if what it tells of is not
answered within the :data:`HELD` lines behind it, and the others on that side did answer something by then.

Both give the same text, octet for octet: a test runs both over every sample and over damaged input. So whoever changes
the words of a line changes them there and here. :mod:`msgtrace.json_path` writes JSON in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

import msgspec

from msgtrace.answers import (
    HELD,
    NO_RESPONSE_EXPECTED,
    OPEN,
    Follower,
    Question,
    Shown,
    between,
    seconds,
)
from msgtrace.entries import Entry, EntryKind
from msgtrace.octets import one_line
from msgtrace.ordinary import ASKED, CSEQ, ID, MORE, NO_MOMENT, RECEIVED, REQUEST, SENT, STATUS, Run
from msgtrace.render import NO_ANSWER, duration, time_of
from msgtrace.render import line as line_of

_LINES_AT_ONCE = 400

Told: TypeAlias = tuple["re.Match[str]", bool, str, Question | None]
"""An ordinary frame: where it was found, whether the server sent it, what it is in a few words, what it answers."""


LineT = TypeVar("LineT")


class RunFollower(Follower, Generic[LineT]):
    """Numbers messages and finds answers as its parent does; its heirs make a line of each."""

    def __init__(self, damaged: Callable[[Entry], None]) -> None:
        """``damaged`` gets each entry that tells of damage."""
        super().__init__(hold=HELD)
        self._damaged = damaged
        self._lines: list[LineT] = []
        """that are not given yet, since the first of them waits"""
        self._first = 0
        """place of the first of them"""
        self._items: dict[int, Shown] = {}
        """by place, those that wait of what took the long way: their mark is not put at the end of the line"""
        self._minutes = _Minutes()

    def _joined(self, lines: list[LineT]) -> bytes:
        """Their text; each ends."""
        raise NotImplementedError

    def _line_of(self, item: Shown) -> LineT:
        """The line of what took the long way."""
        raise NotImplementedError

    def _ordinary(self, told: Told, number: int, clock: str, at: float | None) -> LineT:
        """The line of an ordinary frame."""
        raise NotImplementedError

    def _unanswered(self, line: LineT) -> LineT:
        """The line of an ordinary frame that nothing answers."""
        raise NotImplementedError

    def texts(self, found: Iterable[Entry | Run]) -> Iterator[bytes]:
        """The lines of all that was found, with their line ends, many at a time."""
        entries = 0
        for one in found:
            if isinstance(one, Run):
                self._run(one)
            else:
                self._by_the_long_way(one)
                entries += 1
                if entries < _LINES_AT_ONCE:
                    continue
            entries = 0
            if ready := self._ready_lines():
                yield ready
        for question in list(self._waiting.values()):
            self._mark(question)
        if self._lines:
            yield self._joined(self._lines)

    def _ready_lines(self) -> bytes:
        """The lines before the first that waits for its answer; each ends."""
        last = self._place
        while self._waiting:
            question = next(iter(self._waiting.values()))
            if question.place + HELD > last:
                break
            del self._waiting[question.number]
            self._mark(question)
        waiting = next(iter(self._waiting.values())).place if self._waiting else last + 1
        count = waiting - self._first
        if not count:
            return b""
        ready = self._lines[:count]
        del self._lines[:count]
        self._first = waiting
        if self._items:
            self._items = {place: item for place, item in self._items.items() if place >= waiting}
        return self._joined(ready)

    def _settle(self, question: Question) -> None:
        if self._waiting.pop(question.number, None) is not None and self._place - question.place > HELD:
            self._mark(question)

    def _mark(self, question: Question) -> None:
        """Nothing has answered it in time."""
        place = question.place
        answered = self._answering(question).get(question.connection)
        if answered is None or answered > place + HELD:
            return  # the log shows one side only
        index = place - self._first
        item = self._items.get(place)
        if item is None:
            self._lines[index] = self._unanswered(self._lines[index])
        else:
            self._lines[index] = self._line_of(msgspec.structs.replace(item, unanswered=True))

    def _by_the_long_way(self, entry: Entry) -> None:
        if entry.kind is EntryKind.DAMAGE:
            self._damaged(entry)
        item = self.read(entry)
        self._lines.append(self._line_of(item))
        if item.number in self._waiting:
            self._items[self._place] = item

    def _run(self, run: Run) -> None:
        """All of a run: one loop, since it runs for each message of a large log."""
        lines, waiting, asked_before, received_before = (
            self._lines,
            self._waiting,
            self._asked,
            self._received,
        )
        minutes, ordinary = self._minutes, self._ordinary
        server_answers, application_answers = "" in self._server_answers, "" in self._application_answers
        number, unnumbered = self._number, self._place - self._number
        before, at, clock = NO_MOMENT, None, ""  # of the message before: often the same
        for found, moment in zip(run.frames, run.times, strict=False):
            if moment != before:
                before = moment
                minute, second = moment
                if second is None:
                    at, clock = seconds(minute) if minute else None, time_of(minute)
                else:
                    at, clock = minutes[minute] + float(second), f"{minute}{second} "
            number += 1
            asked, received, status, cseq, what = found.group(ASKED, RECEIVED, STATUS, CSEQ, REQUEST)
            if status is not None:
                what = status if cseq is None else f"{status} ({cseq})"
            question: Question | None = None
            if asked is not None:
                summary, from_server = f"OK {what}", True
                if not server_answers:
                    server_answers = True
                    self._server_answers[""] = number + unnumbered
                question = asked_before.get(asked)
                if question is not None:
                    more = found[MORE]
                    if not more or "continue" not in more or "continue" not in more.split("|"):
                        del asked_before[asked]
            elif received is not None:
                summary, from_server = f"sip {what}", True
                if status is None and not what.startswith(NO_RESPONSE_EXPECTED):
                    received_before[received] = waiting[number] = Question(
                        number, summary, at, number + unnumbered, "", False
                    )
                    if len(received_before) > OPEN:
                        self._place = number + unnumbered
                        self._forget_oldest(received_before)
            else:
                summary, from_server = f"sip {what}", False
                message_id, sent = found.group(ID, SENT)
                if status is not None:
                    if not application_answers:
                        application_answers = True
                        self._application_answers[""] = number + unnumbered
                    question = received_before.get(sent)
                if message_id:
                    asked_before[message_id] = waiting[number] = Question(
                        number, summary, at, number + unnumbered, "", True
                    )
                    if len(asked_before) > OPEN:
                        self._place = number + unnumbered
                        self._forget_oldest(asked_before)
            waited = question is not None and waiting.pop(question.number, None) is not None
            if waited and question is not None and number + unnumbered - question.place > HELD:
                self._mark(question)
            lines.append(ordinary((found, from_server, summary, question), number, clock, at))
        self._number, self._place = number, number + unnumbered


class LineFollower(RunFollower[str]):
    """Writes a line for each message."""

    def __init__(self, damaged: Callable[[Entry], None]) -> None:
        """``damaged`` gets each entry that tells of damage."""
        super().__init__(damaged)
        self._summaries = _Shortened(100)
        self._short_summaries = _Shortened(60)

    def _joined(self, lines: list[str]) -> bytes:
        lines.append("")
        return "\n".join(lines).encode("utf-8", "backslashreplace")

    def _line_of(self, item: Shown) -> str:
        return line_of(item)

    def _unanswered(self, line: str) -> str:
        return line + NO_ANSWER

    def _ordinary(self, told: Told, number: int, clock: str, at: float | None) -> str:
        _, from_server, summary, question = told
        arrow = "<--" if from_server else "-->"
        label = number if number > 999 else f"{number:4}"  # the width costs as much as the number
        if question is None:
            return f"{label} {arrow} {clock}{self._summaries[summary]}"
        begin = question.at
        if begin is None or at is None:
            after = ""
        elif begin <= at < begin + 1:  # what else there is, between and duration know
            after = f", {(at - begin) * 1000:.1f} ms"
        else:
            took = between(begin, at)
            after = f", {duration(took)}" if took is not None else ""
        return (
            f"{label} {arrow} {clock}{self._summaries[summary]}   answers {question.number}: "
            f"{self._short_summaries[question.summary]}{after}"
        )


class _Shortened(dict[str, str]):
    """What :func:`one_line` makes of a text: the same few summaries come again and again."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __missing__(self, text: str) -> str:
        if len(self) >= 2000:
            self.clear()
        shown = self[text] = one_line(text, self._limit)
        return shown


class _Minutes(dict[str, int]):
    """Seconds of the day at which ``07:26:`` begins: many messages share a minute."""

    def __missing__(self, text: str) -> int:
        if len(self) >= 2000:
            self.clear()
        begins = self[text] = int(text[:2]) * 3600 + int(text[3:5]) * 60
        return begins
