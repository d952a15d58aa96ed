"""How a frame is told from others."""

from __future__ import annotations

import pytest

from protocol_book.grammar import Condition, Direction, Frame, Message, Token, TokenType


def frame(*conditions: Condition) -> Frame:
    return Frame(
        name="x",
        title="x",
        direction=Direction.TO_SERVER,
        tokens=(
            Token(name="id", type=TokenType.MESSAGE_ID, meaning=""),
            Token(name="type", type=TokenType.WORD, values=("x",), meaning=""),
            Token(name="more", type=TokenType.TEXT, meaning="", optional=True),
        ),
        conditions=conditions,
        message=Message.NONE,
        clauses=("PING-1",),
    )


@pytest.mark.parametrize(
    ("condition", "matching", "other"),
    [
        (Condition(token=1, equals="x"), ["1", "x"], ["1", "y"]),
        (Condition(token=2, empty=True), ["1", "x"], ["1", "x", "2"]),
        (Condition(token=2, empty=False), ["1", "x", "2"], ["1", "x", ""]),
        (Condition(token=1, contains="/"), ["1", "udp/h"], ["1", "pong"]),
        (Condition(tokens_at_least=3), ["1", "x", ""], ["1", "x"]),
        (Condition(tokens_at_most=2), ["1", "x"], ["1", "x", ""]),
    ],
)
def test_a_condition_holds_or_not(condition: Condition, matching: list[str], other: list[str]) -> None:
    assert frame(condition).matches(matching, "")
    assert not frame(condition).matches(other, "")


def test_the_message_may_decide() -> None:
    assert frame(Condition(message_begins="SIP/")).matches(["1", "x"], "SIP/2.0 200 OK")
    assert not frame(Condition(message_begins="SIP/")).matches(["1", "x"], "BYE sip:x SIP/2.0")


def test_all_conditions_must_hold() -> None:
    both = frame(Condition(token=1, equals="x"), Condition(tokens_at_least=3))
    assert both.matches(["1", "x", ""], "")
    assert not both.matches(["1", "x"], "")


def test_optional_tokens_are_not_required() -> None:
    assert frame().required == 2
