"""Repeating a 2xx response to an INVITE until its ACK comes (RFC 3261 §13.3.1.4).

The intervals are 500 ms, 1 s, 2 s, 4 s, 4 s … whatever T1 is configured to, as in the genuine server; the end is
64·T1 after the first transmission.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from reference_server.sip.timers import TimerHandle, Timers
from reference_server.sip.timing import Timing

_FIRST_INTERVAL = 0.5


class SuccessRepeater:
    """One 2xx on its way; the transaction has sent it once."""

    __slots__ = ("_interval", "_left", "_send", "_text", "_timer", "_timers", "_timing", "_unacknowledged")

    def __init__(
        self,
        text: str,
        send: Callable[[str], object],
        reliable: bool,
        timers: Timers,
        timing: Timing,
        unacknowledged: Callable[[], None],
    ) -> None:
        """Over a reliable transport nothing is repeated, but the ACK is still waited for."""
        self._text = text
        self._send = send
        self._timers = timers
        self._timing = timing
        self._unacknowledged = unacknowledged
        self._interval = inf if reliable else _FIRST_INTERVAL
        self._left = timing.t1x64
        """from the start of the timer that runs to the end of the patience"""
        self._timer: TimerHandle | None = self._wait()

    def stop(self) -> bool:
        """The ACK came, or the dialog is over; True if the 2xx was still waiting for its ACK."""
        timer, self._timer = self._timer, None
        if timer is None:
            return False
        timer.cancel()
        return True

    def _wait(self) -> TimerHandle:
        """For the next repetition, or for the end if that comes first."""
        if self._interval < self._left:
            return self._timers.start(self._interval, self._send_again)
        return self._timers.start(self._left, self._give_up)

    def _send_again(self) -> None:
        self._send(self._text)
        if self._timer is not None:  # sending has not ended the dialog
            self._left -= self._interval
            self._interval = min(2 * self._interval, self._timing.t2)
            self._timer = self._wait()

    def _give_up(self) -> None:
        if self.stop():
            self._unacknowledged()
