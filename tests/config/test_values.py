"""The kinds of value: what each accepts, and what it says otherwise."""

from __future__ import annotations

import pytest

from reference_server.config import values
from reference_server.config.model import LogLevel
from reference_server.config.values import Kind, WrongValue


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (values.PORT, "0", 0),
        (values.PORT, " 65535\n", 65535),
        (values.LITERAL_ADDRESSES, "::1, 127.0.0.1", ("::1", "127.0.0.1")),
        (values.LITERAL_ADDRESSES, "\t127.0.0.1 ", ("127.0.0.1",)),
        (values.LOG_LEVEL, " debug ", LogLevel.DEBUG),
        (values.YES_NO, "YES", True),
        (values.YES_NO, "false", False),
        (values.BOOLEAN, "0", False),
        (values.PRESENCE, "", True),
        (values.DNS_NAMES, "a.example,b.example;c d", ("a.example", "b.example", "c", "d")),
        (values.NETWORK, "10.1.2.3/8", "10.0.0.0/8"),
        (values.SECONDS, "0.5", 0.5),
        (values.HTTP_METHOD, "post", "POST"),
        (values.SECRET, "gehëim", "gehëim"),
        (values.SECRET, " blanks count ", " blanks count "),
        (values.PORT_OR_ADDRESS, "127.0.0.1:9090", ("127.0.0.1", 9090)),
        (values.PORT_OR_ADDRESS, "9090", ("", 9090)),
        (values.PORT_OR_ADDRESS, "[::1]:0", ("::1", 0)),
        (values.PORT_OR_ADDRESS, "host:1", ("host", 1)),
        (values.HOST, "[::1]", "::1"),
        (values.HOST, "a.example.com", "a.example.com"),
        (values.HOST_AND_PORT, "homer", ("homer", None)),
        (values.HOST_AND_PORT, "homer:9061", ("homer", 9061)),
        (values.HOST_AND_PORT, "::1", ("::1", None)),
        (values.HOST_AND_PORT, "[::1]:9061", ("::1", 9061)),
        (values.NAMESERVER, "10.0.0.53", ("10.0.0.53", 53)),
        (values.NAMESERVER, "127.0.0.1:5353", ("127.0.0.1", 5353)),
        (values.NAMESERVER, "::1", ("::1", 53)),
        (values.NAMESERVER, "[::1]:5353", ("::1", 5353)),
        (values.NAME_LIST, "X-One, two,", ("X-One", "two")),
    ],
)
def test_a_right_text_becomes_its_value(kind: Kind[object], text: str, value: object) -> None:
    assert kind.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (values.PORT, "65536", "a port from 0 to 65535"),
        (values.PORT, "-1", "a port from 0 to 65535"),
        (values.PORT, "abc", "a port from 0 to 65535"),
        (values.PORT, "", "a port from 0 to 65535"),
        (values.PORT, "٣", "a port from 0 to 65535"),
        (values.PORT, "9" * 5000, "a port from 0 to 65535"),
        (values.MILLISECONDS, "-5", "milliseconds from 1 to 3600000"),
        (values.MILLISECONDS, "0", "milliseconds from 1 to 3600000"),
        (values.LITERAL_ADDRESSES, "localhost", "a literal IPv4 or IPv6 address, without a port, or several"),
        (
            values.LITERAL_ADDRESSES,
            "127.0.0.1,",
            "a literal IPv4 or IPv6 address, without a port, or several",
        ),
        (values.NAMESERVER, "ns.example", "a literal address, with a port or without"),
        (values.NAMESERVER, "127.0.0.1:0", "a literal address, with a port or without"),
        (values.NAMESERVER, "127.0.0.1:", "a literal address, with a port or without"),
        (values.NAMESERVER, "[::1]:99999", "a literal address, with a port or without"),
        (values.IPV4, "999.1.2.3", "an IPv4 address in dotted decimals"),
        (values.NETWORK, "10.0.0.0", "an IPv4 network in CIDR form such as 10.0.0.0/8"),
        (values.NETWORK, "10.0.0.0/33", "an IPv4 network in CIDR form such as 10.0.0.0/8"),
        (values.LOG_LEVEL, "INFO", "notice, error, warning, info or debug"),
        (values.YES_NO, "1", "true, yes, false or no (in any letter case)"),
        (values.PRESENCE, "false", "leaving it out switches off"),
        (
            values.SECRET,
            "not UTF-8: \udce9",
            "a text that is not empty and has no '|' and no line end, in UTF-8",
        ),
        (values.SECRET, "a|b", "a text that is not empty and has no '|' and no line end, in UTF-8"),
        (values.SECONDS, "0", "seconds above 0"),
        (values.SECONDS, "1e3", "seconds above 0"),
        (values.SECONDS, "nan", "seconds above 0"),
        (values.DNS_NAMES, "good,-bad-", "'-bad-' is none"),
        (values.DNS_NAMES, "sip.example,1.2.3.4", "'1.2.3.4' is none"),
        (values.PORT_OR_ADDRESS, "x", "a port, or host:port"),
        (values.PORT_OR_ADDRESS, "65536", "a port, or host:port"),
        (values.PORT_OR_ADDRESS, ":1", "a port, or host:port"),
        (values.PORT_OR_ADDRESS, "::1", "a port, or host:port"),
        (values.HOST, "a:1", "an address or a name, without a port"),
        (values.HOST_AND_PORT, "h:", "an address or a name, with a port or without"),
        (values.HOST_AND_PORT, "h:0", "an address or a name, with a port or without"),
        (values.HOST_AND_PORT, "h:x", "an address or a name, with a port or without"),
        (values.HOST_AND_PORT, "a:b:1", "an address or a name, with a port or without"),
        (values.AGENT_ID, "0", "a whole number from 1 to 4294967295"),
    ],
)
def test_a_wrong_text_says_what_was_expected(kind: Kind[object], text: str, expected: str) -> None:
    with pytest.raises(WrongValue, match=r"^expected ") as raised:
        kind.parse(text)
    assert expected in str(raised.value)
