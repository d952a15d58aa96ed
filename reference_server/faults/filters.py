"""One class for each kind of harm: what becomes of a frame on its way out, or of one that came in.

A filter hands on what shall go instead, in as many pieces as it likes, now or later. What it has to keep it keeps by
connection, and forgets it when that ends.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import Final, Protocol

from reference_server.core.ports import Timers

Forward = Callable[[bytes], None]

_TICK: Final = 0.001  # seconds between two pieces, so that each is a segment of its own
_GLUED_FOR: Final = 0.1
_KEPT_FOR: Final = 0.2
_UNKNOWN: Final = b"fa017000-0000-4000-8000-000000000000|weather|sunny|27"


class Wires(Protocol):
    """What can be done to a connection as a whole."""

    def break_off(self, number: int, *, reset: bool) -> None:
        """End it, behind what was sent."""

    def go_deaf(self, number: int) -> None:
        """Read nothing more of it."""

    def hear(self, number: int) -> None:
        """Read it again."""


class Filter:
    """Hands everything on as it is."""

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """A frame is to go out on a connection."""
        forward(frame)

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """A payload came in."""
        forward(payload)

    def begun(self, connection: int) -> None:
        """A connection was made."""

    def ended(self, connection: int) -> None:
        """A connection is gone."""

    def release(self) -> None:
        """The harm is taken away: what is kept goes on, who was deaf hears."""


def payload_of(frame: bytes) -> bytes:
    """The payload of a frame."""
    return frame.partition(b"#")[2]


def framed(payload: bytes) -> bytes:
    """A payload as a frame."""
    return b"%d#%b" % (len(payload), payload)


def is_echo(frame: bytes) -> bool:
    """Whether it tells an application what was sent for it."""
    tokens = frame[:300].split(b"\r\n")[0].split(b"|")
    return tokens[1:2] == [b"response"] and tokens[3:5] == [b"OK", b"application"]


def is_answer(frame: bytes) -> bool:
    """Whether it answers a frame of the application."""
    return frame[:300].split(b"|")[1:2] == [b"response"]


def tells_addresses(frame: bytes) -> bool:
    """Whether it is the answer to authenticate."""
    tokens = frame[:300].split(b"\r\n")[0].split(b"|")
    return tokens[3:4] == [b"OK"] and b"/" in b"".join(tokens[4:5])


class _Counting(Filter):
    """Counts the frames of each connection."""

    def __init__(self) -> None:
        self._counted: Counter[int] = Counter()

    def count(self, connection: int) -> int:
        """The number of this frame on its connection, from 1."""
        self._counted[connection] += 1
        return self._counted[connection]

    def ended(self, connection: int) -> None:
        """Forget it."""
        del self._counted[connection]


class Split(Filter):
    """Pieces of so many octets, each a segment of its own."""

    def __init__(self, octets: int, timers: Timers) -> None:
        self._octets = octets
        self._timers = timers
        self._waiting: dict[int, deque[tuple[bytes, Forward]]] = {}

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Cut it; what was cut before goes first."""
        waiting = self._waiting.get(connection)
        if waiting is None:
            waiting = self._waiting[connection] = deque()
            self._timers.start(0, lambda: self._next(connection))
        for start in range(0, len(frame), self._octets):
            waiting.append((frame[start : start + self._octets], forward))

    def _next(self, connection: int) -> None:
        waiting = self._waiting.get(connection)
        if not waiting:
            self._waiting.pop(connection, None)
            return
        piece, forward = waiting.popleft()
        forward(piece)
        self._timers.start(_TICK, lambda: self._next(connection))

    def ended(self, connection: int) -> None:
        """What waits goes nowhere."""
        self._waiting.pop(connection, None)

    def release(self) -> None:
        """What waits goes at once, or what follows whole would cut into it."""
        waiting, self._waiting = self._waiting, {}
        for pieces in waiting.values():
            for piece, forward in pieces:
                forward(piece)


class Batch(Filter):
    """Frames that are kept until there are so many, or for some time; those ``wanted`` alone, others pass them by."""

    def __init__(
        self, size: int, timers: Timers, *, seconds: float, wanted: Callable[[bytes], bool], backwards: bool
    ) -> None:
        """``backwards``: they leave in reverse order; else they leave in one piece."""
        self._size = size
        self._timers = timers
        self._seconds = seconds
        self._wanted = wanted
        self._backwards = backwards
        self._kept: dict[int, list[tuple[bytes, Forward]]] = {}

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Keep it, or let all go."""
        if not self._wanted(frame):
            forward(frame)
            return
        kept = self._kept.setdefault(connection, [])
        kept.append((frame, forward))
        if len(kept) >= self._size:
            self._release(connection, kept)
        elif len(kept) == 1:
            self._timers.start(self._seconds, lambda: self._release(connection, kept))

    def release(self) -> None:
        """What is kept goes."""
        for connection, kept in list(self._kept.items()):
            self._release(connection, kept)

    def _release(self, connection: int, kept: list[tuple[bytes, Forward]]) -> None:
        if not kept or self._kept.get(connection) is not kept:
            return
        del self._kept[connection]
        if self._backwards:
            for frame, forward in reversed(kept):
                forward(frame)
        else:
            kept[-1][1](b"".join(frame for frame, _ in kept))

    def ended(self, connection: int) -> None:
        """What was kept goes nowhere."""
        self._kept.pop(connection, None)


def glue(size: int, timers: Timers) -> Batch:
    """So many frames in one piece."""
    return Batch(size, timers, seconds=_GLUED_FOR, wanted=lambda frame: True, backwards=False)


def reorder(size: int, timers: Timers) -> Batch:
    """So many answers in reverse order."""
    return Batch(size, timers, seconds=_KEPT_FOR, wanted=is_answer, backwards=True)


class Delay(Filter):
    """Frames of some kind come late; others pass them by."""

    def __init__(self, seconds: float, timers: Timers, wanted: Callable[[bytes], bool]) -> None:
        self._seconds = seconds
        self._timers = timers
        self._wanted = wanted
        self._late: deque[tuple[bytes, Forward]] = deque()  # all wait equally long

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Later, or now."""
        if self._wanted(frame):
            self._late.append((frame, forward))
            self._timers.start(self._seconds, self._next)
        else:
            forward(frame)

    def _next(self) -> None:
        if self._late:
            frame, forward = self._late.popleft()
            forward(frame)

    def release(self) -> None:
        """What is late goes at once."""
        while self._late:
            self._next()


class Drop(_Counting):
    """Each n-th frame of some kind never comes."""

    def __init__(self, each: int, wanted: Callable[[bytes], bool]) -> None:
        super().__init__()
        self._each = each
        self._wanted = wanted

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """On, or nowhere."""
        if not self._wanted(frame) or self.count(connection) % self._each:
            forward(frame)


class Twice(_Counting):
    """Each n-th frame comes twice."""

    def __init__(self, each: int) -> None:
        super().__init__()
        self._each = each

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Once, or twice."""
        forward(frame)
        if self.count(connection) % self._each == 0:
            forward(frame)


class UnknownType(_Counting):
    """A frame of a type that nobody knows goes ahead of each n-th."""

    def __init__(self, each: int) -> None:
        super().__init__()
        self._each = each

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Behind the stranger, or alone."""
        if self.count(connection) % self._each == 0:
            forward(framed(_UNKNOWN))
        forward(frame)


class ExtraTokens(Filter):
    """Two tokens more."""

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """With a longer line."""
        line, end, content = payload_of(frame).partition(b"\r\n")
        forward(framed(line + b"|later|more" + end + content))


class NoHostports(Filter):
    """No addresses in the answer to authenticate."""

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Without them."""
        if tells_addresses(frame):
            tokens = payload_of(frame).split(b"|")
            frame = framed(b"|".join([*tokens[:4], b"", *tokens[5:]]))
        forward(frame)


class WrongLength(_Counting):
    """One count is wrong by one."""

    def __init__(self, which: int) -> None:
        super().__init__()
        self._which = which

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """With a count that is too small."""
        if self.count(connection) == self._which:
            payload = payload_of(frame)
            frame = b"%d#%b" % (max(len(payload) - 1, 0), payload)
        forward(frame)


class BreakOff(_Counting):
    """The connection ends behind its n-th frame."""

    def __init__(self, which: int, timers: Timers, lines: Wires, *, reset: bool) -> None:
        super().__init__()
        self._which = which
        self._timers = timers
        self._lines = lines
        self._reset = reset

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """On, and perhaps the last."""
        number = self.count(connection)
        if number <= self._which:
            forward(frame)
        if number == self._which:  # what is queued leaves at the end of this turn
            self._timers.start(_TICK, lambda: self._lines.break_off(connection, reset=self._reset))


class _Deaf(_Counting):
    """Behind the n-th frame nothing more is read."""

    def __init__(self, which: int, lines: Wires) -> None:
        super().__init__()
        self._which = which
        self._lines = lines
        self._deaf: set[int] = set()

    def passes(self, connection: int) -> bool:
        """Whether this frame does; it may be the last one."""
        number = self.count(connection)
        if number == self._which:
            self._deaf.add(connection)
            self._lines.go_deaf(connection)
        return number <= self._which

    def ended(self, connection: int) -> None:
        """Forget it."""
        super().ended(connection)
        self._deaf.discard(connection)

    def release(self) -> None:
        """Read again."""
        for connection in self._deaf:
            self._lines.hear(connection)
        self._deaf.clear()


class HalfOpen(_Deaf):
    """Behind its n-th frame nothing more is sent or read, and the connection stays open."""

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """On, or nowhere."""
        if self.passes(connection):
            forward(frame)


class StopReading(_Deaf):
    """Behind the n-th frame of the application nothing more is read."""

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """On, and perhaps the last."""
        if self.passes(connection):
            forward(payload)


class Refuse(Filter):
    """The first connections are reset."""

    def __init__(self, times: int, timers: Timers, lines: Wires) -> None:
        self._left = times
        self._timers = timers
        self._lines = lines
        self._refused: set[int] = set()

    def begun(self, connection: int) -> None:
        """Reset it, if it is one of them."""
        if self._left:
            self._left -= 1
            self._refused.add(connection)
            self._timers.start(0, lambda: self._lines.break_off(connection, reset=True))

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """What comes before the reset is not heard."""
        if connection not in self._refused:
            forward(payload)

    def ended(self, connection: int) -> None:
        """Forget it."""
        self._refused.discard(connection)


class NoPong(Filter):
    """Pings are not heard."""

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """On, or nowhere."""
        if payload.split("|")[1:2] != ["ping"]:
            forward(payload)


class Mishaps(Filter):
    """A mishap for some of the frames, by chance: the same for the same seed and frames."""

    def __init__(self, probability: float, seed: int, mishaps: list[Filter]) -> None:
        self._probability = probability
        self._random = Random(seed)
        self._mishaps = mishaps

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Through one of the filters, or none."""
        if self._random.random() < self._probability:
            self._random.choice(self._mishaps).sent(connection, frame, forward)
        else:
            forward(frame)

    def ended(self, connection: int) -> None:
        """Tell them."""
        for mishap in self._mishaps:
            mishap.ended(connection)

    def release(self) -> None:
        """Tell them."""
        for mishap in self._mishaps:
            mishap.release()


# Tested by tests/faults/test_faults.py.
