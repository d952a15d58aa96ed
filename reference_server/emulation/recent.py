"""What was seen last, bounded."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """What was seen last, so many of it."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def keep(self, key: K, value: V) -> None:
        """It was seen."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get(self, key: K) -> V | None:
        """What was seen, if it was not long ago."""
        return self._kept.get(key)

    def keys_of(self, value: V) -> list[K]:
        """Under what it was seen."""
        return [key for key, kept in self._kept.items() if kept == value]

    def drop(self, key: K) -> V | None:
        """Forget it; returns what it was."""
        return self._kept.pop(key, None)


# Tested by tests/emulation/test_agreement.py.
