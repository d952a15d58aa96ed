"""How SIP lies on a stream, by TCP and TLS (:rfc:`3261#section-18.3`): message behind message, cut by length."""

from __future__ import annotations

from reference_server.sip.messages.stream import StreamFramer


class StreamFraming(StreamFramer):
    """Implements ``Framing``; double line ends are pings, each answered by one (:rfc:`5626#section-4.4.1`)."""

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
