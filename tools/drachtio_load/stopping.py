"""How a run is told to end before its time, by Ctrl-C or another signal: what it has counted is kept."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopping:
    """Two wishes, of which the second cannot be refused."""

    def __init__(self) -> None:
        self.no_more = asyncio.Event()
        """begin no more calls, and let those that are open come to their end"""
        self.at_once = asyncio.Event()
        """end now, open calls or not"""

    def interrupt(self) -> None:
        """Ctrl-C: no more calls; again: at once."""
        (self.at_once if self.no_more.is_set() else self.no_more).set()

    @property
    def wished(self) -> bool:
        """Whether anybody has asked."""
        return self.no_more.is_set() or self.at_once.is_set()

    @contextmanager
    def by_signals(self, on_interrupt: Callable[[], None]) -> Iterator[None]:
        """Inside a running loop: SIGINT interrupts, and ``on_interrupt`` is called; SIGTERM and SIGHUP end at once."""
        loop = asyncio.get_running_loop()

        def interrupted() -> None:
            self.interrupt()
            if not self.at_once.is_set():
                on_interrupt()

        loop.add_signal_handler(signal.SIGINT, interrupted)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.at_once.set)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)
