"""The topmost Via: what it says, how it is completed, and which transaction it names."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.sip.messages import via as via_module
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.messages.via import (
    completed_via,
    parse_top_via,
    transaction_key,
    with_completed_via,
)


def request(via: str, method: str = "OPTIONS", head: str = "", body: str = "", **others: str) -> Request:
    """A request with the Via line(s) ``via``; ``head`` stands before them."""
    fields = {"From": "<sip:a@b>;tag=1", "To": "<sip:c@d>", "Call-ID": "x", "CSeq": f"1 {method}", **others}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    message = parse_message(f"{method} sip:bob@127.0.0.1 SIP/2.0\r\n{head}{via}\r\n{lines}\r\n{body}")
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("value", "transport", "host", "port", "branch"),
    [
        ("SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK1", "UDP", "127.0.0.1", "5080", "z9hG4bK1"),
        ("SIP/2.0/UDP 127.0.0.1", "UDP", "127.0.0.1", "", ""),
        ("SIP/2.0/TCP host.example;rport;branch=a;x=y", "TCP", "host.example", "", "a"),
        ("SIP/2.0/TLS [2001:db8::9:1]:5061;branch=b", "TLS", "[2001:db8::9:1]", "5061", "b"),
        ("SIP/2.0/UDP [::1];branch=b", "UDP", "[::1]", "", "b"),
        ("sip / 2.0 / udp  host : 5060 ; ttl=1 ; BRANCH = c", "udp", "host", "5060", "c"),
        ("SIP/2.0/SCTP\thost;branch=d", "SCTP", "host", "", "d"),
        ("SIP/2.0/UNKNOWN host;hidden;branch=e", "UNKNOWN", "host", "", "e"),
        ("SIP/2.0/UDP a;branch=first, SIP/2.0/UDP b;branch=second", "UDP", "a", "", "first"),
        ("SIP/2.0/UDP a, SIP/2.0/UDP b;branch=second", "UDP", "a", "", ""),
        ("SIP/2.0/UDP a;xbranch=1;branch=2", "UDP", "a", "", "2"),
    ],
)
def test_values(value: str, transport: str, host: str, port: str, branch: str) -> None:
    via = parse_top_via(value)
    assert via is not None
    assert (via.transport, via.host, via.port, via.branch) == (transport, host, port, branch)


@pytest.mark.parametrize(
    "value",
    ["", "x", "SIP/2.0", "SIP/2.0/UDP", "SIP/2.0/UDP ", "HTTP/1.1 proxy", ";branch=z9hG4bK1", "SIP/2/UDP h"],
)
def test_what_is_no_via(value: str) -> None:
    assert parse_top_via(value) is None


@pytest.mark.parametrize(
    ("value", "source", "completed"),
    [
        (
            "SIP/2.0/UDP 127.0.0.1:5080;branch=b",
            "127.0.0.1",
            "SIP/2.0/UDP 127.0.0.1:5080;branch=b;rport=5099",
        ),
        ("SIP/2.0/UDP 127.0.0.1", "127.0.0.1", "SIP/2.0/UDP 127.0.0.1;rport=5099"),
        ("SIP/2.0/UDP h;branch=b", "127.0.0.1", "SIP/2.0/UDP h;branch=b;received=127.0.0.1;rport=5099"),
        ("SIP/2.0/UDP h;rport;branch=b", "127.0.0.1", "SIP/2.0/UDP h;rport=5099;branch=b;received=127.0.0.1"),
        ("SIP/2.0/UDP h;branch=b;rport", "127.0.0.1", "SIP/2.0/UDP h;branch=b;rport=5099;received=127.0.0.1"),
        (
            "SIP/2.0/UDP h;rport=1;branch=b",
            "127.0.0.1",
            "SIP/2.0/UDP h;rport=5099;branch=b;received=127.0.0.1",
        ),
        (
            "SIP/2.0/UDP h;rport= ;branch=b",
            "127.0.0.1",
            "SIP/2.0/UDP h;rport=5099;branch=b;received=127.0.0.1",
        ),
        (
            "SIP/2.0/UDP h;rportx=1;branch=b",
            "1.1.1.1",
            "SIP/2.0/UDP h;rportx=1;branch=b;received=1.1.1.1;rport=5099",
        ),
        (
            "SIP/2.0/UDP h;received=6.6.6.6;branch=b",
            "127.0.0.1",
            "SIP/2.0/UDP h;branch=b;received=127.0.0.1;rport=5099",
        ),
        ("SIP/2.0/UDP [::1]:5080;branch=b", "::1", "SIP/2.0/UDP [::1]:5080;branch=b;rport=5099"),
        ("SIP/2.0/UDP [::2];rport;branch=b", "::1", "SIP/2.0/UDP [::2];rport=5099;branch=b;received=::1"),
    ],
)
def test_completion(value: str, source: str, completed: str) -> None:
    via = parse_top_via(value)
    assert via is not None
    assert completed_via(via, source, 5099) == completed


def understood(value: str, source: str = "127.0.0.1") -> tuple[str, ...] | None:
    """All that is read out of a Via, and how it is completed."""
    via = parse_top_via(value)
    if via is None:
        return None
    completed = completed_via(via, source, 5099)
    return via.transport, via.host, via.port, via.branch, via.value, completed


SPELLINGS = (
    "SIP/2.0/UDP 127.0.0.1:5080;branch=%s",
    "SIP/2.0/UDP 127.0.0.1:5080;rport;branch=%s",
    "SIP/2.0/TCP host.example;branch=%s;rport",
    "SIP/2.0/TCP host.example;rport=7;received=9.9.9.9;branch=%s;x=y",
    "SIP/2.0/UDP [::1]:5061;branch=%s;received=9.9.9.9;rport",
    "SIP / 2.0 / UDP  h : 5060 ; ttl=1;branch=%s ; rport",
    "SIP/2.0/UDP h;BRANCH=first;branch=%s",
    "SIP/2.0/UDP h;branch=%s;branch=second",
    "SIP/2.0/UDP h;branch=%s, SIP/2.0/UDP i;branch=second",
    'SIP/2.0/UDP h;x=";branch=q";branch=%s',
    "SIP/2.0/UDP h;branch=%s ",
    "SIP/2.0/UDP h;branch =%s",
)
PIECES = ("z9hG4bK", "z9hG4bK-1.2", "a", ";", ",", " ", "\t", "=", "\x0b", "\xa0", ";rport", ";branch=")
BRANCHES = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)


@given(st.sampled_from(SPELLINGS), BRANCHES, BRANCHES)
@example(SPELLINGS[0], "a", "a;rport")
@example(SPELLINGS[2], "a", "")
@example(SPELLINGS[6], "first", "b")
def test_a_via_of_a_known_sender_says_what_it_says_of_an_unknown_one(
    spelling: str, before: str, branch: str
) -> None:
    value = spelling % branch
    via_module._SENDERS.forget()
    expected = [understood(value, source) for source in ("127.0.0.1", "::1", "127.0.0.1")]
    via_module._SENDERS.forget()
    understood(spelling % before)
    assert [understood(value, source) for source in ("127.0.0.1", "::1", "127.0.0.1")] == expected


def test_what_strangers_made_up_does_not_fill_the_memory() -> None:
    for number in range(via_module._SENDERS.entries + 2):
        assert parse_top_via(f"SIP/2.0/UDP h{number};branch=z9hG4bK1") is not None
        assert len(via_module._SENDERS.known) <= via_module._SENDERS.entries
    kept = dict(via_module._SENDERS.known)
    assert parse_top_via(f"SIP/2.0/UDP {'h' * 300};branch=z9hG4bK1") is not None
    assert kept == via_module._SENDERS.known


def completed_text(message: Request) -> str:
    via = parse_top_via(message.get("via"))
    assert via is not None
    return with_completed_via(message, via, completed_via(via, "127.0.0.1", 5099))


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("Via: SIP/2.0/UDP 127.0.0.1;branch=b", "Via: SIP/2.0/UDP 127.0.0.1;branch=b;rport=5099"),
        ("v:SIP/2.0/UDP 127.0.0.1;branch=b  ", "v:SIP/2.0/UDP 127.0.0.1;branch=b;rport=5099  "),
        (
            "Via: SIP/2.0/UDP 127.0.0.1;branch=b, SIP/2.0/UDP h;branch=c",
            "Via: SIP/2.0/UDP 127.0.0.1;branch=b;rport=5099, SIP/2.0/UDP h;branch=c",
        ),
        (
            "Via: SIP/2.0/UDP 127.0.0.1;branch=b\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=c",
            "Via: SIP/2.0/UDP 127.0.0.1;branch=b;rport=5099\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=c",
        ),
    ],
)
def test_only_the_top_value_is_touched(line: str, completed: str) -> None:
    message = request(line, body="SIP/2.0/UDP 127.0.0.1;branch=b")
    assert completed_text(message) == message.text.replace(line, completed)


def test_a_header_with_the_same_text_before_it_is_not_touched() -> None:
    message = request("Via: SIP/2.0/UDP 127.0.0.1;branch=b", head="X-a: SIP/2.0/UDP 127.0.0.1;branch=b\r\n")
    text = completed_text(message)
    assert "X-a: SIP/2.0/UDP 127.0.0.1;branch=b\r\n" in text
    assert "\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=b;rport=5099\r\n" in text


def test_a_via_with_the_same_text_in_another_spelling_before_it() -> None:
    message = request("v: SIP/2.0/UDP h;branch=b\r\nVia: SIP/2.0/UDP h;branch=b")
    assert "v: SIP/2.0/UDP h;branch=b;received=127.0.0.1;rport=5099\r\nVia: SIP/2.0/UDP h;branch=b\r\n" in (
        completed_text(message)
    )


def test_a_folded_via_and_a_body_that_ends_like_one() -> None:
    message = request("Via: SIP/2.0/UDP\r\n 127.0.0.1;branch=b", body="\r\nVia: x")
    text = completed_text(message)
    assert "\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=b;rport=5099\r\n" in text
    assert text.endswith("\r\nVia: x")


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_folded_via(end: str) -> None:
    message = request("Via: SIP/2.0/UDP\r\n 127.0.0.1;\r\n\tbranch=b", body="a\r\n b").text.replace(
        "\r\n", end
    )
    parsed = parse_message(message)
    assert isinstance(parsed, Request)
    text = completed_text(parsed)
    assert f"{end}Via: SIP/2.0/UDP 127.0.0.1; branch=b;rport=5099{end}" in text
    assert text.endswith(f"{end}{end}a{end} b"), "the body stays"


def key(message: Request, method: str = "") -> str:
    via = parse_top_via(message.get("via"))
    assert via is not None
    return transaction_key(message, via, method or message.method)


VIA = "Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK1"


def test_a_repetition_has_the_same_key() -> None:
    assert key(request(VIA)) == key(request(VIA, **{"Max-Forwards": "3"}))


@pytest.mark.parametrize(
    "other",
    [
        request(VIA.replace("bK1", "bK2")),
        request(VIA.replace("5080", "5081")),
        request(VIA.replace("127.0.0.1", "127.0.0.2")),
        request(VIA, method="MESSAGE"),
    ],
)
def test_another_request_has_another_key(other: Request) -> None:
    assert key(request(VIA)) != key(other)


def test_an_ack_and_a_cancel_name_their_invite() -> None:
    invite = key(request(VIA, method="INVITE"))
    assert key(request(VIA, method="ACK", To="<sip:c@d>;tag=2"), "INVITE") == invite
    assert key(request(VIA, method="CANCEL"), "INVITE") == invite
    assert key(request(VIA, method="CANCEL")) != invite


@pytest.mark.parametrize(
    "branch", ["", ";branch=1", ";branch=390skdjuw", ";branch=z9hG4bK", ";branch=z9hG4b"]
)
def test_without_a_magic_branch_the_fields_are_compared(branch: str) -> None:
    via = f"Via: SIP/2.0/UDP 127.0.0.1:5080{branch}"
    invite = key(request(via, method="INVITE"))
    assert key(request(via, method="INVITE")) == invite
    assert key(request(via, method="ACK", To="<sip:c@d>;tag=2"), "INVITE") == invite
    for changed in ({"Call-ID": "y"}, {"From": "<sip:a@b>;tag=2"}, {"CSeq": "2 INVITE"}):
        assert key(request(via, method="INVITE", **changed)) != invite


@given(st.text(st.sampled_from("SIP/2.0UDPhost:;,=[]1 \t\r\nbranchport"), max_size=60))
def test_any_value_is_a_via_or_none(value: str) -> None:
    for text in (value, f"SIP/2.0/UDP {value}", f"SIP/2.0/UDP h;{value}"):
        via = parse_top_via(text)
        if via is not None:
            assert text.startswith(via.value)
            completed = completed_via(via, "192.0.2.1", 5099)
            assert completed.count("rport=5099") == 1 or "rport" in text
            again = parse_top_via(completed)
            assert again is not None
            assert (again.host, again.port, again.branch) == (via.host, via.port, via.branch)
