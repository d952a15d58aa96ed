"""Whether a URI names the server."""

from __future__ import annotations

import pytest

from reference_server.core.location.own_addresses import OwnAddresses
from reference_server.core.ports import Endpoint
from reference_server.sip.transport import TCP, UDP

ENDPOINTS = (
    Endpoint(UDP, "127.0.0.1", 5060, "203.0.113.9", "sip:203.0.113.9:5060", ("sip.example.com",)),
    Endpoint(TCP, "192.0.2.1", 5070, "192.0.2.1", "sip:192.0.2.1:5070"),
    Endpoint(UDP, "2001:db8::1", 5060, "[2001:db8::1]", "sip:[2001:db8::1]:5060"),
)


@pytest.mark.parametrize(
    ("uri", "ours"),
    [
        ("sip:127.0.0.1", True),
        ("sip:bob@127.0.0.1:5060;transport=tcp", True),
        ("sips:bob@127.0.0.1", True),
        ("sip:203.0.113.9;lr", True),
        ("sip:SIP.Example.com", True),
        ("sip:localhost", True),
        ("sip:192.0.2.1:5070", True),
        ("sip:[2001:db8::1]", True),
        ("sip:@127.0.0.1:5060;", True),
        ("sip:127.0.0.1:;lr;", True),
        ("sip:far.invalid;maddr=192.0.2.1:5070", False),
        ("sip:far.invalid:5070;maddr=192.0.2.1", True),
        ("sip:192.0.2.1", False),
        ("sip:127.0.0.1:5061", False),
        ("sip:example.com", False),
        ("tel:127.0.0.1", False),
        ("foo", False),
        ("", False),
    ],
)
def test_addresses(uri: str, ours: bool) -> None:
    own = OwnAddresses(lambda: ENDPOINTS)
    assert own.include(uri) is own.include(uri) is ours


def test_what_strangers_ask_for_is_not_kept_for_ever() -> None:
    own = OwnAddresses(lambda: ENDPOINTS)
    for number in range(5000):
        assert not own.include(f"sip:x@far{number}.invalid")
    assert own.include("sip:127.0.0.1")
    assert not own.include("sip:" + "x" * 10_000)
