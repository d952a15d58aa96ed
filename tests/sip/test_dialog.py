"""Dialogs: identity, route sets, and the requests made from them (RFC 3261 §12)."""

from __future__ import annotations

import pytest

from reference_server.sip.dialog import (
    Dialog,
    contact_uri_of,
    dialog_key,
    is_loose,
    record_route_of,
    uri_of,
)
from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.messages.message import parse_message

VIA = "SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK1"


def dialog(*routes: str, target: str = "sip:alice@127.0.0.1:5080") -> Dialog:
    return Dialog(
        call_id="mq7zt1",
        local="<sip:bob@127.0.0.1:5060>;tag=ours",
        local_tag="ours",
        remote="<sip:alice@127.0.0.1>;tag=theirs",
        remote_tag="theirs",
        local_cseq=1,
        remote_cseq=1,
        remote_contact=f"<{target}>" if target else "",
        route_set=list(routes),
    )


def sent(found: Dialog, text: str, method: str = "INFO", cseq: int = 2) -> str:
    return found.request(method, cseq, VIA, draft=parse_draft(text, "127.0.0.1:5060"))


def test_a_request() -> None:
    assert sent(dialog(), "INFO sip:placeholder SIP/2.0\r\n\r\n") == (
        f"INFO sip:alice@127.0.0.1:5080 SIP/2.0\r\nVia: {VIA}\r\nMax-Forwards: 70\r\n"
        "From: <sip:bob@127.0.0.1:5060>;tag=ours\r\nTo: <sip:alice@127.0.0.1>;tag=theirs\r\n"
        "Call-ID: mq7zt1\r\nCSeq: 2 INFO\r\nContent-Length: 0\r\n\r\n"
    )


def test_what_the_application_may_give() -> None:
    text = (
        "INFO sip:evil.invalid SIP/2.0\r\nCSeq: 99 INFO\r\nMax-Forwards: 5\r\nFrom: <sip:x@y>\r\nTo: <sip:z@y>\r\n"
        "Call-ID: other\r\nVia: x\r\nRoute: <sip:x>\r\nX-a: 1\r\nContent-Type: a/b\r\n\r\nbody"
    )
    assert sent(dialog(), text) == (
        f"INFO sip:alice@127.0.0.1:5080 SIP/2.0\r\nVia: {VIA}\r\nMax-Forwards: 5\r\n"
        "From: <sip:x@y>\r\nTo: <sip:z@y>\r\nCall-ID: other\r\nCSeq: 2 INFO\r\n"
        "Content-Type: a/b\r\nContent-Length: 4\r\nX-a: 1\r\n\r\nbody"
    )


def test_loose_routes_are_carried_in_their_order() -> None:
    found = dialog("<sip:p1;lr>", "<sip:p2>;x=1")
    text = sent(found, "BYE", "BYE", 3)
    assert text.startswith("BYE sip:alice@127.0.0.1:5080 SIP/2.0\r\n")
    assert "\r\nRoute: <sip:p1;lr>\r\nRoute: <sip:p2>;x=1\r\nMax-Forwards" in text
    assert "\r\nCSeq: 3 BYE\r\n" in text
    assert found.next_hop() == "sip:p1;lr"


def test_a_strict_router_gets_its_uri_as_request_uri() -> None:
    found = dialog("<sip:p1>", "<sip:p2;lr>")
    text = sent(found, "BYE", "BYE")
    assert text.startswith("BYE sip:p1 SIP/2.0\r\n")
    assert "\r\nRoute: <sip:p2;lr>\r\nRoute: <sip:alice@127.0.0.1:5080>\r\nMax-Forwards" in text
    assert found.route_set == ["<sip:p1>", "<sip:p2;lr>"], "the route set itself stays"


def test_the_next_hop_without_routes_is_the_target() -> None:
    assert dialog().next_hop() == "sip:alice@127.0.0.1:5080"


def test_the_identity_is_made_of_three_parts() -> None:
    assert dialog().key == dialog_key("mq7zt1", "ours", "theirs")
    keys = {
        dialog_key(*parts) for parts in [("a", "b", "c"), ("a", "c", "b"), ("b", "a", "c"), ("ab", "", "c")]
    }
    assert len(keys) == 4
    assert dialog_key("a", "bc", "") != dialog_key("a", "b", "c")


def response(*lines: str) -> str:
    return "SIP/2.0 200 OK\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"


@pytest.mark.parametrize(
    ("line", "uri"),
    [
        ("Contact: <sip:a@b:5080;transport=tcp>;expires=5", "sip:a@b:5080;transport=tcp"),
        ("m: sip:a@b;x=1", "sip:a@b"),
        ('Contact: "A, B" <sip:a@b>, <sip:c@d>', "sip:a@b"),
        ("Contact: *", ""),
        ("Contact: <<<", ""),
        ("Contact:", ""),
        ("X: 1", ""),
    ],
)
def test_the_target_in_a_contact(line: str, uri: str) -> None:
    assert contact_uri_of(parse_message(response(line)).get("contact")) == uri


def test_refreshing_the_target() -> None:
    found = dialog()
    found.refresh_target(parse_message(response("X: 1")))
    found.refresh_target(parse_message(response("Contact: <<<")))
    assert found.remote_target == "sip:alice@127.0.0.1:5080"
    found.refresh_target(parse_message(response("Contact: <sip:new@b>")))
    assert found.remote_target == "sip:new@b"


def test_record_route() -> None:
    message = parse_message(
        response(
            'Record-Route: <sip:a;lr>, "b,c" <sip:b>',
            "X: 1",
            "record-route: <sip:c,d@h;lr>,, <sip:@e;lr;>, nowhere:, <sip:>, <tel:+1>",
        )
    )
    assert record_route_of(parse_message(response("Record-Route: sip:a;lr,<sip:b>"))) == [
        "<sip:a;lr>",
        "<sip:b>",
    ]
    assert record_route_of(message) == ["<sip:a;lr>", '"b,c" <sip:b>', "<sip:c,d@h;lr>", "<sip:@e;lr;>"]
    assert record_route_of(parse_message(response("X: 1"))) == []


@pytest.mark.parametrize(
    ("route", "uri", "loose"),
    [
        ("<sip:p;lr>", "sip:p;lr", True),
        ("<sip:p;LR=on>", "sip:p;LR=on", True),
        ("<sip:p>;lr", "sip:p", False),
        ("<sip:p>", "sip:p", False),
        ("sip:p;lr", "sip:p;lr", True),
        ("sip:p;lr;", "sip:p;lr", True),
        ("p.example.com", "sip:p.example.com", False),
        ("<<<", "", True),
        ("", "", True),
    ],
)
def test_routes(route: str, uri: str, loose: bool) -> None:
    assert uri_of(route) == uri
    assert is_loose(route) is loose
