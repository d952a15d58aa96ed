"""All frames of the protocol, and which one some tokens and a message are."""

from __future__ import annotations

from typing import Final

from protocol_book.frames_to_application import TO_APPLICATION
from protocol_book.frames_to_server import TO_SERVER
from protocol_book.grammar import Direction, Frame, TokenType

__all__ = ["FRAMES", "TO_APPLICATION", "TO_SERVER", "find", "name_tokens"]

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
