"""The time token of the admin protocol: ``HH:MM:SS.ffffff`` in UTC.

Every frame about a SIP message carries one, so the text of the second is kept and only the fraction is
formatted.
"""

from __future__ import annotations

from collections.abc import Callable


class TimeToken:
    """Makes time tokens; call it for the token of now."""

    __slots__ = ("_second", "_text", "_wall")

    def __init__(self, wall: Callable[[], float]) -> None:
        """``wall`` returns Unix seconds."""
        self._wall = wall
        self._second = -1
        self._text = ""

    def __call__(self) -> str:
        """The token of this moment. The fraction is cut, never rounded up, so that no token lies in the
        future.
        """
        microseconds = int(self._wall() * 1_000_000)
        second = microseconds // 1_000_000
        if second != self._second:
            minutes, seconds = divmod(second % 86_400, 60)
            hours, minutes = divmod(minutes, 60)
            self._second = second
            self._text = f"{hours:02d}:{minutes:02d}:{seconds:02d}."
        return f"{self._text}{microseconds - second * 1_000_000:06d}"
