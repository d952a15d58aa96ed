"""``--log-format json``: the log as JSON, an object a line.

::

    {"time":"2026-11-23T07:44:09.846150Z","level":"info","message":"admin-connected: connection=1, peer=…"}

A SIP message in it is one string with its line ends. Octets that are not UTF-8 stand as ``\\xNN``.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from reference_server.config.model import LogLevel
from reference_server.observe.octets import readable


class LogLine(Struct, frozen=True):
    """One record."""

    time: str
    """UTC"""
    level: str
    """``notice``, ``error``, ``warning``, ``info``, ``debug``"""
    message: str


class JsonLines:
    """Implements ``Form``."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()

    def __call__(self, level: LogLevel, text: str, now: float) -> bytes:
        """One line."""
        moment = datetime.fromtimestamp(now, UTC)
        line = LogLine(f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z", level.name.lower(), _message(text))
        return self._encoder.encode(line) + b"\n"


def _message(text: str) -> str:
    decoded = readable(text)
    if decoded is not None:
        return decoded
    if max(text) > "\xff":  # a sentence of ours, which has no octets
        return text.encode("utf-8", "backslashreplace").decode()
    return "".join(one if one < "\x80" else f"\\x{ord(one):02x}" for one in text)
