"""``docs/protocol.json``: the protocol for programs, and its schema.

It is enough to make a codec of: how frames are cut, how the kind of one is told, the name and type of each token. What
a token looks like, its type's ``pattern`` says (a regular expression for all of it, that Python and ECMAScript read
alike).
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from protocol_book.facts import REASONS, RELEASES, ROLES, TIMERS, Release, Timer, Word
from protocol_book.frames import FRAMES
from protocol_book.grammar import Condition, Failure, Frame, Token, TokenType
from protocol_book.suite import Specification
from protocol_book.texts import FAILURES

FORMAT: Final = 1
"""of the file; raised when a reader has to change"""

PATTERNS: Final[dict[TokenType, str]] = {
    TokenType.MESSAGE_ID: "[^|]*",
    TokenType.OPAQUE: "[^|]*",
    TokenType.WORD: "[^|]*",
    TokenType.TEXT: "[^|]*",
    TokenType.REST_OF_LINE: ".*",
    TokenType.LIST: "[^|]*",
    TokenType.INTEGER: "[0-9]+",
    TokenType.TIME: "[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}",
    TokenType.ADDRESS: "([0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%[^|]+)?)?",
    TokenType.PORT: "[0-9]{1,5}",
    TokenType.ENDPOINTS: "([a-z]+/([0-9.]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}(,|$))*",
    TokenType.URI: "[^|]*",
    TokenType.DURATION: "[^|]*",
    TokenType.EMPTY: "",
}


class Framing(Struct, kw_only=True, frozen=True):
    """How a stream is cut, and a payload into tokens and message."""

    count: str = "[0-9]{1,8}"
    """pattern of the octet count"""
    behind_count: str = "#"
    largest_payload: int = 16 * 1024 * 1024
    largest_payload_before_authentication: int = 4096
    token_separator: str = "|"
    message_separator: str = "\r\n"


class TypeOfToken(Struct, kw_only=True, frozen=True):
    """A token type and what its text looks like."""

    name: TokenType
    pattern: str


class FrameEntry(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A frame; see :class:`protocol_book.grammar.Frame`."""

    name: str
    title: str
    direction: str
    dialects: tuple[str, ...]
    since: str
    message: str
    conditions: tuple[Condition, ...]
    required_tokens: int
    tokens: tuple[Token, ...]
    more: Token | None = None
    answers: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()


class ClauseEntry(Struct, kw_only=True, frozen=True):
    """A clause, without its example."""

    id: str
    title: str
    level: str
    party: str
    since: str
    chapter: str
    text: str


class Records(Struct, kw_only=True, frozen=True):
    """The words of call detail records."""

    roles: tuple[Word, ...] = ROLES
    reasons: tuple[Word, ...] = REASONS


class Protocol(Struct, kw_only=True, frozen=True):
    """The whole file."""

    format: int = FORMAT
    title: str = "The drachtio admin protocol"
    license: str = "MIT"
    dialects: tuple[str, ...] = ("0.8", "0.9")
    framing: Framing = Framing()
    token_types: tuple[TypeOfToken, ...]
    frames: tuple[FrameEntry, ...]
    failures: tuple[Failure, ...] = FAILURES
    records: Records = Records()
    timers: tuple[Timer, ...] = TIMERS
    releases: tuple[Release, ...] = RELEASES
    clauses: tuple[ClauseEntry, ...]


def build(specification: Specification) -> Protocol:
    """The file's content."""
    return Protocol(
        token_types=tuple(TypeOfToken(name=name, pattern=pattern) for name, pattern in PATTERNS.items()),
        frames=tuple(_entry(frame) for frame in FRAMES),
        clauses=tuple(
            ClauseEntry(
                id=clause.id,
                title=clause.title,
                level=clause.level,
                party=clause.party,
                since=clause.since,
                chapter=clause.section,
                text=clause.text,
            )
            for clause in specification.clauses.values()
        ),
    )


def _entry(frame: Frame) -> FrameEntry:
    return FrameEntry(
        name=frame.name,
        title=frame.title,
        direction=frame.direction.value,
        dialects=frame.dialects,
        since=frame.since,
        message=frame.message.value,
        conditions=frame.conditions,
        required_tokens=frame.required,
        tokens=frame.tokens,
        more=frame.more,
        answers=frame.answers,
        clauses=frame.clauses,
    )


def text(specification: Specification) -> str:
    """docs/protocol.json."""
    return _json(build(specification))


def schema() -> str:
    """docs/protocol.schema.json."""
    return _json({"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Protocol)})


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode() + "\n"
