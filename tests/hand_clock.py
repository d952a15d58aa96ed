"""A clock that is turned by hand, and the server's own timer queues on it."""

from __future__ import annotations

from reference_server.sip.timers import TimerQueues

TICK = 2**-10
"""About a millisecond; sums of such times are exact."""


class HandClock:
    """Both clocks of a server; nothing passes unless :meth:`advance` is called. Times are exact binary fractions."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers = TimerQueues(self.monotonic)

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    def wall(self) -> float:
        """Unix seconds; the day began 16 hours before."""
        return 1_800_000_000.0 + self.now

    def advance(self, seconds: float) -> None:
        """Let time pass; each timer runs with the clock at its deadline."""
        end = self.now + seconds
        while (deadline := self.timers.next_deadline()) is not None and deadline <= end:
            self.now = deadline
            self.timers.run_due(deadline)
        self.now = end
