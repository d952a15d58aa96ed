"""The tokens of a ``proxy`` message."""

from __future__ import annotations

import pytest

from reference_server.core.proxy.options import ProxyOptions, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2s", 2.0),
        ("700ms", 0.7),
        ("0s", 0.0),
        ("5", 0.0),
        ("5m", 0.0),
        ("", 0.0),
        ("undefined", 0.0),
        (" 2s", 0.0),
        ("2s ", 0.0),
        ("2S", 0.0),
        ("-2s", 0.0),
        ("1.5s", 0.0),
        ("2 s", 0.0),
        ("9" * 10 + "s", 0.0),
    ],
)
def test_timeouts(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_every_token_has_its_place() -> None:
    tokens = (
        "remainInDialog",
        "fullResponse",
        "followRedirects",
        "simultaneous",
        "1s",
        "2s",
        "sip:a",
        "sip:b",
    )
    assert ProxyOptions.of(tokens) == ProxyOptions(
        destinations=("sip:a", "sip:b"),
        record_route=True,
        full_response=True,
        follow_redirects=True,
        simultaneous=True,
        provisional_timeout=1.0,
        final_timeout=2.0,
    )
    assert ProxyOptions.of(("", "", "", "", "", "")) == ProxyOptions(destinations=())
