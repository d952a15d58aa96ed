"""Repeating a 2xx response to an INVITE until its ACK comes (RFC 3261 §13.3.1.4).

The intervals are 500 ms, 1 s, 2 s, 4 s, 4 s … whatever T1 is configured to, as in the genuine server; the end is
64·T1 after the first transmission.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.sip.timers import TimerHandle, Timers
from reference_server.sip.timing import Timing

_FIRST_INTERVAL = 0.5


class SuccessRepeater:
    """One 2xx on its way; the transaction has sent it once."""

    __slots__ = ("_end", "_interval", "_repeat", "_send", "_text", "_timers", "_timing", "_unacknowledged")

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
        self._interval = _FIRST_INTERVAL
        self._repeat: TimerHandle | None = None
        self._end: TimerHandle | None = timers.start(timing.t1x64, self._give_up)
        if not reliable:
            self._repeat = timers.start(_FIRST_INTERVAL, self._send_again)

    def stop(self) -> bool:
        """The ACK came, or the dialog is over; True if the 2xx was still waiting for its ACK."""
        if self._repeat is not None:
            self._repeat.cancel()
        if self._end is None:
            return False
        self._end.cancel()
        self._end = None
        return True

    def _send_again(self) -> None:
        self._send(self._text)
        self._interval = min(2 * self._interval, self._timing.t2)
        self._repeat = self._timers.start(self._interval, self._send_again)

    def _give_up(self) -> None:
        if self.stop():
            self._unacknowledged()
