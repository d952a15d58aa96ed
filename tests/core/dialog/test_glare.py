"""Requests that change a session and cross one another."""

from __future__ import annotations

import re

import pytest

from reference_server.core.uac.in_dialog_request import CALL_IS_GONE, SUBSCRIPTION_IS_GONE
from tests.core.uac.originated import CONTACT, Originated
from tests.core.world import (
    SDP,
    Call,
    World,
    sip_of,
    status_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

OK = "SIP/2.0 200 OK\r\n\r\n"
RE_INVITE = f"INVITE sip:placeholder SIP/2.0\r\n\r\n{SDP}"
UNKNOWN_CALL = 'Reason: SIP;cause=481;text="Call does not exist"\r\n'


@pytest.fixture
def call(world: World) -> Call:
    """A call that the far end began."""
    return Call(world, world.application("invite")).establish()


def asked(call: Call, text: str = RE_INVITE) -> str:
    """A request of the application as sent."""
    return sip_of(call.application.request(call.dialog_id, text))


# Re-INVITEs


def test_491_while_ours_is_open(world: World, call: Call) -> None:
    ours = asked(call)
    assert statuses_of(call.phone.invite()) == [100, 491]
    call.phone.send("ACK", same=True)
    assert call.application.take() == []
    call.phone.respond(ours, 180)
    assert statuses_of(call.phone.invite()) == [100, 491]
    call.phone.respond(ours, 488)
    assert statuses_of(call.phone.invite()) == [100]
    call.application.take()
    call.hang_up()


def test_491_for_us_leaves_the_call(world: World, call: Call) -> None:
    ours = asked(call)
    (ack,) = call.phone.respond(ours, 491)
    assert ack.startswith("ACK ")
    assert "SIP/2.0 491 " in call.application.take_one()
    call.phone.respond(asked(call), 200)
    call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    call.application.take()
    call.hang_up()


def test_500_while_the_one_before_is_open(world: World, call: Call) -> None:
    call.phone.invite()
    first = transaction_id_of(call.application.take_one())
    seconds = set()
    for _ in range(60):
        trying, refused = call.phone.invite()
        assert (status_of(trying), status_of(refused)) == (100, 500)
        (found,) = re.findall(r"\r\nRetry-After: (\d+)\r\n", refused)
        seconds.add(int(found))
        call.phone.send("ACK", same=True)
    assert seconds == set(range(11))
    call.application.answer(first, "SIP/2.0 488 Not Acceptable Here\r\n\r\n")
    call.hang_up()


def test_500_in_an_early_dialog(world: World) -> None:
    call = Call(world, world.application("invite")).ring()
    assert statuses_of(call.phone.invite()) == [100, 500]
    call.application.answer(call.transaction_id, "SIP/2.0 486 Busy Here\r\n\r\n")


def test_491_in_an_early_dialog_that_our_invite_began(world: World) -> None:
    call = Originated(world)
    call.answer(180, CONTACT)
    assert statuses_of(call.ask("INVITE", CONTACT)) == [100, 491]
    call.answer(486)
    assert call.statuses() == [180, 486]


def test_a_re_invite_that_rings_is_not_waited_for_without_end(world: World, call: Call) -> None:
    call.phone.invite()
    second = transaction_id_of(call.application.take_one())
    call.application.answer(second, "SIP/2.0 180 Ringing\r\n\r\n")
    world.advance(100)
    call.application.answer(second, "SIP/2.0 180 Ringing\r\n\r\n")
    world.network.take()
    world.advance(184)
    assert world.network.take() == []
    world.advance(1)
    (refused,) = world.network.take()
    assert status_of(refused) == 504
    assert "|NOK|" in call.application.answer(second, OK)
    call.hang_up()


def test_a_first_invite_may_ring_for_half_an_hour(world: World) -> None:
    call = Call(world, world.application("invite")).ring()
    world.network.take()
    world.advance(1799)
    assert world.network.take() == []
    world.advance(1)
    assert statuses_of(world.network.take()) == [504]
    assert world.core.occupancy()["dialogs by id"] == 0
    assert "|NOK|" in call.application.answer(call.transaction_id, OK)


# Cancelling ours


def test_ours_is_cancelled_by_its_transaction_id(world: World, call: Call) -> None:
    echo = call.application.request(call.dialog_id, RE_INVITE)
    ours, transaction_id = sip_of(echo), tokens_of(echo)[10]
    world.network.take()
    held = call.application.say(f"sip|{transaction_id}|\r\nCANCEL sip:x SIP/2.0\r\nX-a: 1\r\n\r\n")
    assert tokens_of(held)[3:6] == ["OK", "application", "0"]
    (cancel,) = call.phone.respond(ours, 100)
    assert cancel == sip_of(held)
    assert cancel.startswith("CANCEL sip:alice@127.0.0.1:5080 SIP/2.0\r\n")
    assert "X-a: 1\r\n" in cancel
    call.phone.respond(cancel, 200)
    call.phone.respond(ours, 487)
    assert "SIP/2.0 487 " in call.application.take_one()
    call.hang_up()


def test_ours_is_accepted_although_it_is_cancelled(world: World, call: Call) -> None:
    echo = call.application.request(call.dialog_id, RE_INVITE)
    ours = sip_of(echo)
    call.phone.respond(ours, 100)
    call.application.say(f"sip|{tokens_of(echo)[10]}|\r\nCANCEL sip:x SIP/2.0\r\n\r\n")
    call.phone.respond(ours, 200)
    world.network.take()
    call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    assert [text.split(" ")[0] for text in world.network.take()] == ["ACK"], "the call goes on"
    call.application.take()
    call.hang_up()


def test_a_cancel_takes_the_route_of_its_invite(world: World) -> None:
    call = Originated(world)
    world.network.routes["sip:127.0.0.1:5099;lr"] = call.flow
    call.establish("Record-Route: <sip:127.0.0.1:5099;lr>")
    ours = call.say("INVITE", body=SDP)
    call.answer(100, to=ours)
    (transaction_id,) = world.core.uac.invites
    cancel = sip_of(call.application.say(f"sip|{transaction_id}|\r\nCANCEL sip:x SIP/2.0\r\n\r\n"))
    assert "\r\nRoute: <sip:127.0.0.1:5099;lr>\r\n" in cancel
    call.answer(487, to=ours)
    call.hang_up()


def test_silence_after_a_provisional_response(world: World, call: Call) -> None:
    call.phone.respond(asked(call), 180)
    world.advance(184)
    assert world.network.times("CANCEL") == []
    world.advance(1 + 32)
    response, unsolicited = [sip_of(text) for text in call.application.take()][1:]
    assert response.startswith("SIP/2.0 408 ")
    assert unsolicited.startswith("BYE ")
    assert UNKNOWN_CALL in unsolicited
    assert world.network.times("CANCEL") != []


# The application is gone


def test_gone_while_ours_is_open(world: World, call: Call) -> None:
    ours = asked(call)
    call.phone.respond(ours, 180)
    call.application.take()
    world.network.take()
    call.application.leave()
    (cancel,) = world.network.take()
    assert 'text="Application disconnected"' in cancel
    call.phone.respond(cancel, 200)
    call.phone.respond(ours, 487)
    assert world.core.occupancy()["dialogs by id"] == 1  # the call itself waits for an heir (CONN-4)
    call.phone.send("BYE")


def test_gone_and_ours_is_accepted(world: World, call: Call) -> None:
    ours = asked(call)
    call.phone.respond(ours, 180)
    call.application.leave()
    world.network.take()
    ack, bye = call.phone.respond(ours, 200)
    assert ack.startswith("ACK ")
    assert 'text="Application disconnected"' in bye
    assert call.phone.respond(ours, 200) == [ack]


# After the call


def test_accepted_when_the_call_is_over(world: World, call: Call) -> None:
    ours = asked(call)
    call.phone.respond(ours, 100)
    call.hang_up()
    call.application.take()
    (ack,) = call.phone.respond(ours, 200)
    assert ack.startswith("ACK sip:alice@127.0.0.1:5080 SIP/2.0\r\n")
    assert "CSeq: 2 ACK\r\n" in ack
    assert "SIP/2.0 200 " in call.application.take_one()
    assert call.phone.respond(ours, 200) == [ack]


def test_a_way_that_is_found_when_the_call_is_over(world: World) -> None:
    call = Originated(world)
    call.establish()
    world.network.pending = []
    said = call.application.request(call.dialog_id, "INFO sip:x SIP/2.0\r\n\r\n")
    assert said == ""
    call.ask("BYE")
    call.application.answer(transaction_id_of(call.application.take_one()), OK)
    world.network.take()
    (answer,) = world.network.pending
    answer()
    assert "|NOK|Server error: unable to find dialog" in call.application.take_one()
    assert world.network.take() == []


# UPDATE


def test_updates_one_after_another(world: World, call: Call) -> None:
    call.phone.send("UPDATE", body=SDP)
    first = transaction_id_of(call.application.take_one())
    (refused,) = call.phone.send("UPDATE", body=SDP)
    assert status_of(refused) == 500
    assert "\r\nRetry-After: " in refused
    call.application.answer(first, OK)
    assert call.phone.send("UPDATE") == []
    call.application.answer(transaction_id_of(call.application.take_one()), OK)
    call.hang_up()


@pytest.mark.parametrize("ours", [RE_INVITE, f"UPDATE sip:x SIP/2.0\r\n\r\n{SDP}"])
def test_an_update_with_an_offer_while_ours_is_open(world: World, call: Call, ours: str) -> None:
    sent = asked(call, ours)
    assert statuses_of(call.phone.send("UPDATE", body=SDP)) == [491]
    assert call.phone.send("UPDATE") == []
    call.application.answer(transaction_id_of(call.application.take_one()), OK)
    call.phone.respond(sent, 488)
    assert call.phone.send("UPDATE", body=SDP) == []
    call.application.answer(transaction_id_of(call.application.take()[-1]), OK)
    call.hang_up()


def test_an_update_of_ours_moves_the_target_when_it_is_accepted(world: World, call: Call) -> None:
    call.phone.respond(asked(call, "UPDATE sip:x SIP/2.0\r\n\r\n"), 488, "Contact: <sip:no@127.0.0.1:5080>")
    call.phone.respond(asked(call, "UPDATE sip:x SIP/2.0\r\n\r\n"), 200, "Contact: <sip:yes@127.0.0.1:5080>")
    call.application.take()
    assert asked(call, "INFO sip:x SIP/2.0\r\n\r\n").startswith("INFO sip:yes@127.0.0.1:5080 SIP/2.0\r\n")
    call.hang_up()


# No such call


@pytest.mark.parametrize("status", sorted(CALL_IS_GONE))
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_no_such_call(world: World, call: Call, method: str, status: int) -> None:
    sent = asked(call, f"{method} sip:x SIP/2.0\r\n\r\n")
    *_, bye = call.phone.respond(sent, status)
    assert bye.startswith("BYE ")
    assert UNKNOWN_CALL in bye
    response, unsolicited = call.application.take()
    assert sip_of(response).startswith(f"SIP/2.0 {status} ")
    assert tokens_of(unsolicited)[8] == "unsolicited"
    assert sip_of(unsolicited) == bye


@pytest.mark.parametrize("method", ["INFO", "OPTIONS", "MESSAGE", "REFER"])
@pytest.mark.parametrize("status", [404, 408, 481, 501])
def test_other_methods_end_the_call_by_481_alone(world: World, call: Call, method: str, status: int) -> None:
    sent = call.phone.respond(asked(call, f"{method} sip:x SIP/2.0\r\n\r\n"), status)
    assert [text.split(" ")[0] for text in sent] == (["BYE"] if status == 481 else [])
    call.application.take()
    if status != 481:
        call.hang_up()


@pytest.mark.parametrize("method", ["NOTIFY", "SUBSCRIBE"])
def test_481_to_what_is_not_about_the_call(world: World, call: Call, method: str) -> None:
    assert call.phone.respond(asked(call, f"{method} sip:x SIP/2.0\r\n\r\n"), 481) == []
    call.application.take()
    call.hang_up()


@pytest.mark.parametrize("status", [400, 401, 407, 480, 486, 487, 488, 491, 500, 503, 600, 603])
def test_failures_that_leave_the_call(world: World, call: Call, status: int) -> None:
    (ack,) = call.phone.respond(asked(call), status)
    assert ack.startswith("ACK ")
    call.application.take()
    call.hang_up()


def test_no_answer_to_an_info_leaves_the_call(world: World, call: Call) -> None:
    asked(call, "INFO sip:x SIP/2.0\r\n\r\n")
    world.advance(32)
    assert "SIP/2.0 408 " in call.application.take_one()
    call.hang_up()


def test_no_answer_to_a_re_invite_ends_it(world: World, call: Call) -> None:
    asked(call)
    world.advance(32)
    response, unsolicited = call.application.take()
    assert "SIP/2.0 408 " in response
    assert UNKNOWN_CALL in unsolicited


@pytest.mark.parametrize("status", sorted(SUBSCRIPTION_IS_GONE))
def test_no_such_subscription(world: World, status: int) -> None:
    subscription = Originated(world, "SUBSCRIBE", "Event: presence")
    subscription.answer(202, CONTACT, "Expires: 600")
    refresh = subscription.say("SUBSCRIBE", "Event: presence")
    assert subscription.answer(status, to=refresh) == []
    assert subscription.statuses() == [202, status]
    assert world.core.occupancy()["dialogs by id"] == 0


def test_a_refresh_that_fails_otherwise_leaves_the_subscription(world: World) -> None:
    subscription = Originated(world, "SUBSCRIBE", "Event: presence")
    subscription.answer(202, CONTACT, "Expires: 600")
    subscription.answer(503, to=subscription.say("SUBSCRIBE", "Event: presence"))
    assert world.core.occupancy()["dialogs by id"] == 1
    world.advance(700)
