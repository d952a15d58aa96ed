"""What is done to SIP messages on their way in."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.core import Core
from reference_server.core.ports import Flow
from reference_server.emulation.sent import Sent

_DROPPED_OUTSIDE = frozenset({"REFER", "PRACK"})
_KNOWN = frozenset(
    [
        "INVITE",
        "ACK",
        "CANCEL",
        "BYE",
        "OPTIONS",
        "INFO",
        "NOTIFY",
        "SUBSCRIBE",
        "PUBLISH",
        "REGISTER",
        "MESSAGE",
        "UPDATE",
    ]
)


class Received:
    """Messages that come from the network."""

    def __init__(self, core: Core, sent: Sent, send: Callable[[str, Flow], bool]) -> None:
        self._core = core
        self._sent = sent
        self._send = send

    def altered(self, text: str, flow: Flow) -> str:
        """As the genuine server would read it; empty if it would not hear it."""
        method = text.split(" ", 1)[0]
        if method.startswith("SIP/"):
            return text
        if method not in _KNOWN and not _in_dialog(text):
            return ""  # DEV-26
        return text


def _in_dialog(text: str) -> bool:
    for line in text.partition("\r\n\r\n")[0].split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() in ("to", "t"):
            return "tag" in value.rpartition(">")[2]
    return False


# Tested by tests/emulation/test_agreement.py.
