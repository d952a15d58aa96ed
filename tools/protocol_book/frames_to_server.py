"""The frames that an application sends. Order counts: a frame is the first of these whose conditions hold."""

from __future__ import annotations

from typing import Final

from protocol_book.grammar import Condition, Direction, Frame, Message, Token, TokenType
from protocol_book.tokens import is_type, opaque, type_of

_ID: Final = Token(
    name="id",
    type=TokenType.MESSAGE_ID,
    meaning="the id that the application gives its frame",
    may_be_empty=True,
    clause="FRAME-24",
)
_VERB: Final = Token(
    name="verb",
    type=TokenType.TEXT,
    meaning="a SIP method in lower case, or `cdr:attempt`, `cdr:start`, `cdr:stop`",
    may_be_empty=True,
    clause="ROUTE-3",
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
        conditions=(is_type("authenticate"),),
        tokens=(
            _ID,
            type_of("authenticate"),
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
        conditions=(is_type("ping"),),
        tokens=(_ID, type_of("ping")),
        message=Message.NONE,
        clauses=("PING-1", "PING-2", "APP-25"),
        answers=("accepted", "refused"),
        since="0.8.2",
    ),
    Frame(
        name="route",
        title="Asks for the requests of one method, or for records",
        direction=Direction.TO_SERVER,
        conditions=(is_type("route"),),
        tokens=(_ID, type_of("route"), _VERB),
        message=Message.NONE,
        clauses=("ROUTE-1", "ROUTE-3", "ROUTE-5", "CDR-7", "APP-6"),
        answers=("accepted", "refused"),
        since="0.2.0",
    ),
    Frame(
        name="remove_route",
        title="Takes a route back",
        direction=Direction.TO_SERVER,
        conditions=(is_type("remove_route"),),
        tokens=(_ID, type_of("remove_route"), _VERB),
        message=Message.NONE,
        clauses=("RROUTE-1",),
        answers=("accepted", "refused"),
        since="0.8.26",
    ),
    Frame(
        name="send-response",
        title="A response to a request from the network",
        direction=Direction.TO_SERVER,
        conditions=(is_type("sip"), Condition(message_begins="SIP/")),
        tokens=(
            _ID,
            type_of("sip"),
            opaque("transaction-id", "token 8 of the request's frame", "RSP-1"),
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
        conditions=(is_type("sip"), Condition(token=3, empty=False)),
        tokens=(
            _ID,
            type_of("sip"),
            Token(
                name="transaction-id",
                type=TokenType.TEXT,
                meaning="ignored",
                may_be_empty=True,
                ignored=True,
                clause="DLG-4",
            ),
            opaque("dialog-id", "the dialog", "DLG-1"),
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
        conditions=(is_type("sip"), Condition(token=2, empty=False), Condition(message_begins="CANCEL")),
        tokens=(
            _ID,
            type_of("sip"),
            opaque("transaction-id", "that of the INVITE, token 10 of its echo", "OUT-2"),
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
        conditions=(is_type("sip"), Condition(token=2, empty=True), Condition(token=3, empty=True)),
        tokens=(
            _ID,
            type_of("sip"),
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
        conditions=(is_type("proxy"),),
        tokens=(
            _ID,
            type_of("proxy"),
            opaque("transaction-id", "token 8 of the request's frame", "PROXY-10"),
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
