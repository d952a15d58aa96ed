"""A deadline that moves: what expires unless it is refreshed (subscriptions, RFC 6665; sessions, RFC 4028).

Whoever refreshes often would leave a cancelled timer behind each time, and since far ends choose their intervals, each
interval would be a queue of timers of its own. So a deadline that moves away keeps its timer, which looks too early
and looks again; and delays are made even.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from reference_server.sip.timers import TimerHandle, Timers

_EXACT_SECONDS = 64
_DUE = 0.001
"""Seconds before the moment at which it has come; less than any clock of a loop resolves."""


class Deadline:
    """One moment, and what happens then: on time, or up to a second late."""

    __slots__ = ("_callback", "_handle", "_now", "_timers", "moment")

    def __init__(self, timers: Timers, now: Callable[[], float], callback: Callable[[], None]) -> None:
        """``now`` returns monotonic seconds; nothing happens before :meth:`move`."""
        self._timers = timers
        self._now = now
        self._callback = callback
        self._handle: TimerHandle | None = None
        self.moment = 0.0
        """the clock reading at which it is over"""

    def move(self, seconds: float) -> None:
        """It is over ``seconds`` from now, whatever was said before."""
        self.moment = self._now() + seconds
        handle = self._handle
        if handle is not None and handle.deadline > self.moment:
            handle.cancel()
            handle = None
        if handle is None:
            self._wait(seconds)

    def stop(self) -> None:
        """It never comes."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wait(self, seconds: float) -> None:
        self._handle = self._timers.start(even(seconds), self._look)

    def _look(self) -> None:
        left = self.moment - self._now()
        if left > _DUE:
            self._wait(left)
        else:
            self._handle = None
            self._callback()


def even(seconds: float) -> float:
    """A delay near ``seconds``, of which there are few: up to 64 s at most a second more, above at most a 32nd less."""
    step = 1
    while seconds > _EXACT_SECONDS * step:
        step *= 2
    return float(ceil(seconds) if step == 1 else int(seconds / step) * step)
