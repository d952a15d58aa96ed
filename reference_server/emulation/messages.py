"""Defects in the reading of the messages that applications give (DEV-46, DEV-54, DEV-81, DEV-82, DEV-100, DEV-103)."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.emulation.frames import Frame
from reference_server.faults.filters import Filter

_HEADERS_OF_SIP = 8400
_HEADERS_OF_PROXY = 1023
"""octets"""
_FINAL_TIMEOUT = 8
"""token of a ``proxy`` frame"""


class CStrings(Filter):
    """A message as one sees it who keeps it in buffers of a fixed size, as text that ends at its first NUL."""

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """Mutilate it."""
        frame = Frame(payload)
        kind = frame.token(1)
        if kind not in ("sip", "proxy") or not frame.message:
            forward(payload)
            return
        start_line, end, rest = frame.message.partition("\r\n")
        headers, blank, body = (
            rest.partition("\r\n\r\n") if not rest.startswith("\r\n") else ("", "\r\n", rest[2:])
        )
        headers = headers[: _HEADERS_OF_PROXY if kind == "proxy" else _HEADERS_OF_SIP]  # DEV-103, DEV-46
        lines = [line.split("\0")[0] for line in headers.split("\r\n")]  # DEV-82
        lines = [line.lstrip(" \t") if ":" in line else line for line in lines]  # DEV-81
        frame.message = f"{start_line}{end}" + "\r\n".join(lines) + blank + body.split("\0")[0]
        if kind == "proxy" and len(frame.tokens) > _FINAL_TIMEOUT:
            frame.tokens[_FINAL_TIMEOUT] = ""  # DEV-100
        forward(frame.payload)


# Tested by tests/emulation/test_agreement.py.
