"""What passes between an application and its session, and what every filter on that way is made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from reference_server.faults.filters import Filter, Forward, framed, payload_of

SILENT: Final = "5e1f0000-emulation"
"""The message id of frames that the emulation gives a session in the place of its application; no answer goes out."""


class Frame:
    """A payload taken apart: tokens, and the message behind them."""

    __slots__ = ("message", "tokens")

    def __init__(self, payload: str) -> None:
        line, _, self.message = payload.partition("\r\n")
        self.tokens = line.split("|")

    def token(self, number: int) -> str:
        """One token; empty, too, where there is none."""
        return self.tokens[number] if number < len(self.tokens) else ""

    @property
    def payload(self) -> str:
        """Put together again."""
        return "|".join(self.tokens) + (f"\r\n{self.message}" if self.message else "")

    @property
    def start_line(self) -> str:
        """Of the message."""
        return self.message.partition("\r\n")[0]

    @property
    def head(self) -> str:
        """Start line and headers, the empty line with them if it is there."""
        head, end, _ = self.message.partition("\r\n\r\n")
        return head + end

    @property
    def body(self) -> str:
        """Behind the empty line."""
        return self.message.partition("\r\n\r\n")[2]

    def header(self, name: str) -> str:
        """The value of the first header of that name."""
        for line in self.head.split("\r\n")[1:]:
            found, colon, value = line.partition(":")
            if colon and found.strip().lower() == name:
                return value.strip()
        return ""


def taken_apart(frame: bytes) -> Frame:
    """A frame that is to go out."""
    return Frame(payload_of(frame).decode("latin-1"))


def put_together(frame: Frame) -> bytes:
    """A frame that is to go out."""
    return framed(frame.payload.encode("latin-1"))


class Silence(Filter):
    """Nobody hears the answers to what the emulation has said itself."""

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """On, or nowhere."""
        if frame[:200].split(b"|")[2:3] != [SILENT.encode()]:
            forward(frame)


class Filters:
    """All filters in a row, as one ``FrameInterceptor``."""

    def __init__(self, *filters: Filter) -> None:
        """What comes in passes the first one first, what goes out passes it last."""
        self._filters = filters

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """A frame came in."""
        for each in reversed(self._filters):
            forward = partial(each.received, connection, forward=forward)
        forward(payload)

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """A frame is to go out."""
        for each in self._filters:
            forward = partial(each.sent, connection, forward=forward)
        forward(frame)

    def event(self, name: str, **details: str | int) -> None:
        """Connections come and go."""
        if name == "admin-disconnected":
            for each in self._filters:
                each.ended(int(details["connection"]))


# Tested by tests/emulation/test_agreement.py.
