"""SIP in other fields of a logger's objects whose ``msg`` or ``message`` holds lines of a server's log or of DEBUG.

The log's lines go on to the reader of their form; what stands beside them in the same objects, or in objects without
such a line, is put among its entries.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from msgtrace.entries import Account, Entry
from msgtrace.readers import json_lines, json_sip
from msgtrace.wrapping import lines_of, text_in

_OBJECTS = msgspec.json.Decoder(dict[str, object])
_EMPTY = b"{}"
"""in the place of an object that was read here, so that nobody counts it twice"""


class SipBeside:
    """Reads the other fields of objects while their blocks pass by.

    Lines are counted as the reader of the log's lines counts them: a record in one object may have many.
    """

    def __init__(self, field: str, account: Account) -> None:
        self._field = field
        self._account = account
        self._line = 0
        self._told = False
        self._found: deque[Entry] = deque()

    def passed_on(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Whole lines; objects without the field are left out where SIP was found in them."""
        for block in lines_of(blocks):
            yield b"".join(self._looked_at(line) + b"\n" for line in block.splitlines())

    def among(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The log's entries, and before each what was found on lines before it or on its own."""
        for entry in entries:
            while self._found and self._found[0].line <= entry.line:
                yield self._found.popleft()
            yield entry
        yield from self._found

    def _looked_at(self, line: bytes) -> bytes:
        text = text_in(line, self._field)
        number = self._line + 1
        self._line += text.count(b"\n") + (not text.endswith(b"\n"))
        if b"SIP/2.0" not in line or (text is line and (b'"===>' in line or b'"<===' in line)):
            return line  # an object with a client's record is read by its own reader
        try:
            around = _OBJECTS.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return line
        if text is not line:
            del around[self._field]
        stamp = around.get("timestamp") or around.get("time")
        time = json_lines.moment(stamp) if isinstance(stamp, str | int | float) else ""
        shown = text.replace(b"\r\n", b"\n") if text is not line else b""
        found = [
            entry
            for entry in json_sip.messages_in(around, number, time)
            if entry.data.encode("latin-1").replace(b"\r\n", b"\n").rstrip(b"\n") not in shown
        ]
        if not found:
            return line
        if not self._told:
            self._told = True
            self._account.form += ", with SIP in other fields"
        room = max(0, len(line) - (len(text) if text is not line else len(_EMPTY)))
        self._account.sip += min(sum(len(entry.data) for entry in found), room)
        self._found += found
        return line if text is not line else _EMPTY
