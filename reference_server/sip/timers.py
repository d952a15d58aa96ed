"""Every timer of the server: first-in-first-out queues, one per delay, on one injected clock.

SIP uses few distinct delays (T1, 2·T1 … T2, T4, 64·T1) and cancels most timers before they fire. A queue per delay
is therefore always in order of its deadlines: starting is an append, cancelling sets a flag, and the next deadline
is the smallest of a few queue heads. Nothing here reads a clock; the adapter in net/clock.py, a test, or
``Server.advance`` tells the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol


class TimerHandle:
    """A timer that was started; ``cancel`` is idempotent and costs nothing."""

    __slots__ = ("callback", "deadline")

    def __init__(self, deadline: float, callback: Callable[[], None]) -> None:
        self.deadline = deadline
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """The callback will not be called."""
        self.callback = None


class Timers(Protocol):
    """What state machines see of time."""

    def start(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Call ``callback`` once, ``seconds`` from now, unless the handle is cancelled before."""


class TimerQueues:
    """The one implementation of :class:`Timers`."""

    def __init__(self, now: Callable[[], float]) -> None:
        """``now`` returns monotonic seconds."""
        self._now = now
        self._queues: dict[float, deque[TimerHandle]] = {}

    def start(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Call ``callback`` once, ``seconds`` from now, unless the handle is cancelled before."""
        handle = TimerHandle(self._now() + seconds, callback)
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = deque()
        queue.append(handle)
        return handle

    def next_deadline(self) -> float | None:
        """The clock reading at which something is due, or None; forgets cancelled timers at the queues' heads."""
        earliest: float | None = None
        exhausted: list[float] = []
        for delay, queue in self._queues.items():
            while queue and queue[0].callback is None:
                queue.popleft()
            if not queue:
                exhausted.append(delay)
            elif earliest is None or queue[0].deadline < earliest:
                earliest = queue[0].deadline
        for delay in exhausted:
            del self._queues[delay]
        return earliest

    def run_due(self, now: float) -> int:
        """Call what is due at ``now``, earliest first; returns how many callbacks ran.

        A timer started by a callback runs too if it is already due.
        """
        ran = 0
        while True:
            deadline = self.next_deadline()
            if deadline is None or deadline > now:
                return ran
            for queue in list(self._queues.values()):
                while queue and queue[0].deadline <= deadline:
                    callback = queue.popleft().callback
                    if callback is not None:
                        callback()
                        ran += 1

    def __len__(self) -> int:
        """How many timers are waiting, cancelled ones not counted."""
        return sum(handle.callback is not None for queue in self._queues.values() for handle in queue)
