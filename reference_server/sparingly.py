"""Many things of one kind are said once a second, and how many they were."""

from __future__ import annotations

from collections.abc import Callable

INTERVAL = 1.0
"""Seconds from one line to the next."""


class Sparingly:
    """Says at most one line a second."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        """``say`` gets the lines; ``clock`` is in seconds."""
        self._say = say
        self._clock = clock
        self._next = float("-inf")
        self._unsaid = 0

    def __call__(self, line: str) -> None:
        """Say ``line``, unless another was said within the last second: then it is only counted."""
        if self.now():
            self.say(line)

    def now(self) -> bool:
        """Whether it is time for a line, which :meth:`say` says; if not, one more is counted.

        Who composes the line only then pays nothing for those that are not said.
        """
        now = self._clock()
        if now < self._next:
            self._unsaid += 1
            return False
        self._next = now + INTERVAL
        return True

    def say(self, line: str) -> None:
        """Say ``line``, and how many were not said since the last."""
        unsaid, self._unsaid = self._unsaid, 0
        self._say(f"{line} ({unsaid} more of this kind since the last line)" if unsaid else line)
