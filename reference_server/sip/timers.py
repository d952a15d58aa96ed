"""Every timer of the server: first-in-first-out queues, one per delay, on one injected clock.

SIP uses few distinct delays (T1, 2·T1 … T2, T4, 64·T1) and cancels most timers before they fire. A queue
per delay is therefore always in order of its deadlines: starting is an append, cancelling clears a field,
and the next deadline is the smallest of a few queue heads. Nothing here reads a clock or waits: whoever
drives the queues (net/clock.py, a test) is told through ``wake`` when it must look earlier than it had
planned, and calls ``run_due``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Protocol

from msgspec import Struct


class TimerHandle(Struct, gc=False):
    """A timer that was started; ``cancel`` is idempotent and costs nothing.

    A handle that has a callback is in a queue, from where it leaves without, so no cycle through it outlives the
    timer: the garbage collector need not look at the many that wait.
    """

    deadline: float
    callback: Callable[[], None] | None

    def cancel(self) -> None:
        """The callback will not be called."""
        self.callback = None

    def becomes(self, callback: Callable[[], None]) -> None:
        """``callback`` will be called instead."""
        self.callback = callback


class Timers(Protocol):
    """What state machines see of time."""

    def start(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Call ``callback`` once, ``seconds`` from now, unless the handle is cancelled before."""


class TimerQueues:
    """The one implementation of :class:`Timers`."""

    __slots__ = ("_now", "_queues", "_wake", "planned")

    def __init__(self, now: Callable[[], float], wake: Callable[[float], None] | None = None) -> None:
        """``now`` returns monotonic seconds; ``wake(deadline)`` is called when a timer is due before
        ``planned``.
        """
        self._now = now
        self._wake = wake
        self._queues: dict[float, deque[TimerHandle]] = {}
        self.planned = inf
        """the clock reading at which the driver looks next; the driver sets it, ``wake`` replaces it"""

    def start(self, seconds: float, callback: Callable[[], None]) -> TimerHandle:
        """Call ``callback`` once, ``seconds`` from now, unless the handle is cancelled before."""
        deadline = self._now() + seconds
        handle = TimerHandle(deadline, callback)
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = deque()
        queue.append(handle)
        if deadline < self.planned and self._wake is not None:
            self.planned = deadline
            self._wake(deadline)
        return handle

    def next_deadline(self) -> float | None:
        """The clock reading at which something is due, or None; forgets cancelled timers at the queues'
        heads.
        """
        earliest = inf
        exhausted: list[float] = []
        for delay, queue in self._queues.items():
            while queue and queue[0].callback is None:
                queue.popleft()
            if not queue:
                exhausted.append(delay)
            elif queue[0].deadline < earliest:
                earliest = queue[0].deadline
        for delay in exhausted:
            del self._queues[delay]
        return None if earliest == inf else earliest

    def run_due(self, now: float) -> int:
        """Call what is due at ``now``, earliest first; returns how many callbacks ran.

        A timer started by a callback runs too if it is already due. An exception of a callback passes
        through; that timer is spent and the others stay.
        """
        ran = 0
        while True:
            deadline = self.next_deadline()
            if deadline is None or deadline > now:
                return ran
            for queue in list(self._queues.values()):
                while queue and queue[0].deadline <= deadline:
                    handle = queue.popleft()
                    callback = handle.callback
                    if callback is not None:
                        handle.callback = None
                        ran += 1
                        callback()

    def clear(self) -> None:
        """Cancel every timer."""
        for queue in self._queues.values():
            for handle in queue:
                handle.callback = None
        self._queues.clear()

    def __len__(self) -> int:
        """How many timers are waiting, cancelled ones not counted."""
        return sum(handle.callback is not None for queue in self._queues.values() for handle in queue)
