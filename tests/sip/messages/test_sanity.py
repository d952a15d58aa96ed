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
        request("REGISTER", Contact="<sip:a@b>;expires=0"),
        request("REGISTER"),
        request(more="Max-Forwards: 70\r\n"),
        request(more="X-a: 1\r\nX-a: 2\r\n"),
        request(more="Contact: <sip:a@b>\r\nContact: <sip:c@d>\r\n"),
    ],
    ids=range(18),
)
def test_sound_requests(sound: Request) -> None:
    assert fault_of(sound) is None


BAD = (400, "Bad Request")


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
        (request(CSeq="1 INVITE"), BAD),
        (request(CSeq="1 options"), BAD),
        (request(CSeq="2147483648 OPTIONS"), BAD),
        (request(CSeq="9292394834772304023312 OPTIONS"), BAD),
        (request(CSeq=f"{DIGITS} OPTIONS"), BAD),
        (request(Content_Length="1"), BAD),
        (request(Content_Length=DIGITS), BAD),
        (request(body="abc", Content_Length="9999"), BAD),
        (request(more="Call-ID: other\r\n"), None),
        (request(more="From: <sip:other@b>;tag=2\r\n"), BAD),
        (request(more="Max-Forwards: 5\r\n"), BAD),
        (request(more="l: 1\r\n"), BAD),
        (request(From="<sip:a"), (400, "Bad From Header")),
        (request(To="nonsense"), (400, "Bad To Header")),
        (request(Contact="<<<"), (400, "Bad Contact Header")),
        (request(Expires="abc"), (400, "Bad Expires Header")),
        (request(Max_Forwards="abc"), (400, "Bad Max-Forwards Header")),
        (request(Content_Type="///"), (400, "Bad Content-Type Header")),
        (request(Content_Length="x"), (400, "Bad Content-Length Header")),
        (request(Session_Expires="x"), (400, "Bad Session-Expires Header")),
        (request(Min_SE="x"), (400, "Bad Min-SE Header")),
        (request("PRACK", RAck="x"), (400, "Bad RAck Header")),
        (request("REGISTER", Contact="*", Expires="60"), BAD),
        (request("REGISTER", Contact="alice@127.0.0.1"), BAD),
        (request("REGISTER", Contact="<alice@127.0.0.1>;expires=60"), BAD),
        (request("REGISTER", Contact="<<<"), (400, "Bad Contact Header")),
        (request("REGISTER", Contact="<alice@127.0.0.1"), (400, "Bad Contact Header")),
        (request("OPTIONS", Contact="<alice@127.0.0.1>"), (400, "Bad Contact Header")),
        (request("REGISTER", Contact="*", more="Contact: <sip:a@b>\r\n"), BAD),
    ],
    ids=range(36),
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
    "lwsstart": (400, "Bad Request"),
    "badaspec": (400, "Bad To Header"),
    "baddn": (400, "Bad To Header"),
    "badinv01": (400, "Bad Contact Header"),
    "badvers": (505, "Version Not Supported"),
    "clerr": BAD,
    "insuf": BAD,
    "mcl01": BAD,
    "mismatch01": BAD,
    "mismatch02": BAD,
    "multi01": BAD,
    "ncl": (400, "Bad Content-Length Header"),
    "quotbal": (400, "Bad To Header"),
    "regbadct": (400, "Bad Contact Header"),
    "scalar02": BAD,
    "trws": BAD,
}
NO_MESSAGES = {"bigcode", "test"}
RESPONSES = {"bcast", "noreason", "scalarlg", "unreason"}


@pytest.mark.parametrize("uri", ["<sip:bob@h>", "sip:bob@h; lr", " sip:bob@h", "sip:bob@h "])
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
