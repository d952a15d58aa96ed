"""Drafts of applications: what is kept, dropped, spelled and ordered."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.messages.field_names import COMPACT_FORMS

LOCAL = "127.0.0.1:5060"


def lines(headers: str, preserved: frozenset[str] = frozenset()) -> list[str]:
    """The header lines that come out for ``headers``, without Content-Length."""
    draft = parse_draft(f"SIP/2.0 200 OK\r\n{headers}\r\n\r\n", LOCAL, preserved)
    return [line for line in draft.lines().split("\r\n") if line and not line.startswith("Content-Length")]


@pytest.mark.parametrize(
    ("text", "start_line", "headers", "body"),
    [
        ("", "", "", ""),
        ("SIP/2.0 200 OK", "SIP/2.0 200 OK", "", ""),
        ("SIP/2.0 200 OK\r\n", "SIP/2.0 200 OK", "", ""),
        ("SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 200 OK", "", ""),
        ("SIP/2.0 200 OK\r\n\r\nv=0\r\n\r\nmore", "SIP/2.0 200 OK", "", "v=0\r\n\r\nmore"),
        ("SIP/2.0 200 OK\r\nX-z: 1", "SIP/2.0 200 OK", "X-z: 1\r\n", ""),
        ("SIP/2.0 200 OK\r\nX-z: 1\r\n", "SIP/2.0 200 OK", "X-z: 1\r\n", ""),
        ("SIP/2.0 200 OK\r\nX-z: 1\r\n\r\n\0\xff", "SIP/2.0 200 OK", "X-z: 1\r\n", "\0\xff"),
        ("SIP/2.0 200 OK\r\nX-z: 1\n\nbody", "SIP/2.0 200 OK", "X-z: 1\r\n", ""),
    ],
)
def test_parts(text: str, start_line: str, headers: str, body: str) -> None:
    draft = parse_draft(text, LOCAL)
    assert draft.start_line == start_line
    assert draft.body == body
    assert draft.lines() == f"Content-Length: {len(body)}\r\n{headers}"


def test_known_fields_come_in_the_order_of_the_table_unknown_ones_behind_content_length() -> None:
    draft = parse_draft(
        "SIP/2.0 200 OK\r\nx-lower: b\r\nALLOW: INVITE, ACK\r\nfoo: 1\r\naccept: application/sdp\r\nserver: me\r\n"
        "content_type: text/plain\r\nP-Asserted-Identity: <sip:x@y>\r\n\r\nhello",
        LOCAL,
    )
    assert draft.lines() == (
        "Server: me\r\nAccept: application/sdp\r\nAllow: INVITE, ACK\r\nContent-Type: text/plain\r\n"
        "Content-Length: 5\r\nx-lower: b\r\nFoo: 1\r\nP-Asserted-Identity: <sip:x@y>\r\n"
    )


@pytest.mark.parametrize(
    ("given_lines", "out"),
    [
        ("foo-bar: 1\r\nFOO-baz: 2\r\nX-foo-bar: 3", ["Foo-Bar: 1", "FOO-Baz: 2", "X-foo-bar: 3"]),
        ("Supported: a\r\nSupported: b", ["Supported: a, b"]),
        ("Allow: INVITE\r\nallow: BYE\r\nALLOW: ACK", ["Allow: INVITE, BYE, ACK"]),
        ("Subject: 1\r\nSubject: 2", ["Subject: 2"]),
        ("Contact: <sip:a@b>\r\nContact: <sip:c@d>", ["Contact: <sip:a@b>", "Contact: <sip:c@d>"]),
        ('Contact: "a,b" <sip:a@b>, <sip:c@d>', ['Contact: "a,b" <sip:a@b>', "Contact: <sip:c@d>"]),
        (
            'p-asserted-identity: "a,b" <sip:a@b>,<tel:+1>\r\nP-Asserted-Identity: <sip:c,d@e>',
            [
                'P-Asserted-Identity: "a,b" <sip:a@b>',
                "P-Asserted-Identity: <tel:+1>",
                "P-Asserted-Identity: <sip:c,d@e>",
            ],
        ),
        ('P-Asserted-Identity: "a,b <sip:a@b>, x', ['P-Asserted-Identity: "a,b <sip:a@b>, x']),
        ("P-Asserted-Identity:", ["P-Asserted-Identity: "]),
        ("P-Preferred-Identity: <sip:a@b>, <tel:+1>", ["P-Preferred-Identity: <sip:a@b>, <tel:+1>"]),
        ("Warning: 1 a b\r\nWarning: 2 a b", ["Warning: 1 a b", "Warning: 2 a b"]),
        ("X-a: 1\r\nX-a: 2", ["X-a: 1", "X-a: 2"]),
        ("f: <sip:a@b>", ["From: <sip:a@b>"]),
        ("K: a\r\nSupported: b\r\nk : c", ["Supported: a, b, c"]),
        ("m: <sip:a@b>,<sip:c@d>", ["Contact: <sip:a@b>", "Contact: <sip:c@d>"]),
        ("s: 1\r\nSubject: 2", ["Subject: 2"]),
        ("y: info", ["Identity: info"]),
        ("c\t: a/b", ["Content-Type: a/b"]),
        ("user_agent: x", ["User-Agent: x"]),
    ],
)
def test_spelling_and_repetition(given_lines: str, out: list[str]) -> None:
    assert lines(given_lines) == out


@pytest.mark.parametrize(
    "name", ["Via", "ROUTE", "record-route", "rseq", "Content-Length", "record_route", "v", "V ", "l", "L\t"]
)
def test_what_is_the_servers_is_dropped(name: str) -> None:
    assert lines(f"{name}: 77\r\nX-a: 1") == ["X-a: 1"]


@pytest.mark.parametrize(
    ("given_lines", "out"),
    [
        ("X-a: a\nX-b: b", ["X-a: a", "X-b: b"]),
        ("X-a: a\rX-b: b", ["X-a: a", "X-b: b"]),
        ("X-a: a\n\r\nX-b: b", ["X-a: a", "X-b: b"]),
        ("  X-a: a", []),
        ("X-a: a\r\n folded\r\nX-b: b", ["X-a: a", "X-b: b"]),
        ("X-a: a\r\n\tfolded: x\r\nX-b: b", ["X-a: a", "X-b: b"]),
        ("X-a  :   a  ", ["X-a: a"]),
        ("X-a\t:\ta\t", ["X-a: a"]),
        ("X-a:", ["X-a: "]),
        ("X-a:   ", ["X-a: "]),
        ("X-a::b", ["X-a: :b"]),
        ("nonsense\r\nX-b: b", ["X-b: b"]),
        (": x\r\n:\r\nX-b: b", ["X-b: b"]),
        ("X A: 1\r\nX@B: 1\r\nX\xe9: 1\r\nX-b: b", ["X-b: b"]),
        ("X-a: a\0b\r\nX-b: b", ["X-b: b"]),
        ("X-\0a: a\r\nX-b: b", ["X-b: b"]),
        ("X-a: \xff\xfe \xc3\xa9", ["X-a: \xff\xfe \xc3\xa9"]),
        ("X-a: a\x0bb\x0cc\x1cd\x85e", ["X-a: a\x0bb\x0cc\x1cd\x85e"]),
    ],
)
def test_lines(given_lines: str, out: list[str]) -> None:
    assert lines(given_lines) == out


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("Contact: <sip:me@localhost>", "Contact: <sip:me@127.0.0.1:5060>"),
        ("Contact: <sip:me@localhost:9999>", "Contact: <sip:me@127.0.0.1:5060>"),
        ("Contact: <sip:me@localhost;x=1>", "Contact: <sip:me@127.0.0.1:5060;x=1>"),
        ("From: <sip:me@localhost>;tag=1", "From: <sip:me@127.0.0.1:5060>;tag=1"),
        ("To: sip:me@localhost", "To: sip:me@127.0.0.1:5060"),
        ("p-asserted-identity: <sip:me@localhost>", "P-Asserted-Identity: <sip:me@127.0.0.1:5060>"),
        ("Contact: <sip:localhost>", "Contact: <sip:localhost>"),
        ("Contact: <sip:me@localhost.example>", "Contact: <sip:me@localhost.example>"),
        ("Contact: <sip:me@localhosts>", "Contact: <sip:me@localhosts>"),
        (
            "Contact: <sip:a@localhost>, <sip:b@localhost:1>",
            "Contact: <sip:a@127.0.0.1:5060>|<sip:b@127.0.0.1:5060>",
        ),
        ("X-a: <sip:me@localhost>", "X-a: <sip:me@localhost>"),
        ("Remote-Party-ID: <sip:me@localhost>", "Remote-Party-ID: <sip:me@localhost>"),
        ("Subject: me@localhost", "Subject: me@localhost"),
    ],
)
def test_localhost(line: str, out: str) -> None:
    name, _, _ = out.partition(":")
    assert lines(line) == out.replace("|", f"|{name}: ").split("|")


def test_a_name_without_a_colon_is_no_field_even_if_it_was_seen_before() -> None:
    assert lines("Subject: 1\r\nX-a: 1") == ["Subject: 1", "X-a: 1"]
    assert lines("Subject\r\nX-a\r\nX-b: b") == ["X-b: b"]


def test_preserved_names() -> None:
    assert lines("foo-BAR: 1\r\nfoo-baz: 2", frozenset({"foo-bar"})) == ["foo-BAR: 1", "Foo-Baz: 2"]


def test_a_preserved_name_does_not_change_a_known_one() -> None:
    assert lines("call-ID: 1", frozenset({"call-id"})) == ["Call-ID: 1"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Contact: <<<", "Contact"),
        ("Expires: abc", "Expires"),
        ("WWW-Authenticate:", "WWW-Authenticate"),
        ("Content-Type: ///", "Content-Type"),
        ("Session-Expires: abc", "Session-Expires"),
        ("CSeq: abc", "CSeq"),
        ("To: <sip:", "To"),
    ],
)
def test_a_known_field_with_a_foreign_value(line: str, name: str) -> None:
    draft = parse_draft(f"SIP/2.0 200 OK\r\n{line}\r\nX-a: 1\r\n\r\n", LOCAL)
    assert [header.name for header in draft.invalid] == [name]
    assert draft.lines() == "Content-Length: 0\r\nX-a: 1\r\n"


def test_access() -> None:
    draft = parse_draft("SIP/2.0 200 OK\r\nTo: <sip:a@b>\r\nExpires: 5\r\n\r\n", LOCAL)
    assert draft.get("expires") == "5"
    assert draft.get("from") == ""
    assert draft.take("to") == "<sip:a@b>"
    assert draft.take("to") == ""
    draft.set_default("expires", "6")
    draft.set_default("subject", "s")
    assert draft.lines() == "Expires: 5\r\nSubject: s\r\nContent-Length: 0\r\n"


REQUEST = {
    "from": "<sip:a@h>;tag=1",
    "to": "<sip:b@h>",
    "call-id": "c",
    "cseq": "1 INVITE",
    "contact": "<sip:a@h>",
}


def test_what_only_repeats_the_request_is_left_out() -> None:
    text = "SIP/2.0 200 OK\r\nCall-ID: c\r\ncseq: 1 INVITE\r\nfrom: <sip:a@h>;tag=1\r\nto: <sip:b@h>\r\n\r\n"
    draft = parse_draft(text, LOCAL, request=REQUEST)
    assert draft.fields == {}
    assert (draft.take("to"), draft.take_identity()) == ("", ("", "", ""))
    assert parse_draft(text, LOCAL).take_identity() == ("<sip:a@h>;tag=1", "c", "1 INVITE")


@pytest.mark.parametrize(
    ("given_lines", "identity"),
    [
        ("From: <sip:a@h>;tag=2", ("<sip:a@h>;tag=2", "", "")),
        ("Call-ID: d", ("", "d", "")),
        ("CSeq: 2 INVITE", ("", "", "2 INVITE")),
        ("From: <sip:a@h>;tag=1\r\nFrom: <sip:a@h>;tag=2", ("<sip:a@h>;tag=2", "", "")),
        ("From: <sip:a@h>;tag=2\r\nFrom: <sip:a@h>;tag=1", ("<sip:a@h>;tag=1", "", "")),
    ],
)
def test_what_differs_from_the_request_is_the_applications(
    given_lines: str, identity: tuple[str, str, str]
) -> None:
    draft = parse_draft(f"SIP/2.0 200 OK\r\n{given_lines}\r\n\r\n", LOCAL, request=REQUEST)
    assert draft.take_identity() == identity
    assert draft.fields == {}


def test_a_contact_that_is_the_requests_goes_out() -> None:
    draft = parse_draft("SIP/2.0 200 OK\r\nContact: <sip:a@h>\r\n\r\n", LOCAL, request=REQUEST)
    assert draft.lines() == "Contact: <sip:a@h>\r\nContent-Length: 0\r\n"


def test_localhost_is_replaced_before_a_draft_is_compared_with_its_request() -> None:
    request = {"to": "<sip:b@localhost>"}
    draft = parse_draft("SIP/2.0 200 OK\r\nTo: <sip:b@localhost>\r\n\r\n", LOCAL, request=request)
    assert draft.take("to") == f"<sip:b@{LOCAL}>"


def test_drafts_share_nothing() -> None:
    first = parse_draft("SIP/2.0 200 OK\r\nSupported: a\r\n\r\n", LOCAL)
    parse_draft("SIP/2.0 200 OK\r\nSupported: b\r\nSupported: c\r\n\r\n", LOCAL)
    assert first.lines() == "Supported: a\r\nContent-Length: 0\r\n"


octets = st.text(st.characters(max_codepoint=255), max_size=80)
pieces = st.lists(
    st.sampled_from(
        [
            "SIP/2.0 200 OK",
            "\r\n",
            "\n",
            "\r",
            "\x00",
            ":",
            " ",
            "X-a: b",
            "Contact: <sip:a@localhost>",
            "To: ",
            ",",
            "ÿ",
            "Allow: A",
            "Content-Length: 9",
            "Via: x",
            "\r\n\r\n",
            "call_id",
            "\x85",
            "\x1c",
        ]
    ),
    max_size=14,
).map("".join)


@given(st.one_of(octets, pieces))
def test_any_text_gives_sound_lines(text: str) -> None:
    draft = parse_draft(text, LOCAL)
    out = draft.lines()
    assert f"Content-Length: {len(draft.body)}\r\n" in out
    assert out.endswith("\r\n")
    for line in out[:-2].split("\r\n"):
        assert re.fullmatch(r"[A-Za-z0-9\-.!%*_+`'~]+: [^\r\n\0]*", line)
        assert not line.startswith(("Via:", "Route:", "Record-Route:", "RSeq:"))
    assert out.count("Content-Length: ") == 1 or "Content-Length" in text


@pytest.mark.parametrize("name", ["From", "f", "Subject", "X-a"])
@pytest.mark.parametrize("folding", ["\r\n : ", "\n\t:", " \r\n :"])
def test_a_name_that_is_folded_before_its_colon_is_refused_and_makes_no_second_field(
    name: str, folding: str
) -> None:
    draft = parse_draft(f"SIP/2.0 200 OK\r\n{name}{folding}<sip:two@h>\r\n{name}: <sip:one@h>\r\n\r\n", LOCAL)
    assert draft.malformed.strip() == name, "whoever uses the draft refuses it"
    assert draft.lines().count("<sip:") == 1


@pytest.mark.parametrize("compact", sorted(COMPACT_FORMS))
def test_each_compact_name_is_the_field_that_it_stands_for(compact: str) -> None:
    long = COMPACT_FORMS[compact]
    value = SOUND_VALUES.get(long, "a")
    for written in (compact, compact.upper(), f"{compact} \t"):
        assert lines(f"{written}: {value}") == lines(f"{long}: {value}")
        twice = lines(f"{written}: {value}\r\n{long}: {value}")
        assert twice == lines(f"{long}: {value}\r\n{long}: {value}")
        assert not any(line.startswith((f"{compact}:", f"{compact.upper()}:")) for line in twice)


SOUND_VALUES = {
    "from": "<sip:a@h>;tag=1",
    "to": "<sip:a@h>;tag=1",
    "contact": "<sip:a@h>",
    "refer-to": "<sip:a@h>",
    "referred-by": "<sip:a@h>",
    "content-type": "a/b",
    "content-length": "7",
    "session-expires": "90",
    "via": "SIP/2.0/UDP h",
}
