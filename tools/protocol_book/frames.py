"""All frames of the protocol and their tokens: the one place where they are written down for generators.

Order counts: a frame is the first of its direction whose conditions hold.
"""

from __future__ import annotations

from typing import Final

from protocol_book.grammar import Condition, Direction, Frame, Message, Token, TokenType

_ID: Final = Token(
    name="id",
    type=TokenType.MESSAGE_ID,
    meaning="the id that the application gives its frame",
    may_be_empty=True,
    clause="FRAME-24",
)
_UUID: Final = Token(
    name="id", type=TokenType.MESSAGE_ID, meaning="a fresh UUID, which nothing refers to", clause="FRAME-11"
)


def _type(word: str) -> Token:
    return Token(
        name="type", type=TokenType.WORD, values=(word,), meaning="the frame's type", clause="FRAME-14"
    )


def _is(word: str) -> Condition:
    return Condition(token=1, equals=word)


_VERB: Final = Token(
    name="verb",
    type=TokenType.TEXT,
    meaning="a SIP method in lower case, or `cdr:attempt`, `cdr:start`, `cdr:stop`",
    may_be_empty=True,
    clause="ROUTE-3",
)


def _opaque(name: str, meaning: str, clause: str, *, empty: bool = False, optional: bool = False) -> Token:
    return Token(
        name=name,
        type=TokenType.OPAQUE,
        meaning=meaning,
        clause=clause,
        may_be_empty=empty,
        optional=optional,
    )


_ROUTE_URL: Final = Token(
    name="route-url",
    type=TokenType.URI,
    meaning="where the request is sent, instead of the Request-URI",
    optional=True,
    may_be_empty=True,
    clause="OUT-1",
)
_NO_ROUTE_URL: Final = Token(
    name="route-url",
    type=TokenType.TEXT,
    meaning="ignored",
    optional=True,
    may_be_empty=True,
    ignored=True,
    clause="DLG-4",
)


def _option(name: str, word: str, meaning: str, clause: str) -> Token:
    return Token(
        name=name, type=TokenType.TEXT, values=(word,), meaning=meaning, may_be_empty=True, clause=clause
    )


def _timeout(name: str, meaning: str) -> Token:
    return Token(name=name, type=TokenType.DURATION, meaning=meaning, may_be_empty=True, clause="PROXY-3")


TO_SERVER: Final = (
    Frame(
        name="authenticate",
        title="The secret, which opens the connection",
        direction=Direction.TO_SERVER,
        conditions=(_is("authenticate"),),
        tokens=(
            _ID,
            _type("authenticate"),
            Token(
                name="secret",
                type=TokenType.TEXT,
                meaning="the shared secret",
                may_be_empty=True,
                clause="AUTH-4",
            ),
            Token(
                name="tags",
                type=TokenType.LIST,
                meaning="names by which request handlers choose applications",
                optional=True,
                may_be_empty=True,
                clause="AUTH-1",
            ),
        ),
        message=Message.NONE,
        clauses=("AUTH-1", "AUTH-7", "APP-1"),
        answers=("authenticated", "authenticated-0.8", "refused"),
        since="0.2.0",
    ),
    Frame(
        name="ping",
        title="A sign of life",
        direction=Direction.TO_SERVER,
        conditions=(_is("ping"),),
        tokens=(_ID, _type("ping")),
        message=Message.NONE,
        clauses=("PING-1", "PING-2", "APP-25"),
        answers=("accepted", "refused"),
        since="0.8.2",
    ),
    Frame(
        name="route",
        title="Asks for the requests of one method, or for records",
        direction=Direction.TO_SERVER,
        conditions=(_is("route"),),
        tokens=(_ID, _type("route"), _VERB),
        message=Message.NONE,
        clauses=("ROUTE-1", "ROUTE-3", "ROUTE-5", "CDR-7", "APP-6"),
        answers=("accepted", "refused"),
        since="0.2.0",
    ),
    Frame(
        name="remove_route",
        title="Takes a route back",
        direction=Direction.TO_SERVER,
        conditions=(_is("remove_route"),),
        tokens=(_ID, _type("remove_route"), _VERB),
        message=Message.NONE,
        clauses=("RROUTE-1",),
        answers=("accepted", "refused"),
        since="0.8.26",
    ),
    Frame(
        name="send-response",
        title="A response to a request from the network",
        direction=Direction.TO_SERVER,
        conditions=(_is("sip"), Condition(message_begins="SIP/")),
        tokens=(
            _ID,
            _type("sip"),
            _opaque("transaction-id", "token 8 of the request's frame", "RSP-1"),
            Token(
                name="dialog-id",
                type=TokenType.TEXT,
                meaning="ignored",
                optional=True,
                may_be_empty=True,
                ignored=True,
                clause="RSP-1",
            ),
            _NO_ROUTE_URL,
        ),
        message=Message.RESPONSE,
        clauses=("RSP-1", "RSP-2", "APP-7"),
        answers=("response-sent", "not-done", "refused"),
        since="0.2.0",
    ),
    Frame(
        name="send-in-dialog",
        title="A request inside a dialog",
        direction=Direction.TO_SERVER,
        conditions=(_is("sip"), Condition(token=3, empty=False)),
        tokens=(
            _ID,
            _type("sip"),
            Token(
                name="transaction-id",
                type=TokenType.TEXT,
                meaning="ignored",
                may_be_empty=True,
                ignored=True,
                clause="DLG-4",
            ),
            _opaque("dialog-id", "the dialog", "DLG-1"),
            _NO_ROUTE_URL,
        ),
        message=Message.REQUEST,
        clauses=("DLG-4", "DLG-5", "APP-8"),
        answers=("request-sent", "not-done", "refused"),
        since="0.2.0",
    ),
    Frame(
        name="send-cancel",
        title="Cancels an INVITE of the application",
        direction=Direction.TO_SERVER,
        conditions=(_is("sip"), Condition(token=2, empty=False), Condition(message_begins="CANCEL")),
        tokens=(
            _ID,
            _type("sip"),
            _opaque("transaction-id", "that of the INVITE, token 10 of its echo", "OUT-2"),
            Token(name="dialog-id", type=TokenType.EMPTY, meaning="empty", optional=True, may_be_empty=True),
            _NO_ROUTE_URL,
        ),
        message=Message.REQUEST,
        clauses=("OUT-8", "OUT-9", "APP-14"),
        answers=("request-sent", "not-done", "refused"),
        since="0.2.0",
    ),
    Frame(
        name="send-request",
        title="A request outside dialogs",
        direction=Direction.TO_SERVER,
        conditions=(_is("sip"), Condition(token=2, empty=True), Condition(token=3, empty=True)),
        tokens=(
            _ID,
            _type("sip"),
            Token(name="transaction-id", type=TokenType.EMPTY, meaning="empty", may_be_empty=True),
            Token(name="dialog-id", type=TokenType.EMPTY, meaning="empty", optional=True, may_be_empty=True),
            _ROUTE_URL,
        ),
        message=Message.REQUEST,
        clauses=("OUT-1", "OUT-2", "APP-13"),
        answers=("request-sent", "not-done", "refused"),
        since="0.2.0",
    ),
    Frame(
        name="proxy",
        title="Passes a request on",
        direction=Direction.TO_SERVER,
        conditions=(_is("proxy"),),
        tokens=(
            _ID,
            _type("proxy"),
            _opaque("transaction-id", "token 8 of the request's frame", "PROXY-10"),
            _option("remain-in-dialog", "remainInDialog", "the server stays in the dialog", "PROXY-22"),
            _option("full-response", "fullResponse", "final responses are reported", "PROXY-8"),
            _option("follow-redirects", "followRedirects", "the server follows a 3xx", "PROXY-16"),
            _option(
                "order", "simultaneous", "all destinations at once; any other text: one by one", "PROXY-4"
            ),
            _timeout("provisional-timeout", "how long a destination may send nothing"),
            _timeout("final-timeout", "how long a destination may send nothing final"),
        ),
        more=Token(name="destination", type=TokenType.URI, meaning="where a copy goes", clause="PROXY-4"),
        message=Message.HEADERS,
        clauses=("PROXY-1", "PROXY-2", "PROXY-3", "PROXY-6"),
        answers=("final-response-received", "accepted", "not-done", "refused"),
        since="0.2.0",
    ),
)

_REQUEST_ID: Final = Token(
    name="request-id",
    type=TokenType.MESSAGE_ID,
    meaning="the id of the application's frame",
    may_be_empty=True,
    clause="FRAME-11",
)


def _outcome(word: str) -> Token:
    return Token(
        name="outcome", type=TokenType.WORD, values=(word,), meaning="the outcome", clause="FRAME-11"
    )


def _answer(word: str) -> tuple[Token, ...]:
    return (_UUID, _type("response"), _REQUEST_ID, _outcome(word))


def _outcome_is(word: str) -> Condition:
    return Condition(token=3, equals=word)


def _source(*words: str) -> Token:
    return Token(name="source", type=TokenType.WORD, values=words, meaning="where the message came from")


_TRANSPORTS: Final = ("udp", "tcp")


def _transport(meaning: str, clause: str, *, unknown: bool = False) -> Token:
    return Token(
        name="transport",
        type=TokenType.WORD,
        values=(*_TRANSPORTS, "unknown") if unknown else _TRANSPORTS,
        meaning=meaning,
        may_be_empty=True,
        clause=clause,
    )


def _about(length: str, address: str, transport: Token) -> tuple[Token, ...]:
    return (
        Token(name="length", type=TokenType.INTEGER, meaning=length),
        transport,
        Token(
            name="address",
            type=TokenType.ADDRESS,
            meaning=f"{address} address",
            may_be_empty=True,
            clause="SIP-16",
        ),
        Token(name="port", type=TokenType.PORT, meaning=f"{address} port"),
        Token(name="time", type=TokenType.TIME, meaning="when, UTC"),
    )


def _empty(name: str) -> Token:
    return Token(name=name, type=TokenType.EMPTY, meaning="empty", may_be_empty=True)


_END: Final = Token(
    name="end", type=TokenType.EMPTY, meaning="empty: the line ends with a `|`", may_be_empty=True
)
_SENT: Final = Token(name="text", type=TokenType.WORD, values=("Msg sent:",), meaning="always this")
_RECEIVED: Final = _transport("how it came; empty for the ACK of a 2xx", "SIP-5")
_RECORD_TIME: Final = Token(name="time", type=TokenType.TIME, meaning="when, UTC")


def _record(name: str, title: str, clause: str, detail: tuple[Token, ...]) -> Frame:
    return Frame(
        name=name,
        title=title,
        direction=Direction.TO_APPLICATION,
        conditions=(_is(name),),
        tokens=(_UUID, _type(name), _source("network", "application"), _RECORD_TIME, *detail),
        message=Message.EITHER,
        clauses=(clause, "CDR-4", "CDR-8"),
        since="0.2.0",
    )


ROLES: Final = ("uas", "uac", "proxy-uas", "proxy-uac")
REASONS: Final = (
    "normal-release",
    "call-rejected",
    "call-canceled",
    "session-expired",
    "system-initiated-termination",
    "system-error-initiated-termination",
)

TO_APPLICATION: Final = (
    Frame(
        name="refused",
        title="NO: the connection ends",
        direction=Direction.TO_APPLICATION,
        conditions=(_is("response"), _outcome_is("NO")),
        tokens=(
            *_answer("NO"),
            Token(name="text", type=TokenType.REST_OF_LINE, meaning="why", clause="APP-5"),
        ),
        message=Message.NONE,
        clauses=("FRAME-11", "CONN-1", "APP-4"),
        since="0.2.0",
    ),
    Frame(
        name="not-done",
        title="NOK: this one thing was not done",
        direction=Direction.TO_APPLICATION,
        conditions=(_is("response"), _outcome_is("NOK")),
        tokens=(
            *_answer("NOK"),
            Token(name="text", type=TokenType.REST_OF_LINE, meaning="why", clause="APP-5"),
        ),
        message=Message.NONE,
        clauses=("FRAME-11", "RSP-12", "APP-4"),
        since="0.2.0",
    ),
    Frame(
        name="response-sent",
        title="The echo of a response",
        direction=Direction.TO_APPLICATION,
        conditions=(
            _is("response"),
            _outcome_is("OK"),
            Condition(token=4, equals="application"),
            Condition(token=13, equals="Msg sent:"),
        ),
        tokens=(
            *_answer("OK"),
            _source("application"),
            *_about(
                "octets sent",
                "the destination's",
                _transport("of a response to INVITE, or a provisional one; else empty", "RSP-4"),
            ),
            _opaque("transaction-id", "that of the request", "RSP-1"),
            _opaque("dialog-id", "the dialog, where there is one", "RSP-3", empty=True),
            _empty("reserved"),
            _SENT,
            _END,
        ),
        message=Message.RESPONSE,
        clauses=("RSP-2", "RSP-3", "RSP-4", "APP-9"),
        since="0.2.0",
    ),
    Frame(
        name="request-sent",
        title="The echo of a request",
        direction=Direction.TO_APPLICATION,
        conditions=(
            _is("response"),
            _outcome_is("OK"),
            Condition(token=4, equals="application"),
            Condition(token=11, equals="Msg sent:"),
        ),
        tokens=(
            *_answer("OK"),
            _source("application"),
            *_about(
                "octets sent; 0 for what has not left",
                "by UDP the server's own, by TCP the destination's",
                _transport("how it was sent; `unknown` for what cannot leave", "OUT-6", unknown=True),
            ),
            _opaque("transaction-id", "by which its responses come", "OUT-2"),
            _SENT,
            _END,
        ),
        message=Message.REQUEST,
        clauses=("DLG-5", "OUT-2", "OUT-6", "OUT-8", "APP-13"),
        since="0.2.0",
    ),
    Frame(
        name="final-response-received",
        title="A final response to a proxied request",
        direction=Direction.TO_APPLICATION,
        conditions=(_is("response"), _outcome_is("OK"), Condition(token=4, equals="network")),
        tokens=(
            *_answer("OK"),
            _source("network"),
            *_about("octets received", "the target's", _transport("how it came", "PROXY-8")),
            _empty("transaction-id"),
            _empty("dialog-id"),
            Token(
                name="progress",
                type=TokenType.WORD,
                values=("continue",),
                meaning="another answer to the same frame follows",
                clause="APP-3",
            ),
        ),
        message=Message.RESPONSE,
        clauses=("PROXY-8", "APP-3"),
        since="0.2.0",
    ),
    Frame(
        name="authenticated",
        title="The secret was right",
        direction=Direction.TO_APPLICATION,
        conditions=(
            _is("response"),
            _outcome_is("OK"),
            Condition(token=4, contains="/"),
            Condition(tokens_at_least=6),
        ),
        tokens=(
            *_answer("OK"),
            Token(
                name="hostports",
                type=TokenType.ENDPOINTS,
                meaning="where the server takes SIP, as others reach it",
            ),
            Token(name="version", type=TokenType.TEXT, meaning="`v` and three numbers first", clause="VER-1"),
            Token(
                name="local-hostports",
                type=TokenType.ENDPOINTS,
                meaning="where it listens really",
                optional=True,
            ),
        ),
        message=Message.NONE,
        clauses=("AUTH-2",),
        dialects=("0.9",),
        since="0.9.1",
    ),
    Frame(
        name="authenticated-0.8",
        title="The secret was right, in the older dialect",
        direction=Direction.TO_APPLICATION,
        conditions=(_is("response"), _outcome_is("OK"), Condition(token=4, contains="/")),
        tokens=(
            *_answer("OK"),
            Token(name="hostports", type=TokenType.ENDPOINTS, meaning="where the server takes SIP"),
        ),
        message=Message.NONE,
        clauses=("VER-2",),
        dialects=("0.8",),
        since="0.5.0",
    ),
    Frame(
        name="accepted",
        title="OK, and perhaps a word",
        direction=Direction.TO_APPLICATION,
        conditions=(_is("response"), _outcome_is("OK")),
        tokens=(
            *_answer("OK"),
            Token(
                name="text",
                type=TokenType.TEXT,
                values=("pong", "done"),
                meaning="`pong` to `ping`, `done` to `proxy`, else missing",
                optional=True,
            ),
        ),
        message=Message.NONE,
        clauses=("ROUTE-2", "RROUTE-2", "PING-1", "PROXY-7"),
        since="0.2.0",
    ),
    Frame(
        name="new-request",
        title="A request outside dialogs",
        direction=Direction.TO_APPLICATION,
        conditions=(_is("sip"), Condition(token=2, equals="network"), Condition(tokens_at_least=12)),
        tokens=(
            _UUID,
            _type("sip"),
            _source("network"),
            *_about(
                "octets received, without what the server added to the top Via", "the source's", _RECEIVED
            ),
            _opaque("transaction-id", "by which it is answered", "RSP-1"),
            _empty("dialog-id"),
            Token(name="local-address", type=TokenType.ADDRESS, meaning="the address that it came to"),
            Token(name="local-port", type=TokenType.PORT, meaning="the port that it came to"),
            _END,
        ),
        message=Message.REQUEST,
        clauses=("SIP-1", "SIP-2", "APP-7"),
        dialects=("0.9",),
        since="0.8.4",
    ),
    Frame(
        name="new-request-0.8",
        title="A request outside dialogs, in the older dialect",
        direction=Direction.TO_APPLICATION,
        conditions=(_is("sip"), Condition(token=2, equals="network"), Condition(tokens_at_most=10)),
        tokens=(
            _UUID,
            _type("sip"),
            _source("network"),
            *_about("code points received", "the source's", _RECEIVED),
            _opaque("transaction-id", "by which it is answered", "RSP-1"),
            _empty("dialog-id"),
        ),
        message=Message.REQUEST,
        clauses=("VER-3", "VER-5"),
        dialects=("0.8",),
        since="0.2.0",
    ),
    Frame(
        name="message-in-dialog",
        title="A request inside a dialog, a CANCEL, or any response",
        direction=Direction.TO_APPLICATION,
        conditions=(_is("sip"), Condition(token=2, equals="network")),
        tokens=(
            _UUID,
            _type("sip"),
            _source("network"),
            *_about("octets received; 0 for what the server made itself", "the source's", _RECEIVED),
            _opaque(
                "transaction-id",
                "a request's own, by which it is answered (that of the INVITE for its CANCEL and ACK); a response's: "
                "that of the echo",
                "SIP-4",
            ),
            _opaque("dialog-id", "the dialog, where there is one", "DLG-1", empty=True),
            _END,
        ),
        message=Message.EITHER,
        clauses=("SIP-4", "SIP-5", "SIP-6", "SIP-7", "DLG-7", "OUT-5", "APP-10", "APP-13"),
        since="0.2.0",
    ),
    Frame(
        name="unsolicited",
        title="A BYE that the server sent itself",
        direction=Direction.TO_APPLICATION,
        conditions=(_is("sip"), Condition(token=2, equals="application")),
        tokens=(
            _UUID,
            _type("sip"),
            _source("application"),
            *_about(
                "octets sent; 0 for what could not be sent",
                "by UDP the server's own",
                _transport("how it was sent; `unknown` for what could not be sent", "CALL-9", unknown=True),
            ),
            Token(name="transaction-id", type=TokenType.WORD, values=("unsolicited",), meaning="always this"),
            _opaque("dialog-id", "the dialog that is over", "DLG-1"),
            _END,
        ),
        message=Message.REQUEST,
        clauses=("CALL-9", "APP-15"),
        since="0.8.6",
    ),
    _record("cdr:attempt", "The record of a call that is tried", "CDR-1", ()),
    _record(
        "cdr:start",
        "The record of a call that is answered",
        "CDR-2",
        (
            Token(
                name="role",
                type=TokenType.WORD,
                values=ROLES,
                meaning="which side of the call",
                clause="CDR-15",
            ),
        ),
    ),
    _record(
        "cdr:stop",
        "The record of a call that is over",
        "CDR-3",
        (Token(name="reason", type=TokenType.WORD, values=REASONS, meaning="why", clause="CDR-4"),),
    ),
)

FRAMES: Final = (*TO_SERVER, *TO_APPLICATION)


def find(direction: Direction, tokens: list[str], message: str) -> Frame | None:
    """The frame that these tokens and this message are, whatever their dialect; None for an unknown one."""
    return next(
        (frame for frame in FRAMES if frame.direction is direction and frame.matches(tokens, message)), None
    )


def name_tokens(frame: Frame, tokens: list[str]) -> dict[str, str]:
    """The tokens by name, in their order; what is behind them is left out (FRAME-25), or numbered from 1 (``more``)."""
    named: dict[str, str] = {}
    for place, token in enumerate(frame.tokens):
        if place >= len(tokens):
            break
        rest = token.type is TokenType.REST_OF_LINE
        named[token.name] = "|".join(tokens[place:]) if rest else tokens[place]
    if frame.more:
        for number, value in enumerate(tokens[len(frame.tokens) :], 1):
            named[f"{frame.more.name}-{number}"] = value
    return named
