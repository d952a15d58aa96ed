"""An admin message with every token by name, in both directions.

A payload is a meta line of tokens separated by ``|`` and perhaps, after the first CRLF, a SIP message. What
a token means depends on the verb, the direction and what stands before it; the tables here name all of
them, for the dialects 0.8 and 0.9 (their common tokens stand at the same places). Tokens that no table
knows are called ``token-N``. Nothing raises: what is not understood is of the kind ``unknown``.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from msgtrace import sip
from msgtrace.sip import SipMessage


class MessageKind(StrEnum):
    """What a message is, seen from who sent it."""

    # application to server
    AUTHENTICATE = "authenticate"
    ROUTE = "route"
    REMOVE_ROUTE = "remove_route"
    PING = "ping"
    SEND_RESPONSE = "send-response"
    """``sip`` with a status line: the answer to a network request"""
    SEND_REQUEST = "send-request"
    """``sip`` without ids: a request outside a dialog"""
    SEND_IN_DIALOG = "send-in-dialog"
    SEND_CANCEL = "send-cancel"
    PROXY = "proxy"
    # server to application
    OK = "ok"
    NO = "no"
    """refused, and the connection closes"""
    NOK = "nok"
    """the SIP message was not sent; the connection stays"""
    NETWORK_REQUEST = "network-request"
    NETWORK_RESPONSE = "network-response"
    UNSOLICITED = "unsolicited"
    """``sip|application``: tells of a request that the server sent on its own"""
    CDR = "cdr"
    UNKNOWN = "unknown"


_ANSWERS = frozenset({MessageKind.OK, MessageKind.NO, MessageKind.NOK})
_FROM_SERVER = frozenset(
    {
        MessageKind.OK,
        MessageKind.NO,
        MessageKind.NOK,
        MessageKind.NETWORK_REQUEST,
        MessageKind.NETWORK_RESPONSE,
        MessageKind.UNSOLICITED,
        MessageKind.CDR,
    }
)


class Token(Struct, frozen=True):
    """One token of a meta line."""

    name: str
    value: str


class Message(Struct, frozen=True):
    """A decoded payload. Names and the view of the SIP message are made when they are asked for."""

    kind: MessageKind
    values: list[str]
    """the tokens of the meta line, at least one"""
    content: str
    """all after the first line end of the payload"""

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Values with their names."""
        known = names(self.kind, self.values)
        return tuple(
            Token(known[index] if index < len(known) else _surplus(self.kind, index), value)
            for index, value in enumerate(self.values)
        )

    @property
    def sip(self) -> SipMessage | None:
        """The SIP message that the payload carries."""
        return sip.parse(self.content) if self.content.strip("\r\n") else None

    @property
    def id(self) -> str:
        """Token 0."""
        return self.values[0]

    @property
    def verb(self) -> str:
        """Token 1, or nothing."""
        return self.values[1] if len(self.values) > 1 else ""

    @property
    def request_id(self) -> str:
        """Of an answer: the id of what it answers; else nothing."""
        return self.values[2] if self.kind in _ANSWERS else ""

    @property
    def is_final(self) -> bool:
        """Whether an answer is the last one: those of a proxy before that say ``continue``."""
        return "continue" not in self.values[4:]

    @property
    def from_server(self) -> bool:
        """Whether only a server sends such a message."""
        return self.kind in _FROM_SERVER

    def get(self, name: str) -> str:
        """Value of the first token of that name; empty if there is none."""
        known = names(self.kind, self.values)
        if name in known:
            index = known.index(name)
            return self.values[index] if index < len(self.values) else ""
        if len(self.values) <= len(known):
            return ""
        return next((token.value for token in self.tokens if token.name == name), "")

    def summary(self) -> str:
        """One line: ``authenticate``, ``route invite``, ``OK pong``, ``INVITE sip:bob@host`` …; never the
        secret."""
        kind = self.kind
        what = sip.summary(self.content) if self.content else ""
        if kind in _SUMMARY_IS_SIP:
            return f"sip {what}".rstrip()
        if kind is _OK:
            return f"OK {what or self.get('text')}".rstrip()
        return self._rare_summary(what)

    def _rare_summary(self, what: str) -> str:
        match self.kind:
            case MessageKind.AUTHENTICATE:
                tags = self.get("tags")
                return f"authenticate (tags {tags})" if tags else "authenticate"
            case MessageKind.ROUTE | MessageKind.REMOVE_ROUTE:
                return f"{self.verb} {self.get('verb')}".rstrip()
            case MessageKind.PING:
                return "ping"
            case MessageKind.PROXY:
                targets = [token.value for token in self.tokens if token.name.startswith("destination")]
                return f"proxy to {', '.join(targets)}"
            case MessageKind.NO | MessageKind.NOK:
                return f"{self.kind.value.upper()} {self.get('text')}".rstrip()
            case MessageKind.CDR:
                detail = self.get("role") or self.get("reason")
                return f"{self.verb} {detail}".rstrip()
            case MessageKind.UNSOLICITED:
                return f"unsolicited {what}"
            case _:
                return f"? {'|'.join(token.value for token in self.tokens[1:])}"[:60]


# Looked up once: reaching a member through its class costs more than the comparison.
_OK = MessageKind.OK
_SEND_RESPONSE = MessageKind.SEND_RESPONSE
_NETWORK_REQUEST = MessageKind.NETWORK_REQUEST
_NETWORK_RESPONSE = MessageKind.NETWORK_RESPONSE
_SUMMARY_IS_SIP = frozenset(
    {
        MessageKind.SEND_RESPONSE,
        MessageKind.SEND_REQUEST,
        MessageKind.SEND_IN_DIALOG,
        MessageKind.SEND_CANCEL,
        MessageKind.NETWORK_REQUEST,
        MessageKind.NETWORK_RESPONSE,
    }
)
_BY_VERB = {
    kind.value: kind
    for kind in (
        MessageKind.AUTHENTICATE,
        MessageKind.ROUTE,
        MessageKind.REMOVE_ROUTE,
        MessageKind.PING,
        MessageKind.PROXY,
    )
}
_BY_RESULT = {"OK": MessageKind.OK, "NO": MessageKind.NO, "NOK": MessageKind.NOK}
_SIP_SOURCE = ("source", "length", "transport", "address", "port", "time", "transaction-id")
_NAMES: dict[MessageKind, tuple[str, ...]] = {
    MessageKind.AUTHENTICATE: ("id", "type", "secret", "tags"),
    MessageKind.ROUTE: ("id", "type", "verb"),
    MessageKind.REMOVE_ROUTE: ("id", "type", "verb"),
    MessageKind.PING: ("id", "type"),
    MessageKind.SEND_RESPONSE: ("id", "type", "transaction-id", "dialog-id", "route-url"),
    MessageKind.SEND_REQUEST: ("id", "type", "transaction-id", "dialog-id", "route-url"),
    MessageKind.SEND_IN_DIALOG: ("id", "type", "transaction-id", "dialog-id", "route-url"),
    MessageKind.SEND_CANCEL: ("id", "type", "transaction-id", "dialog-id", "route-url"),
    MessageKind.PROXY: (
        *("id", "type", "transaction-id", "remain-in-dialog", "full-response", "follow-redirects"),
        *("order", "provisional-timeout", "final-timeout"),
    ),
    MessageKind.NO: ("id", "type", "request-id", "outcome", "text"),
    MessageKind.NOK: ("id", "type", "request-id", "outcome", "text"),
    MessageKind.NETWORK_REQUEST: (
        "id",
        "type",
        *_SIP_SOURCE,
        "dialog-id",
        "local-address",
        "local-port",
        "end",
    ),
    MessageKind.NETWORK_RESPONSE: ("id", "type", *_SIP_SOURCE, "dialog-id", "end"),
    MessageKind.UNSOLICITED: ("id", "type", *_SIP_SOURCE, "dialog-id", "end"),
    MessageKind.UNKNOWN: ("id", "type"),
}
_LINE_ENDS = ("\r", "\n")
_ANSWER = ("id", "type", "request-id", "outcome")
_FAILURE = (*_ANSWER, "text")


def split(payload: str) -> tuple[list[str], str]:
    """Meta tokens and content of a payload; the meta line ends at the first CRLF (or LF, for converted
    logs)."""
    meta, separator, content = payload.partition("\r\n")
    if not separator and "\n" in payload:
        meta, _, content = payload.partition("\n")
    return meta.split("|"), content


def decode(payload: str, *, from_server: bool | None = None) -> Message:
    """Name the tokens of a payload.

    ``from_server`` tells the direction where it is known; otherwise it is inferred from the verb and the
    tokens.
    """
    values, content = split(payload)
    begins = content.lstrip("\r\n") if content[:1] in _LINE_ENDS else content
    kind = _kind(values, begins, from_server)
    if len(values) > len(_FAILURE) and kind in (MessageKind.NO, MessageKind.NOK):
        last = len(_FAILURE) - 1
        values[last:] = ["|".join(values[last:])]  # the text goes up to the end of the line (APP-5)
    return Message(kind, values, content)


def kind_of(payload: str, from_server: bool | None) -> MessageKind:
    """The kind alone, which costs less than the message."""
    end = payload.find("\r\n")
    if end < 0:
        return decode(payload, from_server=from_server).kind
    begins = payload[end + 2 : end + 9]
    if begins[:1] in _LINE_ENDS:
        begins = payload[end:].lstrip("\r\n")
    return _kind(payload[:end].split("|"), begins, from_server)


def _kind(values: list[str], content: str, from_server: bool | None) -> MessageKind:
    verb = values[1] if len(values) > 1 else ""
    if verb == "sip":
        if from_server is False or (from_server is None and not _sip_from_server(values)):
            return sent_kind(values, content)
        return _received_sip(values, content) if _sip_from_server(values) else MessageKind.UNKNOWN
    if verb == "response":
        known = from_server is not False and len(values) > 3
        return _BY_RESULT.get(values[3], MessageKind.UNKNOWN) if known else MessageKind.UNKNOWN
    if from_server is not True and verb in _BY_VERB:
        return _BY_VERB[verb]
    if from_server is not False and verb.startswith("cdr:"):
        return MessageKind.CDR
    return MessageKind.UNKNOWN


def _sip_from_server(values: list[str]) -> bool:
    return len(values) > 8 and values[2] in ("network", "application")


def sent_kind(values: list[str], content: str) -> MessageKind:
    """The kind of what an application sends with the verb ``sip``."""
    transaction = values[2] if len(values) > 2 else ""
    dialog = values[3] if len(values) > 3 else ""
    if content.startswith("SIP/"):
        return _SEND_RESPONSE
    if dialog:
        return MessageKind.SEND_IN_DIALOG
    if transaction and content.startswith("CANCEL "):
        return MessageKind.SEND_CANCEL
    return MessageKind.SEND_REQUEST


def _received_sip(values: list[str], content: str) -> MessageKind:
    if values[2] == "application":
        return MessageKind.UNSOLICITED
    if content.startswith("SIP/"):
        return _NETWORK_RESPONSE
    return _NETWORK_REQUEST


def names(kind: MessageKind, values: list[str]) -> tuple[str, ...]:
    """The names of the tokens of a meta line, as far as the tables know them."""
    match kind:
        case MessageKind.OK:
            return _ANSWER + _ok_names(values[4:])
        case MessageKind.NETWORK_REQUEST if len(values) <= len(_NAMES[MessageKind.NETWORK_RESPONSE]):
            return _NAMES[MessageKind.NETWORK_RESPONSE]  # inside a dialog, or a CANCEL: no local address
        case MessageKind.CDR:
            detail = "reason" if values[1] == "cdr:stop" else "role"
            return ("id", "type", "source", "time", detail)
        case _:
            return _NAMES[kind]


def token_names() -> dict[MessageKind, tuple[str, ...]]:
    """The names of the tokens of each kind whose names do not depend on what stands in them."""
    return dict(_NAMES)


def _ok_names(rest: list[str]) -> tuple[str, ...]:
    """Names of what follows ``OK``: the answer's form tells what was asked."""
    match rest:
        case []:
            return ()
        case ["application" | "network", *_]:
            if "Msg sent:" in rest[8:]:
                return (*_SIP_SOURCE, "dialog-id", "reserved", "text", "end")
            if "continue" in rest:
                return (*_SIP_SOURCE, "dialog-id", "progress", "end")
            return (*_SIP_SOURCE, "text", "end")
        case [hostports, *_] if "/" in hostports:
            return ("hostports", "version", "local-hostports")
        case _:
            return ("text",)


def _surplus(kind: MessageKind, index: int) -> str:
    if kind is MessageKind.PROXY:
        return f"destination-{index - len(_NAMES[kind]) + 1}"
    return f"token-{index}"
