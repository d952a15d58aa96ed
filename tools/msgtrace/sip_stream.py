"""SIP over a stream: messages one behind the other, each as long as its Content-Length says (RFC 3261 §18.3).

Behind a gap the stream is found again at the next start line that begins a line.
"""

from __future__ import annotations

import re

START = re.compile(rb"(?:SIP/2\.0 [0-9]{3} |[A-Z]{3,20} [^ \r\n]{1,2000} SIP/2\.0\r\n)")
"""a start line, of a status line its beginning"""
_START_AHEAD = re.compile(rb"\n(?=" + START.pattern + rb")")
_CONTENT_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,8})", re.IGNORECASE)
LIMIT = 4 * 1024 * 1024
"""octets of a message that are waited for"""


class SipStream:
    """What one side of a connection sent."""

    def __init__(self) -> None:
        self._text = b""

    def feed(self, data: bytes) -> tuple[list[bytes], int]:
        """Take more octets; the messages that are complete, and how many octets were no part of any."""
        text = self._text + data
        messages: list[bytes] = []
        skipped = 0
        while text:
            text = text.lstrip(b"\r\n")
            if not START.match(text):
                ahead = _START_AHEAD.search(text)
                if ahead is None:
                    if len(text) > LIMIT or b"\r\n\r\n" in text:
                        keep = text.rfind(b"\n")
                        skipped += keep
                        text = text[keep:]
                    break
                skipped += ahead.end()
                text = text[ahead.end() :]
            end_of_headers = text.find(b"\r\n\r\n")
            if end_of_headers < 0:
                break
            length = _CONTENT_LENGTH.search(text, 0, end_of_headers + 2)
            end = end_of_headers + 4 + (int(length[1]) if length else 0)
            if end > len(text):
                break
            messages.append(text[:end])
            text = text[end:]
        self._text = text
        return messages, skipped

    def rest(self) -> bytes:
        """What is left of an incomplete message; it is forgotten."""
        rest, self._text = self._text.lstrip(b"\r\n"), b""
        return rest
