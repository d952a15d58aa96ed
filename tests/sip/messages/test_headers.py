"""The table of header fields: spelling, place, repetition, validity; and lists of values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.messages.headers import HEADERS, Repetition, known_header, spelled, split_values
from reference_server.sip.messages.uri import UriError, parse_address
from tests.sip.address_like import ADDRESS_LIKE


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("call-id", "Call-ID"),
        ("CALL-ID", "Call-ID"),
        ("call_id", "Call-ID"),
        ("cseq", "CSeq"),
        ("www-authenticate", "WWW-Authenticate"),
        ("MIME-version", "MIME-Version"),
        ("user_agent", "User-Agent"),
        ("sip-etag", "SIP-ETag"),
        ("min-se", "Min-SE"),
        ("content-length", "Content-Length"),
    ],
)
def test_known_names(name: str, spelling: str) -> None:
    header = known_header(name)
    assert header is not None
    assert header.name == spelling


@pytest.mark.parametrize(
    "name", ["", "x", "f", "callid", "x-call-id", "P-Asserted-Identity", "call--id", "to "]
)
def test_unknown_names(name: str) -> None:
    assert known_header(name) is None


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("foo-bar", "Foo-Bar"),
        ("FOO-bar", "FOO-Bar"),
        ("foo", "Foo"),
        ("fOO", "FOO"),
        ("x-lower", "x-lower"),
        ("X-Upper-case", "X-Upper-case"),
        ("xfoo-bar", "Xfoo-Bar"),
        ("f", "F"),
        ("p-asserted-identity", "P-Asserted-Identity"),
        ("a--b", "A--B"),
        ("-a", "-A"),
        ("foo_bar", "Foo_bar"),
        ("1a", "1a"),
    ],
)
def test_spelling_of_unknown_names(name: str, out: str) -> None:
    assert spelled(name) == out


def test_the_order_of_the_table() -> None:
    ranks = {header.name: header.rank for header in HEADERS.values()}
    assert len(set(ranks.values())) == len(ranks)
    named = sorted(ranks, key=ranks.__getitem__)
    assert named[:3] == ["Via", "Route", "Record-Route"]
    assert named[-1] == "Content-Length"
    order = "From To Call-ID CSeq Contact RSeq RAck Expires Date Retry-After Subject Server User-Agent Accept Allow "
    order += "Require Supported Event Authorization Warning Refer-To Session-Expires Path Reason Content-Type"
    places = [named.index(name) for name in order.split()]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("repetition", "names"),
    [
        (
            Repetition.LAST,
            "from to call-id cseq subject expires event content-type user-agent session-expires",
        ),
        (Repetition.MERGED, "allow supported require unsupported accept allow-events"),
        (Repetition.LINES, "via contact route record-route www-authenticate warning reason"),
    ],
)
def test_repetition(repetition: Repetition, names: str) -> None:
    assert {HEADERS[name].repetition for name in names.split()} == {repetition}


DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("max-forwards", ["0", "70", "0068"], ["", "-1", "abc", "7 0", "\xb2", "70;x"]),
        ("expires", ["0", "3600", DIGITS, "60;x=1"], ["", "x", "-1", "3 600", "\xb2"]),
        ("session-expires", ["90", "90;refresher=uac", "90 ;refresher=uac"], ["", "abc", ";refresher=uac"]),
        ("retry-after", ["5", "5 (busy)", "5;duration=1"], ["", "soon"]),
        (
            "cseq",
            ["1 INVITE", "1   INVITE", "1\tFOO"],
            ["", "1", "INVITE", "INVITE 1", "1 INVITE x", "\xb2 INVITE"],
        ),
        ("rack", ["1 2 INVITE"], ["", "1 INVITE", "x 2 INVITE", "1 2", "1 2 3;4"]),
        (
            "contact",
            [
                "*",
                "<sip:a@b>",
                "sip:a@b",
                '"A, B" <sip:a@b>, <tel:1>;q=1',
                "<sip:a@b:65535;lr>",
                "<http://x/?a,b>",
            ],
            [
                "",
                "<<<",
                "<sip:a@b",
                "sip:a@b>",
                "a",
                "<sip:a@b>,",
                "<sip:a b@c>",
                "<>",
                "sip:",
                "<sip:a@b:99999>",
            ],
        ),
        (
            "from",
            ["<sip:a@b>;tag=1", "sip:a@b;tag=1", "A B <sip:a@b>"],
            ["", "x", '"A <sip:a@b>', "<sip:a@b"],
        ),
        (
            "content-type",
            ["a/b", "a/b;c=d", "A / B", "application/sdp"],
            ["", "///", "a", "a/", "/b", "a/b/c", "a b/c"],
        ),
        ("www-authenticate", ['Digest realm="x"'], ["", "Digest", "Digest ", "\xe9 x"]),
        ("content-length", ["0", "12"], ["", "x", "-1", "\xb2"]),
        ("subject", ["", "anything", "\xff"], []),
        ("call-id", ["x", "a|b@c"], ["", "a b", "a\tb"]),
        ("replaces", ["x"], [""]),
    ],
)
def test_validity(name: str, good: list[str], bad: list[str]) -> None:
    is_valid = HEADERS[name].is_valid
    assert [value for value in good if not is_valid(value)] == []
    assert [value for value in bad if is_valid(value)] == []


@given(st.sampled_from(sorted(HEADERS)), st.text(st.characters(max_codepoint=255), max_size=30))
def test_judging_a_value_raises_nothing(name: str, value: str) -> None:
    assert HEADERS[name].is_valid(value) in (True, False)


@given(st.lists(ADDRESS_LIKE, max_size=3))
def test_addresses_are_judged_as_they_are_parsed_whatever_was_judged_before(values: list[str]) -> None:
    for value in values:
        assert HEADERS["from"].is_valid(value) == _parses([value])
        assert HEADERS["contact"].is_valid(value) == (value == "*" or _parses(split_values(value)))


def _parses(addresses: list[str]) -> bool:
    try:
        for address in addresses:
            parse_address(address)
    except UriError:
        return False
    return True


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("", [""]),
        ("a", ["a"]),
        (" a ", ["a"]),
        ("a,b", ["a", "b"]),
        ("a ,\tb , c", ["a", "b", "c"]),
        ("a,", ["a", ""]),
        (",", ["", ""]),
        ('"a,b" <sip:x>,c', ['"a,b" <sip:x>', "c"]),
        ("<sip:a,b@c>,<sip:d>", ["<sip:a,b@c>", "<sip:d>"]),
        (r'"a\",b" <sip:x>,c', [r'"a\",b" <sip:x>', "c"]),
        (r'"a\\",b', [r'"a\\"', "b"]),
        ('"<",b', ['"<"', "b"]),
        ('<"a>,b', ['<"a>', "b"]),
        ('"a,b', ['"a,b']),
        ("<a,b", ["<a,b"]),
        ('"a,b\\', ['"a,b\\']),
        ("\\,a", ["\\", "a"]),
    ],
)
def test_lists(value: str, parts: list[str]) -> None:
    assert split_values(value) == parts


quoted = st.text(st.sampled_from('a,<>;\\"')).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
bracketed = st.text(st.sampled_from('a,;"')).map(lambda text: f"<{text}>")
plain = st.text(st.sampled_from("ab;=:@"))
values = st.lists(st.one_of(quoted, bracketed, plain), max_size=4).map("".join)


@given(st.lists(values, min_size=1, max_size=5), st.sampled_from([",", " , ", ",\t"]))
def test_what_was_joined_is_split(parts: list[str], comma: str) -> None:
    assert split_values(comma.join(parts)) == parts


@given(st.text(st.sampled_from('a,<>" \\'), max_size=30))
def test_nothing_is_lost(value: str) -> None:
    parts = split_values(value)
    assert "".join(parts).replace(" ", "").replace(",", "") == value.replace(" ", "").replace(",", "")
