"""What a frame is made of: the words in which the modules of frames describe the protocol.

A frame is told by the first description of its direction whose conditions all hold. Tokens have names in lower case,
their words joined by hyphens; prose writes the same words with blanks.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Direction(StrEnum):
    """Who sends a frame."""

    TO_SERVER = "to-server"
    TO_APPLICATION = "to-application"


class TokenType(StrEnum):
    """What a token may hold. No token holds ``|`` or CR LF."""

    MESSAGE_ID = "message-id"
    """what the application chose for its frame; a UUID in the server's frames"""
    OPAQUE = "opaque"
    """an id of the server's: repeated whole, never taken apart"""
    WORD = "word"
    """one of ``values``"""
    TEXT = "text"
    """anything"""
    REST_OF_LINE = "rest-of-line"
    """anything up to the end of the line, ``|`` included: the last token"""
    LIST = "list"
    """texts without commas, separated by commas; may be empty"""
    INTEGER = "integer"
    """decimal digits"""
    TIME = "time"
    """``HH:MM:SS.ffffff``, UTC"""
    ADDRESS = "address"
    """an IP address, IPv6 without brackets; empty where nothing was sent"""
    PORT = "port"
    """decimal digits, at most 65535"""
    ENDPOINTS = "endpoints"
    """``transport/address:port``, separated by commas, IPv6 in brackets"""
    URI = "uri"
    """a SIP URI"""
    DURATION = "duration"
    """digits and ``ms`` or ``s``; anything else is none"""
    EMPTY = "empty"
    """nothing"""


class Token(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One token, by its place."""

    name: str
    type: TokenType
    meaning: str
    """one phrase, Markdown"""
    values: tuple[str, ...] = ()
    """of a word: what it may be; of other types: values that have a meaning of their own"""
    optional: bool = False
    """it may be missing, with all that follow"""
    may_be_empty: bool = False
    ignored: bool = False
    """the server does not look at it here"""
    clause: str = ""
    """where it is explained, if that is not the frame's own clause"""


class Condition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What tells a frame from others; each field that is given must hold."""

    token: int = -1
    """the place that ``equals``, ``empty`` and ``contains`` are about"""
    equals: str | None = None
    empty: bool | None = None
    """a token that is missing is empty"""
    contains: str | None = None
    tokens_at_least: int = 0
    tokens_at_most: int = 0
    """0 is no limit"""
    message_begins: str = ""
    """the SIP message's first characters"""


class Message(StrEnum):
    """The SIP message behind the tokens."""

    NONE = "none"
    REQUEST = "request"
    RESPONSE = "response"
    EITHER = "either"
    HEADERS = "headers"
    """a message of which only the headers count"""


class Failure(Struct, frozen=True, kw_only=True):
    """A text of ``NO`` or ``NOK``."""

    outcome: str
    """``NO`` or ``NOK``"""
    text: str
    """capital words in it stand for what varies"""
    when: str
    """Markdown"""
    clauses: tuple[str, ...]
    frames: tuple[str, ...]
    """the kinds of frame that it may answer; empty for any"""


class Frame(Struct, frozen=True, kw_only=True):
    """One kind of frame."""

    name: str
    """``send-response``"""
    title: str
    """what it is, a few words"""
    direction: Direction
    tokens: tuple[Token, ...]
    conditions: tuple[Condition, ...]
    message: Message
    clauses: tuple[str, ...]
    """the first is the one that defines it"""
    more: Token | None = None
    """what any number of further tokens are; without it further tokens are ignored"""
    answers: tuple[str, ...] = ()
    """of a frame to the server: the frames that may answer it"""
    dialects: tuple[str, ...] = ("0.8", "0.9")
    since: str = ""
    """the release of the genuine server that brought it"""

    @property
    def required(self) -> int:
        """How many tokens it has at least; with fewer the server refuses it."""
        return sum(not token.optional for token in self.tokens)

    def matches(self, tokens: list[str], message: str) -> bool:
        """Whether these are the tokens and the message of such a frame."""
        return all(_holds(condition, tokens, message) for condition in self.conditions)


def _holds(condition: Condition, tokens: list[str], message: str) -> bool:
    value = tokens[condition.token] if 0 <= condition.token < len(tokens) else ""
    return (
        (condition.equals is None or value == condition.equals)
        and (condition.empty is None or (value == "") is condition.empty)
        and (condition.contains is None or condition.contains in value)
        and len(tokens) >= condition.tokens_at_least
        and (not condition.tokens_at_most or len(tokens) <= condition.tokens_at_most)
        and message.startswith(condition.message_begins)
    )
