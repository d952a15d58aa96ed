"""What a proxy does to requests and responses, octet by octet."""

from __future__ import annotations

import pytest

from reference_server.sip.forwarding import (
    ForwardedRequest,
    forwarded_response,
    forwards_left,
    route_values,
    via_values,
)
from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.messages.message import Request, Response, parse_message

VIA = "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKours"
CALLER = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKq1;rport=5080"


def request(*lines: str, method: str = "INVITE", body: str = "", eol: str = "\r\n") -> Request:
    fields = [
        f"{method} sip:bob@192.0.2.1 SIP/2.0",
        "Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKq1",
        *lines,
        "From: <sip:alice@127.0.0.1>;tag=a",
        "To: <sip:bob@192.0.2.1>",
        "Call-ID: c1",
        f"CSeq: 7 {method}",
        "Contact: <sip:alice@127.0.0.1>",
        f"Content-Length: {len(body)}",
    ]
    message = parse_message(eol.join([*fields, "", body]))
    assert isinstance(message, Request)
    return message


def response(text: str) -> Response:
    message = parse_message(text)
    assert isinstance(message, Response)
    return message


def copy(came: Request, added: str = "", routes: list[str] | None = None, **more: str) -> list[str]:
    draft = parse_draft(f"x\r\n{added}\r\n", "h:1")
    forwarded = ForwardedRequest(came, CALLER, routes=routes, added=draft)
    return forwarded.copy("sip:carol@127.0.0.2", VIA, **more).split("\r\n")


@pytest.mark.parametrize("name", ["From", "To", "f", "t"])
@pytest.mark.parametrize(
    "again", ["From: {}", "f : {}", "FROM: {}", "From\t: {}", "From\r\n : {}", "f :\r\n\t{}"]
)
def test_what_the_application_replaces_does_not_stay_in_a_second_line(name: str, again: str) -> None:
    """Or an anonymous caller would be named all the same."""
    long = {"f": "From", "t": "To"}.get(name, name)
    came = request()
    came_as = came.get(long.lower())
    again = again.replace("From", long).replace("FROM", long.upper()).replace("f :", f"{long[0].lower()} :")
    came = request(again.format(came_as), "X-Last: 1")
    assert len(came.all(long.lower())) == 2
    sent = parse_message("\r\n".join(copy(came, f"{name}: <sip:anonymous@anonymous.invalid>\r\n")))
    (value,) = sent.all(long.lower())
    assert value.startswith("<sip:anonymous@anonymous.invalid>")
    assert sent.get("x-last") == "1"


def test_all_but_via_and_max_forwards_is_as_it_came() -> None:
    came = request("Max-Forwards:  9", "x-odd-NAME :a  b", "f: ignored", body="v=0\r\nx")
    assert copy(came) == [
        "INVITE sip:carol@127.0.0.2 SIP/2.0",
        f"Via: {VIA}",
        f"Via: {CALLER}",
        "Max-Forwards: 8",
        "x-odd-NAME :a  b",
        "f: ignored",
        *came.text.split("\r\n")[5:],
    ]


def test_without_max_forwards_it_begins_with_70() -> None:
    came = request()
    assert forwards_left(came) == 70
    assert copy(came)[3] == "Max-Forwards: 70"


def test_record_routes_lie_below_the_vias_and_above_those_that_came() -> None:
    came = request("Via: SIP/2.0/UDP below;branch=z9hG4bKb", "Record-Route: <sip:old;lr>")
    lines = copy(came, record_routes="Record-Route: <sip:new;lr>\r\n")
    assert [line.partition(": ")[0] for line in lines[1:6]] == [
        "Via",
        "Via",
        "Via",
        "Record-Route",
        "Max-Forwards",
    ]
    assert lines[4] == "Record-Route: <sip:new;lr>"
    assert lines[6] == "Record-Route: <sip:old;lr>"


def test_a_folded_line_comes_out_whole_and_what_is_no_header_stays_behind() -> None:
    came = request("Subject: a\r\n b", "no header line")
    assert "Subject: a b" in copy(came)
    assert "no header line" not in copy(came)


def test_bare_line_feeds_become_line_ends() -> None:
    assert "\n" not in "".join(copy(request("Subject: a", eol="\n")))


def test_what_lies_behind_the_body_stays_behind() -> None:
    came = request(body="v=0\r\n")
    came = parse_message(f"{came.text}BYE sip:x SIP/2.0\r\n\r\n")  # type: ignore[assignment]
    assert copy(came)[-2:] == ["v=0", ""]


def test_a_missing_content_length_is_added() -> None:
    text = request(body="abc").text.replace("Content-Length: 3\r\n", "")
    came = parse_message(text)
    assert isinstance(came, Request)
    assert copy(came)[-3:] == ["Content-Length: 3", "", "abc"]


@pytest.mark.parametrize(
    ("routes", "left"),
    [
        (None, ["<sip:a;lr>, <sip:b;lr>", "<sip:c;lr>"]),
        ([], []),
        (["<sip:b;lr>", "<sip:c;lr>"], ["<sip:b;lr>", "<sip:c;lr>"]),
    ],
)
def test_routes_are_left_or_replaced(routes: list[str] | None, left: list[str]) -> None:
    came = request("Route: <sip:a;lr>, <sip:b;lr>", "Subject: s", "Route: <sip:c;lr>")
    assert route_values(came) == ["<sip:a;lr>", "<sip:b;lr>", "<sip:c;lr>"]
    lines = copy(came, routes=routes)
    assert [line[7:] for line in lines if line.startswith("Route: ")] == left


def test_headers_of_an_application() -> None:
    came = request(
        "Supported: a",
        "Max-Forwards: 5",
        "P-Asserted-Identity: <sip:x>",
        "Subject: old",
        "Diversion: <sip:d>",
    )
    added = (
        "subject: new\r\nSupported: b\r\nMax-Forwards: 99\r\nCSeq: 1 INVITE\r\nCall-ID: other\r\nVia: x\r\n"
        "Contact: <sip:c1>, <sip:c2>\r\nX-A: 1\r\nWarning: 399 x y\r\nReason: SIP;cause=200\r\n"
    )
    lines = copy(came, added)
    assert lines[3:] == [
        "Supported: a, b",
        "Max-Forwards: 4",
        "P-Asserted-Identity: <sip:x>",
        "Subject: new",
        "Diversion: <sip:d>",
        "From: <sip:alice@127.0.0.1>;tag=a",
        "To: <sip:bob@192.0.2.1>",
        "Call-ID: c1",
        "CSeq: 7 INVITE",
        "Contact: <sip:c1>",
        "Contact: <sip:c2>",
        "Warning: 399 x y",
        "Reason: SIP;cause=200",
        "Content-Length: 0",
        "X-A: 1",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("<sip:zz@zz>;tag=1", "<sip:zz@zz>;tag=a"),
        ("<sip:zz@zz>", "<sip:zz@zz>;tag=a"),
        ('"A; B" <sip:zz@zz;x=1>;y;TAG=9;z', '"A; B" <sip:zz@zz;x=1>;y;z;tag=a'),
        ("sip:zz@zz;tag=1", "<sip:zz@zz>;tag=a"),
        ("sip:zz@zz;y", "<sip:zz@zz>;y;tag=a"),
    ],
)
def test_the_caller_keeps_its_tag(given: str, sent: str) -> None:
    assert f"From: {sent}" in copy(request(), f"From: {given}\r\n")


def test_the_to_of_a_new_request_gets_no_tag() -> None:
    assert "To: <sip:zz@zz>" in copy(request(), "To: <sip:zz@zz>;tag=1\r\n")


@pytest.mark.parametrize(
    ("lines", "path", "require"),
    [
        ((), ["<sip:us;lr>"], ["path"]),
        (("Require: gruu",), ["<sip:us;lr>"], ["gruu, path"]),
        (("Require: Path", "Path: <sip:edge;lr>"), ["<sip:us;lr>", "<sip:edge;lr>"], ["Path"]),
    ],
)
def test_the_way_back_of_a_register(lines: tuple[str, ...], path: list[str], require: list[str]) -> None:
    forwarded = ForwardedRequest(request(*lines, method="REGISTER"), CALLER)
    for _ in range(2):  # each copy anew
        forwarded.come_back_by("<sip:us;lr>")
        sent = parse_message(forwarded.copy("sip:r", VIA))
        assert (sent.all("path"), sent.all("require")) == (path, require)


def test_cancel_and_ack_are_those_of_the_copy() -> None:
    came = request("Route: <sip:a;lr>", "Route: <sip:b;lr>")
    forwarded = ForwardedRequest(came, CALLER, routes=["<sip:b;lr>"])
    common = f"Via: {VIA}\r\nRoute: <sip:b;lr>\r\nMax-Forwards: 70\r\nFrom: <sip:alice@127.0.0.1>;tag=a\r\n"
    assert forwarded.cancel("sip:carol", VIA, ["SIP;cause=200", "Q.850;cause=16"]) == (
        f"CANCEL sip:carol SIP/2.0\r\n{common}To: <sip:bob@192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 7 CANCEL\r\n"
        "Reason: SIP;cause=200\r\nReason: Q.850;cause=16\r\nContent-Length: 0\r\n\r\n"
    )
    failure = response("SIP/2.0 486 x\r\nTo: <sip:bob@192.0.2.1>;tag=t\r\n\r\n")
    assert forwarded.ack("sip:carol", VIA, failure) == (
        f"ACK sip:carol SIP/2.0\r\n{common}To: <sip:bob@192.0.2.1>;tag=t\r\nCall-ID: c1\r\nCSeq: 7 ACK\r\n"
        "Content-Length: 0\r\n\r\n"
    )


HEAD = "SIP/2.0 200 OK\r\n"
REST = "From: <sip:a>;tag=a\r\nCSeq: 7 INVITE\r\n"


@pytest.mark.parametrize(
    "vias",
    [
        f"Via: {VIA}\r\nVia: {CALLER}\r\n",
        f"v: {VIA}\r\nVia: {CALLER}\r\n",
        f"Via: {VIA}, {CALLER}\r\n",
        f"Via:\r\n {VIA}\r\nVia: {CALLER}\r\n",
        f"VIA:{VIA}\r\nVia: {CALLER}\r\n",
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_response_loses_its_topmost_via(vias: str, stream: bool) -> None:
    came = response(f"{HEAD}{vias}{REST}Content-Length: 3\r\n\r\nabc")
    assert via_values(came) == [VIA, CALLER]
    sent = forwarded_response(came, stream)
    assert sent == f"{HEAD}Via: {CALLER}\r\n{REST}Content-Length: 3\r\n\r\nabc"


def test_the_topmost_via_need_not_be_the_first_line() -> None:
    came = response(f"{HEAD}{REST}Via: {VIA}\r\nVia: {CALLER}\r\nContent-Length: 0\r\n\r\n")
    assert forwarded_response(came, False) == f"{HEAD}{REST}Via: {CALLER}\r\nContent-Length: 0\r\n\r\n"


def test_no_second_message_is_smuggled_behind_a_response() -> None:
    evil = "SIP/2.0 200 OK\r\nCSeq: 8 BYE\r\n\r\n"
    vias = f"Via: {VIA}\r\nVia: {CALLER}\r\n"
    came = response(f"{HEAD}{vias}{REST}Content-Length: 3\r\n\r\nabc{evil}")
    assert forwarded_response(came, False).endswith("Content-Length: 3\r\n\r\nabc")
    came = response(f"{HEAD}{vias}Content-Length: 3\r\nl: 99\r\n{REST}\r\nabc{evil}")
    assert forwarded_response(came, True).count("ontent-Length") == 1
    assert forwarded_response(came, True).endswith(f"{REST}Content-Length: 3\r\n\r\nabc")


def test_a_stream_needs_a_content_length() -> None:
    came = response(f"{HEAD}Via: {VIA}\r\nVia: {CALLER}\r\n{REST}\r\nabc")
    assert forwarded_response(came, False).endswith("INVITE\r\n\r\nabc")
    assert forwarded_response(came, True).endswith("Content-Length: 3\r\n\r\nabc")


def test_a_second_max_forwards_stays_behind() -> None:
    sent = copy(request("Max-Forwards: 9", "Max-Forwards: 20"))
    assert [line for line in sent if line.startswith("Max-Forwards")] == ["Max-Forwards: 8"]


def test_a_field_that_belongs_behind_all_others_goes_to_the_end() -> None:
    came = parse_message(
        "OPTIONS sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKq1\r\n"
        "From: <sip:a@h>;tag=a\r\nTo: <sip:b@h>\r\nCall-ID: c1\r\nCSeq: 7 OPTIONS\r\n\r\n"
    )
    assert isinstance(came, Request)
    sent = copy(came, "Content-Disposition: render\r\n")
    assert sent[sent.index("CSeq: 7 OPTIONS") + 1] == "Content-Disposition: render"
