"""What was found out before, kept by the text it was found out from, so that the same text costs one look-up.

Whoever fills a memo may be a stranger who makes up texts without end. So it has a limit, of one kind everywhere: a
number of entries, and a length above which a text is not kept. When it is full it begins again: to tell what is in use
from what was made up would cost more than to find it out anew. Nothing but time may hang on what a memo holds.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """At most ``entries`` findings, none of them by a text of more than ``longest`` octets."""

    __slots__ = ("entries", "known", "longest")

    def __init__(self, *, entries: int, longest: int = 0) -> None:
        """``longest`` is for keys that are texts; others have a size of their own."""
        self.entries = entries
        self.longest = longest
        self.known: dict[Key, Value] = {}
        """to look up in, where each look counts; only :meth:`keep` and :meth:`forget` change it"""

    def keep(self, key: Key, value: Value) -> Value:
        """Have ``value`` found by ``key`` from now on, if that is not too long. Returns ``value``."""
        if not isinstance(key, str) or len(key) <= self.longest:
            if len(self.known) >= self.entries:
                self.known.clear()
            self.known[key] = value
        return value

    def forget(self) -> None:
        """Begin again."""
        self.known.clear()
