"""What an application sends: one type per verb, and the one place that parses them.

A payload is a line of tokens separated by ``|``, which the first CR LF ends (FRAME-6); for ``sip`` and ``proxy`` a SIP
message follows. Tokens are not trimmed and surplus ones are ignored (FRAME-7).
"""

from __future__ import annotations

from msgspec import Struct


class RequestError(Exception):
    """A well-formed frame with a wrong content; the text goes into the ``NO`` answer, and the connection ends."""

    def __init__(self, message_id: str, text: str, is_authenticate: bool = False) -> None:
        super().__init__(text)
        self.message_id = message_id
        self.text = text
        self.is_authenticate = is_authenticate
        """it was meant to be an ``authenticate``, the one verb that needs none before it"""


class Authenticate(Struct, frozen=True, gc=False):
    """``id|authenticate|secret[|tag,tag…]`` (AUTH-1)."""

    message_id: str
    secret: str
    tags: str
    """comma separated, may be empty"""

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Authenticate(message_id={self.message_id!r}, secret=***, tags={self.tags!r})"


class Ping(Struct, frozen=True, gc=False):
    """``id|ping`` (PING-1)."""

    message_id: str


class Route(Struct, frozen=True, gc=False):
    """``id|route|verb`` (ROUTE-1)."""

    message_id: str
    verb: str


class RemoveRoute(Struct, frozen=True, gc=False):
    """``id|remove_route|verb`` (RROUTE-1)."""

    message_id: str
    verb: str


class Sip(Struct, frozen=True, gc=False):
    """``id|sip|transactionId[|dialogId[|routeUrl]]`` and a SIP message (RSP-1, DLG-4)."""

    message_id: str
    transaction_id: str
    dialog_id: str
    route_url: str
    text: str
    """the SIP message: start line, headers, body"""


class Proxy(Struct, frozen=True, gc=False):
    """``id|proxy|transactionId|…`` and a SIP message whose headers are added."""

    message_id: str
    transaction_id: str
    tokens: tuple[str, ...]
    """token 3 to the last: flags, timeouts, destinations"""
    text: str


ClientMessage = Authenticate | Ping | Route | RemoveRoute | Sip | Proxy

_INVALID = "Invalid message format"


def parse_request(payload: str) -> ClientMessage:
    """Parse one payload. Raises RequestError with the documented text."""
    meta, _, text = payload.partition("\r\n")
    tokens = meta.split("|")
    message_id = tokens[0]
    if len(tokens) < 2:
        raise RequestError(message_id, _INVALID)
    match tokens[1]:
        case "sip":
            if len(tokens) < 3:
                raise RequestError(message_id, _INVALID)
            return Sip(
                message_id,
                tokens[2],
                tokens[3] if len(tokens) > 3 else "",
                tokens[4] if len(tokens) > 4 else "",
                text,
            )
        case "ping":
            return Ping(message_id)
        case "route":
            if len(tokens) < 3:
                raise RequestError(message_id, _INVALID)
            return Route(message_id, tokens[2])
        case "remove_route":
            if len(tokens) < 3:
                raise RequestError(message_id, _INVALID)
            return RemoveRoute(message_id, tokens[2])
        case "authenticate":
            if len(tokens) < 3:
                raise RequestError(message_id, _INVALID, is_authenticate=True)
            return Authenticate(message_id, tokens[2], tokens[3] if len(tokens) > 3 else "")
        case "proxy":
            if len(tokens) < 9:
                raise RequestError(message_id, "Invalid proxy request: not enough information provided")
            return Proxy(message_id, tokens[2], tuple(tokens[3:]), text)
        case _:
            raise RequestError(message_id, "Unknown message type")
