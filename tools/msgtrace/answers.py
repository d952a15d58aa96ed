"""Numbers the messages of a recording, finds what answers what, after how long, and what stays without an answer.

A request of an application is answered by the server's ``response``; a request from the network, by the application's
response or ``proxy`` in its transaction. To mark a request that nothing answers, messages are held back until the
answer is there, at most :data:`HELD` of them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

import msgspec
from msgspec import Struct

from msgtrace import messages, redact
from msgtrace import sip as sip_view
from msgtrace.entries import Entry, EntryKind
from msgtrace.messages import Message, MessageKind
from msgtrace.sip import SipMessage

HELD = 1000
"""messages that are held back at most; what has no answer by then is marked"""
OPEN = 10_000
"""questions that are remembered"""

_ANSWERS = frozenset({MessageKind.OK, MessageKind.NO, MessageKind.NOK})
_OK, _UNKNOWN, _PROXY = MessageKind.OK, MessageKind.UNKNOWN, MessageKind.PROXY
_AUTHENTICATE = MessageKind.AUTHENTICATE
_SEND_RESPONSE, _NETWORK_REQUEST = MessageKind.SEND_RESPONSE, MessageKind.NETWORK_REQUEST
_FRAME = EntryKind.FRAME
NO_RESPONSE_EXPECTED = ("ACK ", "CANCEL ")
_CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d(?:\.\d+)?)")


class Shown(Struct, frozen=True):
    """An entry, decoded and numbered."""

    number: int
    """from 1; only frames and SIP messages are counted, others have that of the one before"""
    entry: Entry
    summary: str
    """what it is, in a few words; never a secret"""
    message: Message | None = None
    """of a frame"""
    from_server: bool | None = None
    answers: int = 0
    """number of the message that this one answers, 0 if it answers none that was seen"""
    answers_summary: str = ""
    round_trip: float | None = None
    """seconds between the two, where the recording has times"""
    unanswered: bool = False
    """nothing answers it, though what others ask is answered on its connection"""

    @property
    def sip(self) -> SipMessage | None:
        """The SIP message, alone or in the frame."""
        if self.message is not None:
            return self.message.sip
        return sip_view.parse(self.entry.data) if self.entry.kind is EntryKind.SIP else None

    @property
    def content(self) -> str:
        """The text of the SIP message, alone or in the frame; empty if there is none."""
        if self.message is not None:
            return self.message.content
        return self.entry.data if self.entry.kind is EntryKind.SIP else ""


class Question(Struct, gc=False):
    """A message that something may answer."""

    number: int
    summary: str
    at: float | None
    """seconds of the day, where the recording has times"""
    place: int
    """how many entries came before it"""
    connection: str
    by_application: bool


class Follower:
    """State of one recording. Feed it entries; it gives what is ready to be shown, in their order."""

    def __init__(self, *, hold: int = HELD, learn: Callable[[Shown], None] | None = None) -> None:
        """``hold`` 0 holds nothing back (what has no answer is told at the end); ``learn`` sees each message early."""
        self._hold = hold
        self._learn = learn
        self._number = 0
        self._place = -1  # of the entry that is read
        self._asked: dict[str, Question] = {}  # by message id, see key_of
        self._received: dict[str, Question] = {}  # by transaction id
        self._waiting: dict[int, Question] = {}  # by number, the oldest first
        self._queue: deque[Shown] = deque()
        self._sessions: dict[str, int] = {}  # how often each connection has authenticated: logs name none
        # Connections on which it does, and since which entry.
        self._server_answers: dict[str, int] = {}
        self._application_answers: dict[str, int] = {}

    def read(self, entry: Entry) -> Shown:
        """One entry, decoded and numbered; the tables know it from now on."""
        kind = entry.kind
        self._place += 1
        if kind is _FRAME:
            self._number += 1
            return self._frame(entry)
        if kind is EntryKind.SIP:
            self._number += 1
        elif kind is EntryKind.DAMAGE:
            self._forgive(entry.connection)
        summary = sip_view.summary(entry.data) if kind is EntryKind.SIP else redact.secrets(entry.data)
        return Shown(number=self._number, entry=entry, summary=summary, from_server=entry.from_server)

    def feed(self, entry: Entry) -> Iterable[Shown]:
        """One entry; what it makes ready."""
        item = self.read(entry)
        if self._learn is not None:
            self._learn(item)
        queue = self._queue
        if not queue and item.number not in self._waiting:
            return (item,)
        if not self._hold:
            return (item,)
        queue.append(item)
        if queue[0].number in self._waiting and len(queue) <= self._hold:
            return ()
        return self._ready()

    def close(self) -> Iterator[Shown]:
        """The recording has ended."""
        if self._hold:
            while self._queue:
                yield self._marked(self._queue.popleft())
        else:
            open_numbers = [
                number
                for number, question in self._waiting.items()
                if question.connection in self._answering(question)
            ]
            if open_numbers:
                told = ", ".join(map(str, sorted(open_numbers)))
                note = Entry(kind=EntryKind.NOTE, data=f"no answer to {told}")
                yield Shown(number=self._number, entry=note, summary=note.data)

    def _ready(self) -> list[Shown]:
        queue, waiting, ready = self._queue, self._waiting, []
        while queue:
            if queue[0].number in waiting:
                if len(queue) <= self._hold:
                    break
                ready.append(self._marked(queue.popleft()))
            else:
                ready.append(queue.popleft())
        return ready

    def _marked(self, item: Shown) -> Shown:
        if item.number not in self._waiting or item.message is None:
            return item
        question = self._waiting.pop(item.number)
        if question.connection not in self._answering(question):
            return item  # the log shows one side only
        return msgspec.structs.replace(item, unanswered=True)

    def _answering(self, question: Question) -> dict[str, int]:
        """The connections on which those answer who should."""
        return self._server_answers if question.by_application else self._application_answers

    def _frame(self, entry: Entry) -> Shown:
        number, connection = self._number, entry.connection
        message = messages.decode(entry.data, from_server=entry.from_server)
        kind, values = message.kind, message.values
        from_server = entry.from_server
        if from_server is None and kind is not _UNKNOWN:
            from_server = message.from_server
        summary = message.summary()
        at = seconds(entry.time) if entry.time else None
        question: Question | None = None
        if kind in _ANSWERS:
            self._server_answers.setdefault(connection, self._place)
            key = key_of(connection, values[2])
            question = self._asked.get(key)
            if question is not None:
                self._settle(question)
                if message.is_final:
                    del self._asked[key]
            if kind is _OK and not message.content:
                told = (summary, message.get("version"), message.get("hostports"))
                summary = " ".join(part for part in told if part)
        elif kind is _NETWORK_REQUEST:
            if not message.content.startswith(NO_RESPONSE_EXPECTED):
                self._ask(
                    self._received, values[8], Question(number, summary, at, self._place, connection, False)
                )
        elif from_server is not True:
            if kind is _SEND_RESPONSE or kind is _PROXY:
                self._application_answers.setdefault(connection, self._place)
                question = self._received.get(key_of(connection, values[2]))
                if question is not None:
                    self._settle(question)
            if kind is _AUTHENTICATE:
                self._sessions[connection] = session = self._sessions.get(connection, 0) + 1
                summary = f"{summary}, session {session} of this recording" if session > 1 else summary
            if kind is _UNKNOWN:
                summary = redact.secrets(summary)
            elif values[0]:
                self._ask(
                    self._asked, values[0], Question(number, summary, at, self._place, connection, True)
                )
        if question is None:
            return Shown(number, entry, summary, message, from_server)
        took = between(question.at, at)
        return Shown(number, entry, summary, message, from_server, question.number, question.summary, took)

    def _ask(self, table: dict[str, Question], id_: str, question: Question) -> None:
        table[key_of(question.connection, id_)] = self._waiting[question.number] = question
        if len(table) > OPEN:
            self._forget_oldest(table)

    def _forget_oldest(self, table: dict[str, Question]) -> None:
        self._settle(table.pop(next(iter(table))))

    def _forgive(self, connection: str) -> None:
        """What could not be read may have held the answers to what was asked before it on its connection."""
        for question in [asked for asked in self._waiting.values() if asked.connection == connection]:
            self._settle(question)

    def _settle(self, question: Question) -> None:
        """It is answered, or forgotten: either way it waits no longer."""
        self._waiting.pop(question.number, None)


def key_of(connection: str, id_: str) -> str:
    """Key of a question; of most recordings, which know one connection, the id itself."""
    return f"{connection}\n{id_}" if connection else id_


def seconds(time: str) -> float | None:
    """Seconds of the day of a time that a recording has."""
    minute = minute_of(time[11:17])  # of 2026-11-23T07:26:06.658Z, 2026-11-23 07:36:00.531104
    if minute is not None:
        try:
            return minute + float(time[17:].rstrip("Z"))
        except ValueError:
            pass
    found = _CLOCK.search(time)
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else None


@lru_cache(64)
def minute_of(time: str) -> int | None:
    """Seconds of the day at which ``07:26:`` begins; None if it is no such text. Many messages share a minute."""
    if time[2:3] != ":" or time[5:] != ":":
        return None
    try:
        return int(time[:2]) * 3600 + int(time[3:5]) * 60
    except ValueError:
        return None


def between(begin: float | None, end: float | None) -> float | None:
    """Seconds from one second of the day to another, perhaps over midnight; None if one of them is not known."""
    if begin is None or end is None:
        return None
    return end - begin if end >= begin - 3600 else end - begin + 86400


def shown(
    entries: Iterable[Entry], *, hold: int = HELD, learn: Callable[[Shown], None] | None = None
) -> Iterator[Shown]:
    """Entries numbered and decoded, in their order."""
    follower = Follower(hold=hold, learn=learn)
    feed = follower.feed
    for entry in entries:
        yield from feed(entry)
    yield from follower.close()
