"""Defects in the reading of the messages that applications give (DEV-46, DEV-54, DEV-81, DEV-82, DEV-100, DEV-103)."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference_server.emulation.frames import Frame, put_together, taken_apart
from reference_server.emulation.recent import Recent
from reference_server.faults.filters import Filter, Forward

_HEADERS_OF_SIP = 8400
_HEADERS_OF_PROXY = 1023
"""octets"""
_FINAL_TIMEOUT = 8
"""token of a ``proxy`` frame"""

BRACKET = "emulated-bracket"
"""the end of a tag that is to end with an angle bracket (DEV-54)"""
_COMPACT = re.compile(r"\A([a-zA-Z])[ \t]*:")
HIDDEN = "X-Emulated-Compact-"
"""the beginning of a header that is an application's compact one, so that nobody understands it (DEV-121)"""
_TAG_INSIDE = re.compile(r"(?im)^(To[ \t]*:[^\r\n]*?<[^>\r\n]*;tag=([^;>\r\n]*))>[ \t]*$")


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
        if kind == "sip" and start_line.startswith("SIP/"):
            lines = [_TAG_INSIDE.sub(rf"\1>;tag=\2{BRACKET}", line) for line in lines]
        if kind == "sip":
            lines = [_COMPACT.sub(lambda name: f"{HIDDEN}{name[1].upper()}:", line) for line in lines]
        frame.message = f"{start_line}{end}" + "\r\n".join(lines) + blank + body.split("\0")[0]
        if kind == "proxy" and len(frame.tokens) > _FINAL_TIMEOUT:
            frame.tokens[_FINAL_TIMEOUT] = ""  # DEV-100
        forward(frame.payload)


def uncovered(text: str) -> str:
    """A message with all that was hidden in it."""
    return text.replace(HIDDEN, "").replace(BRACKET, ">")


class Uncovered(Filter):
    """In echoes, too, what was hidden is itself again."""

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """As it went out."""
        if HIDDEN.encode() in frame or BRACKET.encode() in frame:
            echo = taken_apart(frame)
            message = uncovered(echo.message)
            if echo.token(5).isdecimal():
                echo.tokens[5] = str(int(echo.tokens[5]) - len(echo.message) + len(message))
            echo.message = message
            frame = put_together(echo)
        forward(frame)


class ReplacedHeaders(Filter):
    """From and CSeq of an application replace the caller's in what it proxies, its Contact stands beside (DEV-106)."""

    def __init__(self, replaced: Recent[str, dict[str, str]]) -> None:
        """``replaced`` is where those look who send, by Call-ID."""
        self._replaced = replaced
        self._calls: Recent[str, str] = Recent()
        """the Call-ID of a transaction"""

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """Take the headers out."""
        frame = Frame(payload)
        call_id = self._calls.get(frame.token(2)) if frame.token(1) == "proxy" else None
        if call_id is not None:
            given = {name: frame.header(name.lower()) for name in ("From", "CSeq", "Contact")}
            self._replaced.keep(call_id, {name: value for name, value in given.items() if value})
            frame.message = re.sub(r"(?im)^(?:From|CSeq|Contact)[ \t]*:.*?\r\n", "", frame.head) + frame.body
            payload = frame.payload
        forward(payload)

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Learn which call a transaction is of."""
        message = taken_apart(frame)
        if message.token(1) == "sip" and message.token(9) == "":
            self._calls.keep(message.token(8), message.header("call-id"))
        forward(frame)


# Tested by tests/emulation/test_agreement.py.
