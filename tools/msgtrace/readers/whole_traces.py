"""SIP messages in a server's log, whole: a body may hold lines that look like records (of an attacker, say)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator

from msgtrace.ordinary import Run
from msgtrace.readers.records import Record

TRACE = re.compile(
    rb"(recv|send) ([0-9]+) bytes (?:from|to) ([a-z]+)/\[?([^\]\s]*?)\]?:([0-9]+) at ([0-9:.]+):[ \t]*(?:\r?\n|\Z)"
)
_LARGEST = 1_000_000  # octets of a SIP message; no transport carries more


class WholeTraces:
    """Puts together again what was cut within a SIP message: a body may hold lines that look like records.

    Behind the head of a trace the reference server writes exactly as many octets as that says, and a blank. So if a
    record ends sooner and a later one ends just there, all between is one message. The genuine server's traces, which
    are shorter than they say, end nowhere in particular and stay as they were cut.
    """

    def __init__(self) -> None:
        self.looks_ahead = False
        """what comes now may belong to a message that has begun"""
        self._ahead: deque[tuple[Record | Run, int]] = deque()  # with the place where each ends
        self._ends: set[int] = set()
        self._place = 0

    def of(self, cut: Iterable[Record | Run]) -> Iterator[Record | Run]:
        """The records, those of one message as one."""
        source = iter(cut)
        while self._ahead or self._pull(source):
            found, end = self._ahead.popleft()
            self._ends.discard(end)
            if isinstance(found, Run) or found[1] is None:
                yield found
                continue
            line, groups, text = found
            whole = end + max(0, _size_of_trace(text) - len(text))
            self.looks_ahead = True
            while self._place < whole and self._pull(source):
                pass
            self.looks_ahead = False
            yield (line, groups, self._joined(text, whole)) if whole in self._ends else found

    def _pull(self, source: Iterator[Record | Run]) -> bool:
        found = next(source, None)
        if found is None:
            return False
        if isinstance(found, Run) or found[1] is None:
            self._place += 1 << 32  # nothing goes on beyond it
        else:
            self._place += len(_beginning(found)) + len(found[2])
        self._ahead.append((found, self._place))
        if not isinstance(found, Run) and found[2].endswith(b" "):
            self._ends.add(self._place)
        return True

    def _joined(self, text: bytes, whole: int) -> bytes:
        pieces = [text]
        end = 0
        while end < whole:
            found, end = self._ahead.popleft()
            self._ends.discard(end)
            assert not isinstance(found, Run)
            pieces += [_beginning(found), found[2]]
        return b"".join(pieces)


def _beginning(record: Record) -> bytes:
    return b"\n%b " % (record[1] or (b"",))[0]


def _size_of_trace(text: bytes) -> int:
    """How long the record is that begins with ``text`` if the reference server wrote it; 0 if it is no trace."""
    if text[:1] not in (b"r", b"s") or not (trace := TRACE.match(text)):
        return 0
    said = int(trace[2][:8])
    return trace.end() + said + 1 if said <= _LARGEST else 0
