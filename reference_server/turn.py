"""What one turn of the event loop brings about leaves at its end: one write for each connection, one row of datagrams.

Who reads knows when it is done and says so (``within``, ``end``), which spares the loop a turn of its own for the
writing. What timers bring about has nobody who says so; there the loop is asked.
"""

from __future__ import annotations

from collections.abc import Callable


class Turn:
    """One event loop's turn, as those see it who have something to write at its end."""

    __slots__ = ("_call_soon", "_flushes", "within")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        """``call_soon`` is the loop's."""
        self._call_soon = call_soon
        self._flushes: list[Callable[[], None]] = []
        self.within = False
        """somebody reads, who has said so here, and will call ``end``"""

    def end(self) -> None:
        """All that was read has been handled: write."""
        self.within = False
        if self._flushes:
            self._flush()

    def at_end(self, flush: Callable[[], None]) -> None:
        """Call ``flush`` once, at the end of this turn."""
        if not self._flushes and not self.within:
            self._call_soon(self._flush)
        self._flushes.append(flush)

    def _flush(self) -> None:
        flushes = iter(self._flushes)
        self._flushes = []
        try:
            for flush in flushes:
                flush()
        finally:
            for left in flushes:  # one has failed: the others get their chance
                self._call_soon(left)
