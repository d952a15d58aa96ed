"""The time token of the admin protocol: ``HH:MM:SS.ffffff`` in UTC.

Every frame about a SIP message carries one, so the text of the second is kept, and the fraction is put together from
two numbers whose text is at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_THREE_DIGITS: Final = [f"{number:03d}" for number in range(1000)]


class TimeToken:
    """Makes time tokens."""

    __slots__ = ("_start", "_text", "_wall")

    def __init__(self, wall: Callable[[], float]) -> None:
        """``wall`` returns Unix seconds."""
        self._wall = wall
        self._start = -1_000_000  # the microsecond at which the cached second began
        self._text = ""

    def now(self) -> str:
        """The token of this moment. The fraction is cut, never rounded up, so that no token lies in the
        future.
        """
        microseconds = int(self._wall() * 1_000_000)
        fraction = microseconds - self._start
        if not 0 <= fraction < 1_000_000:
            second, fraction = divmod(microseconds, 1_000_000)
            minutes, seconds = divmod(second % 86_400, 60)
            hours, minutes = divmod(minutes, 60)
            self._start = microseconds - fraction
            self._text = f"{hours:02d}:{minutes:02d}:{seconds:02d}."
        return f"{self._text}{_THREE_DIGITS[fraction // 1000]}{_THREE_DIGITS[fraction % 1000]}"
