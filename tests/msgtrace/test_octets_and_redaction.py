"""What is shown of octets, and what is not shown of secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace import redact
from msgtrace.octets import one_line, pieces, readable


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_octets_can_be_read_back(octets: str) -> None:
    shown = b""
    for text, escaped in pieces(octets):
        if escaped:
            shown += bytes.fromhex(text.replace("\\x", ""))
        else:
            shown += text.replace("\\x5c", "\\").encode("utf-8")
    assert shown == octets.encode("latin-1")


def test_readable_text() -> None:
    assert readable("a\r\nb\xc3\xa9\xff\x1b[0m\x00\\x41") == "a\nbé\\xff\\x1b[0m\\x00\\x5cx41"
    assert one_line("a\r\nb\tc") == "a\\r\\nb\\tc"
    assert one_line("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id|authenticate|cymru|blue", "id|authenticate|***|blue"),
        ("56#id|authenticate|cymru", "56#id|authenticate|***"),
        ("===>\r\n56#id|authenticate|cym", "===>\r\n56#id|authenticate|***"),
        ("6#p|ping25#id|Authenticate|c|", "6#p|ping25#id|Authenticate|***|"),
        ("id|route|authenticate|x", "id|route|authenticate|x"),
        ("Authorization: Digest username=a,\r\n nonce=b\r\nX: 1", "Authorization: Digest ***\r\nX: 1"),
        ("proxy-authorization : Digest x", "proxy-authorization : Digest ***"),
        ("X-Authorization: a\r\nWWW-Authenticate: b", "X-Authorization: a\r\nWWW-Authenticate: b"),
    ],
)
def test_secrets_are_taken_out(text: str, expected: str) -> None:
    assert redact.secrets(text) == expected
