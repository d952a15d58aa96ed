"""Tokens and conditions that frames of both directions are made of."""

from __future__ import annotations

from typing import Final

from protocol_book.grammar import Condition, Token, TokenType

UUID: Final = Token(
    name="id", type=TokenType.MESSAGE_ID, meaning="a fresh UUID, which nothing refers to", clause="FRAME-11"
)
"""token 0 of a frame of the server"""


def type_of(word: str) -> Token:
    """Token 1, which says what a frame is."""
    return Token(
        name="type", type=TokenType.WORD, values=(word,), meaning="the frame's type", clause="FRAME-14"
    )


def is_type(word: str) -> Condition:
    """That token 1 is this word."""
    return Condition(token=1, equals=word)


def opaque(name: str, meaning: str, clause: str, *, empty: bool = False, optional: bool = False) -> Token:
    """An id of the server's."""
    return Token(
        name=name,
        type=TokenType.OPAQUE,
        meaning=meaning,
        clause=clause,
        may_be_empty=empty,
        optional=optional,
    )
