"""CANCEL of an application's INVITE: its own, the server's, held, repeated, too late (OUT-8, OUT-21)."""

from __future__ import annotations

import pytest

from tests.core.uac.originated import CAROL, CONTACT, Originated
from tests.core.world import (
    World,
    sip_of,
    tokens_of,
)

GONE = 'SIP;cause=480;text="Application disconnected"'


@pytest.fixture
def call(world: World) -> Originated:
    return Originated(world)


def test_a_far_end_that_rings_and_then_says_nothing_is_cancelled_after_half_an_hour(
    world: World, call: Originated
) -> None:
    call.answer(180, CONTACT)
    world.advance(1000)
    call.answer(180, CONTACT)  # heard again: the half hour begins anew
    world.advance(1799)
    assert world.network.take() == []
    world.advance(1)
    (cancel,) = world.network.take()
    assert cancel.startswith(f"CANCEL {CAROL} SIP/2.0\r\n")
    assert 'Reason: SIP;cause=408;text="Request Timeout"\r\n' in cancel
    call.answer(200, to=call.parsed(cancel))
    assert "|NOK|unable to cancel" in call.cancel()
    call.answer(487)
    assert call.statuses() == [180, 180, 487]


def test_a_far_end_that_does_not_even_answer_the_cancel_408(world: World, call: Originated) -> None:
    call.answer(183, CONTACT)
    world.advance(1800 + 32)
    assert call.statuses() == [183, 408]
    assert len(world.network.times("CANCEL")) > 1
    assert world.core.occupancy()["outgoing INVITEs"] == 0


def test_a_call_that_is_taken_when_the_server_has_lost_patience_goes_on(
    world: World, call: Originated
) -> None:
    call.answer(180, CONTACT)
    world.advance(1800)
    call.establish()
    world.advance(40)
    assert world.network.times("BYE") == []  # it was not the application that gave up
    call.hang_up()


def test_cancel_while_it_rings(world: World, call: Originated) -> None:
    call.answer(180, CONTACT)
    call.application.take()
    echo = call.cancel(
        'Reason: SIP;cause=200;text="x"', "X-foo: bar", "P-Asserted-Identity: <sip:a@localhost>"
    )
    (text,) = world.network.take()
    tokens = tokens_of(echo)
    assert tokens[3:9] == ["OK", "application", str(len(text)), "udp", "127.0.0.1", "5060"]
    assert tokens[10] != call.transaction_id
    request = call.request
    assert text == (
        f"CANCEL {CAROL} SIP/2.0\r\nVia: {request.get('via')}\r\nMax-Forwards: 70\r\nFrom: {request.get('from')}\r\n"
        f"To: {request.get('to')}\r\nCall-ID: {request.get('call-id')}\r\nCSeq: {request.cseq_number} CANCEL\r\n"
        'Reason: SIP;cause=200;text="x"\r\nContent-Length: 0\r\nX-foo: bar\r\n\r\n'
    )
    call.answer(200, to=call.parsed(text))
    assert call.application.take() == [], "the 200 to the CANCEL is not passed on"
    (ack,) = call.answer(487)
    assert ack.startswith("ACK ")
    frame = call.application.take_one()
    assert tokens_of(frame)[8:] == [call.transaction_id, call.dialog_id, ""]
    assert sip_of(frame).startswith("SIP/2.0 487 ")


@pytest.mark.parametrize("status", [100, 180])
def test_a_cancel_waits_for_a_provisional_response(world: World, call: Originated, status: int) -> None:
    echo = call.cancel("X-a: 1")
    assert tokens_of(echo)[3:9] == ["OK", "application", "0", "udp", "127.0.0.1", "5060"]
    assert world.network.take() == []
    (text,) = call.answer(status)
    assert text == sip_of(echo)
    call.answer(200, to=call.parsed(text))
    call.answer(487)
    assert call.statuses() == ([180, 487] if status == 180 else [487])


def test_a_cancel_after_100_does_not_wait(world: World, call: Originated) -> None:
    call.answer(100, tag="")
    assert tokens_of(call.cancel())[5] != "0"
    (text,) = world.network.take()
    call.answer(200, to=call.parsed(text))
    call.answer(487)


def test_a_cancel_is_repeated(world: World, call: Originated) -> None:
    call.answer(180)
    call.cancel()
    world.advance(8)
    assert world.network.times("CANCEL") == [0, 1, 3, 7]
    call.answer(487)


@pytest.mark.parametrize("status", [486, 408])
def test_a_held_cancel_ends_with_its_invite(world: World, call: Originated, status: int) -> None:
    call.cancel()
    if status == 486:
        call.answer(486)
    else:
        world.advance(33)
    assert not any(text.startswith("CANCEL") for text in world.network.take())
    assert call.statuses() == [status]


def test_a_far_end_that_answers_the_cancel_alone(world: World, call: Originated) -> None:
    call.answer(180)
    call.cancel()
    (cancel,) = world.network.take()
    call.answer(200, to=call.parsed(cancel))
    world.advance(31)
    assert call.statuses() == [180]
    world.advance(2)
    assert call.statuses() == [408]
    assert world.core.occupancy()["outgoing INVITEs"] == 0


def test_what_cannot_be_cancelled(world: World, call: Originated) -> None:
    unknown = f"NOK|unable to cancel unknown transaction id: {call.transaction_id}"
    stranger = world.application()
    assert call.cancel(application=stranger).endswith(unknown)
    assert "|OK|" in call.cancel()
    assert call.cancel().endswith(unknown), "twice"
    call.answer(486)
    assert call.cancel().endswith(unknown), "answered"


def test_another_application_cancels_for_one_that_is_gone(world: World, call: Originated) -> None:
    call.answer(180)
    call.application.leave()
    assert world.network.times("CANCEL") == [0]
    assert "|NOK|" in call.cancel(application=world.application()), "the server has cancelled it"
    call.answer(487)


def test_the_application_goes_while_it_rings(world: World, call: Originated) -> None:
    call.answer(180, CONTACT)
    call.application.leave()
    (text,) = world.network.take()
    cancel = call.parsed(text)
    assert (cancel.method, cancel.get("reason")) == ("CANCEL", GONE)
    call.answer(200, to=cancel)
    (ack,) = call.answer(487)
    assert ack.startswith("ACK ")


def test_the_application_goes_before_anything_came(world: World, call: Originated) -> None:
    call.application.leave()
    assert world.network.take() == []
    (cancel,) = call.answer(100, tag="")
    assert cancel.startswith("CANCEL ")
    call.answer(487)


def test_the_application_cancels_and_goes(world: World, call: Originated) -> None:
    call.answer(180)
    call.cancel()
    world.network.take()
    call.application.leave()
    assert world.network.take() == [], "one CANCEL is enough"
    call.answer(487)
