"""Octets as text: there and back, and for the eye."""

from __future__ import annotations

import pytest

from reference_server.observe.octets import readable, shown, to_octets


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("abc", b"abc"),
        ("caf\xc3\xa9", b"caf\xc3\xa9"),
        ("\xff\0", b"\xff\0"),
        ("1–8", "1–8".encode()),
        ("–\xff", b"\xe2\x80\x93\xff"),
    ],
)
def test_octets_stay_and_what_is_none_becomes_utf_8(text: str, octets: bytes) -> None:
    assert to_octets(text) == octets


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("abc", "abc"),
        ("caf\xc3\xa9", "café"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb", "a\\r\\nb"),
        ("\xff\xfe", "\\xff\\xfe"),
        ("1–8", "1–8"),
        ("\xc2\x9b31m", "\\x9b31m"),
    ],
)
def test_what_is_shown_disturbs_no_terminal(text: str, seen: str) -> None:
    assert shown(text) == seen


def test_what_is_readable() -> None:
    assert readable("caf\xc3\xa9") == "café"
    assert readable("\xff") is None
