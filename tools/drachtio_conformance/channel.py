"""What has come from the far end and waits for a step to look at it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Closed(Struct, frozen=True):
    """The far end ended the connection."""

    reset: bool = False
    """by RST, not FIN"""


class NothingCame(Exception):
    """The deadline passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing came within {seconds:g} s")


class Channel(Generic[T]):
    """First in, first out; one step waits at a time."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._arrived = asyncio.Event()

    def put(self, item: T) -> None:
        """Add what came."""
        self._items.append(item)
        self._arrived.set()

    def put_back(self, item: T) -> None:
        """Make ``item`` the next one to be taken."""
        self._items.appendleft(item)

    async def take(self, seconds: float) -> T:
        """The next item. Raises :class:`NothingCame` when there is none for ``seconds``."""
        if not self._items:
            self._arrived.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            except TimeoutError:
                raise NothingCame(seconds) from None
        return self._items.popleft()

    def __len__(self) -> int:
        return len(self._items)
