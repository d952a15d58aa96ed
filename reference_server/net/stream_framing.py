"""How SIP lies on a stream, by TCP and TLS (:rfc:`3261#section-18.3`): message behind message, cut by length."""

from __future__ import annotations

from typing import Final

from reference_server.sip.messages.stream import (
    DEFAULT_BODY_LIMIT,
    DEFAULT_HEADER_LIMIT,
    StreamError,
    StreamFramer,
)

_TLS_HANDSHAKE: Final = 0x16  # no SIP message begins so


class StreamFraming(StreamFramer):
    """Implements ``Framing``; double line ends are pings, each answered by one (:rfc:`5626#section-4.4.1`)."""

    ready: Final = True
    ended: Final = False
    origin: Final = ""

    def __init__(
        self, limit_headers: int = DEFAULT_HEADER_LIMIT, limit_body: int = DEFAULT_BODY_LIMIT
    ) -> None:
        super().__init__(limit_headers, limit_body)
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Take what arrived. Raises StreamError if it is TLS where there is none."""
        if not self._begun and data:
            self._begun = True
            if data[0] == _TLS_HANDSHAKE:
                raise StreamError("a SIP message", "a TLS handshake", 0)
        super().feed(data)

    def take_replies(self) -> bytes:
        """The answers to pings."""
        if not self.pings:
            return b""
        replies = b"\r\n" * self.pings
        self.pings = 0
        return replies

    def encode(self, message: str) -> bytes:
        """Its octets."""
        return message.encode("latin-1")

    def end(self) -> bytes:
        """Nothing: the stream just ends."""
        return b""
