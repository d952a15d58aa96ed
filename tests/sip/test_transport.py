"""The transports of SIP: what each says of itself (RFC 3261 §18, §19.1.2; RFC 3263; RFC 7118)."""

from __future__ import annotations

import pytest

from reference_server.sip.transport import NOWHERE, TCP, TLS, TRANSPORTS, UDP, WS, WSS, Transport


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=str)
def test_each_is_found_by_its_name(transport: Transport) -> None:
    assert TRANSPORTS[transport.name] is transport
    assert str(transport) == transport.name == transport.name.lower()
    assert transport.via_token == transport.name.upper()


@pytest.mark.parametrize(
    ("transport", "reliable", "secure", "port", "parameter"),
    [
        (UDP, False, False, 5060, ""),
        (TCP, True, False, 5060, ";transport=tcp"),
        (TLS, True, True, 5061, ";transport=tls"),
        (WS, True, False, 80, ";transport=ws"),
        (WSS, True, True, 443, ";transport=wss"),
    ],
    ids=str,
)
def test_what_matters_of_it(
    transport: Transport, reliable: bool, secure: bool, port: int, parameter: str
) -> None:
    assert (transport.reliable, transport.secure, transport.default_port) == (reliable, secure, port)
    assert transport.uri_parameter == parameter


def test_over_udp_alone_the_echo_of_a_request_names_our_own_address() -> None:
    assert [one.name for one in TRANSPORTS.values() if one.echo_shows_local] == ["udp"]


def test_what_dns_calls_them() -> None:
    """RFC 3263 §4.1, §4.2; the others have no records there."""
    named = {one.name: (one.naptr, one.srv) for one in TRANSPORTS.values()}
    assert named == {
        "udp": ("SIP+D2U", "_sip._udp"),
        "tcp": ("SIP+D2T", "_sip._tcp"),
        "tls": ("SIPS+D2T", "_sips._tcp"),
        "ws": ("", ""),
        "wss": ("", ""),
    }


def test_what_could_not_be_sent_went_by_none_of_them() -> None:
    assert NOWHERE.name not in TRANSPORTS
    assert str(NOWHERE) == "unknown"
