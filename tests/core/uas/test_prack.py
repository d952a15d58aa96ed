"""PRACKs from the network (RFC 3262 §3): who answers them, and which are refused (REL-2, REL-3, REL-6)."""

from __future__ import annotations

import pytest

from reference_server.sip.messages.message import parse_message
from tests.core.uas.reliable_call import OK, ReliableCall
from tests.core.world import (
    SDP,
    Call,
    World,
    sip_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)


@pytest.fixture
def call(world: World) -> ReliableCall:
    return ReliableCall(world)


def test_a_prack_goes_to_the_application_which_answers_it(call: ReliableCall) -> None:
    response = call.progress()
    call.world.advance(0.5)
    assert call.world.network.take() == [response.text]
    text = call.phone.text("PRACK", f"RAck: {response.get('rseq')} 1 INVITE")
    assert call.world.receive(text) == []
    tokens = tokens_of(call.application.take_one())
    assert tokens[1:7] == ["sip", "network", str(len(text)), "udp", "127.0.0.1", "5080"]
    assert tokens[8] != call.transaction_id
    assert tokens[9:] == [call.phone.dialog_id, ""]
    echo = call.application.answer(tokens[8], OK)
    assert tokens_of(echo)[6] == ""
    assert tokens_of(echo)[10:] == [tokens[8], call.phone.dialog_id, "", "Msg sent:", ""]
    assert statuses_of(call.world.network.take()) == [200]
    call.world.advance(40)
    assert call.world.network.take() == [], "it is not repeated any more"
    call.refuse()


def test_bodies_of_prack_and_its_answer_pass(call: ReliableCall) -> None:
    response = call.progress()
    rack = f"RAck: {response.get('rseq')} 1 INVITE"
    call.phone.send("PRACK", rack, body=SDP.replace("20400", "20500"))
    delivered = call.application.take_one()
    assert parse_message(sip_of(delivered)).body == SDP.replace("20400", "20500")
    echo = call.application.answer(transaction_id_of(delivered), f"SIP/2.0 200 OK\r\n\r\n{SDP}")
    assert parse_message(sip_of(echo)).body == SDP
    assert parse_message(sip_of(echo)).get("content-type") == "application/sdp"
    call.refuse()


def test_a_repeated_prack_is_absorbed(call: ReliableCall) -> None:
    response = call.progress()
    text = call.phone.text("PRACK", f"RAck: {response.get('rseq')} 1 INVITE")
    assert call.world.receive(text) == []
    assert call.world.receive(text) == []
    call.answer_prack()
    answer = call.world.network.take()
    assert statuses_of(answer) == [200]
    assert call.world.receive(text) == answer
    call.refuse()


def test_another_prack_of_the_same_response_reaches_the_application(call: ReliableCall) -> None:
    response = call.progress()
    call.prack(response)
    call.answer_prack()
    call.prack(response)
    assert sip_of(call.application.payloads[-1]).startswith("PRACK ")
    call.answer_prack()
    call.refuse()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("RAck: 999 1 INVITE", 481),
        ("RAck: {number} 2 INVITE", 481),
        ("RAck: {number} 1 UPDATE", 481),
        ("RAck: {next} 1 INVITE", 481),
        ("X-a: 1", 400),
        ("RAck: x 1 INVITE", 400),
    ],
)
def test_a_prack_that_acknowledges_nothing(call: ReliableCall, line: str, status: int) -> None:
    response = call.progress()
    number = int(response.get("rseq"))
    filled = line.format(number=number, next=number + 1)
    assert statuses_of(call.phone.send("PRACK", filled)) == [status]
    assert call.application.take() == []
    call.world.advance(0.5)
    assert response.text in call.world.network.take(), "still repeated"
    call.prack(response)
    call.answer_prack()
    call.refuse()


def test_without_any_reliable_response_a_prack_is_the_applications(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.send("PRACK", "RAck: 1 1 INVITE")
    delivered = call.application.take_one()
    assert sip_of(delivered).startswith("PRACK ")
    call.application.answer(transaction_id_of(delivered), OK)
    call.hang_up()


def test_a_prack_out_of_order_is_refused_as_any_request(call: ReliableCall) -> None:
    response = call.progress()
    call.phone.send("UPDATE", cseq=7)
    call.answer_prack()
    call.world.network.take()
    assert statuses_of(call.prack(response)) == [500]
    call.refuse()


def test_a_silent_applications_prack_ends_with_504(call: ReliableCall) -> None:
    call.prack(call.progress())
    call.world.advance(31.5)
    assert statuses_of(call.world.network.take()) == [504]
    call.refuse()


def test_a_late_prack_of_a_demanded_response_is_the_servers(world: World) -> None:
    call = ReliableCall(world, "Require: 100rel")
    first = call.progress(180, reliable=False, body="")
    call.progress(200, reliable=False)
    assert statuses_of(call.prack(first)) == [200]
    assert call.application.take() == []
    call.hang_up()
