"""The frames that a server sends. Order counts: a frame is the first of these whose conditions hold."""

from __future__ import annotations

from typing import Final

from protocol_book.facts import REASONS, ROLES
from protocol_book.grammar import Condition, Direction, Frame, Message, Token, TokenType
from protocol_book.tokens import UUID, is_type, opaque, type_of

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
    return (UUID, type_of("response"), _REQUEST_ID, _outcome(word))


def _outcomeis_type(word: str) -> Condition:
    return Condition(token=3, equals=word)


def _source(*words: str) -> Token:
    return Token(name="source", type=TokenType.WORD, values=words, meaning="where the message came from")


_TRANSPORTS: Final = ("udp", "tcp", "tls")


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
        conditions=(is_type(name),),
        tokens=(UUID, type_of(name), _source("network", "application"), _RECORD_TIME, *detail),
        message=Message.EITHER,
        clauses=(clause, "CDR-4", "CDR-8"),
        since="0.2.0",
    )


TO_APPLICATION: Final = (
    Frame(
        name="refused",
        title="NO: the connection ends",
        direction=Direction.TO_APPLICATION,
        conditions=(is_type("response"), _outcomeis_type("NO")),
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
        conditions=(is_type("response"), _outcomeis_type("NOK")),
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
            is_type("response"),
            _outcomeis_type("OK"),
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
            opaque("transaction-id", "that of the request", "RSP-1"),
            opaque("dialog-id", "the dialog, where there is one", "RSP-3", empty=True),
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
            is_type("response"),
            _outcomeis_type("OK"),
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
            opaque("transaction-id", "by which its responses come", "OUT-2"),
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
        conditions=(is_type("response"), _outcomeis_type("OK"), Condition(token=4, equals="network")),
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
            is_type("response"),
            _outcomeis_type("OK"),
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
        conditions=(is_type("response"), _outcomeis_type("OK"), Condition(token=4, contains="/")),
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
        conditions=(is_type("response"), _outcomeis_type("OK")),
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
        conditions=(is_type("sip"), Condition(token=2, equals="network"), Condition(tokens_at_least=12)),
        tokens=(
            UUID,
            type_of("sip"),
            _source("network"),
            *_about(
                "octets received, without what the server added to the top Via", "the source's", _RECEIVED
            ),
            opaque("transaction-id", "by which it is answered", "RSP-1"),
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
        conditions=(is_type("sip"), Condition(token=2, equals="network"), Condition(tokens_at_most=10)),
        tokens=(
            UUID,
            type_of("sip"),
            _source("network"),
            *_about("code points received", "the source's", _RECEIVED),
            opaque("transaction-id", "by which it is answered", "RSP-1"),
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
        conditions=(is_type("sip"), Condition(token=2, equals="network")),
        tokens=(
            UUID,
            type_of("sip"),
            _source("network"),
            *_about(
                "octets received; 0 for what the server made itself",
                "the source's",
                _transport(
                    "how it came; empty for the ACK of a 2xx, `unknown` where nothing was sent",
                    "SIP-5",
                    unknown=True,
                ),
            ),
            opaque(
                "transaction-id",
                "a request's own, by which it is answered (that of the INVITE for its CANCEL and ACK); a response's: "
                "that of the echo",
                "SIP-4",
            ),
            opaque("dialog-id", "the dialog, where there is one", "DLG-1", empty=True),
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
        conditions=(is_type("sip"), Condition(token=2, equals="application")),
        tokens=(
            UUID,
            type_of("sip"),
            _source("application"),
            *_about(
                "octets sent; 0 for what could not be sent",
                "by UDP the server's own",
                _transport("how it was sent; `unknown` for what could not be sent", "CALL-9", unknown=True),
            ),
            Token(name="transaction-id", type=TokenType.WORD, values=("unsolicited",), meaning="always this"),
            opaque("dialog-id", "the dialog that is over", "DLG-1"),
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
                values=tuple(role.word for role in ROLES),
                meaning="which side of the call",
                clause="CDR-15",
            ),
        ),
    ),
    _record(
        "cdr:stop",
        "The record of a call that is over",
        "CDR-3",
        (
            Token(
                name="reason",
                type=TokenType.WORD,
                values=tuple(reason.word for reason in REASONS),
                meaning="why",
                clause="CDR-4",
            ),
        ),
    ),
)
