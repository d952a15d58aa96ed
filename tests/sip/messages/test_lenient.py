"""Addresses with slips: where they lead, and which lead nowhere."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.messages.headers import HEADERS
from reference_server.sip.messages.lenient import (
    LONGEST,
    MOST_ELEMENTS,
    are_routes,
    can_be_read,
    check_passable,
    first_uri,
    made_sound,
    read_address,
    read_uri,
    sound_uri,
)
from reference_server.sip.messages.uri import UriError, parse_address, parse_uri
from tests.sip.address_like import ADDRESS_LIKE


@pytest.mark.parametrize(
    ("value", "uri"),
    [
        ("<sip:@127.0.0.1:5080>", "sip:127.0.0.1:5080"),
        ("<sip:x@127.0.0.1:5080;>", "sip:x@127.0.0.1:5080"),
        ("<sip:x@127.0.0.1:5080;;ob>", "sip:x@127.0.0.1:5080;ob"),
        ("<sip:x@127.0.0.1:5080;=1;ob>", "sip:x@127.0.0.1:5080;ob"),
        ('<sip:x@h;t="VG8+/PoI=";u>', "sip:x@h;t=VG8+/PoI%3D;u"),
        ('<sip:x@h;t="a\\"b c">', "sip:x@h;t=a%22b%20c"),
        ("<sip:x@h:;lr>", "sip:x@h;lr"),
        ("<sip:x@h:?a=b>", "sip:x@h?a=b"),
        ("<sip:[::1]:;lr>", "sip:[::1];lr"),
        ("<sip:alice@example.com@192.0.2.1;ob>", "sip:alice%40example.com@192.0.2.1;ob"),
        ("<sip://192.0.2.1:5080;lr>", "sip:192.0.2.1:5080;lr"),
        ("<SIP:@192.0.2.1>", "SIP:192.0.2.1"),
        ("<sips:@192.0.2.1;>", "sips:192.0.2.1"),
        ("<sip:50%@h>", "sip:50%25@h"),
        ("<sip:a{b}@h;>", "sip:a%7Bb%7D@h"),
        ("<sip:a b@h>", "sip:a%20b@h"),
        ("< sip:x@h ; transport = udp >", "sip:x@h;transport=udp"),
        ("<<<sip:x@h>", "sip:x@h"),
        ("x@h", "sip:x@h"),
        ("127.0.0.1:5080", "sip:127.0.0.1:5080"),
        ("<x@h:5080;lr>", "sip:x@h:5080;lr"),
        ("sip:x@h; tag=1;", "sip:x@h"),
        ("sip:x@h (home)", "sip:x@h"),
        ('"Bob" sip:x@h', "sip:x@h"),
        ("Bob Smith/Sales <sip:x@h>", "sip:x@h"),
        ('"Bob" Smith <sip:x@h>', "sip:x@h"),
        ("<sip:x@h>;;;x", "sip:x@h"),
        ("<sip:x@h>;+sip.instance=<urn:uuid:1>;reg-id=1", "sip:x@h"),
        ("<tel:+1 201;>", "tel:+1%20201"),
    ],
)
def test_where_slips_lead(value: str, uri: str) -> None:
    with pytest.raises(UriError):
        parse_address(value)
    assert read_address(value).uri_text == uri


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " ",
            "*",
            "<>",
            "< >",
            "<sip:>",
            "<sip:@>",
            "<sip:a@>",
            "<sip:a@h",
            "<sip:a@h:x>",
            "<sip:a@h:70000>",
        ),
        *('"a <sip:b@c>', "a, b <sip:c@d>", "<sip:a@b>,<sip:c@d>", "<sip:a@b> <sip:c@d>", "<sip:a@h>;;;;"),
        *("sip:a@h?b=c", "<sip:[::1>", "<sip:a@h\x00>", "<tel:>", ";lr"),
    ],
)
def test_what_leads_nowhere(value: str) -> None:
    with pytest.raises(UriError):
        read_address(value)


def test_long_addresses_and_long_lists_get_no_patience() -> None:
    uri = f"sip:@{'h' * (LONGEST - 7)}"
    assert len(f"<{uri}>") == LONGEST
    assert read_address(f"<{uri}>").uri_text == sound_uri(uri) == uri.replace("@", "")
    for read in (read_address, read_uri, sound_uri):
        with pytest.raises(UriError):
            read(f"sip:@{'h' * LONGEST}")
    routes = ["<sip:@p;lr>"] * MOST_ELEMENTS
    assert are_routes(",".join(routes))
    assert are_routes(",".join([*routes, *["<sip:p;lr>"] * 500]))
    assert not are_routes(",".join([*routes, "<sip:p;lr;>"]))
    assert first_uri(",".join([*(["<sip:"] * MOST_ELEMENTS), "<sip:p>"])) == ""


def test_the_first_that_is_sound_goes_before_those_with_slips() -> None:
    assert first_uri("Bell, Alexander <sip:x@h>") == "sip:x@h"
    assert first_uri(",<sip:@a>,<sip:b;>") == "sip:a"
    assert first_uri("<sip:, <sip:@b>") == ""
    for nothing in ("", "*", ",", "<sip:>, <x"):
        assert first_uri(nothing) == ""


@pytest.mark.parametrize(
    ("value", "are"),
    [
        ("<sip:p;lr>", True),
        ("<sip:@p;lr;>,,<sips:q>", True),
        ("p.example.com", True),
        ("", False),
        (",", False),
        ("<tel:+1>", False),
        ("<sip:p;lr>, <tel:+1>", False),
        ("<sip:p;lr>, <sip:", False),
        ("*", False),
    ],
)
def test_routes(value: str, are: bool) -> None:
    assert are_routes(value) is are


@pytest.mark.parametrize(
    ("value", "can"),
    [
        ("<sip:a@h>", True),
        ("a@h", True),
        ("<sip:a@h>, <b@h;x>", True),
        ("<<a@h>>", True),
        ("<sip:a@h>, <sip:a@>", False),
        ("<<<", False),
    ],
)
def test_a_list_in_which_one_address_cannot_be_read(value: str, can: bool) -> None:
    assert can_be_read(value) is can


@pytest.mark.parametrize("text", ["sip:h;", "sip:@h", "sip: a@h", "a@h:5060"])
def test_uris(text: str) -> None:
    assert read_uri(text) == parse_uri(sound_uri(text))
    assert read_uri(sound_uri(text)) == read_uri(text)


@pytest.mark.parametrize("text", ["", "sip:", "sip:h:99999", "*"])
def test_what_is_no_uri(text: str) -> None:
    for read in (read_uri, sound_uri):
        with pytest.raises(UriError):
            read(text)


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("contact", "bob@h.com", "<sip:bob@h.com>"),
        ("contact", "<bob@h.com>;q=1", "<sip:bob@h.com>;q=1"),
        ("contact", "<sip:a@b>,,<sip:@d>", "<sip:a@b>, <sip:d>"),
        ("contact", "<sip:a b@c>", "<sip:a%20b@c>"),
        ("contact", "bob", ""),
        ("contact", "undefined", ""),
        ("contact", "<sip:a@b:99999>", ""),
        ("contact", ",", ""),
        ("path", "<sip:p;lr;>,", "<sip:p;lr>"),
        ("refer-to", "sip:foo@bar?Replaces=21a6", "<sip:foo@bar?Replaces=21a6>"),
        ("refer-to", "<sip:foo@bar;>", "<sip:foo@bar>"),
        ("from", "<sip:@192.0.2.9>;tag=1", "<sip:192.0.2.9>;tag=1"),
        ("to", "<sip:a@b>, <sip:c@d>", ""),
        ("to", "<sip:", ""),
        ("to", "+4930123456", ""),
        ("expires", "a@b", ""),
    ],
)
def test_what_an_application_means(name: str, value: str, sent: str) -> None:
    assert not HEADERS[name].is_valid(value)
    assert made_sound(HEADERS[name], value) == sent


@given(ADDRESS_LIKE)
def test_the_lenient_reader_reads_what_the_strict_one_does_and_as_that(value: str) -> None:
    with suppress(UriError):
        assert read_address(value) == parse_address(value)


@given(ADDRESS_LIKE)
def test_what_is_read_is_sound(value: str) -> None:
    with suppress(UriError):
        address = read_address(value)
        assert parse_uri(address.uri_text) == address.uri


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_text_is_read_or_refused(value: str) -> None:
    for read in (read_address, read_uri, sound_uri, can_be_read):
        with suppress(UriError):
            read(value)
    with suppress(UriError):
        check_passable(value, value)
    first_uri(value)
    are_routes(value)
    for name in ("from", "contact"):
        sound = made_sound(HEADERS[name], value)
        assert not sound or HEADERS[name].is_valid(sound)
