"""Composing responses: what comes back of the request, and in which order."""

from __future__ import annotations

from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.messages.response_headers import REASONS, ResponseHeaders, response_headers
from reference_server.sip.messages.via import parse_top_via

REQUEST = (
    "INVITE sip:bob@127.0.0.1:5060 SIP/2.0\r\n"
    "v: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK1 , SIP/2.0/UDP second;branch=z9hG4bK2\r\n"
    "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
    "Via: SIP/2.0/TCP third\r\n"
    "f: <sip:alice@127.0.0.1>;tag=k2x8\r\n"
    "To:   Bob\r\n  <sip:bob@127.0.0.1>\r\n"
    "record-route: <sip:p3;lr>\r\n"
    "i: mq7zt1\r\n"
    "CSeq:  1   INVITE\r\n"
    "Contact: <sip:alice@127.0.0.1:5080>\r\n"
    "Content-Length: 0\r\n"
    "\r\n"
)
VIAS = (
    "Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK1;rport=5099 , SIP/2.0/UDP second;branch=z9hG4bK2\r\n"
    "Via: SIP/2.0/TCP third\r\n"
)
ROUTES = "Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n"


def headers() -> ResponseHeaders:
    request = parse_message(REQUEST)
    assert isinstance(request, Request)
    via = parse_top_via(request.get("via"))
    assert via is not None
    return response_headers(request, via, "127.0.0.1", 5099)


def test_a_response_of_the_servers_own() -> None:
    assert headers().minimal(503, "Bob <sip:bob@127.0.0.1>;tag=1") == (
        f"SIP/2.0 503 Service Unavailable\r\n{VIAS}From: <sip:alice@127.0.0.1>;tag=k2x8\r\n"
        "To: Bob <sip:bob@127.0.0.1>;tag=1\r\nCall-ID: mq7zt1\r\nCSeq: 1   INVITE\r\nContent-Length: 0\r\n\r\n"
    )


def test_its_reason_and_more_headers() -> None:
    text = headers().minimal(400, "x", "Allow: INVITE\r\n", reason="Bad Expires Header")
    assert text.startswith("SIP/2.0 400 Bad Expires Header\r\n")
    assert text.endswith("CSeq: 1   INVITE\r\nAllow: INVITE\r\nContent-Length: 0\r\n\r\n")


def test_a_refusal_has_nothing_of_what_the_request_lacks() -> None:
    fields = "From: <sip:a@b>;tag=f\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n".splitlines(True)
    for missing in range(16):
        present = [field for number, field in enumerate(fields) if not missing >> number & 1]
        request = parse_message(
            f"INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{''.join(present)}\r\n"
        )
        assert isinstance(request, Request)
        via = parse_top_via(request.get("via"))
        assert via is not None
        bare = response_headers(request, via, "h", 5099)
        expected = "".join(present).replace("To: <sip:b@b>", "To: <sip:b@b>;tag=t")
        assert bare.refusal(400, f"{bare.to};tag=t", reason="Bad Request") == (
            f"SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;rport=5099\r\n{expected}"
            "Content-Length: 0\r\n\r\n"
        )


def test_every_status_of_the_servers_own_has_a_phrase() -> None:
    for status, reason in REASONS.items():
        assert headers().minimal(status, "x").startswith(f"SIP/2.0 {status} {reason}\r\n")


def test_a_response_of_an_application() -> None:
    draft = parse_draft(
        "SIP/2.0 200 OK\r\nX-a: 1\r\nSubject: s\r\nContact: <sip:me>\r\n\r\nbody", "127.0.0.1:5060"
    )
    assert headers().compose("SIP/2.0 200 OK", "<sip:bob>;tag=1", draft, with_record_route=True) == (
        f"SIP/2.0 200 OK\r\n{VIAS}{ROUTES}From: <sip:alice@127.0.0.1>;tag=k2x8\r\nTo: <sip:bob>;tag=1\r\n"
        "Call-ID: mq7zt1\r\nCSeq: 1   INVITE\r\nContact: <sip:me>\r\nSubject: s\r\nContent-Length: 4\r\nX-a: 1\r\n"
        "\r\nbody"
    )


def test_a_100_has_the_record_route_and_a_refusal_has_not() -> None:
    assert ROUTES in headers().minimal(100, "<sip:bob>")
    assert "Record-Route" not in headers().minimal(503, "<sip:bob>;tag=1")


def test_without_record_route() -> None:
    assert "Record-Route" not in headers().compose(
        "SIP/2.0 486 ", "x", parse_draft("SIP/2.0 486 ", ""), with_record_route=False
    )


def test_what_the_application_may_replace() -> None:
    draft = parse_draft(
        "SIP/2.0 200 OK\r\nCSeq: 99 INVITE\r\nCall-ID: y\r\nFrom: <sip:z@z>;tag=9\r\n\r\n", ""
    )
    text = headers().compose("SIP/2.0 200 OK", "<sip:bob>;tag=1", draft, with_record_route=False)
    assert text == (
        f"SIP/2.0 200 OK\r\n{VIAS}From: <sip:z@z>;tag=9\r\nTo: <sip:bob>;tag=1\r\nCall-ID: y\r\nCSeq: 99 INVITE\r\n"
        "Content-Length: 0\r\n\r\n"
    )


def test_what_the_request_lacks_stays_empty() -> None:
    request = parse_message("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n")
    assert isinstance(request, Request)
    via = parse_top_via(request.get("via"))
    assert via is not None
    text = response_headers(request, via, "127.0.0.1", 5099).minimal(400, ";tag=1")
    assert text == (
        "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP h;received=127.0.0.1;rport=5099\r\nFrom: \r\nTo: ;tag=1\r\n"
        "Call-ID: \r\nCSeq: \r\nContent-Length: 0\r\n\r\n"
    )
