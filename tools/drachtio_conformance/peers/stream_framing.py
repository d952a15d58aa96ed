"""How SIP lies on a TCP or TLS connection of a peer: message behind message, cut by Content-Length."""

from __future__ import annotations

from msgtrace import sip


class FramingFailed(Exception):
    """The far end does not speak what was expected; the text says what it said instead."""


class StreamFramer:
    """Cuts a TCP or TLS stream into SIP messages by Content-Length (RFC 3261 §18.3)."""

    ready = True

    def __init__(self) -> None:
        self._buffer = ""

    def feed(self, data: bytes) -> list[str]:
        """The messages that ``data`` completes; line ends between messages are skipped."""
        self._buffer += data.decode("latin-1")
        found: list[str] = []
        while True:
            self._buffer = self._buffer.lstrip("\r\n")
            head = self._buffer.find("\r\n\r\n")
            if head < 0:
                return found
            length = sip.parse(self._buffer[: head + 4]).first("Content-Length", "0")
            end = head + 4 + (int(length) if length.isdecimal() else 0)
            if len(self._buffer) < end:
                return found
            found.append(self._buffer[:end])
            self._buffer = self._buffer[end:]

    def take_output(self) -> bytes:
        """Nothing: a stream has messages only."""
        return b""

    def encode(self, message: bytes) -> bytes:
        """The message itself."""
        return message
