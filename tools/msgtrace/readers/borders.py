"""Looks, while a log of one form passes by, for the place from which on it holds records of another form: two logs that
were put one behind the other, or a program that was told to log more.

Of each block only the end is looked at, since what follows such a place goes on; the place itself is then sought.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain

_LOOKED_AT = 8 * 1024
"""octets at the end of a block"""
_SIGNS = (
    *(b"\n===>", b"\n<===", b'"===>', b'"<===', b'{"kind":', b"drachtio:agent", b"wp#send "),
    *(b" bytes from ", b" bytes to ", b"read_handler read: ", b"Sending: ", b"Sending response: "),
)
"""what stands in records of the forms that may follow"""
_LINE_END = re.compile(rb"\n")
_ARROW_ALONE = re.compile(rb"(?:===>|<===)[ \t]*(?:\[[^\]\r\n]*\])?[ \t]*\r?\n")
_MOST_LOOKS = 3
"""in vain, behind which a sign is one of the form itself"""


class Borders:
    """Hands blocks on up to the place from which on there are records of another form; ``rest`` is what follows."""

    def __init__(
        self, blocks: Iterable[bytes], forms_of: Callable[[bytes], Collection[str]], own: Collection[str]
    ) -> None:
        """``forms_of`` tells the forms of the records in a text, of which those of this log are its ``own``."""
        self._blocks = iter(blocks)
        self._forms_of = forms_of
        self._own = frozenset(own)
        self._vain: Counter[bytes] = Counter()
        self.lines = 0
        """line ends that were handed on"""
        self.rest: Iterable[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        for place, block in enumerate(self._blocks):
            if place and self._is_foreign(block[-_LOOKED_AT:]):
                border = self._border(block)
                self.lines += block.count(b"\n", 0, border)
                self.rest = chain((block[border:],), self._blocks)
                yield block[:border]
                return
            self.lines += block.count(b"\n")
            yield block

    def _is_foreign(self, end: bytes) -> bool:
        found = [sign for sign in _SIGNS if sign in end and self._vain[sign] < _MOST_LOOKS]
        if not found:
            return False
        if self._foreign(end[end.find(b"\n") + 1 :]):
            return True
        self._vain.update(found)
        return False

    def _border(self, block: bytes) -> int:
        """Where the first record of another form begins."""
        starts = [0, *(found.end() for found in _LINE_END.finditer(block))]
        if starts[-1] == len(block):
            starts.pop()
        # The first line up to which there is such a record; that may be the second one of it.
        last = bisect_left(
            range(len(starts)),
            True,
            key=lambda index: bool(self._foreign(block[: (*starts, len(block))[index + 1]])),
        )
        last = min(last, len(starts) - 1)
        arrow = last and _ARROW_ALONE.match(block, starts[last - 1])
        return starts[last - 1 if arrow else last]

    def _foreign(self, text: bytes) -> set[str]:
        return set(self._forms_of(text)) - self._own
