"""The one clock of a server, and the one timer of the event loop that drives all others.

A loop timer per SIP timer would cost ten times what the SIP timer costs, so :class:`TimerQueues` holds
them all and the clock keeps a single ``call_later`` for the earliest. It is rounded up by a few
milliseconds: thousands of timers per second then share a few hundred wakes.

An embedded server's clock can be advanced; that of others is the system's, whose functions are called as they are.
Advancing moves an offset, deadline by deadline, and lets the
loop turn in between, so that what one timer sends can be answered before the next one runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from math import inf

from reference_server.sip.timers import TimerQueues

GRANULARITY = 0.004
"""Seconds by which a timer may be late so that others share its wake."""

_TURNS = 4
_ANSWER_TIME = 0.001


class LoopClock:
    """Monotonic and wall time with a common offset; owns the server's timers. Made inside a running loop."""

    def __init__(self, *, advances: bool = True) -> None:
        """``advances``: :meth:`advance` may be called."""
        self._advances = advances
        self.monotonic: Callable[[], float] = self._monotonic if advances else time.monotonic
        """seconds; what timers run on"""
        self.wall: Callable[[], float] = self._wall if advances else time.time
        """Unix seconds; what time tokens and logs show"""
        self._loop = asyncio.get_running_loop()
        self._offset = 0.0
        self._wake: asyncio.TimerHandle | None = None
        self._advancing = asyncio.Lock()
        self.timers = TimerQueues(self.monotonic, self._arm)

    def _monotonic(self) -> float:
        return time.monotonic() + self._offset

    def _wall(self) -> float:
        return time.time() + self._offset

    def _arm(self, deadline: float) -> None:
        if self._wake is not None:
            self._wake.cancel()
        self._wake = self._loop.call_later(max(0.0, deadline - self.monotonic()) + GRANULARITY, self._run)

    def _run(self) -> None:
        self._wake = None
        self._run_until(self.monotonic())

    def _run_until(self, now: float) -> int:
        # While callbacks run, the timers that they start need no wake of their own: the plan is made
        # afterwards.
        self.timers.planned = -inf
        try:
            return self.timers.run_due(now)
        finally:
            self._plan()

    def _plan(self) -> None:
        deadline = self.timers.next_deadline()
        self.timers.planned = inf if deadline is None else deadline
        if deadline is not None:
            self._arm(deadline)
        elif self._wake is not None:
            self._wake.cancel()
            self._wake = None

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once, running what falls due in order of the deadlines.

        The clock shows each deadline while its timers run. After each, sockets get a few turns of the loop
        and a peer on this machine a moment to answer. Concurrent calls add up. Raises ValueError if
        ``seconds`` is negative, RuntimeError if this clock is one that does not advance.
        """
        if not self._advances:
            raise RuntimeError("this clock was made as one that is not advanced")
        if seconds < 0:
            raise ValueError(f"expected a time that is not negative, got {seconds} s")
        async with self._advancing:
            target = self.monotonic() + seconds
            await self._settle()
            while (deadline := self.timers.next_deadline()) is not None and deadline <= target:
                self._move_to(deadline)
                if self._run_until(deadline):
                    await self._settle()
            self._move_to(target)
            self._plan()

    def _move_to(self, moment: float) -> None:
        self._offset += max(0.0, moment - self.monotonic())

    async def _settle(self) -> None:
        # Another process cannot be asked whether it is done; a millisecond of real time per deadline is
        # what a peer on loopback needs to read, answer and be read, and the loop sleeps in its selector
        # meanwhile.
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        await asyncio.sleep(_ANSWER_TIME)
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Cancel every timer."""
        self.timers.clear()
        self._plan()
