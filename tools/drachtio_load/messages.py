"""The SIP that SIPp saw: its message file (``-trace_msg``), cut into messages by their byte counts."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

_HEADING = re.compile(
    rb"-{20,} [^\r\n]*\n(?P<transport>[A-Z]+) message (?:"
    rb"(?P<sent>sent) \((?P<sent_size>\d+) bytes\)|received \[(?P<received_size>\d+)\] bytes )"
    rb":\n\n"
)


class SeenMessage(Struct, frozen=True):
    """One message as SIPp sent or received it."""

    sent: bool
    """True: by SIPp; False: by the peer"""
    transport: str
    """``udp`` or ``tcp``"""
    text: str
    """one character is one octet"""

    @property
    def start_line(self) -> str:
        """The request line or status line."""
        return self.text.partition("\r\n")[0]

    def header(self, name: str) -> str | None:
        """The value of the first header called ``name`` (case does not matter), or None."""
        for line in self.text.partition("\r\n\r\n")[0].split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.strip().lower() == name.lower():
                return value.strip()
        return None


def read_messages(path: Path) -> list[SeenMessage]:
    """Every message of a SIPp message file, in order; a missing file is an empty list."""
    if not path.is_file():
        return []
    log = path.read_bytes()
    messages: list[SeenMessage] = []
    position = 0
    while heading := _HEADING.search(log, position):
        size = int(heading["sent_size"] or heading["received_size"])
        position = heading.end() + size
        text = log[heading.end() : position].decode("latin-1")
        messages.append(SeenMessage(heading["sent"] is not None, heading["transport"].decode().lower(), text))
    return messages
