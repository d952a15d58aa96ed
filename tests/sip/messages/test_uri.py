"""URIs and addresses, most of them from the torture messages of RFC 4475."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.messages.uri import (
    Address,
    Uri,
    UriError,
    is_token,
    parse_address,
    parse_uri,
    tag_of,
)
from tests.sip.address_like import ADDRESS_LIKE


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:example.com", Uri("sip", "", "example.com", None, {})),
        ("sip:user@example.com:5070", Uri("sip", "user", "example.com", 5070, {})),
        ("SIPS:bob@10.0.0.1", Uri("sips", "bob", "10.0.0.1", None, {})),
        ("sip:[::1]:5060;transport=tcp", Uri("sip", "", "::1", 5060, {"transport": "tcp"})),
        ("sip:a@[2001:db8::10];lr", Uri("sip", "a", "2001:db8::10", None, {"lr": None})),
        ("sip:h;Transport=TCP;lr;x=", Uri("sip", "", "h", None, {"transport": "TCP", "lr": None, "x": ""})),
        ("sip:h;a=1;A=2", Uri("sip", "", "h", None, {"a": "1"})),
        ("sip:alice:secret@h", Uri("sip", "alice:secret", "h", None, {})),
        ("sip:*72#@h", Uri("sip", "*72#", "h", None, {})),
        # RFC 4475 §3.1.1: esc01, escnull, semiuri, intmeth
        (
            "sip:sips%3Auser%40example.com@example.net",
            Uri("sip", "sips%3Auser%40example.com", "example.net", None, {}),
        ),
        ("sip:null-%00-null@example.com", Uri("sip", "null-%00-null", "example.com", None, {})),
        (
            "sip:user;par=u%40example.net@example.com",
            Uri("sip", "user;par=u%40example.net", "example.com", None, {}),
        ),
        (
            "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too."
            "(doesn't-it)@example.com",
            Uri(
                "sip",
                "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
                "example.com",
                None,
                {},
            ),
        ),
        # §3.1.2.11 escruri, a header; Replaces with its usual bare @
        (
            "sip:user@example.com?Route=%3Csip:example.com%3E",
            Uri("sip", "user", "example.com", None, {}, "Route=%3Csip:example.com%3E"),
        ),
        ("sip:u@h;p?Replaces=1@h", Uri("sip", "u", "h", None, {"p": None}, "Replaces=1@h")),
        # §3.3: unkscm, novelsc, unksm2
        (
            "nobodyKnowsThisScheme:totallyopaquecontent",
            Uri("nobodyknowsthisscheme", "", "", None, {}, "", "totallyopaquecontent"),
        ),
        ("soap.beep://192.0.2.103:3002", Uri("soap.beep", "", "", None, {}, "", "//192.0.2.103:3002")),
        ("isbn:2983792873", Uri("isbn", "", "", None, {}, "", "2983792873")),
        (
            "tel:+1-201-555-0123;phone-context=x",
            Uri("tel", "+1-201-555-0123", "", None, {"phone-context": "x"}),
        ),
    ],
)
def test_uri(text: str, uri: Uri) -> None:
    assert parse_uri(text) == uri


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a URI"),
        ("bob", "a URI"),
        (":x", "a URI"),
        ("1sip:x", "a URI"),
        ("tel:", "something after"),
        ("sip:", "a host"),
        ("sip:@h", "a user"),
        ("sip:a@b@c", "a host"),
        ("sip:a@", "a host"),
        ("sip:a@h:", "a port"),
        ("sip:a@h:65536", "a port"),
        ("sip:a@h:-1", "a port"),
        ("sip:a@h:²", "a port"),
        ("sip:[::1", "an IPv6"),
        ("sip:[x]", "an IPv6"),
        ("sip:[::1]5060", "':' and a port"),
        ("sip:a%4@h", "two hexadecimal"),
        ("sip:a@h;", "a parameter name"),
        ("sip:a@h;=x", "a parameter name"),
        ("<sip:user@example.com>", "a URI"),  # RFC 4475 §3.1.2.7 ltgtruri
        ("sip:user@example.com; lr", "no ' '"),  # §3.1.2.8 lwsruri
    ],
)
def test_bad_uri(text: str, expected: str) -> None:
    with pytest.raises(UriError) as error:
        parse_uri(text)
    assert error.value.expected.startswith(expected)
    assert error.value.came == text


def test_user_is_without_password() -> None:
    assert parse_uri("sip:alice:secret@h").user == "alice"


def test_error_shortens_what_came() -> None:
    assert len(str(UriError("x", "y" * 1000))) < 120


@pytest.mark.parametrize(
    ("text", "display", "uri_text", "parameters"),
    [
        ("sip:a@h", "", "sip:a@h", {}),
        ("sip:a@h;tag=1;lr", "", "sip:a@h", {"tag": "1", "lr": None}),
        ("<sip:a@h;lr>;tag=1", "", "sip:a@h;lr", {"tag": "1"}),
        ('"Watson, Thomas" <sip:a@h>', "Watson, Thomas", "sip:a@h", {}),
        ("T. Watson <sip:a@h>", "T. Watson", "sip:a@h", {}),
        ("caller<sip:caller@example.com>;tag=323", "caller", "sip:caller@example.com", {"tag": "323"}),
        (
            r'"J Rosenberg \\\""       <sip:j@h>  ;  tag = 98asjd8',
            'J Rosenberg \\"',
            "sip:j@h",
            {"tag": "98asjd8"},
        ),
        (
            '"Quoted string \\"\\"" <sip:j@h> ; newparam =\r\n newvalue ;\r\n  secondparam ; q = 0.33',
            'Quoted string ""',
            "sip:j@h",
            {"newparam": "newvalue", "secondparam": None, "q": "0.33"},
        ),
        ('"<x;y>" <sip:a@h>;z="p;q\\""', "<x;y>", "sip:a@h", {"z": 'p;q"'}),
        (
            "token1~` token2'+_ token3*%!.- <sip:m@h>;fromParam''~+*_!.-%=\"\xd1\x80\";tag=_token~1'+`*%!-.",
            "token1~` token2'+_ token3*%!.-",
            "sip:m@h",
            {"fromparam''~+*_!.-%": "\xd1\x80", "tag": "_token~1'+`*%!-."},
        ),
        ("<http://www.example.com>;tag=3234233", "", "http://www.example.com", {"tag": "3234233"}),
        ("<sip:a@h?Route=%3Csip:b%3E>", "", "sip:a@h?Route=%3Csip:b%3E", {}),
        (
            '<sip:a@h>;received=[::1];+sip.instance="<urn:uuid:1>"',
            "",
            "sip:a@h",
            {"received": "[::1]", "+sip.instance": "<urn:uuid:1>"},
        ),
    ],
)
def test_address(text: str, display: str, uri_text: str, parameters: dict[str, str | None]) -> None:
    assert parse_address(text) == Address(display, uri_text, parse_uri(uri_text), parameters)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        '"Joe" <sip:joe@example.org>;;;;',  # RFC 4475 §3.1.2.1 badinv01
        '"Mr. J. User <sip:j.user@example.com>',  # §3.1.2.6 quotbal
        "sip:user@example.com?Route=%3Csip:sip.example.com%3E",  # §3.1.2.13 regbadct
        '"Watson, Thomas" < sip:t.watson@example.org >',  # §3.1.2.14 badaspec
        "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",  # §3.1.2.15 baddn
        "<sip:a@h",
        '"x" sip:a@h',
        "<sip:a@h> tag=1",
        "<sip:a@h>;tag=",
        '<sip:a@h>;x="1',
        "sip:a@h,sip:b@h",
    ],
)
def test_bad_address(text: str) -> None:
    with pytest.raises(UriError):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("sip:a@h", ""),
        ("<sip:a;tag=x@h;tag=y>", ""),
        ("sip:a@h;tag=1", "1"),
        ("<sip:a@h>;TAG = 7 ;x", "7"),
        ("<sip:a@h>;x=1;tag=7~-", "7~-"),
        ('";tag=1>" <sip:a@h>;tag=2', "2"),
        ('"a\\">;tag=0" <sip:a@h>;x=";tag=1";tag=2', "2"),
        ("<sip:a@h>;mytag=1", ""),
    ],
)
def test_tag(text: str, tag: str) -> None:
    assert tag_of(text) == tag
    assert (parse_address(text).parameters.get("tag") or "") == tag


@given(ADDRESS_LIKE)
def test_the_short_way_to_a_tag_is_the_long_one(value: str) -> None:
    assert tag_of(value) == tag_of(f"{value} "), "a blank at the end is not of the short shape"


def test_tokens() -> None:
    assert is_token("aZ09-.!%*_+`'~")
    for text in ("", "a b", "a:", "\xe9", "a\n", "(", "@"):
        assert not is_token(text)


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    for parse in (parse_uri, parse_address):
        with suppress(UriError):
            parse(text)
    tag_of(text)
