"""What becomes of requests whose transport failed."""

from __future__ import annotations

import pytest

from reference_server.sip.messages.message import parse_message
from tests.core.world import BY_TCP, BY_UDP, Call, Phone, RecordingApplication, World, sip_of, status_of

BOB = "sip:bob@127.0.0.1:5080"
BOB_BY_TCP = f"{BOB};transport=tcp"


def _send(world: World, method: str, uri: str) -> tuple[RecordingApplication, str]:
    """An application and the request that it has sent."""
    world.network.routes[BOB] = BY_UDP
    world.network.routes[BOB_BY_TCP] = BY_TCP
    application = world.application()
    sent = sip_of(application.say(f"sip||\r\n{method} {uri} SIP/2.0\r\n\r\n"))
    assert world.network.take() == [sent]
    return application, sent


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
@pytest.mark.parametrize("cut", [0, 150])
def test_a_request_that_comes_back_is_answered_503(world: World, method: str, cut: int) -> None:
    application, sent = _send(world, method, BOB)
    world.core.undelivered(sent[: cut or len(sent)])
    assert status_of(sip_of(application.take_one())) == 503
    world.advance(64)
    assert world.network.take() == []


@pytest.mark.parametrize(
    "beginning",
    [
        "",
        "OPTIONS",
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=BRANCH\r\n",
        "INVITE sip:bob@127.0.0.1:5080 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=BRANCH\r\n",
        "OPTIONS sip:bob@127.0.0.1:5080 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=BRANC",
        "OPTIONS sip:bob@127.0.0.1:5080 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKguess\r\n",
    ],
)
def test_what_does_not_name_the_branch_proves_nothing(world: World, beginning: str) -> None:
    application, sent = _send(world, "OPTIONS", BOB)
    branch = parse_message(sent).get("via").partition("branch=")[2]
    world.core.undelivered(beginning.replace("BRANCH", branch).replace("BRANC", branch[:-1]))
    assert application.take() == []
    world.advance(32)
    assert status_of(sip_of(application.take_one())) == 408


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
@pytest.mark.parametrize("provisional", [0, 100, 180])
def test_a_lost_connection_answers_503_at_once(world: World, method: str, provisional: int) -> None:
    application, sent = _send(world, method, BOB_BY_TCP)
    if provisional:
        Phone(world, flow=BY_TCP).respond(sent, provisional)
        application.take()
    world.core.connection_lost(BY_TCP)
    assert status_of(sip_of(application.take_one())) == 503
    assert world.core.occupancy()["outgoing INVITEs"] == 0


def test_other_connections_and_answered_requests_are_not_touched(world: World) -> None:
    application, sent = _send(world, "OPTIONS", BOB_BY_TCP)
    other = "sip:carol@127.0.0.1:5090;transport=tcp"
    world.network.routes[other] = type(BY_TCP)(BY_TCP.transport, "127.0.0.1", 5090, BY_TCP.local, 2)
    application.say(f"sip||\r\nOPTIONS {other} SIP/2.0\r\n\r\n")
    Phone(world, flow=BY_TCP).respond(sent, 200)
    assert status_of(sip_of(application.take_one())) == 200
    world.core.connection_lost(BY_TCP)
    assert application.take() == []
    world.advance(32)
    assert status_of(sip_of(application.take_one())) == 408


def test_a_connection_that_is_lost_while_sending(world: World) -> None:
    world.network.broken.add(BY_TCP.connection)
    application, _ = _send(world, "INVITE", BOB_BY_TCP)
    assert application.take() == []
    world.advance(0)
    assert status_of(sip_of(application.take_one())) == 503


def test_an_invite_in_a_call_whose_connection_is_lost(world: World) -> None:
    application = world.application("invite")
    call = Call(world, application, flow=BY_TCP).establish()
    application.request(call.dialog_id, "INVITE sip:placeholder SIP/2.0\r\n\r\n")
    world.core.connection_lost(BY_TCP)
    assert status_of(sip_of(application.take_one())) == 503
    assert world.core.occupancy()["dialogs by id"] == 1
    call.hang_up()
