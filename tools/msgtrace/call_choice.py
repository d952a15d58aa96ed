"""Which calls a filter chooses: those of which it shows a message."""

from __future__ import annotations

from msgtrace.answers import Shown
from msgtrace.calls import CallIndex
from msgtrace.entries import EntryKind
from msgtrace.filters import Filter


class Chosen:
    """Numbers of calls; take messages behind the index that learns them."""

    def __init__(self, index: CallIndex, wanted: Filter | None) -> None:
        """All are chosen without a filter."""
        self.index = index
        self._wanted = wanted
        self._of_messages = wanted.of_messages if wanted is not None else None
        self._numbers: set[int] = set()
        self._clock = ""

    def take(self, item: Shown) -> None:
        """The next message, which the index has learnt."""
        if self._of_messages is None or item.entry.kind in (EntryKind.DAMAGE, EntryKind.NOTE):
            return
        self._clock = item.entry.time or (item.message.get("time") if item.message else "") or self._clock
        call = self.index.of(item)
        # A dialog id, and who calls whom, may become known later than the message: so they are asked for at the end.
        if call is None or call.number in self._numbers:
            return
        if self._of_messages.passes(item, None, self._clock):
            self._numbers.add(call.number)

    @property
    def asked(self) -> bool:
        """Not all are chosen."""
        return self._wanted is not None

    def __contains__(self, number: int) -> bool:
        if self._wanted is None:
            return True
        return number in self._numbers and self._wanted.fits_call(self.index.calls[number - 1], self.index)
