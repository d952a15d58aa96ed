"""Credentials hidden octet for octet."""

from __future__ import annotations

import pytest

from reference_server.observe.credentials import without_credentials


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Digest a=b\r\nTo: x", "Authorization: Digest ***\r\nTo: x"),
        ("AUTHORIZATION:Basic dGVzdA==\r\n", "AUTHORIZATION:Basic ********\r\n"),
        (
            "proxy-authorization \t: Digest a=b,\r\n c=d\r\nTo: x",
            "proxy-authorization \t: Digest ****\r\n ***\r\nTo: x",
        ),
        ("Authorization: Unknown abc\n", "Authorization: ******* ***\n"),
        ("Authorization:\r\n Digest abc\r\n", "Authorization:\r\n ****** ***\r\n"),
        ("To: x\r\n\r\nAuthorization: Digest abc", "To: x\r\n\r\nAuthorization: Digest ***"),
        ("WWW-Authenticate: Digest nonce=x", "WWW-Authenticate: Digest nonce=x"),
        ("X-Authorization: y", "X-Authorization: y"),
        ("no such header", "no such header"),
    ],
)
def test_values_are_hidden_and_nothing_else(text: str, hidden: str) -> None:
    assert without_credentials(text) == hidden
    assert len(hidden) == len(text)


def test_the_time_grows_with_the_size() -> None:
    text = "Authorization: Digest a\r\n " + "x\r\n " * 200_000 + "\r\nTo: y"
    assert without_credentials(text).endswith("To: y")
