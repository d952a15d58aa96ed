"""How the genuine server cuts SIP messages out of a TCP connection (DEV-227, DEV-229)."""

from __future__ import annotations

from reference_server.net.stream_framing import StreamFraming
from reference_server.sip.messages.stream import StreamError


class GenuineStream(StreamFraming):
    """It reads one message of a segment, and waits for ever for one whose length nobody says."""

    def __init__(self, limit_headers: int, limit_body: int) -> None:
        super().__init__(limit_headers, limit_body)
        self._deaf = False
        self._taken = False

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._taken = False
        if not self._deaf:
            super().feed(data)

    def next_message(self) -> str | None:
        """The first one of what arrived; what is behind it is lost (DEV-229)."""
        if self._taken:
            self._buffer.clear()
            return None
        try:
            message = super().next_message()
        except StreamError as error:
            if error.expected != "a Content-Length":
                raise
            self._deaf = True  # DEV-227
            return None
        self._taken = message is not None
        return message

    def _content_length(self, end: int) -> int:
        """A length that cannot be read is none, and whoever reads the message answers 400."""
        try:
            return super()._content_length(end)
        except StreamError as error:
            if error.expected == "a Content-Length":
                raise
            self._error = None
            return 0

    def _fail(self, expected: str, came: str, limit: str = "") -> StreamError:
        error = StreamError(expected, came, self._offset)
        if expected in ("one Content-Length", "a Content-Length of decimal digits"):
            return error
        return super()._fail(expected, came, limit)


# Tested by tests/emulation/test_agreement.py.
