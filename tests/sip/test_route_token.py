"""The proof in our Record-Route."""

from __future__ import annotations

import pytest

from reference_server.sip.route_token import RouteTokens, without_token

TOKENS = RouteTokens(b"key")


@pytest.mark.parametrize(
    ("call_id", "from_tag", "to_tag", "right"),
    [
        ("c", "a", "b", True),
        ("c", "b", "a", True),
        ("c", "b", "b", False),
        ("d", "a", "b", False),
        ("c", "", "", False),
    ],
)
def test_it_proves_what_it_was_made_for(call_id: str, from_tag: str, to_tag: str, right: bool) -> None:
    uri = f"sip:h:5060;lr{TOKENS.parameter('c', 'a')}"
    assert TOKENS.proves(uri, call_id, from_tag, to_tag) is right
    assert TOKENS.proves(f"{uri};x=y", call_id, from_tag, to_tag) is right
    assert not RouteTokens(b"another key").proves(uri, call_id, from_tag, to_tag)


@pytest.mark.parametrize(
    ("route", "left"),
    [
        ("<sip:h;lr;rt=0123456789abcdef>", "<sip:h;lr>"),
        ("<sip:h;rt=0123456789abcdef;lr>, <sip:i;lr;rt=0123456789abcdef>", "<sip:h;lr>, <sip:i;lr>"),
        ("<sip:h;lr;rt=0123456789abcdef0>", "<sip:h;lr;rt=0123456789abcdef0>"),
        ("<sip:h;lr;rt=0123456789abcde>", "<sip:h;lr;rt=0123456789abcde>"),
        ('<sip:h;lr;rt="123456789abcdef>', '<sip:h;lr;rt="123456789abcdef>'),
        ("<sip:h;lr>", "<sip:h;lr>"),
    ],
)
def test_without_it_a_route_is_that_of_every_call(route: str, left: str) -> None:
    assert without_token(route) == left
