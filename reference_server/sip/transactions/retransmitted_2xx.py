"""Repeating a 2xx response to an INVITE until its ACK comes (RFC 3261 §13.3.1.4).

The intervals are 500 ms, 1 s, 2 s, 4 s, 4 s … whatever T1 is configured to, as in the genuine server; the end is
64·T1 after the first transmission.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.sip.timers import TimerHandle, Timers
from reference_server.sip.transactions.timing import Timing

_FIRST_INTERVAL = 0.5


class Retransmitted2xx:
    """One 2xx on its way; the transaction has sent it once."""

    __slots__ = ("_end", "_interval", "_repeat", "_send", "_text", "_timers", "_timing", "_unacknowledged")

    def __init__(
        self,
        text: str,
        send: Callable[[str], object],
        unacknowledged: Callable[[], None],
        timers: Timers,
        timing: Timing,
    ) -> None:
        """Over a connection it is repeated, too: behind the next proxy there may be datagrams (§13.3.1.4)."""
        self._text = text
        self._send = send
        self._timers = timers
        self._timing = timing
        self._unacknowledged = unacknowledged
        self._interval = _FIRST_INTERVAL
        self._repeat: TimerHandle | None = None
        once = timing.t1x64 <= _FIRST_INTERVAL
        self._end: TimerHandle | None = (
            timers.start(timing.t1x64, self._give_up)
            if once
            else timers.start(_FIRST_INTERVAL, self._begin_to_repeat)
        )
        """runs to the first repetition, and then to the end of the patience"""

    def stop(self) -> bool:
        """The ACK came, or the dialog is over; True if the 2xx was still waiting for its ACK."""
        end, self._end = self._end, None
        if end is None:
            return False
        end.cancel()
        if self._repeat is not None:
            self._repeat.cancel()
        return True

    def _begin_to_repeat(self) -> None:
        """The few that come this far have two timers: the end does not move when repetitions are late."""
        self._end = self._timers.start(self._timing.t1x64 - _FIRST_INTERVAL, self._give_up)
        self._send_again()

    def _send_again(self) -> None:
        self._send(self._text)
        if self._end is not None:  # sending has not ended the dialog
            self._interval = min(2 * self._interval, self._timing.t2)
            self._repeat = self._timers.start(self._interval, self._send_again)

    def _give_up(self) -> None:
        self.stop()
        self._unacknowledged()
