"""SIP messages cut out of a TCP stream, without I/O (:rfc:`3261#section-18.3`).

The story: octets come in any portions; a message is a header block up to an empty line and as many octets
of body as its Content-Length says. That header is mandatory on a stream, for without it nobody knows where
the next message begins; so whatever is wrong with it ends the connection. Line ends between messages are
keep-alives, and two in a row are a ping that wants one back (:rfc:`5626#section-4.4.1`). A line may end in
LF alone.

The caller feeds what it read, takes messages until there is none, answers ``pings``, and closes on a
StreamError.
"""

from __future__ import annotations

import re

DEFAULT_HEADER_LIMIT = 64 * 1024
DEFAULT_BODY_LIMIT = 1024 * 1024

_EMPTY_LINE = re.compile(rb"\n\r?\n")
_CONTENT_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE)
_CR, _LF = 0x0D, 0x0A


class StreamError(ValueError):
    """The stream cannot be cut into messages any more; what was expected, what came, and where."""

    def __init__(self, expected: str, came: str, offset: int, limit: str = "") -> None:
        self.limit = limit
        """the name of the limit that a message exceeds, if it is that"""
        self.expected = expected
        self.came = came
        self.offset = offset
        """octets from the start of the connection to the start of the message that is wrong"""
        super().__init__(f"expected {expected}, got {came} in the message at octet {offset} of the stream")


class StreamFramer:
    """Cuts one stream. After a StreamError every further call of ``next_message`` raises it again."""

    def __init__(
        self, limit_headers: int = DEFAULT_HEADER_LIMIT, limit_body: int = DEFAULT_BODY_LIMIT
    ) -> None:
        """Limits in octets: of start line and headers with the empty line, and of a body."""
        self._limit_headers = limit_headers
        self._limit_body = limit_body
        self._buffer = bytearray()
        self._offset = 0  # of the buffer's first octet in the stream
        self._scanned = 0  # octets of the buffer in which no empty line begins
        self._size = 0  # of the message at the start of the buffer, 0 while its headers are incomplete
        self._line_ends = 0  # in a row, between messages
        self._error: StreamError | None = None
        self.pings = 0
        """double line ends since the caller last set this to 0; each wants one CRLF as its answer"""

    @property
    def unfinished(self) -> int:
        """Octets of a message that has not come to its end. Right after ``next_message`` returned None."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Append what was read from the connection."""
        self._buffer += data

    def next_message(self) -> str | None:
        """The next complete message, one character per octet, or None: feed more.

        Raises :class:`StreamError` as soon as it is known that none can follow.
        """
        if self._error is not None:
            raise self._error
        buffer = self._buffer
        if not self._size:
            if buffer and buffer[0] <= _CR:
                self._skip_line_ends()
            if not buffer:
                return None
            end = _EMPTY_LINE.search(buffer, self._scanned)
            if end is None:
                if len(buffer) > self._limit_headers:
                    expected = f"an empty line within {self._limit_headers} octets"
                    raise self._fail(expected, f"{len(buffer)} octets", "header-limit")
                self._scanned = max(0, len(buffer) - 2)
                return None
            headers = end.end()
            if headers > self._limit_headers:
                expected = f"at most {self._limit_headers} octets of headers"
                raise self._fail(expected, f"{headers}", "header-limit")
            self._size = headers + self._content_length(headers)
        size = self._size
        if len(buffer) < size:
            return None
        if len(buffer) == size:
            text = buffer.decode("latin-1")
            buffer.clear()
        else:
            text = buffer[:size].decode("latin-1")
            del buffer[:size]
        self._offset += size
        self._size = self._scanned = self._line_ends = 0
        return text

    def _skip_line_ends(self) -> None:
        buffer = self._buffer
        count = 0
        for octet in buffer:
            if octet == _LF:
                self._line_ends += 1
                if self._line_ends % 2 == 0:
                    self.pings += 1
            elif octet != _CR:
                break
            count += 1
        del buffer[:count]
        self._offset += count

    def _content_length(self, end: int) -> int:
        values = {match[1].strip() for match in _CONTENT_LENGTH.finditer(self._buffer, 0, end)}
        if not values:
            raise self._fail("a Content-Length", "none")
        came = ", ".join(sorted(value.decode("latin-1") for value in values))
        if len(came) > 80:
            came = came[:77] + "…"
        if len(values) > 1:
            raise self._fail("one Content-Length", came)
        value = values.pop()
        if not value.isdigit() or len(value) > 12:
            raise self._fail("a Content-Length of decimal digits", repr(came))
        if (length := int(value)) > self._limit_body:
            raise self._fail(f"a Content-Length of at most {self._limit_body}", came, "body-limit")
        return length

    def _fail(self, expected: str, came: str, limit: str = "") -> StreamError:
        self._error = StreamError(expected, came, self._offset, limit)
        self._buffer.clear()
        return self._error
