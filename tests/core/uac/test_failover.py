"""RFC 3263 §4.3: the next address of a name when one is of no use."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Flow
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.transport import TCP, UDP
from tests.core.world import (
    TCP_ENDPOINT,
    UDP_ENDPOINT,
    Phone,
    RecordingApplication,
    World,
    sip_of,
    status_of,
    tokens_of,
    transaction_id_of,
)

CAROL = "sip:carol@example.com"
FIRST = Flow(UDP, "127.0.0.2", 5060, UDP_ENDPOINT)
SECOND = Flow(UDP, "127.0.0.3", 5060, UDP_ENDPOINT)
THIRD = Flow(TCP, "127.0.0.4", 5060, TCP_ENDPOINT, 7)


@pytest.fixture
def application(world: World) -> RecordingApplication:
    world.network.routes[CAROL] = FIRST
    world.network.alternatives[CAROL] = [SECOND, THIRD]
    return world.application()


def begin(world: World, application: RecordingApplication, method: str = "OPTIONS") -> str:
    """Send a request; returns its transaction id."""
    echo = application.say(f"sip||\r\n{method} {CAROL} SIP/2.0\r\nX-A: 1\r\n\r\n")
    return tokens_of(echo)[10]


def sent(world: World) -> tuple[Flow, Request]:
    """The one request that went out, ACKs excepted."""
    requests = [(flow, text) for _, flow, text in world.network.sent if not text.startswith("ACK")]
    world.network.take()
    ((flow, text),) = requests
    request = parse_message(text)
    assert isinstance(request, Request)
    return flow, request


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE", "SUBSCRIBE", "REGISTER"])
def test_503_leads_to_the_next_address(world: World, application: RecordingApplication, method: str) -> None:
    transaction_id = begin(world, application, method)
    flow, first = sent(world)
    assert flow is FIRST
    Phone(world, flow=FIRST).respond(first.text, 503)
    flow, second = sent(world)
    assert flow is SECOND
    assert application.take() == []
    one, other = first.text.split("\r\n"), second.text.split("\r\n")
    assert [number for number in range(len(one)) if one[number] != other[number]] == [1]
    assert second.get("via").startswith("SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK")
    Phone(world, flow=SECOND).respond(second.text, 503)
    flow, third = sent(world)
    assert flow is THIRD
    assert third.get("via").startswith("SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK")
    Phone(world, flow=THIRD).respond(third.text, 486)
    payload = application.take_one()
    assert status_of(sip_of(payload)) == 486
    assert transaction_id_of(payload) == transaction_id


def test_the_last_word_is_the_last_address_s(world: World, application: RecordingApplication) -> None:
    begin(world, application)
    for flow in (FIRST, SECOND, THIRD):
        went, request = sent(world)
        assert went is flow
        Phone(world, flow=flow).respond(request.text, 503, f"X-Of: {flow.remote_host}")
    (payload,) = application.take()
    assert parse_message(sip_of(payload)).get("x-of") == "127.0.0.4"
    assert world.network.take() == []


def test_a_closed_port_and_silence_lead_on(world: World, application: RecordingApplication) -> None:
    begin(world, application, "INVITE")
    _, first = sent(world)
    world.core.undelivered(first.text)
    flow, _ = sent(world)
    assert flow is SECOND
    world.advance(32)
    flow, _ = [(flow, text) for _, flow, text in world.network.sent][-1]
    assert flow is THIRD
    assert application.take() == []
    world.core.connection_lost(THIRD)
    assert status_of(sip_of(application.take_one())) == 503


@pytest.mark.parametrize("status", [486, 500, 408, 302, 603])
def test_other_failures_are_answers(world: World, application: RecordingApplication, status: int) -> None:
    begin(world, application)
    _, request = sent(world)
    Phone(world, flow=FIRST).respond(request.text, status)
    assert status_of(sip_of(application.take_one())) == status
    assert world.network.take() == []


def test_what_rang_at_the_first_address_is_over(world: World, application: RecordingApplication) -> None:
    begin(world, application, "INVITE")
    _, first = sent(world)
    phone = Phone(world, flow=FIRST)
    ringing = first.text.replace("To: <sip:carol@example.com>", "To: <sip:carol@example.com>;tag=a")
    phone.respond(ringing, 180, "Contact: <sip:carol@127.0.0.2>")
    dialog = tokens_of(application.take_one())[9]
    assert world.core.occupancy()["dialogs by id"] == 1
    phone.respond(ringing, 503)
    _, second = sent(world)
    assert world.core.occupancy()["dialogs by id"] == 0
    answered = second.text.replace("To: <sip:carol@example.com>", "To: <sip:carol@example.com>;tag=b")
    world.network.routes["sip:carol@127.0.0.3"] = SECOND
    Phone(world, flow=SECOND).respond(answered, 200, "Contact: <sip:carol@127.0.0.3>")
    payload = application.take_one()
    assert (status_of(sip_of(payload)), tokens_of(payload)[9]) == (200, dialog)
    application.request(dialog, "ACK sip:placeholder SIP/2.0\r\n\r\n")
    application.request(dialog, "BYE sip:placeholder SIP/2.0\r\n\r\n")
    bye = world.network.take()[-1]
    Phone(world, flow=SECOND).respond(bye)


def test_a_cancelled_call_is_not_sent_on(world: World, application: RecordingApplication) -> None:
    transaction_id = begin(world, application, "INVITE")
    _, first = sent(world)
    application.say(f"sip|{transaction_id}|\r\nCANCEL {CAROL} SIP/2.0\r\n\r\n")
    Phone(world, flow=FIRST).respond(first.text, 503)
    assert [text for text in world.network.take() if not text.startswith("ACK")] == []
    assert status_of(sip_of(application.take_one())) == 503


def test_a_call_that_is_cancelled_while_the_next_address_is_sought(
    world: World, application: RecordingApplication
) -> None:
    transaction_id = begin(world, application, "INVITE")
    _, first = sent(world)
    world.network.pending = []
    world.core.undelivered(first.text)
    application.say(f"sip|{transaction_id}|\r\nCANCEL {CAROL} SIP/2.0\r\n\r\n")
    (answer,) = world.network.pending
    answer()
    assert world.network.take() == []
    assert status_of(sip_of(application.take_one())) == 503


def test_nothing_is_sent_on_for_an_application_that_is_gone(
    world: World, application: RecordingApplication
) -> None:
    begin(world, application)
    _, first = sent(world)
    application.leave()
    world.core.undelivered(first.text)
    assert world.network.take() == []


def test_a_literal_address_has_no_next(world: World) -> None:
    world.network.routes["sip:carol@127.0.0.2"] = FIRST
    world.network.alternatives["sip:carol@127.0.0.2"] = [SECOND]
    application = world.application()
    application.say("sip||\r\nOPTIONS sip:carol@127.0.0.2 SIP/2.0\r\n\r\n")
    _, request = sent(world)
    Phone(world, flow=FIRST).respond(request.text, 503)
    assert status_of(sip_of(application.take_one())) == 503
    assert world.network.take() == []
