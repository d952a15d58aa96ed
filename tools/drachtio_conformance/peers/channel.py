"""What has come from the far end and waits for a step to look at it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")
R = TypeVar("R")


class Closed(Struct, frozen=True):
    """The far end ended the connection."""

    reset: bool = False
    """by RST, not FIN"""


class NothingCame(Exception):
    """The deadline passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing came within {seconds:g} s")


class Bell:
    """Rings at each arrival on any channel that shares it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits."""
        self._event.set()

    async def until(self, look: Callable[[], R | None], seconds: float) -> R:
        """Call ``look`` now and after each arrival until it finds something.

        Raises :class:`NothingCame` after ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._event.clear()
            found = look()
            if found is not None:
                return found
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._event.wait()
            except TimeoutError:
                raise NothingCame(seconds) from None


class Channel(Generic[T]):
    """First in, first out; one step waits at a time."""

    def __init__(self, bell: Bell | None = None) -> None:
        self._items: deque[T] = deque()
        self._bell = bell or Bell()

    def put(self, item: T) -> None:
        """Add what came."""
        self._items.append(item)
        self._bell.ring()

    def put_back(self, item: T) -> None:
        """Make ``item`` the next one to be taken."""
        self._items.appendleft(item)

    async def take(self, seconds: float) -> T:
        """The next item. Raises :class:`NothingCame` when there is none for ``seconds``."""
        return await self._bell.until(lambda: self.find(lambda _: True), seconds)

    def find(self, wanted: Callable[[T], bool]) -> T | None:
        """Remove and return the first item that is wanted; the others keep their order."""
        for item in self._items:
            if wanted(item):
                self._items.remove(item)
                return item
        return None

    async def take_first(self, wanted: Callable[[T], bool], seconds: float) -> T:
        """The first item that is wanted, now or later; others stay. Raises :class:`NothingCame`."""
        return await self._bell.until(lambda: self.find(wanted), seconds)

    def waiting(self) -> list[T]:
        """What nobody has taken, in order."""
        return list(self._items)

    def __len__(self) -> int:
        return len(self._items)
