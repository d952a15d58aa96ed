"""Brings what each end of a TCP connection sent into order, and says what the capture lacks of it.

A segment that arrives too early waits for the one before it. That one will not come any more once the other end
acknowledges what waits (it had it; the capture has not), when the connection ends or its ports are used again, when too
much waits or waits too long, and at the end of the capture. Then a :class:`Gap` is given out, and what waited behind.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from msgtrace.readers.datagrams import Datagram

MOST_WAITING = 256
"""segments of one side that wait for one that lacks"""
LONGEST = 10 * 10**9
"""nanoseconds that they wait: a segment that got lost on the way is sent again long before"""
_WRAP = 1 << 32

Key = tuple[str, str]
"""source and target"""


class Gap(Struct, frozen=True):
    """Octets of a connection that are not in the capture."""

    key: Key
    octets: int
    packet: int
    """of what stands behind it, or of the packet that was cut"""
    time: int
    cut: bool = False
    """whether a packet was there, cut off by the capture"""


class Piece(Struct, frozen=True):
    """The next octets of one side."""

    key: Key
    data: bytes
    packet: int
    time: int


class End(Struct, frozen=True):
    """Nothing follows on this side."""

    key: Key
    packet: int
    time: int


class _Side:
    """What one end sends."""

    __slots__ = ("expected", "waiting")

    def __init__(self) -> None:
        self.expected: int | None = None
        self.waiting: dict[int, Datagram] = {}


class Segments:
    """All connections of a capture."""

    def __init__(self) -> None:
        self._sides: dict[Key, _Side] = {}
        self._late: dict[Key, int] = {}
        """sides on which something waits, and since when (nanoseconds)"""

    @property
    def waiting(self) -> bool:
        """Whether anything waits for what lacks."""
        return bool(self._late)

    def take(self, segment: Datagram) -> Iterator[Gap | Piece | End]:
        """One segment, and what it makes certain."""
        key = (segment.source, segment.target)
        if segment.starts:
            yield from self._end(key, segment)
            if not segment.acknowledges:  # the first SYN: both sides are new
                yield from self._end(key[::-1], segment)
        side = self._sides.setdefault(key, _Side())
        if segment.starts or side.expected is None:
            side.expected = (segment.sequence + segment.starts) % _WRAP
        other = self._sides.get(key[::-1])
        if other is not None and other.waiting and segment.acknowledges and other.expected is not None:
            yield from self._in_order(key[::-1], other, segment.acknowledges)
        if segment.payload or segment.lacks:
            start = (segment.sequence + segment.starts) % _WRAP
            known = side.waiting.get(start)
            if known is None or len(known.payload) < len(segment.payload):
                side.waiting[start] = segment
            yield from self._in_order(key, side, None)
        if self._late and (since := min(self._late.values())) + LONGEST < segment.time:
            for late in [late for late, begin in self._late.items() if begin == since]:
                yield from self._rest(late)
        if segment.ends:
            yield from self._end(key, segment)

    def close(self) -> Iterator[Gap | Piece | End]:
        """The capture ends."""
        for key in list(self._sides):
            yield from self._rest(key)

    def _end(self, key: Key, segment: Datagram) -> Iterator[Gap | Piece | End]:
        """The connection is closed, or one with the same ports begins."""
        if key in self._sides:
            yield from self._rest(key)
            del self._sides[key]
            yield End(key, segment.packet, segment.time)

    def _rest(self, key: Key) -> Iterator[Gap | Piece | End]:
        side = self._sides[key]
        while side.waiting:
            yield from self._in_order(key, side, None, patient=False)

    def _in_order(
        self, key: Key, side: _Side, acknowledged: int | None, *, patient: bool = True
    ) -> Iterator[Gap | Piece | End]:
        """What can be given out now; a gap first if what lacks will not come."""
        assert side.expected is not None
        while side.waiting:
            expected = side.expected
            start = min(side.waiting, key=lambda start: _ahead(expected, start))
            ahead = _ahead(expected, start)
            segment = side.waiting[start]
            if ahead > 0:  # it begins later: something lacks
                beyond = acknowledged is not None and _ahead(start, acknowledged) > 0
                if patient and not beyond and len(side.waiting) < MOST_WAITING:
                    self._late.setdefault(key, segment.time)
                    return
                yield Gap(key, ahead, segment.packet, segment.time)
                ahead, patient = 0, True
                side.expected = expected = start
            del side.waiting[start]
            fresh = segment.payload[-ahead:] if ahead else segment.payload  # what was sent again is known
            if -ahead >= len(segment.payload):
                fresh = b""
            if fresh:
                side.expected = (expected + len(fresh)) % _WRAP
                yield Piece(key, fresh, segment.packet, segment.time)
            if segment.lacks and _ahead(side.expected, start + len(segment.payload) + segment.lacks) > 0:
                octets = _ahead(side.expected, start + len(segment.payload) + segment.lacks)
                if self._covers(side):
                    continue  # it was sent again, whole
                yield Gap(key, octets, segment.packet, segment.time, cut=True)
                side.expected = (side.expected + octets) % _WRAP
        self._late.pop(key, None)

    @staticmethod
    def _covers(side: _Side) -> bool:
        """Whether something that waits holds the octets that come next."""
        assert side.expected is not None
        return any(
            _ahead(side.expected, start) <= 0 < _ahead(side.expected, start + len(one.payload))
            for start, one in side.waiting.items()
        )


def _ahead(begin: int, place: int) -> int:
    """How many octets ``place`` is behind ``begin`` in the stream; sequence numbers wrap (RFC 9293 §3.4)."""
    return (place - begin + (_WRAP >> 1)) % _WRAP - (_WRAP >> 1)
