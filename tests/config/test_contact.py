"""Contact URIs, by the grammar that the genuine server was measured to have."""

from __future__ import annotations

import pytest

from reference_server.config.contact import CONTACT, NEXT_HOP
from reference_server.config.model import ContactConfiguration
from reference_server.config.values import WrongValue


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("sip:127.0.0.1:5080", ContactConfiguration(port=5080)),
        ("sip:127.0.0.1", ContactConfiguration(port=None)),
        ("sip:127.0.0.1:0;transport=tcp", ContactConfiguration(port=0, transports=("tcp",))),
        ("sip:*;transport=udp,tcp", ContactConfiguration(host="*")),
        ("sip:[::1]:5060;transport=udp", ContactConfiguration(host="::1", port=5060, transports=("udp",))),
        ("SIP:LOCALHOST;TRANSPORT=UDP,TCP", ContactConfiguration(host="localhost")),
        ("<sip:svc@127.0.0.1:5060>", ContactConfiguration(user="svc", port=5060)),
        (
            "sip:+1-(555)@pbx.example:5060",
            ContactConfiguration(user="+1-(555)", host="pbx.example", port=5060),
        ),
        ("sip:my_container:5060", ContactConfiguration(host="my_container", port=5060)),
        ("sip:127.0.0.1;foo=bar;transport=tcp;lr", ContactConfiguration(transports=("tcp",))),
        ("sip:127.0.0.1;transport=udp,udp", ContactConfiguration(transports=("udp",))),
        (" sip:127.0.0.1\n", ContactConfiguration()),
    ],
)
def test_a_contact_is_parsed(text: str, contact: ContactConfiguration) -> None:
    assert CONTACT.parse(text) == contact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foo", "expected a contact such as sip:127.0.0.1:5060"),
        ("", "expected a contact such as sip:127.0.0.1:5060"),
        ("http://127.0.0.1", "begins with sip:, not http:"),
        ("tel:123", "begins with sip:, not tel:"),
        ("sip:", "expected a host"),
        ("sip::5060", "expected a host"),
        ("sip:@127.0.0.1", "expected a user before the '@'"),
        ("sip:999.1.1.1", "expected an IPv4 address, '999.1.1.1' is none"),
        ("sip:1.2.3", "expected an IPv4 address, '1.2.3' is none"),
        ("sip:[::g]", "expected an IPv6 address in brackets"),
        ("sip:::1", "expected a host: an address (IPv6 in brackets)"),
        ("sip:fe80::1", "(IPv6 addresses in brackets), ':1' is none"),
        ("sip:-x-", "'-x-' is none"),
        ("sip:127.0.0.1:99999", "expected a port from 0 to 65535"),
        ("sip:127.0.0.1:", "expected a port from 0 to 65535"),
        (
            "sip:127.0.0.1;transport=foo",
            "expected transports of udp, tcp, tls, ws, wss behind sip:, 'foo' is none",
        ),
        ("sip:127.0.0.1;transport=", "'' is none"),
        (
            "sip:127.0.0.1;transport=tcp,tls",
            "expected one of tcp, tls, ws and wss, which cannot share a port",
        ),
        ("sips:127.0.0.1;transport=udp", "expected transports of tls, ws, wss behind sips:, 'udp' is none"),
        ("sip:127.0.0.1 sip:127.0.0.2", "expected a contact such as"),
    ],
)
def test_a_wrong_contact_says_what_part_is_wrong(text: str, expected: str) -> None:
    with pytest.raises(WrongValue) as raised:
        CONTACT.parse(text)
    assert expected in str(raised.value)


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:10.1.2.3", "sip:10.1.2.3"),
        (" <sip:proxy.example:5070;transport=tcp;lr>\n", "sip:proxy.example:5070;transport=tcp;lr"),
        ("sip:[::1]:5070", "sip:[::1]:5070"),
    ],
)
def test_a_next_hop_is_kept_as_it_is(text: str, uri: str) -> None:
    assert NEXT_HOP.parse(text) == uri


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foo", "expected a SIP URI such as sip:10.1.2.3:5060"),
        ("sip:*", "expected an address (IPv6 in brackets) or a name as the host, '*' is none"),
        ("sip:10.1.2.3:0", "expected a port from 1 to 65535"),
        ("sip:10.1.2.3;transport=udp,tcp", "expected one transport to send by"),
        ("sip:10.1.2.3;transport=foo", "'foo' is none"),
        ("sip:10.1.2.300", "expected an IPv4 address"),
    ],
)
def test_a_wrong_next_hop_says_what_is_wrong(text: str, expected: str) -> None:
    with pytest.raises(WrongValue) as raised:
        NEXT_HOP.parse(text)
    assert expected in str(raised.value)
