"""The message parser: line ends, folding, compact names, and whatever else arrives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference_server.sip.messages.message import Request, Response, SipSyntaxError, parse_message

TORTURE = Path(__file__).parents[4] / "shared" / "rfc4475"

OPTIONS = (
    "OPTIONS sip:bob@127.0.0.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKo1\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:alice@127.0.0.1:5080>;tag=k2x8\r\n"
    "To: <sip:bob@127.0.0.1:5060>\r\n"
    "Call-ID: mq7zt1\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n"
    "\r\n"
)


def request(text: str) -> Request:
    """Parse ``text``, which is a request."""
    message = parse_message(text)
    assert isinstance(message, Request)
    return message


def test_a_request() -> None:
    message = request(OPTIONS)
    assert (message.method, message.uri, message.version) == ("OPTIONS", "sip:bob@127.0.0.1:5060", "SIP/2.0")
    assert message.start_line == "OPTIONS sip:bob@127.0.0.1:5060 SIP/2.0"
    assert message.text == OPTIONS
    assert message.fields == [
        ("via", "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKo1"),
        ("max-forwards", "70"),
        ("from", "<sip:alice@127.0.0.1:5080>;tag=k2x8"),
        ("to", "<sip:bob@127.0.0.1:5060>"),
        ("call-id", "mq7zt1"),
        ("cseq", "1 OPTIONS"),
        ("content-length", "0"),
    ]
    assert (message.cseq_number, message.cseq_method) == (1, "OPTIONS")
    assert message.malformed == ""
    assert message.body == ""


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        ("SIP/2.0 200 OK", 200, "OK"),
        ("SIP/2.0 486 Busy Here", 486, "Busy Here"),
        ("SIP/2.0 100 ", 100, ""),
        ("SIP/2.0 100", 100, ""),
        ("sip/2.0 699 x  y", 699, "x  y"),
        ("SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe", 200, "= 2**3 * 5**2 \xd0\xbd\xd0\xbe"),
        ("SIP/7.0 000 odd", 0, "odd"),
    ],
)
def test_a_response(line: str, status: int, reason: str) -> None:
    message = parse_message(f"{line}\r\nCSeq: 7 INVITE\r\n\r\nbody")
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.start_line) == (status, reason, line)
    assert (message.cseq_number, message.body) == (7, "body")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        "\r\n\r\n",
        "\0",
        "garbage",
        "garbage\r\n\r\n",
        "OPTIONS\r\n\r\n",
        "OPTIONS sip:bob@127.0.0.1\r\n\r\n",
        "OPTIONS  SIP/2.0\r\n\r\n",
        "OPTIONS SIP/2.0\r\n\r\n",
        " OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\n\r\n",
        "OPTIONS sip:bob@127.0.0.1 HTTP/1.1 \r\n\r\n",
        "OPTIONS  SIP/2.0 \r\n\r\n",
        "OPTIONS \r\n\r\n",
        "OPTIONS sip:bob@127.0.0.1 HTTP/1.1\r\n\r\n",
        "OP{IONS sip:bob@127.0.0.1 SIP/2.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "SIP/2.0\r\n\r\n",
        "SIP/2.0 \r\n\r\n",
        "SIP/2.0 abc OK\r\n\r\n",
        "SIP/2.0 20 OK\r\n\r\n",
        "SIP/2.0 4294967301 better not break\r\n\r\n",
        "SIP/2.0 \xb200 OK\r\n\r\n",
        "SIP/2.0  4294967301  better not break\r\n\r\n",
        "SIP/3  200 OK\r\n\r\n",
        "SIP/2.0200 OK\r\n\r\n",
    ],
)
def test_what_is_no_message(text: str) -> None:
    with pytest.raises(SipSyntaxError, match="expected '"):
        parse_message(text)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("SIP/2.0  200 OK", "OK"),
        ("SIP/2.0 200  OK", " OK"),
        ("SIP/2.0   200   Not  so  bad", "Not  so  bad"),
        ("SIP/2.0\t200\tOK", "OK"),
        ("sip/2.0  200", ""),
    ],
)
def test_any_number_of_blanks_parts_a_status_line(line: str, reason: str) -> None:
    message = parse_message(f"{line}\r\nCSeq: 1 INVITE\r\n\r\n")
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.start_line) == (200, reason, line)


def test_a_request_uri_may_have_blanks_for_others_to_judge() -> None:
    assert request("INVITE sip:a@b; lr SIP/2.0\r\n\r\n").uri == "sip:a@b; lr"


def test_what_follows_the_body_is_not_kept() -> None:
    text = "MESSAGE sip:a@b SIP/2.0\r\nl: 5\r\n\r\nhello"
    message = request(f"{text}OPTIONS sip:a@b SIP/2.0\r\n\r\n")
    assert (message.text, message.body) == (text, "hello")


@pytest.mark.parametrize(
    "line", ["INVITE  sip:a@b SIP/2.0", "INVITE sip:a@b   SIP/2.0", "INVITE sip:a@b SIP/2.0  "]
)
def test_any_number_of_blanks_parts_a_request_line(line: str) -> None:
    message = request(f"{line}\r\n\r\n")
    assert (message.start_line, message.uri, message.version) == (line, "sip:a@b", "SIP/2.0")


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_either_line_end(end: str) -> None:
    message = request(OPTIONS.replace("\r\n", end) + "")
    assert message.fields == request(OPTIONS).fields
    assert message.start_line == request(OPTIONS).start_line


def test_mixed_line_ends() -> None:
    text = OPTIONS.replace("\r\nFrom", "\nFrom").replace("\r\nCall-ID", "\nCall-ID")
    message = request(text)
    assert message.fields == request(OPTIONS).fields
    assert message.malformed == ""


def test_no_line_feed_is_left_in_a_value() -> None:
    for name, value in request(OPTIONS.replace("mq7zt1", "mq7zt1\nX-Injected: yes")).fields:
        assert "\n" not in value, name


def test_no_carriage_return_is_left_in_a_value() -> None:
    for name, value in request(OPTIONS.replace("mq7zt1", "mq7zt1\rX-Injected: yes")).fields:
        assert "\r" not in value, name


@pytest.mark.parametrize("blanks", [" ", "\t", "   \t "])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_folded_lines(blanks: str, end: str) -> None:
    text = f"INVITE sip:a@b SIP/2.0\r\nSubject: one\r\n{blanks}two\r\n{blanks}three\r\nTo: x\r\n\r\nb\r\n c"
    message = request(text.replace("\r\n", end))
    assert message.fields == [("subject", "one two three"), ("to", "x")]
    assert message.body == f"b{end} c", "a body is not folded"


def test_a_folded_value_may_begin_on_the_next_line() -> None:
    assert request("INVITE sip:a@b SIP/2.0\r\nTo:\r\n <sip:a@b>\r\n\r\n").get("to") == "<sip:a@b>"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("v", "via"),
        ("V", "via"),
        ("f", "from"),
        ("t", "to"),
        ("i", "call-id"),
        ("m", "contact"),
        ("c", "content-type"),
        ("l", "content-length"),
        ("k", "supported"),
        ("s", "subject"),
        ("o", "event"),
        ("r", "refer-to"),
        ("b", "referred-by"),
        ("u", "allow-events"),
        ("x", "session-expires"),
        ("e", "content-encoding"),
        ("CALL-id", "call-id"),
        ("Call-ID  ", "call-id"),
        ("Call-ID\t", "call-id"),
        ("X-Any", "x-any"),
        ("z", "z"),
    ],
)
def test_names(written: str, name: str) -> None:
    assert request(f"INVITE sip:a@b SIP/2.0\r\n{written}: 7\r\n\r\n").fields == [(name, "7")]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("X-a:1", "1"),
        ("X-a: 1", "1"),
        ("X-a:  \t 1 \t ", "1"),
        ("X-a:", ""),
        ("X-a: ", ""),
        ("X-a: a:b", "a:b"),
        ("X-a: \xff\0\x85", "\xff\0\x85"),
    ],
)
def test_values(line: str, value: str) -> None:
    assert request(f"INVITE sip:a@b SIP/2.0\r\n{line}\r\nX-b: 2\r\n\r\n").fields == [
        ("x-a", value),
        ("x-b", "2"),
    ]


def test_many_fields_of_one_name() -> None:
    message = request("INVITE sip:a@b SIP/2.0\r\nVia: 1\r\nX: 0\r\nv: 2\r\nVIA: 3\r\n\r\n")
    assert message.all("via") == ["1", "2", "3"]
    assert message.get("via") == "1"
    assert message.get("to") == ""
    assert message.all("to") == []


def test_a_line_without_a_colon_is_left_out_and_remembered() -> None:
    message = request("INVITE sip:a@b SIP/2.0\r\nTo: x\r\nnonsense\r\nmore nonsense\r\nFrom: y\r\n\r\n")
    assert message.fields == [("to", "x"), ("from", "y")]
    assert message.malformed == "nonsense"


@pytest.mark.parametrize(
    ("value", "number", "method"),
    [
        ("1 INVITE", 1, "INVITE"),
        ("0009   INVITE", 9, "INVITE"),
        ("1\tINVITE", 1, "INVITE"),
        ("2147483647 INVITE", 2147483647, "INVITE"),
        ("9292394834772304023312 OPTIONS", 9292394834772304023312, "OPTIONS"),
        ("-1 INVITE", -1, "INVITE"),
        ("", -1, ""),
        ("INVITE", -1, ""),
        ("\xb2 INVITE", -1, "INVITE"),
    ],
)
def test_cseq(value: str, number: int, method: str) -> None:
    message = request(f"INVITE sip:a@b SIP/2.0\r\nCSeq: {value}\r\n\r\n")
    assert (message.cseq_number, message.cseq_method) == (number, method)


DIGITS = "9" * 5000
"""More than int() converts."""


@pytest.mark.parametrize("field", [f"CSeq: {DIGITS} INVITE", f"Content-Length: {DIGITS}", f"l: {DIGITS}"])
def test_numbers_too_long_to_be_converted(field: str) -> None:
    message = request(f"INVITE sip:a@b SIP/2.0\r\n{field}\r\n\r\nbody")
    assert message.body == "body"
    assert not 0 <= message.cseq_number < 2**31


@pytest.mark.parametrize(
    ("length", "body"),
    [
        ("0", ""),
        ("3", "abc"),
        ("6", "abcdef"),
        ("7", "abcdef"),
        ("x", "abcdef"),
        ("", "abcdef"),
        ("-1", "abcdef"),
    ],
)
def test_the_body_ends_where_content_length_says(length: str, body: str) -> None:
    assert request(f"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: {length}\r\n\r\nabcdef").body == body


def test_a_body_may_hold_empty_lines() -> None:
    assert request("MESSAGE sip:a@b SIP/2.0\r\nTo: x\r\n\r\na\r\n\r\nb\n\nc").body == "a\r\n\r\nb\n\nc"
    assert request("MESSAGE sip:a@b SIP/2.0\nTo: x\n\na\n\nb\r\n\r\nc").body == "a\n\nb\r\n\r\nc"


def test_headers_without_an_empty_line_have_no_body() -> None:
    message = request("MESSAGE sip:a@b SIP/2.0\r\nTo: x\r\nFrom: y")
    assert message.fields == [("to", "x"), ("from", "y")]
    assert message.body == ""


def test_names_seen_before_are_parsed_the_same() -> None:
    text = "INVITE sip:a@b SIP/2.0\r\nX-Seen : 1\r\nL : 0\r\n\r\n"
    assert request(text).fields == request(text).fields == [("x-seen", "1"), ("content-length", "0")]


def test_more_spellings_than_are_kept() -> None:
    for number in range(600):
        assert request(f"INVITE sip:a@b SIP/2.0\r\nX-{number}: 1\r\n\r\n").fields == [(f"x-{number}", "1")]
    assert request("INVITE sip:a@b SIP/2.0\r\nX-Late: 1\r\n\r\n").get("x-late") == "1"


LINES = st.sampled_from(
    [
        "INVITE sip:a@b SIP/2.0",
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1",
        "l: 3",
        "Content-Length: 99999999999999999999",
        "CSeq: 1 INVITE",
        "CSeq: \xb2",
        " folded",
        "\t",
        ":",
        "::",
        "X",
        "X-\0: \0",
        "",
        "abc",
    ]
)
ENDS = st.sampled_from(["\r\n", "\n", "\r", "\n\n", "\r\n\r\n", "\r\r\n", "\0"])


@given(st.lists(st.tuples(LINES, ENDS), max_size=12).map(lambda parts: "".join(a + b for a, b in parts)))
@example("INVITE sip:a@b SIP/2.0\n\r\n\n")
@settings(max_examples=300)
def test_lines_in_any_order_and_form(text: str) -> None:
    _holds_what_it_promises(text)


@given(st.binary(max_size=200).map(lambda octets: octets.decode("latin-1")))
def test_any_octets(text: str) -> None:
    _holds_what_it_promises(text)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_message_with_damage(data: st.DataObject) -> None:
    octets = list(OPTIONS)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(octets)))
        octets[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.text(st.characters(max_codepoint=255), max_size=3)
        )
    _holds_what_it_promises("".join(octets))


def _holds_what_it_promises(text: str) -> None:
    try:
        message = parse_message(text)
    except SipSyntaxError:
        return
    assert text.startswith(message.text)
    assert len(message.text) == len(text) or message.text.endswith(message.body)
    assert text.startswith(message.start_line)
    assert message.body in text
    for name, value in message.fields:
        assert name == name.lower()
        assert value == value.strip(" \t")
        assert "\r" not in value
        assert "\n" not in value
        assert message.get(name) in message.all(name)
    assert isinstance(message.cseq_number, int)
    assert isinstance(message.cseq_method, str)


@pytest.mark.parametrize("path", sorted(TORTURE.glob("*.dat")), ids=lambda path: path.stem)
def test_rfc_4475(path: Path) -> None:
    text = path.read_bytes().decode("latin-1")
    if path.stem in ("badaspec",) and not text:
        pytest.skip("empty")
    _holds_what_it_promises(text)


# The shapes of RFC 4475 that are easiest to get wrong, in texts of our own.


def test_white_space_everywhere() -> None:
    message = request(
        "INVITE sip:vivekg@chair.example;unknownparam SIP/2.0\r\n"
        "TO :\r\n sip:bob@far.example ;   tag    = 19\r\n"
        "Max-Forwards: 0068\r\nCSeq: 0009\r\n  INVITE\r\n"
        "Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
        "s :\r\nNewFangled:   newfangled value\r\n continued\r\n"
        "l: 0\r\n\r\n"
    )
    assert message.get("to") == "sip:bob@far.example ;   tag    = 19"
    assert (message.cseq_number, message.cseq_method) == (9, "INVITE")
    assert message.get("via") == "SIP  /   2.0 /UDP 192.0.2.2;branch=390skdjuw"
    assert message.get("subject") == ""
    assert message.get("newfangled") == "newfangled value continued"
    assert message.get("content-length") == "0"


def test_a_method_of_every_token_character() -> None:
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    assert request(f"{method} sip:a@b SIP/2.0\r\nCSeq: 139122385 {method}\r\n\r\n").cseq_method == method


def test_a_second_message_in_a_datagram_is_not_part_of_the_first() -> None:
    message = request(OPTIONS + OPTIONS.replace("mq7zt1", "other"))
    assert message.get("call-id") == "mq7zt1"
    assert message.body == ""


_LINES = OPTIONS.removesuffix("\r\n\r\n").split("\r\n")[1:]
_OTHER_LINES = [
    "Subject: x",
    "X-Mine:  two blanks ",
    "t: <sip:other@127.0.0.1>;tag=1",
    "via: SIP/2.0/TCP b",
    "Odd:y",
    ": z",
]


@given(
    st.lists(
        st.permutations([*_LINES, *_OTHER_LINES]).map(lambda lines: lines[:9]),
        min_size=2,
        max_size=6,
    )
)
@example([_LINES, [*_LINES[:-1], "Max-Forwards: 1"], _LINES])
def test_what_a_message_says_does_not_depend_on_those_before_it(messages: list[list[str]]) -> None:
    """Messages with as many lines are looked at as if they had the same fields in the same order."""
    for lines in messages:
        expected: dict[str, str] = {}
        for line in lines:
            written, colon, value = line.partition(":")
            if colon:
                expected.setdefault({"t": "to"}.get(written, written).lower(), value.strip())
        assert request("\r\n".join([OPTIONS.partition("\r\n")[0], *lines, "", ""])).first == expected
