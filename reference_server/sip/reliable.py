"""Provisional responses that arrive for certain (RFC 3262): what either end of an INVITE has to remember of them.

The end that answers (§3) numbers its responses by RSeq and repeats each until a PRACK names it::

    nothing outstanding --transmitted--> outstanding --PRACK--> nothing outstanding
                                             | 64·T1
                                             v
                                       given up: the INVITE is to be rejected

One response is outstanding at a time; what follows it waits for its turn, in order. So does a 2xx while a session
description is unacknowledged, since nothing else may tell the far end how the two relate.

The end that called (§4) passes a response on once, in order within its early dialog, and knows which branch of a fork
a PRACK is for.

Rules for what lives here: nobody but the owner sends a response first or answers a PRACK. The first interval is T1 and
each doubles the one before, without the bound T2, over any transport: a PRACK is not repeated because of a repeated
response, so the last hop alone says nothing (§3).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from msgspec import Struct

from reference_server.sip.messages.message import LONGEST_NUMBER
from reference_server.sip.timers import TimerHandle, Timers
from reference_server.sip.transactions.timing import Timing

OPTION_TAG = "100rel"

MOST_UNACKNOWLEDGED = 64
"""Responses to one INVITE that wait for a PRACK of the caller, and branches that are followed; more are dropped."""


class RAck(Struct, frozen=True):
    """What a PRACK acknowledges (RFC 3262 §7.2)."""

    number: int
    """the RSeq of the response"""
    cseq: int
    method: str


def parse_rack(value: str) -> RAck | None:
    """Take the value of a RAck apart, whatever follows its method; None if it is none."""
    parts = value.split()
    if len(parts) < 3 or not all(_is_number(part) for part in parts[:2]):
        return None
    return RAck(int(parts[0]), int(parts[1]), parts[2])


def rseq_of(value: str) -> int | None:
    """The number in an RSeq; None if it is none (§7.1)."""
    return int(value) if _is_number(value) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


def names_100rel(values: Iterable[str]) -> bool:
    """Whether header values of Supported or Require name the option tag, in whatever case (RFC 3261 §7.3.1)."""
    return any(tag.strip().lower() == OPTION_TAG for value in values for tag in value.split(","))


class QueuedResponse(Struct, frozen=True):
    """A response that waits until all that was sent before it is acknowledged."""

    take: Callable[[], None]
    """it may go"""
    lose: Callable[[], None]
    """it never will: the INVITE has its final response"""


class ReliableSender:
    """The reliable provisional responses to one INVITE, as its answering end sends them (§3)."""

    __slots__ = (
        "_described",
        "_end",
        "_first",
        "_interval",
        "_latest",
        "_next",
        "_outstanding",
        "_repeat",
        "_send",
        "_text",
        "_timers",
        "_timing",
        "_unacknowledged",
        "_waiting",
        "unasked",
    )

    def __init__(
        self,
        first: int,
        send: Callable[[str], object],
        unacknowledged: Callable[[], None],
        *,
        timers: Timers,
        timing: Timing,
    ) -> None:
        """``first`` is the first RSeq. ``unacknowledged`` is called when a response was repeated for 64·T1 in vain."""
        self._first = first
        self._next = first
        self._latest = first - 1
        self._outstanding = 0
        self._described: set[int] = set()
        self.unasked: set[int] = set()
        """numbers of responses whose PRACKs nobody but the owner expects"""
        self._waiting: deque[QueuedResponse] = deque()
        self._send = send
        self._timers = timers
        self._timing = timing
        self._unacknowledged = unacknowledged
        self._text = ""
        self._interval = 0.0
        self._repeat: TimerHandle | None = None
        self._end: TimerHandle | None = None

    @property
    def holds_answer(self) -> bool:
        """Whether a 2xx has to wait: a session description is unacknowledged (§3)."""
        return bool(self._described)

    def number(self, describes_session: bool) -> int:
        """The RSeq of the next response, which its owner composes and then sends in turn."""
        number = self._next
        self._next += 1
        if describes_session:
            self._described.add(number)
        return number

    def in_turn(self, waiting: QueuedResponse) -> None:
        """Take ``waiting`` as soon as nothing before it is unacknowledged, perhaps now."""
        self._waiting.append(waiting)
        self.proceed()

    def transmitted(self, number: int, text: str) -> None:
        """The owner has sent ``text``; repeat it until its PRACK."""
        self._latest = self._outstanding = number
        self._text = text
        self._interval = self._timing.t1
        self._repeat = self._timers.start(self._interval, self._send_again)
        self._end = self._timers.start(self._timing.t1x64, self._unacknowledged)

    def acknowledge(self, number: int) -> bool:
        """A PRACK names ``number``; False if no such response was sent, True also if it is acknowledged again.

        What waits goes when the owner calls :meth:`proceed`.
        """
        if number == self._outstanding:
            self._forget_outstanding()
            self._described.discard(number)
        return self._first <= number <= self._latest

    def proceed(self) -> None:
        """Let what waits go, up to the next response that has to be acknowledged."""
        while self._waiting and not self._outstanding:
            self._waiting.popleft().take()

    def stop(self) -> None:
        """The INVITE has its final response: repeat nothing, and what waits is lost."""
        self._forget_outstanding()
        self._described.clear()
        while self._waiting:
            self._waiting.popleft().lose()

    def _forget_outstanding(self) -> None:
        self._outstanding = 0
        self._text = ""
        if self._repeat is not None:
            self._repeat.cancel()
        if self._end is not None:
            self._end.cancel()

    def _send_again(self) -> None:
        self._send(self._text)
        self._interval *= 2
        self._repeat = self._timers.start(self._interval, self._send_again)


class ReliableReceiver:
    """The reliable provisional responses to one INVITE, as its calling end receives them (§4)."""

    __slots__ = ("_latest", "_unacknowledged")

    def __init__(self) -> None:
        self._latest: dict[str, int] = {}
        self._unacknowledged: list[tuple[str, int]] = []

    def accepts(self, tag: str, number: int) -> bool:
        """Whether the response with RSeq ``number`` of the branch ``tag`` is new and the next of its branch.

        One that is not must not be processed further (§4): the far end repeats what is missing, in order.
        """
        latest = self._latest.get(tag)
        if latest is not None and number != latest + 1:
            return False
        if len(self._unacknowledged) >= MOST_UNACKNOWLEDGED:
            return False
        if latest is None and len(self._latest) >= MOST_UNACKNOWLEDGED:
            return False
        self._latest[tag] = number
        self._unacknowledged.append((tag, number))
        return True

    def acknowledged(self, number: int) -> str:
        """The branch that a PRACK for ``number`` is for; empty if no branch has sent that.

        Branches may use the same numbers; the one that has waited longest comes first.
        """
        for index, (tag, unacknowledged) in enumerate(self._unacknowledged):
            if unacknowledged == number:
                del self._unacknowledged[index]
                return tag
        return next((tag for tag, latest in self._latest.items() if latest == number), "")
