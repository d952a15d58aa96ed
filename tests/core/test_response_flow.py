"""Responses whose connection is gone."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Flow, NoWay, Way
from reference_server.sip.transport import TCP
from tests.core.world import (
    BY_TCP,
    TCP_ENDPOINT,
    Call,
    Phone,
    RecordingApplication,
    World,
    sip_of,
    status_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

ANEW = Flow(TCP, "127.0.0.1", 5080, TCP_ENDPOINT, 2)
SENT_BY = "sip:127.0.0.1:5080;transport=tcp"


def arrived(world: World, method: str) -> tuple[RecordingApplication, str]:
    """An application with a request by a connection that is gone."""
    application = world.application(method.lower())
    Phone(world, flow=BY_TCP).send(method, "Contact: <sip:alice@127.0.0.1:5080>")
    world.network.take()
    world.network.broken.add(BY_TCP.connection)
    world.core.connection_lost(BY_TCP)
    return application, transaction_id_of(application.take_one())


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
def test_all_responses_go_by_the_new_connection(world: World, method: str) -> None:
    world.network.routes[SENT_BY] = ANEW
    application, transaction_id = arrived(world, method)
    world.network.pending = []
    assert application.answer(transaction_id, "SIP/2.0 180 Ringing\r\n\r\n") == ""
    assert application.answer(transaction_id, "SIP/2.0 486 Busy Here\r\n\r\n") == ""
    for opened in world.network.pending:
        opened()
    assert [(flow, status_of(text)) for _, flow, text in world.network.sent] == [(ANEW, 180), (ANEW, 486)]
    assert [tokens_of(echo)[3] for echo in application.take()] == ["OK", "OK"]
    assert world.network.opened == [SENT_BY] * 2


def test_it_is_tried_once(world: World) -> None:
    world.network.routes[SENT_BY] = ANEW
    application, transaction_id = arrived(world, "INVITE")
    assert tokens_of(application.answer(transaction_id, "SIP/2.0 180 Ringing\r\n\r\n"))[3] == "OK"
    world.network.broken.add(ANEW.connection)
    answer = application.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n")
    assert answer.endswith("|NOK|transport for response has been shutdown or closed")
    assert world.network.opened == [SENT_BY]


def test_nobody_takes_it(world: World) -> None:
    world.network.routes[SENT_BY] = NoWay.UNREACHABLE
    application, transaction_id = arrived(world, "OPTIONS")
    world.network.pending = []
    application.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n")
    (refused,) = world.network.pending
    refused()
    assert application.take_one().endswith("|NOK|Response not sent due to unknown transaction")
    assert world.core.occupancy()["pending requests"] == 0


@pytest.mark.parametrize("answer", [ANEW, NoWay.UNREACHABLE])
def test_an_application_that_goes_meanwhile(world: World, answer: Way) -> None:
    world.network.routes[SENT_BY] = answer
    application, transaction_id = arrived(world, "INVITE")
    world.network.pending = []
    application.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n")
    application.leave()
    for opened in world.network.pending:
        opened()
    assert 200 not in statuses_of(world.network.take())
    assert world.core.occupancy()["pending requests"] == 0


def test_an_answered_call_whose_connection_is_lost_stays_up(world: World) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP).establish()
    world.core.connection_lost(BY_TCP)
    assert world.core.occupancy()["dialogs by id"] == 1
    call.hang_up()


def test_so_does_what_the_server_itself_answers(world: World) -> None:
    world.network.routes[SENT_BY] = ANEW
    arrived(world, "INVITE")
    world.advance(64)
    assert [(flow, status_of(text)) for _, flow, text in world.network.sent] == [(ANEW, 504)]


def test_and_what_is_sent_until_it_is_acknowledged(world: World) -> None:
    world.network.routes[SENT_BY] = ANEW
    application = world.application("invite")
    phone = Phone(world, flow=BY_TCP)
    phone.invite("Supported: 100rel")
    transaction_id = transaction_id_of(application.take_one())
    described = "SIP/2.0 183 Session Progress\r\nRequire: 100rel\r\n\r\nv=0\r\n"
    progress = phone.learn(sip_of(application.answer(transaction_id, described)))
    world.network.broken.add(BY_TCP.connection)
    world.core.connection_lost(BY_TCP)
    assert application.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n") == ""  # waits for the PRACK
    world.network.take()
    world.advance(2)
    assert {flow for _, flow, _ in world.network.sent[1:]} == {ANEW}
    world.network.take()
    phone.flow = ANEW
    phone.send("PRACK", f"RAck: {progress.get('rseq')} 1 INVITE")
    assert [(flow, status_of(text)) for _, flow, text in world.network.sent] == [(ANEW, 200)]
    application.answer(transaction_id_of(application.take()[0]), "SIP/2.0 200 OK\r\n\r\n")
    phone.send("ACK")
    phone.send("BYE")
    application.answer(transaction_id_of(application.take()[-1]), "SIP/2.0 200 OK\r\n\r\n")
