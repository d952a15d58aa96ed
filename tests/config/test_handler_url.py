"""The URL of a request handler."""

from __future__ import annotations

import pytest

from reference_server.config.handler_url import HANDLER_URL
from reference_server.config.values import WrongValue


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" http://10.1.2.3:8080 ", "http://10.1.2.3:8080"),
        ("HTTP://user:pw@h/a?x=1", "http://user:pw@h/a?x=1"),
        ("https://[::1]:8443/a", "https://[::1]:8443/a"),
        ("tcp://127.0.0.1:4000", "tcp://127.0.0.1:4000"),
        ("TLS://app.example.com:4000/", "tls://app.example.com:4000/"),
        ("tcp://[::1]:4000;transport=tls", "tcp://[::1]:4000;transport=tls"),
        ("tls://app.example.com", "tls://app.example.com"),
    ],
)
def test_a_url(text: str, url: str) -> None:
    assert HANDLER_URL.parse(text) == url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected http://"),
        ("garbage", "expected http://"),
        ("ftp://h", "expected http://"),
        ("http:/h", "expected http://"),
        ("http://", "expected a host"),
        ("http://:80", "expected a host"),
        ("http://h:0", "expected a host"),
        ("http://h:99999", "expected a host"),
        ("http://h:x", "expected a host"),
        ("http://[::1", "expected a host"),
        ("http://h/a b", "without blanks"),
        ("http://h/\u00e9", "printable ASCII"),
        ("http://h/#x", "without a fragment"),
        ("tcp://", "expected a host and a port behind tcp://"),
        ("tcp://10.1.2.3", "expected a host and a port behind tcp://"),
        ("tcp://[::1]", "expected a host and a port behind tcp://"),
        ("tls://h:0", "expected a host and a port behind tls://"),
        ("tcp://h:70000", "expected a host and a port"),
        ("tcp://h:4000/path", "expected a host and a port"),
    ],
)
def test_what_is_none(text: str, expected: str) -> None:
    with pytest.raises(WrongValue, match=expected):
        HANDLER_URL.parse(text)


def test_no_error_shows_a_password() -> None:
    with pytest.raises(WrongValue) as raised:
        HANDLER_URL.parse("http://user:password@h/ x")
    assert "password" not in str(raised.value)
