"""Calls that an application begins, from the INVITE to the last BYE."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.sip.transport import UDP
from tests.core.uac.originated import CAROL, CONTACT, FLOW, Originated
from tests.core.world import (
    BY_TCP,
    SDP,
    UDP_ENDPOINT,
    World,
    sip_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

GONE = 'SIP;cause=480;text="Application disconnected"'


@pytest.fixture
def call(world: World) -> Originated:
    return Originated(world)


# Answered


def test_a_call(world: World, call: Originated) -> None:
    call.answer(100, tag="")
    assert call.application.take() == []
    call.answer(180, CONTACT)
    ringing = call.application.take_one()
    assert tokens_of(ringing)[8:] == [call.transaction_id, call.dialog_id, ""]
    assert call.answer(200, CONTACT) == []
    answered = call.application.take_one()
    assert tokens_of(answered)[8:] == [call.transaction_id, call.dialog_id, ""]
    ack = call.say("ACK", "X-a: 1")
    assert world.network.take() == [ack.text]
    assert ack.uri == CAROL
    assert ack.get("cseq") == f"{call.request.cseq_number} ACK"
    assert ack.get("to") == f"<{CAROL}>;tag=b1"
    assert ack.get("via") != call.request.get("via")
    assert ack.get("x-a") == "1"
    bye = call.say("BYE")
    assert bye.get("cseq") == f"{call.request.cseq_number + 1} BYE"
    call.answer(200, to=bye)
    ended = call.application.take_one()
    assert tokens_of(ended)[9] == call.dialog_id
    refused = call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    assert refused.endswith("|NOK|Server error: unable to find dialog for dialog id provided")


def test_an_ack_may_carry_the_answer_to_a_late_offer(world: World, call: Originated) -> None:
    call.answer(200, CONTACT)
    ack = call.say("ACK", body=SDP)
    assert (ack.body, ack.get("content-type")) == (SDP, "application/sdp")
    assert call.answer(200, CONTACT) == [ack.text]
    call.hang_up()


def test_a_repeated_200_before_and_after_the_ack(world: World, call: Originated) -> None:
    call.answer(200, CONTACT)
    call.application.take()
    assert call.answer(200, CONTACT) == []
    ack = call.say("ACK")
    world.network.take()
    assert call.answer(200, CONTACT) == [ack.text]
    assert call.application.take() == []
    call.hang_up()


@pytest.mark.parametrize("status", [202, 299])
def test_any_success_makes_the_call(call: Originated, status: int) -> None:
    call.answer(status, CONTACT)
    assert call.statuses() == [status]
    call.say("ACK")
    call.hang_up()


def test_a_far_end_without_contact_or_tag(world: World, call: Originated) -> None:
    call.answer(200, tag="")
    no_route = "Server error: unable to find route when sending request inside dialog for dialog id"
    answer = call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    assert answer.endswith(f"|NOK|{no_route} {call.dialog_id}")
    call.application.leave()


def test_the_far_end_hangs_up(world: World, call: Originated) -> None:
    call.establish()
    call.ask("BYE")
    frame = call.application.take_one()
    assert tokens_of(frame)[9] == call.dialog_id
    answer = call.application.answer(transaction_id_of(frame), "SIP/2.0 200 OK\r\n\r\n")
    assert statuses_of(world.network.take()) == [200]
    assert "|OK|" in answer
    assert statuses_of(call.ask("BYE")) == [481]


def test_the_far_end_hangs_up_before_the_ack(world: World, call: Originated) -> None:
    call.answer(200, CONTACT)
    call.application.take()
    call.ask("BYE")
    call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    answer = call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    assert "|NOK|Server error: ACK for non-success" in answer


def test_a_re_invite_of_the_application(world: World, call: Originated) -> None:
    call.establish()
    world.network.routes["sip:new@127.0.0.1:5080"] = FLOW
    again = call.say("INVITE", body=SDP)
    assert again.get("contact") == "<sip:127.0.0.1:5060>"
    assert again.cseq_number == call.request.cseq_number + 1
    call.answer(200, "Contact: <sip:new@127.0.0.1:5080>", to=again)
    assert call.statuses() == [200]
    ack = call.say("ACK")
    assert (ack.uri, ack.cseq_number) == ("sip:new@127.0.0.1:5080", again.cseq_number)
    assert call.answer(200, to=again) == [ack.text]
    call.hang_up()


def test_a_re_invite_of_the_far_end(world: World, call: Originated) -> None:
    call.establish()
    world.network.routes["sip:moved@127.0.0.1:5080"] = FLOW
    assert statuses_of(call.ask("INVITE", "Contact: <sip:moved@127.0.0.1:5080>")) == [100]
    frame = call.application.take_one()
    assert tokens_of(frame)[9] == call.dialog_id
    call.application.answer(transaction_id_of(frame), "SIP/2.0 200 OK\r\n\r\n")
    call.ask("ACK", cseq=call.cseq)
    assert sip_of(call.application.take_one()).startswith("ACK ")
    world.network.take()
    assert call.say("INFO").uri == "sip:moved@127.0.0.1:5080"
    call.hang_up()
    world.advance(33)


def test_the_route_set_is_the_reversed_record_route_of_the_2xx(world: World, call: Originated) -> None:
    near = Flow(UDP, "127.0.0.3", 5070, UDP_ENDPOINT)
    world.network.routes["sip:near@127.0.0.3:5070;lr"] = near
    call.answer(183, CONTACT, "Record-Route: <sip:other.invalid;lr>")
    call.answer(200, CONTACT, "Record-Route: <sip:far.invalid;lr>, <sip:near@127.0.0.3:5070;lr>")
    world.network.take()
    ack = call.say("ACK")
    assert ack.all("route") == ["<sip:near@127.0.0.3:5070;lr>", "<sip:far.invalid;lr>"]
    assert [flow for _, flow, _ in world.network.sent] == [near]
    call.flow = near
    call.hang_up()


def test_a_strict_router(world: World, call: Originated) -> None:
    world.network.routes["sip:127.0.0.3:5070"] = Flow(UDP, "127.0.0.3", 5070, UDP_ENDPOINT)
    call.answer(200, CONTACT, "Record-Route: <sip:127.0.0.3:5070>")
    ack = call.say("ACK")
    assert (ack.uri, ack.all("route")) == ("sip:127.0.0.3:5070", [f"<{CAROL}>"])
    call.hang_up()


def test_requests_go_to_the_contact(world: World, call: Originated) -> None:
    elsewhere = Flow(UDP, "127.0.0.1", 5085, UDP_ENDPOINT)
    world.network.routes["sip:carol@127.0.0.1:5085"] = elsewhere
    call.answer(200, "Contact: <sip:carol@127.0.0.1:5085>")
    world.network.take()
    call.say("ACK")
    assert [flow for _, flow, _ in world.network.sent] == [elsewhere]
    call.hang_up()


def test_a_contact_of_another_host_is_behind_a_nat(world: World, call: Originated) -> None:
    call.answer(200, "Contact: <sip:carol@10.0.0.7:5060>")
    world.network.take()
    assert call.say("ACK").uri == "sip:carol@10.0.0.7:5060"
    assert [flow for _, flow, _ in world.network.sent] == [FLOW]
    call.hang_up()


def test_over_tcp_the_connection_is_used_again(world: World) -> None:
    call = Originated(world, uri=f"{CAROL};transport=tcp", flow=BY_TCP).establish()
    bye = call.say("BYE")
    assert bye.get("via").startswith("SIP/2.0/TCP ")
    assert [flow for _, flow, _ in world.network.sent] == [BY_TCP]
    call.answer(200, to=bye)


def test_the_applications_ids_are_the_dialogs(worlds: Callable[[Settings | None], World]) -> None:
    world = worlds(Settings(dialect_0_8=True))
    call = Originated(world, "INVITE", "Call-ID: a|b", "From: <sip:a@b>;tag=t")
    call.answer(486)
    assert tokens_of(call.application.take_one())[9:12] == ["a%7Cb;uac", ""]


def test_a_bar_in_an_id_does_not_shift_the_tokens(world: World) -> None:
    call = Originated(world, "INVITE", "Call-ID: a|b", "From: <sip:a@b>;tag=t")
    call.answer(486)
    assert tokens_of(call.application.take_one())[9:] == ["a%7Cb;from-tag=t", ""]


# Refused


@pytest.mark.parametrize("status", [302, 401, 407, 486, 503, 603])
def test_a_refusal_is_acknowledged_by_the_server(world: World, call: Originated, status: int) -> None:
    call.answer(180, CONTACT)
    (ack,) = call.answer(status)
    acknowledged = call.parsed(ack)
    assert acknowledged.start_line == f"ACK {CAROL} SIP/2.0"
    for name in ("via", "from", "call-id"):
        assert acknowledged.get(name) == call.request.get(name)
    assert acknowledged.to_tag == "b1"
    assert call.answer(status) == [ack]
    assert call.statuses() == [180, status]
    answer = call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    text = "Server error: ACK for non-success final response is automatically generated by server"
    assert answer.endswith(f"|NOK|{text}")


def test_a_challenged_call_is_made_again(world: World) -> None:
    call = Originated(world, "INVITE", "Call-ID: c1", "From: <sip:me@localhost>;tag=t1")
    call.answer(407, 'Proxy-Authenticate: Digest realm="r", nonce="n"')
    again = Originated(
        world,
        "INVITE",
        "Call-ID: c1",
        "From: <sip:me@localhost>;tag=t1",
        f"CSeq: {call.request.cseq_number + 1} INVITE",
        'Proxy-Authorization: Digest username="u"',
        application=call.application,
    )
    assert again.dialog_id == call.dialog_id
    assert again.request.cseq_number == call.request.cseq_number + 1
    call.application.take()
    again.answer(200, CONTACT)
    call.answer(407, "X-late: 1")
    assert call.statuses() == [200]
    again.say("ACK")
    again.hang_up()


def test_nobody_answers(world: World, call: Originated) -> None:
    world.advance(33)
    local = call.application.take_one()
    assert sip_of(local).startswith("SIP/2.0 408 Request Timeout\r\n")
    assert tokens_of(local)[8:] == [call.transaction_id, call.dialog_id, ""]
    assert "|NOK|unable to cancel unknown transaction id: " in call.cancel()


# The application goes


def test_a_late_200_for_an_application_that_is_gone(world: World, call: Originated) -> None:
    call.answer(180, CONTACT)
    call.application.leave()
    ack, bye = call.answer(200, CONTACT)
    assert ack.startswith(f"ACK {CAROL} SIP/2.0\r\n")
    assert call.parsed(bye).get("reason") == GONE
    assert call.answer(200, CONTACT) == [ack]
    call.answer(200, to=call.parsed(bye))


def test_the_application_goes_before_its_ack(world: World, call: Originated) -> None:
    call.answer(200, CONTACT)
    call.application.leave()
    ack, bye = world.network.take()
    assert call.parsed(ack).cseq_number == call.request.cseq_number
    assert call.parsed(bye).get("reason") == GONE
    call.answer(200, to=call.parsed(bye))


def test_the_application_goes_in_the_call(world: World, call: Originated) -> None:
    call.establish()
    call.application.leave()
    assert world.network.take() == []
    call.application = world.application()
    call.hang_up()


def test_the_200_comes_again_while_the_way_of_our_ack_is_sought(world: World, call: Originated) -> None:
    world.network.routes["sip:127.0.0.3:5070;lr"] = FLOW
    call.answer(180)
    call.application.leave()
    world.network.pending = []
    assert call.answer(200, CONTACT, "Record-Route: <sip:127.0.0.3:5070;lr>") == []
    assert call.answer(200, CONTACT, "Record-Route: <sip:127.0.0.3:5070;lr>") == []
    for proceed in world.network.pending:
        proceed()
    ack, bye = world.network.take()
    assert ack.startswith("ACK ")
    call.answer(200, to=call.parsed(bye))


# What makes no dialog


@pytest.mark.parametrize("method", ["OPTIONS", "MESSAGE", "REGISTER", "PUBLISH", "REFER"])
def test_other_requests_make_no_dialog(world: World, method: str) -> None:
    request = Originated(world, method)
    request.answer(200, CONTACT)
    assert tokens_of(request.application.take_one())[9] == ""
    assert world.core.occupancy()["dialogs by key"] == 0


def test_an_answer_that_crosses_a_bye_in_the_early_dialog_is_hung_up(world: World) -> None:
    call = Originated(world)
    call.answer(180, CONTACT)
    call.answer(200, to=call.say("BYE"))
    call.application.take()
    ack, bye = (call.parsed(text) for text in call.answer(200, CONTACT))
    assert ack.method == "ACK"
    assert bye.get("reason") == 'SIP;cause=481;text="Call does not exist"'
    assert sip_of(call.application.take_one()).startswith("SIP/2.0 480 ")
    call.answer(200, to=bye)
