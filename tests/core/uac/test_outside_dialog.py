"""The application's requests outside dialogs: what goes out, where, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.ports import Endpoint, Flow, NoWay
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.messages.uri import tag_of
from reference_server.sip.transport import UDP
from tests.core.world import (
    BY_TCP,
    BY_UDP,
    SDP,
    TCP_ENDPOINT,
    UDP_ENDPOINT,
    Call,
    RecordingApplication,
    World,
    sip_of,
    tokens_of,
)

CAROL = "sip:carol@127.0.0.1:5090"
TO_CAROL = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
METHODS = "INVITE ACK PRACK CANCEL BYE OPTIONS REGISTER INFO UPDATE MESSAGE SUBSCRIBE NOTIFY REFER PUBLISH"


@pytest.fixture
def application(world: World) -> RecordingApplication:
    world.network.routes[CAROL] = TO_CAROL
    return world.application()


def say(application: RecordingApplication, start: str, *headers: str, body: str = "", route: str = "") -> str:
    head = "".join(f"{header}\r\n" for header in headers)
    return application.say(f"sip|||{route}\r\n{start}\r\n{head}\r\n{body}")


def sent_by(answer: str) -> Request:
    message = parse_message(sip_of(answer))
    assert isinstance(message, Request)
    return message


def refusal(answer: str) -> str:
    assert tokens_of(answer)[3] == "NOK", answer
    return "|".join(tokens_of(answer)[4:])


def test_what_the_application_leaves_out_is_filled_in(
    world: World, application: RecordingApplication
) -> None:
    answer = say(application, f"OPTIONS {CAROL} SIP/2.0")
    (text,) = world.network.take()
    assert sip_of(answer) == text
    request = sent_by(answer)
    branch, tag, call_id = (request.get("via")[-20:], request.from_tag, request.get("call-id"))
    assert text == (
        f"OPTIONS {CAROL} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch={branch}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:127.0.0.1:5060>;tag={tag}\r\nTo: <{CAROL}>\r\nCall-ID: {call_id}\r\n"
        f"CSeq: 125446208 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    assert len(tag) == 13
    assert branch.startswith("z9hG4bK")
    assert len(call_id) == 36


def test_the_echo_names_our_own_address_over_udp(world: World, application: RecordingApplication) -> None:
    tokens = tokens_of(say(application, f"OPTIONS {CAROL} SIP/2.0"))
    (text,) = world.network.take()
    assert tokens[:3] == ["uuid", "response", "m1"]
    assert tokens[3:9] == ["OK", "application", str(len(text)), "udp", "127.0.0.1", "5060"]
    assert len(tokens[10]) == 36
    assert tokens[11:] == ["Msg sent:", ""]


def test_the_echo_names_the_far_end_over_tcp(world: World, application: RecordingApplication) -> None:
    uri = f"{CAROL};transport=TCP"
    world.network.routes[uri] = BY_TCP
    answer = say(application, f"INVITE {uri} SIP/2.0", body=SDP)
    assert tokens_of(answer)[6:9] == ["tcp", "127.0.0.1", "5080"]
    request = sent_by(answer)
    assert request.get("via").startswith("SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK")
    assert request.get("contact") == "<sip:127.0.0.1:5060;transport=tcp>"
    assert request.get("to") == f"<{uri}>"


@pytest.mark.parametrize("method", METHODS.split())
def test_every_method_that_the_genuine_server_knows(application: RecordingApplication, method: str) -> None:
    request = sent_by(say(application, f"{method} {CAROL} SIP/2.0"))
    assert request.method == request.cseq_method == method
    assert bool(request.get("contact")) == (method in ("INVITE", "SUBSCRIBE"))


@pytest.mark.parametrize(
    "line",
    [
        f"FOO {CAROL} SIP/2.0",
        f"options {CAROL} SIP/2.0",
        f"OPTIONS {CAROL}",
        f"OPTIONS {CAROL} SIP/3.0",
        f"OPTIONS  {CAROL} SIP/2.0",
        "OPTIONS",
        "OPTIONS  SIP/2.0",
        "OPTIONS foo SIP/2.0",
        "OPTIONS sip: SIP/2.0",
        "OPTIONS sip:@ SIP/2.0",
        "OPTIONS sip:a@b:99999 SIP/2.0",
        "OPTIONS urn:service:sos SIP/2.0",
        "OPTIONS tel:+1234 SIP/2.0",
        "OPTIONS * SIP/2.0",
        f"OPTIONS <{CAROL}> SIP/2.0",
    ],
)
@pytest.mark.parametrize("route", ["", CAROL])
def test_a_request_line_that_cannot_be_sent(
    world: World, application: RecordingApplication, line: str, route: str
) -> None:
    assert refusal(say(application, line, route=route)) == f"invalid request-uri: {line}"
    assert world.network.take() == []
    assert not application.ended_by_server


def test_a_uri_of_another_scheme(world: World, application: RecordingApplication) -> None:
    no_transaction = "Error creating sip transaction for uac request"
    assert refusal(say(application, "OPTIONS http://x/ SIP/2.0")) == no_transaction
    for route in ("foo", "<sip:127.0.0.1:5090>", "http://x/", "tel:+1", "sip:", "*"):
        assert refusal(say(application, f"OPTIONS {CAROL} SIP/2.0", route=route)) == no_transaction
    assert world.network.take() == []


def test_the_outbound_proxy_is_the_next_hop_of_what_has_no_route_url(
    worlds: Callable[[Settings | None], World],
) -> None:
    proxy, other = "sip:127.0.0.1:5099", "sip:127.0.0.1:5098"
    world = worlds(Settings(outbound_proxy=proxy))
    world.network.routes = {proxy: TO_CAROL, other: TO_CAROL}
    application = world.application()
    for route in ("", other):
        request = sent_by(say(application, "MESSAGE sip:dave@example.com SIP/2.0", route=route))
        assert request.start_line == "MESSAGE sip:dave@example.com SIP/2.0"
        assert request.all("route") == []
    assert world.network.opened == [proxy, other]
    world.advance(64)
    application.take()


def test_the_route_url_is_the_next_hop_and_nothing_else(
    world: World, application: RecordingApplication
) -> None:
    proxy = Flow(UDP, "127.0.0.3", 5070, UDP_ENDPOINT)
    world.network.routes["sip:127.0.0.3:5070;lr"] = proxy
    request = sent_by(say(application, "OPTIONS sip:x@example.com SIP/2.0", route="sip:127.0.0.3:5070;lr"))
    ((_, flow, text),) = world.network.sent
    assert (flow, text) == (proxy, request.text)
    assert request.uri == "sip:x@example.com"
    assert request.get("to") == "<sip:x@example.com>"
    assert request.get("route") == ""


@pytest.mark.parametrize(
    "hop",
    [
        "sip:127.0.0.1:5060",
        "sip:x@127.0.0.1",
        "sip:x@localhost:5060;transport=tcp",
        "sip:LOCALHOST",
        "sip:x@carol.invalid;maddr=127.0.0.1",
    ],
)
def test_nothing_is_sent_to_ourselves(world: World, application: RecordingApplication, hop: str) -> None:
    assert refusal(say(application, f"OPTIONS {hop} SIP/2.0")) == "can not send request to myself"
    assert world.network.opened == []


def test_a_route_url_may_lead_to_ourselves(world: World, application: RecordingApplication) -> None:
    world.network.routes["sip:127.0.0.1:5060"] = TO_CAROL
    assert "|OK|" in say(application, f"OPTIONS {CAROL} SIP/2.0", route="sip:127.0.0.1:5060")


def test_our_external_address_is_ours_too(world: World, application: RecordingApplication) -> None:
    world.network.listening = (Endpoint(UDP, "127.0.0.5", 5060, "9.9.9.9", "sip:9.9.9.9:5060"),)
    for host in ("127.0.0.5", "9.9.9.9"):
        assert refusal(say(application, f"OPTIONS sip:{host} SIP/2.0")) == "can not send request to myself"
    world.network.routes["sip:localhost"] = TO_CAROL
    assert "|OK|" in say(application, "OPTIONS sip:localhost SIP/2.0")


def test_a_transport_that_is_not_configured(world: World, application: RecordingApplication) -> None:
    for uri in (f"{CAROL};transport=ws", "sip:x@[::1]:5090"):
        world.network.routes[uri] = NoWay.NOT_AVAILABLE
        assert refusal(say(application, f"OPTIONS {uri} SIP/2.0")) == NoWay.NOT_AVAILABLE.reason


def test_an_external_address_stands_in_via_from_and_contact(
    world: World, application: RecordingApplication
) -> None:
    outside = Endpoint(UDP, "127.0.0.1", 5060, "9.9.9.9", "sip:9.9.9.9:5060")
    world.network.routes[CAROL] = Flow(UDP, "127.0.0.1", 5090, outside)
    answer = say(application, f"INVITE {CAROL} SIP/2.0", "To: <sip:you@localhost>")
    request = sent_by(answer)
    assert request.get("via").startswith("SIP/2.0/UDP 9.9.9.9:5060;")
    assert request.get("from").startswith("<sip:9.9.9.9:5060>;")
    assert request.get("contact") == "<sip:9.9.9.9:5060>"
    assert request.get("to") == "<sip:you@9.9.9.9:5060>"
    assert tokens_of(answer)[7] == "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("<sip:me@localhost>", "<sip:me@127.0.0.1:5060>;tag={}"),
        ("<sip:me@localhost:9999>;foo=bar", "<sip:me@127.0.0.1:5060>;foo=bar;tag={}"),
        ('"A B" <sip:me@localhost>', '"A B" <sip:me@127.0.0.1:5060>;tag={}'),
        ("sip:me@localhost", "<sip:me@127.0.0.1:5060>;tag={}"),
        ("sip:me@example.com;foo=bar", "<sip:me@example.com>;foo=bar;tag={}"),
        ("<sip:localhost>", "<sip:localhost>;tag={}"),
        ("<sip:me@localhost.example.com>", "<sip:me@localhost.example.com>;tag={}"),
        ("<sip:me@example.com>", "<sip:me@example.com>;tag={}"),
        ("15083084809", "<15083084809>;tag={}"),
        ("+15083084809;foo=bar", "<+15083084809>;foo=bar;tag={}"),
        ("<tel:+1508>", "<tel:+1508>;tag={}"),
        ("<sip:me@localhost>;tag=mine", "<sip:me@127.0.0.1:5060>;tag=mine"),
        ("15083084809;tag=mine", "<15083084809>;tag=mine"),
    ],
)
def test_the_from_is_the_applications(application: RecordingApplication, given: str, sent: str) -> None:
    request = sent_by(say(application, f"OPTIONS {CAROL} SIP/2.0", f"From: {given}"))
    assert request.get("from") == sent.format(request.from_tag)
    assert request.from_tag


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("From: <sip:me@example.com", "Error creating leg"),
        ("From: <<<", "Error creating leg"),
        ("From: ", "Error creating leg"),
        ("From: two words", "Error creating leg"),
        ("To: <<<", "Error creating leg"),
        ("To: <sip:you@localhost", "Error creating leg"),
        ("From: <sip:me@localhost", "invalid from value provided by client: <sip:me@localhost"),
    ],
)
def test_a_from_or_to_that_is_none(
    world: World, application: RecordingApplication, header: str, text: str
) -> None:
    assert refusal(say(application, f"OPTIONS {CAROL} SIP/2.0", header)) == text
    assert world.network.take() == []


def test_a_request_uri_with_headers_is_no_to(world: World, application: RecordingApplication) -> None:
    uri = f"{CAROL}?Subject=x"
    world.network.routes[uri] = TO_CAROL
    assert refusal(say(application, f"OPTIONS {uri} SIP/2.0")) == "Error creating leg"
    assert sent_by(say(application, f"OPTIONS {uri} SIP/2.0", f"To: <{CAROL}>")).uri == uri


def test_what_the_application_may_choose(application: RecordingApplication) -> None:
    request = sent_by(
        say(
            application,
            f"MESSAGE {CAROL} SIP/2.0",
            "To: <sip:you@example.com>;tag=yours",
            "Call-ID: my-call",
            "CSeq: 42 INVITE",
            "Max-Forwards: 3",
            "Contact: <sip:me@localhost>",
            "P-Asserted-Identity: <sip:me@localhost>",
            "Diversion: <sip:me@localhost>",
        )
    )
    assert request.get("to") == "<sip:you@example.com>;tag=yours"
    assert request.get("call-id") == "my-call"
    assert request.get("cseq") == "42 MESSAGE"
    assert request.get("max-forwards") == "3"
    assert request.get("contact") == "<sip:me@127.0.0.1:5060>"
    assert request.get("p-asserted-identity") == "<sip:me@127.0.0.1:5060>"
    assert request.get("diversion") == "<sip:me@localhost>"


@pytest.mark.parametrize(
    "header",
    [
        "Via: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bKxx",
        "Route: <sip:127.0.0.1:5099;lr>",
        "Record-Route: <sip:127.0.0.1:5099;lr>",
        "RSeq: 7",
        "Content-Length: 555",
        "Contact: <<<",
        "Expires: soon",
        "CSeq: abc",
        f"CSeq: {2**31} OPTIONS",
        f"CSeq: {'9' * 5000} OPTIONS",
        "Content-Type: ///",
        "Max-Forwards: many",
        "X A: 1",
    ],
)
def test_what_the_application_may_not(application: RecordingApplication, header: str) -> None:
    plain = sent_by(say(application, f"OPTIONS {CAROL} SIP/2.0"))
    odd = sent_by(say(application, f"OPTIONS {CAROL} SIP/2.0", header))
    assert [name for name, _ in odd.fields] == [name for name, _ in plain.fields]
    for name in ("max-forwards", "cseq", "content-length", "to"):
        assert odd.get(name) == plain.get(name)
    assert odd.get("via").startswith("SIP/2.0/UDP 127.0.0.1:5060;")


def test_a_body_needs_a_type(world: World, application: RecordingApplication) -> None:
    message = f"MESSAGE {CAROL} SIP/2.0"
    assert refusal(say(application, message, body="hi")) == "missing content-type"
    assert world.network.take() == []
    assert sent_by(say(application, message, body=SDP)).get("content-type") == "application/sdp"
    request = sent_by(say(application, message, "Content-Type: text/plain", body="h\xc3\xa9"))
    assert (request.body, request.get("content-length")) == ("h\xc3\xa9", "3")


def test_a_second_request_of_a_challenged_dialog(world: World, application: RecordingApplication) -> None:
    first = sent_by(say(application, f"REGISTER {CAROL} SIP/2.0", "Call-ID: c1", "From: <sip:a@b>;tag=t1"))
    again = sent_by(
        say(
            application,
            f"REGISTER {CAROL} SIP/2.0",
            "Call-ID: c1",
            "From: <sip:a@b>;tag=t1",
            f"CSeq: {first.cseq_number + 1} REGISTER",
            'Authorization: Digest username="u"',
        )
    )
    assert again.get("from") == first.get("from")
    assert again.cseq_number == first.cseq_number + 1
    assert again.get("via") != first.get("via")


@pytest.mark.parametrize(
    ("no_way", "status"),
    [(NoWay.NAME_UNKNOWN, 503), (NoWay.UNREACHABLE, 503), (NoWay.CONNECT_TIMEOUT, 408)],
)
@pytest.mark.parametrize(("method", "in_dialog"), [("INVITE", True), ("SUBSCRIBE", True), ("OPTIONS", False)])
def test_a_destination_that_cannot_be_reached(
    world: World, application: RecordingApplication, no_way: NoWay, status: int, method: str, in_dialog: bool
) -> None:
    uri = "sip:x@nosuch.invalid;transport=tcp"
    world.network.routes[uri] = no_way
    answer = say(application, f"{method} {uri} SIP/2.0")
    tokens = tokens_of(answer)
    assert tokens[3:9] == ["OK", "application", "0", "unknown", "", "0"]
    request = sent_by(answer)
    assert request.get("via") == ""
    assert request.get("from") == f"<sip:127.0.0.1:5060;transport=tcp>;tag={request.from_tag}"
    local = application.take_one()
    assert tokens_of(local)[1:7] == ["sip", "network", "0", "unknown", "", "0"]
    dialog_id = f"{request.get('call-id')};from-tag={request.from_tag}" if in_dialog else ""
    assert tokens_of(local)[8:] == [tokens[10], dialog_id, ""]
    response = parse_message(sip_of(local))
    assert response.start_line == f"SIP/2.0 {status} {no_way.reason}"
    assert response.to_tag
    assert response.get("cseq") == request.get("cseq")
    assert world.network.take() == []


def test_sips_without_tls(world: World, application: RecordingApplication) -> None:
    world.network.routes["sips:x@127.0.0.1:5091"] = NoWay.UNSUPPORTED_SCHEME
    answer = say(application, "OPTIONS sips:x@127.0.0.1:5091 SIP/2.0")
    assert tokens_of(answer)[3:7] == ["OK", "application", "0", "unknown"]
    assert sip_of(application.take_one()).startswith("SIP/2.0 416 Unsupported URI Scheme\r\n")


def test_an_ack_that_cannot_leave_has_no_response(application: RecordingApplication) -> None:
    answer = say(application, "ACK sip:x@nosuch.invalid SIP/2.0")
    assert tokens_of(answer)[3:6] == ["OK", "application", "0"]
    assert application.take() == []


def test_what_is_wrong_is_told_even_if_nothing_could_be_sent(
    world: World, application: RecordingApplication
) -> None:
    assert (
        refusal(say(application, "OPTIONS sip:x@nosuch.invalid SIP/2.0", "From: <<<")) == "Error creating leg"
    )
    assert application.take() == []


def test_the_application_goes_while_the_way_is_sought(
    world: World, application: RecordingApplication
) -> None:
    world.network.pending = []
    assert say(application, f"INVITE {CAROL} SIP/2.0", body=SDP) == ""
    application.leave()
    (proceed,) = world.network.pending
    proceed()
    assert world.network.take() == []


def test_the_answer_waits_for_the_way(world: World, application: RecordingApplication) -> None:
    world.network.pending = []
    assert say(application, f"OPTIONS {CAROL} SIP/2.0") == ""
    (proceed,) = world.network.pending
    proceed()
    assert tokens_of(application.take_one())[2:4] == ["m1", "OK"]


def test_nothing_is_smuggled_through_headers(application: RecordingApplication) -> None:
    for header in ("X-a: 1\nVia: evil", "X-a: 1\rRoute: <sip:evil>", "Call-ID: x\nVia: evil"):
        request = sent_by(say(application, f"OPTIONS {CAROL} SIP/2.0", header))
        assert len(request.all("via")) == 1
        assert request.get("route") == ""


def test_header_names_that_are_kept(worlds: object, world: World) -> None:
    kept = World(Settings(preserved_header_names=frozenset({"foo-bar"})))
    kept.network.routes[CAROL] = TO_CAROL
    request = sent_by(say(kept.application(), f"OPTIONS {CAROL} SIP/2.0", "foo-bar: 1"))
    assert "foo-bar: 1\r\n" in request.text
    kept.check_empty()


def test_the_endpoint_of_the_transport_is_named_where_there_is_one(
    world: World, application: RecordingApplication
) -> None:
    world.network.listening = (TCP_ENDPOINT,)
    request = sent_by(say(application, "OPTIONS sip:x@nosuch.invalid SIP/2.0"))
    assert request.get("from").startswith("<sip:127.0.0.1:5060;transport=tcp>;tag=")


@pytest.mark.parametrize("state", ["asked", "early", "up"])
@pytest.mark.parametrize("method", ["INVITE", "SUBSCRIBE"])
def test_the_dialog_id_of_another_application_is_its_own(world: World, state: str, method: str) -> None:
    mine, other = world.application("invite"), world.application()
    world.network.routes["sip:carol@127.0.0.1:5090"] = BY_UDP
    call = Call(world, mine)
    if state == "early":
        call.ring()
    elif state == "up":
        call.establish()
    world.network.take()
    text = (
        f"{method} sip:carol@127.0.0.1:5090 SIP/2.0\r\nCall-ID: {call.phone.call_id}\r\n"
        f"From: <sip:a@h>;tag={tag_of(call.phone.from_)}\r\n\r\n"
    )
    refused = other.say(f"sip||\r\n{text}")
    assert f"|NOK|dialog id is in use by another application: {call.dialog_id}" in refused
    assert world.network.take() == []
    mine.leave()
    world.network.take()
    if state == "up":
        call.phone.respond(sip_of(other.request(call.dialog_id, "BYE\r\n\r\n")))
    assert "|OK|" in other.say(f"sip||\r\n{text}"), "its owner is gone"
    world.advance(64)
    world.network.take()
    world.advance(64)


@pytest.mark.parametrize(
    ("uri", "refused"),
    [
        ("sip:a@example.com", True),
        ("sip:a@pbx.Example.com.:5090;transport=tcp", True),
        ("sips:a@example.com", True),
        ("sip:a@notexample.com", False),
        ("sip:a@example.com.org", False),
    ],
)
def test_what_goes_to_the_local_domain_would_come_back(
    worlds: Callable[[Settings], World], uri: str, refused: bool
) -> None:
    world = worlds(Settings(local_domain="example.com"))
    answer = say(world.application(), f"MESSAGE {uri} SIP/2.0")
    assert ("can not send request to myself" in answer) is refused
    world.network.take()


@pytest.mark.parametrize("transport", ["tcp", "tls", "ws", "wss"])
def test_a_request_over_a_connection_that_nobody_answers_is_told_to_the_network(
    world: World, application: RecordingApplication, transport: str
) -> None:
    uri = f"{CAROL};transport={transport}"
    world.network.routes[uri] = Flow(BY_TCP.transport, "127.0.0.1", 5090, TCP_ENDPOINT, connection=5)
    say(application, f"OPTIONS {uri} SIP/2.0")
    say(application, f"INVITE {uri} SIP/2.0", body=SDP)
    world.advance(31)
    assert world.network.silent == []
    world.advance(1.1)
    assert world.network.silent == [5, 5]
    world.network.take()
    application.take()
