"""What somebody looks at who browses a recording: calls with their verdicts, the ladder of one, its messages.

Grows while the recording is read, perhaps in another thread; who reads the recording and who looks share a lock. The
latest :data:`MOST` messages are kept.
"""

from __future__ import annotations

import threading
from collections import deque

from msgspec import Struct

from msgtrace import render
from msgtrace.answers import Shown
from msgtrace.call_table import Judged, judged
from msgtrace.calls import Call, CallIndex
from msgtrace.explain import story
from msgtrace.legs import join
from msgtrace.redact import secrets
from msgtrace.rows import Row, rows_of
from msgtrace.verdict import Ending

MOST = 50_000
"""messages"""


class Looked(Struct, frozen=True):
    """A call, its other legs with it, as it is shown."""

    call: Call
    rows: list[Row]
    items: dict[int, Shown]
    """messages by number"""
    story: str


class Browsing:
    """A recording that is looked at."""

    def __init__(self, *, header: str = "", show_secrets: bool = False) -> None:
        """``header`` joins legs (``--join``)."""
        self.index = CallIndex()
        self._items: deque[Shown] = deque(maxlen=MOST)
        self._header = header
        self._show_secrets = show_secrets
        self._lock = threading.Lock()
        self._judged: list[Judged] = []
        self._judged_at = -1
        self.count = 0
        """messages that were read; tells whether there is something new"""

    def take(self, item: Shown) -> None:
        """The next of the recording."""
        with self._lock:
            self.index.learn(item)
            self._items.append(item)
            self.count += 1

    def calls(self, wanted: str = "", *, failed_only: bool = False) -> list[Judged]:
        """The calls in which ``wanted`` is found: parties, Call-ID, method, or what became of them."""
        text = wanted.lower()
        return [
            row
            for row in self._all()
            if (not failed_only or row.verdict.ending is Ending.BAD) and (not text or text in _words(row))
        ]

    def causes(self) -> list[tuple[int, str]]:
        """Why calls failed, and how many, the most first; legs are not counted again. Of a single one all is said."""
        causes: dict[str, list[Judged]] = {}
        for row in self._all():
            if row.verdict.ending is Ending.BAD and not row.leg_of:
                causes.setdefault(f"{row.call.method} {row.cause}".strip(), []).append(row)
        told = [
            (
                len(rows),
                cause
                if len(rows) > 1
                else f"{rows[0].call.method} {rows[0].text} (call {rows[0].call.number})",
            )
            for cause, rows in causes.items()
        ]
        return sorted(told, key=lambda pair: -pair[0])

    def _all(self) -> list[Judged]:
        with self._lock:
            if self._judged_at != self.count:
                self._judged_at = self.count
                self._judged = judged(self.index.calls, join(self.index.calls, self._header))
            return self._judged

    def look(self, number: int) -> Looked:
        """The call of that number, with its other legs."""
        with self._lock:
            calls = self.index.calls
            legs = join(calls, self._header)
            call = calls[number - 1]
            first = legs.get(number, call)
            together = [first, *(calls[other - 1] for other, of in legs.items() if of is first)]
            items = [item for item in self._items if self.index.of(item) in together]
            own = [item for item in items if self.index.of(item) is call]
            others = [other for other in together if other is not call]
            text = "\n".join(story(call, own, legs.get(number), others if first is call else []))
            by_number = {item.number: item for item in items if item.summary}
            return Looked(call, rows_of(items), by_number, text if self._show_secrets else secrets(text))

    def message(self, item: Shown) -> str:
        """A message with tokens and SIP."""
        return render.full(item, show_secrets=self._show_secrets)


def _words(row: Judged) -> str:
    call = row.call
    words = (call.caller, call.callee, call.call_id, call.method, row.text, call.from_value, call.to_value)
    return " ".join(words).lower()
