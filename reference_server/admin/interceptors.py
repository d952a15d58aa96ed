"""Several interceptors in a row, where one is expected."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from reference_server.admin.context import FrameInterceptor


class InARow:
    """What comes in passes the first one first, what goes out passes it last."""

    def __init__(self, *row: FrameInterceptor) -> None:
        self._row = row

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """A frame came in."""
        for each in reversed(self._row):
            forward = partial(each.received, connection, forward=forward)
        forward(payload)

    def sent(self, connection: int, frame: bytes, forward: Callable[[bytes], None]) -> None:
        """A frame is to go out."""
        for each in self._row:
            forward = partial(each.sent, connection, forward=forward)
        forward(frame)


def in_a_row(*row: FrameInterceptor | None) -> FrameInterceptor | None:
    """Those that there are, as one; None if there are none."""
    there = [each for each in row if each is not None]
    return there[0] if len(there) == 1 else InARow(*there) if there else None


# Tested by tests/observe/test_lint.py.
