"""Requests that no application gets to see, and the status they get instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.messages.message import Request, Response, SipSyntaxError, parse_message
from reference_server.sip.messages.sanity import fault_of

TORTURE = Path(__file__).parents[4] / "shared" / "rfc4475"
DIGITS = "9" * 5000


def request(
    method: str = "OPTIONS", version: str = "SIP/2.0", body: str = "", more: str = "", **fields: str
) -> Request:
    """A sound request, with ``fields`` replaced; an empty text removes one."""
    named = {
        "Via": "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKo1",
        "Max-Forwards": "70",
        "From": "<sip:alice@127.0.0.1:5080>;tag=k2x8",
        "To": "<sip:bob@127.0.0.1:5060>",
        "Call-ID": "mq7zt1",
        "CSeq": f"1 {method}",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    message = parse_message(f"{method} sip:bob@127.0.0.1:5060 {version}\r\n{lines}{more}\r\n{body}")
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    "sound",
    [
        request(),
        request("INVITE", body="v=0\r\n", Content_Type="application/sdp"),
        request("FOO"),
        request(version="sip/2.0"),
        request(Max_Forwards=""),
        request(Max_Forwards="0"),
        request(Content_Length=""),
        request(Contact="<sip:a@b>"),
        request(From="<sip:alice@127.0.0.1>"),
        request(Expires="60"),
        request(CSeq="2147483647 OPTIONS"),
        request(CSeq="1\tOPTIONS"),
        request("REGISTER", Contact="*", Expires="0"),
        request("REGISTER", Contact="*", more="Contact: <sip:a@b>\r\n"),
        request("REGISTER", Contact="alice@127.0.0.1"),
        request("REGISTER", Contact='"A" <alice@host;>'),
        request("REGISTER", Contact="<sip:a@b>;expires=0"),
        request("REGISTER"),
        request(more="Max-Forwards: 70\r\n"),
        request(more="X-a: 1\r\nX-a: 2\r\n"),
        request(more="Contact: <sip:a@b>\r\nContact: <sip:c@d>\r\n"),
    ],
    ids=range(21),
)
def test_sound_requests(sound: Request) -> None:
    assert fault_of(sound) is None


SLIPS = [
    request(From="<sip:@192.0.2.9>;tag=1"),
    request(From='"Anonymous" <sip:@192.0.2.9>;tag=1'),
    request(From="<sip:al@192.0.2.9;>;tag=1"),
    request(From="<sip:al@192.0.2.9;;x>;tag=1"),
    request(From="anonymous;tag=1"),
    request(From="<anonymous>;tag=1"),
    request(From="<sip:a b@c>;tag=1"),
    request(From="<<sip:a@b>>;tag=1"),
    request(From='Bob (Sales) & "Co" <sip:a@b>;tag=1'),
    request(From="<sip:al@192.0.2.9>;;tag=1;"),
    request(From="<sip:al@192.0.2.9:>;tag=1"),
    request(From='<sip:al@192.0.2.9;t="VG8+/PoI=">;tag=1'),
    request(From="<sip:al@192.0.2.9> ; tag=a:1"),
    request(From="<sip:al@192.0.2.9>;tag=YWJj=="),
    request(From="<sip:al@192.0.2.9>;tag=[a/b]{c}@d?"),
    request(From="<sip:al@192.0.2.9>;tag="),
    request(From="<sip:al@192.0.2.9>;tag=1 (at home)"),
    request(From="sip:al@host@192.0.2.9;tag=1"),
    request(From="<sip:100%@192.0.2.9>;tag=1"),
    request(To="<sip:@192.0.2.1>"),
    request(To="<sip:bob@192.0.2.1;>"),
    request(To="bob"),
    request(To="<sip:bob@192.0.2.1> bob"),
    request("INVITE", Contact="<sip:@127.0.0.1:5080>"),
    request("INVITE", Contact="<sip:x@127.0.0.1:5080;>"),
    request("INVITE", Contact="<sip:x@127.0.0.1:5080;;ob>"),
    request("INVITE", Contact='<sip:x@127.0.0.1:5080;transport=udp;t="VG8+/PoI=">'),
    request("INVITE", Contact="<sip:x@127.0.0.1:5080>,"),
    request("INVITE", Contact=",<sip:x@127.0.0.1:5080>"),
    request("INVITE", Contact="< sip:x@127.0.0.1:5080 >"),
    request("INVITE", Contact="<x@host>"),
    request("INVITE", Contact="<sip:x@host:>;;q=1;"),
    request("INVITE", Contact="<sip:x@host> (at home)"),
    request("INVITE", Contact="<<sip:x@host>>"),
    request("INVITE", Contact="Bell, Alexander <sip:x@host>"),
    request("REGISTER", Contact="<sip:@127.0.0.1:5080;>;expires=60"),
    request("OPTIONS", Contact="*"),
    request(Expires="Thu, 01 Dec 2033 16:00:00 GMT"),
    request("REGISTER", Expires="Sat, 1 Jan 2000 00:00:00 GMT"),
    request(Expires="Thursday, 01-Dec-33 16:00:00 GMT"),
    request(Expires="Thu Dec  1 16:00:00 2033"),
    request("INVITE", Record_Route="<sip:@127.0.0.1:5080;lr>"),
    request("INVITE", Record_Route="<sip:127.0.0.1:5080;lr;>"),
    request("INVITE", Record_Route="<sip:p1;lr>,, <sip:p2;lr;;>,"),
    request("INVITE", Record_Route="sip:p1;lr"),
    request("INVITE", Record_Route="< sip:p1;lr >"),
    request("INVITE", Route="<sip:@127.0.0.1:5060;lr;>,"),
    request("INVITE", Path="whatever", Reply_To=";;", Refer_To="<<<", P_Asserted_Identity="sip:@"),
]


@pytest.mark.parametrize("slip", SLIPS, ids=range(len(SLIPS)))
def test_slips_that_are_nothing_to_us(slip: Request) -> None:
    assert fault_of(slip) is None


BAD = (400, "Bad Request")
BAD_CONTACT = (400, "Bad Contact Header")
BAD_RECORD_ROUTE = (400, "Bad Record-Route Header")
BAD_FROM = (400, "Bad From Header")


@pytest.mark.parametrize(
    ("hopeless", "fault"),
    [
        (request("INVITE", Contact="*"), BAD_CONTACT),
        (request("SUBSCRIBE", Contact="*"), BAD_CONTACT),
        (request("INVITE", Contact=",,"), BAD_CONTACT),
        (request("INVITE", Contact="<sip:>"), BAD_CONTACT),
        (request("INVITE", Contact="<sip:x@host:99999>"), BAD_CONTACT),
        (request("INVITE", Contact="<sip:x@host"), BAD_CONTACT),
        (request("INVITE", Contact='"Joe" <sip:joe@example.org>;;;;'), BAD_CONTACT),
        (request("INVITE", Contact="sip:user@example.com?Route=%3Csip:h%3E"), BAD_CONTACT),
        (request("REGISTER", Contact="<sip:a@host>, <sip:a@>"), BAD_CONTACT),
        (request(From=";tag=1"), BAD_FROM),
        (request(From="*;tag=1"), BAD_FROM),
        (request(From="<>;tag=1"), BAD_FROM),
        (request(From='"A <sip:a@h>;tag=1'), BAD_FROM),
        (request(From="Bell, Alexander <sip:a@h>;tag=1"), BAD_FROM),
        (request(From="<sip:a@h>,<sip:b@h>;tag=1"), BAD_FROM),
        (request(From="<sip:a@h> <sip:b@h>;tag=1"), BAD_FROM),
        (request(From="<sip:a\x01@h>;tag=1"), BAD_FROM),
        (request(From="<sip:a@h>;tag=a|b"), BAD_FROM),
        (request(From="<sip:a@h>;tag=a\\b"), BAD_FROM),
        (request(Record_Route="garbage, <sip:"), BAD_RECORD_ROUTE),
        (request(Record_Route="<abc"), BAD_RECORD_ROUTE),
        (request(Record_Route="*"), BAD_RECORD_ROUTE),
        (request(Record_Route="<tel:+1;lr>"), BAD_RECORD_ROUTE),
        (request(Record_Route="<sip:p;lr>", more="Record-Route: <sip:p:x;lr>\r\n"), BAD_RECORD_ROUTE),
        (request(Route="<sip:"), (400, "Bad Route Header")),
        (request(Expires="Thu, 01 Dec 2033"), (400, "Bad Expires Header")),
        (request(Expires="tomorrow 16:00:00"), (400, "Bad Expires Header")),
    ],
    ids=range(27),
)
def test_what_nothing_can_be_made_of(hopeless: Request, fault: tuple[int, str]) -> None:
    assert fault_of(hopeless) == fault


@pytest.mark.parametrize("value", ["<sip:p;lr>", "<sip:@p;lr;>", "garbage <", "<sip:p:x>"])
def test_routes_are_judged_as_before_when_they_come_again(value: str) -> None:
    judged = [fault_of(request(Record_Route=value)) for _ in range(3)]
    assert judged[1:] == judged[:-1]


@pytest.mark.parametrize(
    ("faulty", "fault"),
    [
        (request(version="SIP/3.0"), (505, "Version Not Supported")),
        (request(version="SIP/2.1"), (505, "Version Not Supported")),
        (request(version="SIP/3.0", Call_ID=""), (505, "Version Not Supported")),
        (request(From=""), BAD),
        (request(To=""), BAD),
        (request(Call_ID=""), BAD),
        (request(CSeq=""), BAD),
        (request(more="CSeq: 2 OPTIONS\r\n"), (400, "Bad CSeq Header")),
        (request(Call_ID="a b"), BAD),
        (request(Call_ID="a\tb"), BAD),
        (request(CSeq="1 INVITE"), BAD),
        (request(CSeq="1 options"), BAD),
        (request(CSeq="2147483648 OPTIONS"), (400, "Bad CSeq Header")),
        (request(CSeq="9292394834772304023312 OPTIONS"), (400, "Bad CSeq Header")),
        (request(CSeq=f"{DIGITS} OPTIONS"), (400, "Bad CSeq Header")),
        (request(Content_Length="1"), BAD),
        (request(Content_Length=DIGITS), BAD),
        (request(body="abc", Content_Length="9999"), BAD),
        (request(more="Call-ID: other\r\n"), (400, "Bad Call-ID Header")),
        (request(more="From: <sip:other@b>;tag=2\r\n"), (400, "Bad From Header")),
        (request(more="f\r\n : <sip:other@b>;tag=2\r\n"), (400, "Bad From Header")),
        (request(more="FROM\t:<sip:other@b>;tag=2\r\n"), (400, "Bad From Header")),
        (request(more="t: <sip:other@b>\r\n"), (400, "Bad To Header")),
        (request(more="i: other\r\n"), (400, "Bad Call-ID Header")),
        (request(more="Max-Forwards: 5\r\n"), (400, "Bad Max-Forwards Header")),
        (request(more="l: 1\r\n"), (400, "Bad Content-Length Header")),
        (request(From="<sip:a"), (400, "Bad From Header")),
        (request(To="<sip:a>, <sip:b>"), (400, "Bad To Header")),
        (request(Contact="<<<"), (400, "Bad Contact Header")),
        (request(Expires="abc"), (400, "Bad Expires Header")),
        (request(Max_Forwards="abc"), (400, "Bad Max-Forwards Header")),
        (request(Content_Type="///"), (400, "Bad Content-Type Header")),
        (request(Content_Length="x"), (400, "Bad Content-Length Header")),
        (request(Session_Expires="x"), (400, "Bad Session-Expires Header")),
        (request(Min_SE="x"), (400, "Bad Min-SE Header")),
        (request("PRACK", RAck="x"), (400, "Bad RAck Header")),
        (request("REGISTER", Contact="*", Expires="60"), BAD),
        (request("REGISTER", Contact="<<<"), (400, "Bad Contact Header")),
        (request("REGISTER", Contact="<alice@127.0.0.1"), (400, "Bad Contact Header")),
        (request("OPTIONS", Contact="<alice@127.0.0.1"), (400, "Bad Contact Header")),
    ],
    ids=range(40),
)
def test_faults(faulty: Request, fault: tuple[int, str] | None) -> None:
    assert fault_of(faulty) == fault


def test_a_cseq_that_is_none() -> None:
    for value in ("x", "1", "OPTIONS 1", "1 OPTIONS x", "-1 OPTIONS"):
        fault = fault_of(request(CSeq=value))
        assert fault is not None
        assert fault[0] == 400


octets = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
NAMES = [
    "From",
    "To",
    "Contact",
    "CSeq",
    "Expires",
    "Content-Length",
    "Content-Type",
    "RAck",
    "Session-Expires",
]


@given(st.sampled_from(NAMES), octets)
def test_any_value_is_judged(name: str, value: str) -> None:
    fault = fault_of(request("REGISTER", **{name: value}))
    assert fault is None or fault[0] == 400


FAULTS = {
    "ltgtruri": (400, "Bad Request"),
    "lwsruri": (400, "Bad Request"),
    "baddn": (400, "Bad To Header"),
    "badinv01": (400, "Bad Contact Header"),
    "badvers": (505, "Version Not Supported"),
    "clerr": BAD,
    "insuf": BAD,
    "mcl01": (400, "Bad Content-Length Header"),
    "mismatch01": BAD,
    "mismatch02": BAD,
    "multi01": (400, "Bad From Header"),
    "ncl": (400, "Bad Content-Length Header"),
    "quotbal": (400, "Bad To Header"),
    "regbadct": (400, "Bad Contact Header"),
    "scalar02": (400, "Bad CSeq Header"),
}
NO_MESSAGES = {"bigcode", "test"}
RESPONSES = {"bcast", "noreason", "scalarlg", "unreason"}


@pytest.mark.parametrize("uri", ["<sip:bob@h>", "sip:bob@h; lr"])
def test_a_request_uri_that_is_none(uri: str) -> None:
    text = request().text.replace("sip:bob@127.0.0.1:5060 ", f"{uri} ", 1)
    message = parse_message(text)
    assert isinstance(message, Request)
    assert fault_of(message) == (400, "Bad Request")


@pytest.mark.parametrize("path", sorted(TORTURE.glob("*.dat")), ids=lambda path: path.stem)
def test_rfc_4475(path: Path) -> None:
    message: Request | Response | None
    try:
        message = parse_message(path.read_bytes().decode("latin-1"))
    except SipSyntaxError:
        message = None
    assert (message is None) == (path.stem in NO_MESSAGES)
    assert isinstance(message, Response) == (path.stem in RESPONSES)
    if isinstance(message, Request):
        fault = fault_of(message)
        if path.stem == "baddn" and fault == (400, "Bad From Header"):
            return  # From and To are both wrong
        assert fault == FAULTS.get(path.stem)
