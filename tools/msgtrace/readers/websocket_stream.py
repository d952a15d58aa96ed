"""SIP over WebSocket (RFC 7118) as one side of a captured connection sent it: a message of WebSocket is one of SIP.

The handshake is passed over. Where the capture begins behind it, frames are known by the SIP in them. Compressed
messages (RFC 7692) cannot be read alone, and are told.
"""

from __future__ import annotations

import re

from msgspec import Struct

from msgtrace.sip_stream import START

_HANDSHAKE = re.compile(rb"(?:GET \S{0,2000} HTTP/1\.1|HTTP/1\.1 101 [^\r\n]{0,200})\r\n")
_UPGRADE = re.compile(rb"(?i)\r\nupgrade:[ \t]*websocket[ \t]*\r\n")
_CONTINUATION, _TEXT, _BINARY, _CLOSE = 0, 1, 2, 8
LIMIT = 1024 * 1024
"""octets of a message that are waited for"""


class _Frame(Struct, frozen=True):
    opcode: int
    is_last: bool
    is_compressed: bool
    payload: bytes
    end: int
    """where the next one begins"""


class WebSocketStream:
    """What one side of a connection sent."""

    def __init__(self) -> None:
        self._data = b""
        self._begun: list[bytes] = []
        """the parts of a message whose last one has not come"""
        self._compressed = False

    def feed(self, data: bytes) -> tuple[list[bytes], int]:
        """Take more octets; the SIP messages that are complete, and how many octets cannot be read."""
        self._data += data
        messages: list[bytes] = []
        unread = 0
        if _HANDSHAKE.match(self._data):
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return [], 0
            self._data = self._data[end + 4 :]
        while frame := _frame(self._data):
            self._data = self._data[frame.end :]
            if frame.opcode > _BINARY:  # ping, pong, close
                continue
            if frame.opcode != _CONTINUATION:
                self._begun, self._compressed = [], frame.is_compressed
            self._begun.append(frame.payload)
            if not frame.is_last:
                continue
            whole = b"".join(self._begun)
            self._begun = []
            if self._compressed:
                unread += len(whole)
            elif START.match(whole.lstrip(b"\r\n")):
                messages.append(whole.lstrip(b"\r\n"))
            elif whole.strip(b"\r\n"):  # else a keep-alive (RFC 7118 §6)
                unread += len(whole)
        if len(self._data) > LIMIT:
            unread += len(self._data)
            self._data = b""
        return messages, unread

    def rest(self) -> int:
        """How many octets of an incomplete message are left; they are forgotten."""
        left = len(self._data) + sum(map(len, self._begun))
        self._data, self._begun = b"", []
        return left


def begins(data: bytes) -> bool:
    """Whether a connection of WebSocket begins here, or one is under way on which SIP is spoken."""
    if _HANDSHAKE.match(data):
        return _UPGRADE.search(data) is not None
    if data[:1] not in (b"\x81", b"\x82", b"\x01", b"\x02"):
        return False
    frame = _frame(data)
    return frame is not None and START.match(frame.payload.lstrip(b"\r\n")) is not None


def _frame(data: bytes) -> _Frame | None:
    """The first frame (RFC 6455 §5.2), if it is complete."""
    if len(data) < 2:
        return None
    first, second = data[0], data[1]
    size, place = second & 0x7F, 2
    if size == 126:
        size, place = int.from_bytes(data[2:4]), 4
    elif size == 127:
        size, place = int.from_bytes(data[2:10]), 10
    key = b""
    if second & 0x80:
        key, place = data[place : place + 4], place + 4
    end = place + size
    if len(data) < end:
        return None
    payload = data[place:end]
    if key:
        mask = int.from_bytes((key * (size // 4 + 1))[:size])
        payload = (int.from_bytes(payload) ^ mask).to_bytes(size)
    return _Frame(first & 0x0F, bool(first & 0x80), bool(first & 0x40), payload, end)
