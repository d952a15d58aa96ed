"""Responses to the application's requests outside dialogs, and what becomes of those that nobody answers."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Flow
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transport import UDP
from tests.core.world import BY_TCP, UDP_ENDPOINT, Phone, RecordingApplication, World, sip_of, tokens_of

CAROL = "sip:carol@127.0.0.1:5080"
TO_CAROL = Flow(UDP, "127.0.0.1", 5080, UDP_ENDPOINT)


@pytest.fixture
def application(world: World) -> RecordingApplication:
    world.network.routes[CAROL] = TO_CAROL
    return world.application()


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world)


def test_the_response_carries_the_transaction_id_of_the_echo(
    world: World, application: RecordingApplication, phone: Phone
) -> None:
    echo = application.say(f"sip||\r\nMESSAGE {CAROL} SIP/2.0\r\n\r\n")
    phone.respond(sip_of(echo), 202, "X-a: 1")
    frame = application.take_one()
    tokens = tokens_of(frame)
    assert tokens[1:7] == ["sip", "network", str(len(sip_of(frame))), "udp", "127.0.0.1", "5080"]
    assert tokens[8:] == [tokens_of(echo)[10], "", ""]
    assert sip_of(frame).startswith("SIP/2.0 202 Whatever\r\nVia: ")


def test_every_provisional_but_100_and_the_first_final(
    application: RecordingApplication, phone: Phone
) -> None:
    sent = sip_of(application.say(f"sip||\r\nREGISTER {CAROL} SIP/2.0\r\n\r\n"))
    for status in (100, 180, 180, 183, 401, 401, 200):
        phone.respond(sent, status)
    statuses = [sip_of(frame)[8:11] for frame in application.take()]
    assert statuses == ["180", "180", "183", "401"]


@pytest.mark.parametrize(
    ("method", "times"),
    [("INVITE", [0, 1, 3, 7, 15, 31]), ("OPTIONS", [0, 1, 3, 7, 11, 15, 19, 23, 27, 31])],
)
def test_nobody_answers(
    world: World, application: RecordingApplication, method: str, times: list[float]
) -> None:
    echo = application.say(f"sip||\r\n{method} {CAROL} SIP/2.0\r\n\r\n")
    world.advance(31.9)
    assert world.network.times(method) == times
    assert application.take() == []
    world.advance(0.2)
    local = application.take_one()
    request = parse_message(sip_of(echo))
    dialog_id = f"{request.get('call-id')};from-tag={request.from_tag}" if method == "INVITE" else ""
    assert tokens_of(local)[1:7] == ["sip", "network", "0", "udp", "", "0"]
    assert tokens_of(local)[8:] == [tokens_of(echo)[10], dialog_id, ""]
    response = parse_message(sip_of(local))
    assert response.start_line == "SIP/2.0 408 Request Timeout"
    for name in ("via", "from", "call-id", "cseq"):
        assert response.get(name) == request.get(name)
    assert response.get("to").startswith(f"{request.get('to')};tag=")


def test_over_tcp_nothing_is_repeated(world: World, application: RecordingApplication) -> None:
    world.network.routes[f"{CAROL};transport=tcp"] = BY_TCP
    application.say(f"sip||\r\nOPTIONS {CAROL};transport=tcp SIP/2.0\r\n\r\n")
    world.advance(33)
    assert len(world.network.take()) == 1
    assert sip_of(application.take_one()).startswith("SIP/2.0 408 ")


def test_a_response_after_the_application_has_gone(
    world: World, application: RecordingApplication, phone: Phone
) -> None:
    sent = sip_of(application.say(f"sip||\r\nOPTIONS {CAROL} SIP/2.0\r\n\r\n"))
    application.leave()
    world.network.take()
    assert phone.respond(sent) == []


def test_an_ack_has_no_transaction(world: World, application: RecordingApplication) -> None:
    application.say(f"sip||\r\nACK {CAROL} SIP/2.0\r\n\r\n")
    world.advance(33)
    assert len(world.network.take()) == 1
    assert application.take() == []


def test_a_to_tag_of_the_application_stays_in_a_local_response(
    world: World, application: RecordingApplication
) -> None:
    application.say(f"sip||\r\nOPTIONS {CAROL} SIP/2.0\r\nTo: <{CAROL}>;tag=yours\r\n\r\n")
    world.advance(33)
    assert parse_message(sip_of(application.take_one())).get("to") == f"<{CAROL}>;tag=yours"


def test_only_the_sender_hears_of_a_response(
    world: World, application: RecordingApplication, phone: Phone
) -> None:
    other = world.application("options")
    sent = sip_of(application.say(f"sip||\r\nOPTIONS {CAROL} SIP/2.0\r\n\r\n"))
    phone.respond(sent)
    assert other.take() == []
    assert len(application.take()) == 1
