"""An application that stops reading: what waits for it goes to another, or is refused."""

from __future__ import annotations

import pytest

from reference_server.core import stuck_application
from tests.core.test_consultation import asking
from tests.core.world import Phone, World, statuses_of, transaction_id_of


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_another_gets_what_waits_and_the_first_is_refused_its_answer(world: World, method: str) -> None:
    stuck = world.application(method.lower())
    phone = Phone(world)
    phone.send(method)
    offered = stuck.take_one()
    stuck.reads = False
    other = world.application(method.lower())
    world.core.application_stuck(stuck)
    again = other.take_one()
    assert transaction_id_of(again) == transaction_id_of(offered)
    taken_back = stuck.take()
    assert [("CANCEL sip:" in text, "does not read" in text) for text in taken_back] == (
        [(True, True)] if method == "INVITE" else []
    )
    assert "|NOK|" in stuck.answer(transaction_id_of(offered), "SIP/2.0 486 Busy Here\r\n\r\n")
    assert "|OK|" in other.answer(transaction_id_of(again), "SIP/2.0 404 Not Found\r\n\r\n")
    assert statuses_of(world.network.take())[-1] == 404
    if method == "INVITE":
        phone.send("ACK")
    world.advance(64)
    world.check_empty()


def test_without_another_callers_are_refused_at_once(world: World) -> None:
    stuck = world.application("invite")
    phones = [Phone(world, f"call{number}") for number in range(3)]
    for phone in phones:
        phone.send("INVITE")
    world.network.take()
    stuck.reads = False
    world.core.application_stuck(stuck)
    assert statuses_of(world.network.take()) == [503, 503, 503]
    for phone in phones:
        phone.send("ACK")
    world.check_empty()


def test_what_it_has_begun_to_answer_stays_its_own(world: World) -> None:
    stuck = world.application("invite")
    phone = Phone(world)
    phone.send("INVITE")
    offered = transaction_id_of(stuck.take_one())
    stuck.answer(offered, "SIP/2.0 180 Ringing\r\n\r\n")
    stuck.reads = False
    other = world.application("invite")
    world.network.take()
    world.core.application_stuck(stuck)
    assert (other.take(), world.network.take()) == ([], [])
    assert "|OK|" in stuck.answer(offered, "SIP/2.0 486 Busy Here\r\n\r\n")
    phone.send("ACK")
    world.check_empty()


def test_what_a_handler_has_given_it_is_for_nobody_else(world: World) -> None:
    stuck = world.application("message")
    Phone(world).send("MESSAGE")
    stuck.take_one()
    stuck.reads = False
    other = world.application("message")
    asking(world)
    world.network.take()
    world.core.application_stuck(stuck)
    assert other.take() == []
    assert statuses_of(world.network.take()) == [503]
    world.check_empty()


def test_many_are_passed_on_in_portions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stuck_application, "AT_ONCE", 2)
    stuck = world.application("message")
    for number in range(5):
        Phone(world, f"call{number}").send("MESSAGE")
    world.network.take()
    stuck.reads = False
    world.core.application_stuck(stuck)
    assert len(world.network.take()) == 2
    world.advance(1)
    assert len(world.network.take()) == 3
    world.check_empty()
