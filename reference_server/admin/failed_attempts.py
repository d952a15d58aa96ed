"""Who has failed to authenticate lately, by address: so that nobody tries out secrets as fast as the network carries.

The first failures of an address cost it nothing, as with the genuine server. From then on each of its attempts, right
or wrong, is looked at only after a delay, which doubles with each failure: if only wrong ones waited, whoever has no
answer at once would know enough and hang up. Attempts that wait side by side would each wait no longer than one alone,
so of an address only some may: one more is refused unseen. An address is forgotten when one of its attempts succeeds,
or when it has not failed for some time. Beyond a number of addresses the one that has not failed for longest is
forgotten.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from reference_server.core.ports import Timers
from reference_server.crowd import share_of
from reference_server.sip.timers import TimerHandle

FIRST_DELAY: Final = 1.0
"""Seconds that the first attempt waits that does; twice as long after each further failure."""

FORGOTTEN_AFTER: Final = 30.0
"""Seconds without a failure after which an address counts as one that never failed."""

MOST_ADDRESSES: Final = 10_000


class FailedAttempts:
    """One for a server. Nothing takes longer if there are more addresses."""

    def __init__(self, timers: Timers, most: int = MOST_ADDRESSES) -> None:
        """Of ``most`` addresses something is remembered."""
        self._timers = timers
        self._most = most
        self._failures: dict[str, tuple[int, TimerHandle]] = {}
        """how many, and what forgets them; who failed last stands last"""
        self._waiting: dict[str, int] = {}
        """how many attempts wait"""

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._failures)

    @property
    def waiting(self) -> int:
        """How many attempts wait for their delay."""
        return sum(self._waiting.values())

    def delay(self, host: str, *, free: int, longest: float) -> float:
        """Seconds, at most ``longest``, until an attempt from the literal address ``host`` is looked at.

        Its first ``free`` failures delay nothing.
        """
        if not self._failures:
            return 0.0
        count, _ = self._failures.get(share_of(host), (0, None))
        if count < max(free, 1):
            return 0.0
        return min(FIRST_DELAY * 2.0 ** min(count - free, 30), longest)

    def begins_to_wait(self, host: str, most: int) -> bool:
        """One more attempt from there waits for its delay; False, and it does not, if ``most`` do already."""
        address = share_of(host)
        waiting = self._waiting.get(address, 0)
        if waiting >= most:
            return False
        self._waiting[address] = waiting + 1
        return True

    def has_waited(self, host: str) -> None:
        """One of them waits no more: its delay is over, or it has gone."""
        address = share_of(host)
        self._waiting[address] -= 1
        if not self._waiting[address]:
            del self._waiting[address]

    def failed(self, host: str) -> None:
        """An attempt from there was wrong."""
        address = share_of(host)
        count = self._forget(address)
        if len(self._failures) >= self._most:
            self._forget(next(iter(self._failures)))
        timer = self._timers.start(FORGOTTEN_AFTER, partial(self._expire, address))
        self._failures[address] = (count + 1, timer)

    def succeeded(self, host: str) -> None:
        """An attempt from there was right."""
        if self._failures:
            self._forget(share_of(host))

    def _expire(self, address: str) -> None:
        del self._failures[address]

    def _forget(self, address: str) -> int:
        """Returns how many failures it had."""
        count, timer = self._failures.pop(address, (0, None))
        if timer is not None:
            timer.cancel()
        return count
