"""Which clause an arrow of a ladder is about, and what a frame of the application looks like on paper."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from protocol_book import frames
from protocol_book.grammar import Direction, Frame, TokenType
from protocol_book.recorded import SERVER, Event

_SENT: Final = {
    "authenticate": "AUTH-1",
    "ping": "PING-1",
    "route": "ROUTE-1",
    "remove_route": "RROUTE-1",
    "send-response": "RSP-1",
    "send-cancel": "OUT-8",
    "send-request": "OUT-1",
    "proxy": "PROXY-1",
}
_GOT: Final = {
    "authenticated": "AUTH-2",
    "response-sent": "RSP-2",
    "final-response-received": "PROXY-8",
    "new-request": "SIP-1",
    "unsolicited": "CALL-9",
    "refused": "FRAME-11",
    "not-done": "FRAME-11",
}
_INSIDE: Final = {"BYE": "CALL-13", "NOTIFY": "SUB-1", "PRACK": "REL-10", "INVITE": "DLG-13"}
_DELIVERED: Final = {
    "ACK": "SIP-5",
    "BYE": "CALL-12",
    "INVITE": "DLG-12",
    "CANCEL": "SIP-6",
    "SUBSCRIBE": "SUB-2",
    "NOTIFY": "SUB-7",
}


def clauses(events: Sequence[Event]) -> list[str]:
    """The clause of each event; empty for a remark."""
    story = _Story()
    return [story.clause(event) for event in events]


def decoded(event: Event) -> tuple[Frame, list[str], str] | None:
    """The frame, its tokens and its message; None for octets that are none."""
    payload = event.data.partition("#")[2]
    line, _, message = payload.partition("\r\n")
    tokens = line.split("|")
    direction = Direction.TO_SERVER if event.target == SERVER else Direction.TO_APPLICATION
    frame = frames.find(direction, tokens, message)
    return (frame, tokens, message) if frame else None


class _Story:
    """What has happened so far, as far as it decides which clause comes next."""

    def __init__(self) -> None:
        self._outside: set[str] = set()  # transaction ids of the application's requests outside dialogs
        self._asked = ""  # the frame that the next echo answers
        self._calling = False
        self._failed: set[str] = set()  # peers whose INVITE was refused, or who refused one
        self._proxied = False

    def clause(self, event: Event) -> str:
        if event.kind == "note":
            return "CONN-2"
        if event.kind == "sip":
            return self._sip(event)
        told = decoded(event)
        if told is None:
            return "FRAME-9"
        frame, tokens, message = told
        method = message.partition(" ")[0]
        if event.target == SERVER:
            self._asked = frame.name
            self._proxied = self._proxied or frame.name == "proxy"
            self._calling = self._calling or (frame.name == "send-request" and method == "INVITE")
            return self._sent(frame, method)
        return self._got(frame, tokens, message, method)

    def _sent(self, frame: Frame, method: str) -> str:
        if frame.name != "send-in-dialog":
            return _SENT[frame.name]
        if method == "ACK":
            return "OUT-10" if self._calling else "DLG-13"
        return _INSIDE.get(method, "DLG-4")

    def _got(self, frame: Frame, tokens: list[str], message: str, method: str) -> str:
        match frame.name:
            case "accepted":
                text = tokens[4] if len(tokens) > 4 else ""
                return {"pong": "PING-1", "done": "PROXY-7"}.get(text, "ROUTE-2")
            case "request-sent":
                if self._asked == "send-request":
                    self._outside.add(tokens[10])
                return "OUT-2" if self._asked == "send-request" else "DLG-5"
            case "message-in-dialog":
                if message.startswith("SIP/"):
                    return "OUT-5" if tokens[8] in self._outside else "DLG-7"
                return _DELIVERED.get(method, "SIP-4")
            case name if name.startswith("cdr:"):
                return {"cdr:attempt": "CDR-1", "cdr:start": "CDR-2", "cdr:stop": "CDR-3"}[name]
            case name:
                return _GOT[name]

    def _sip(self, event: Event) -> str:
        start = event.data.partition("\r\n")[0]
        word, _, rest = start.partition(" ")
        to = re.search(r"^To:.*$", event.data, re.MULTILINE | re.IGNORECASE)
        inside = to is not None and ";tag=" in to[0]
        method = (re.search(r"^CSeq: \d+ (\w+)", event.data, re.MULTILINE) or ["", ""])[1]
        status = rest[:3] if word.startswith("SIP/") else ""
        if status >= "300" and method == "INVITE":
            self._failed |= {event.source, event.target} - {SERVER}
        if event.target == SERVER:
            return self._sip_in(word, status, inside, event.source in self._failed)
        return self._sip_out(word, status, method, inside, event.target in self._failed)

    def _sip_in(self, word: str, status: str, inside: bool, failed: bool) -> str:
        if status:
            if self._proxied:
                return "PROXY-14" if status >= "300" else "PROXY-13"
            return "DLG-7" if inside and not self._calling else "OUT-5"
        if word == "ACK":
            return "CALL-5" if failed else "PROXY-24" if self._proxied else "CALL-14"
        if word == "CANCEL":
            return "CALL-6"
        return "SIP-4" if inside else "SIP-1"

    def _sip_out(self, word: str, status: str, method: str, inside: bool, failed: bool) -> str:
        if status == "100":
            return "CALL-1"
        if status == "487" or (status and method == "CANCEL"):
            return "CALL-6"
        if status:
            return "PROXY-13" if self._proxied else "RSP-25"
        if self._proxied:
            return "PROXY-1" if word != "ACK" else "PROXY-14" if failed else "PROXY-24"
        if word == "ACK" and failed:
            return "OUT-17"
        if word == "ACK":
            return "OUT-10" if self._calling else "DLG-13"
        if word == "CANCEL":
            return "OUT-8"
        return "DLG-10" if inside else "OUT-1"


def on_paper(event: Event, ports: dict[str, str]) -> str:
    """A frame of the application, line by line: ids and ports by name, CR LF as ``⏎``; no count.

    ``ports`` gives a name to each ``host:port`` of a peer.
    """
    told = decoded(event)
    if told is None:
        return event.data
    frame, tokens, message = told
    parts: list[str] = []
    for place, value in enumerate(tokens):
        token = frame.tokens[place] if place < len(frame.tokens) else None
        named = token is not None and value and token.type in (TokenType.OPAQUE, TokenType.MESSAGE_ID)
        secret = token is not None and token.name == "secret"
        parts.append(f"‹{token.name}›" if token and (named or secret) else value)
    text = "|".join(parts)
    if message:
        lines = message.replace("\r\n", "⏎\n").rstrip("\n").split("\n")
        text += "⏎\n" + "\n".join(lines)
    for address, name in ports.items():
        text = text.replace(address, f"‹{name}›")
    return text
