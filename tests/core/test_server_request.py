"""A request from the network until its final response, and the tables of those that wait."""

from __future__ import annotations

import pytest

from reference_server.core.dialog.usage import UsageEvent
from reference_server.core.server_request import ServerRequest
from reference_server.sip.messages.message import parse_message
from tests.core.uas.reliable_call import ReliableCall
from tests.core.world import BY_TCP, Call, Phone, World, status_of, statuses_of

WAITING = ("pending requests", "held answers", "cancellable INVITEs")


def asked(world: World, method: str = "INVITE") -> tuple[Phone, ServerRequest]:
    """A request that an application has been asked to answer."""
    application = world.application(method.lower())
    phone = Phone(world)
    phone.send(method, "Contact: <sip:alice@127.0.0.1:5080>")
    (incoming,) = world.core.pending.of(application)
    world.network.take()
    return phone, incoming


def tables(world: World) -> list[int]:
    return [world.core.occupancy()[name] for name in WAITING]


def test_the_tag_is_made_once_and_the_applications_counts_only_before(world: World) -> None:
    _, incoming = asked(world)
    incoming.take_tag("mine")
    incoming.take_tag("late")
    assert incoming.to_with_tag() == "<sip:bob@127.0.0.1:5060>;tag=mine"
    incoming.reject(480)
    _, another = asked(world, "OPTIONS")
    first = another.to_with_tag()
    another.take_tag("late")
    assert another.to_with_tag() == first
    another.reject(480)


def test_it_may_be_answered_by_whoever_got_it_and_by_anybody_once_that_is_gone(world: World) -> None:
    _, incoming = asked(world)
    owner, stranger = incoming.application, world.application()
    assert owner is not None
    assert incoming.may_be_answered_by(owner)
    assert not incoming.may_be_answered_by(stranger)
    world.applications[0].connected = False
    assert incoming.may_be_answered_by(stranger)
    world.applications[0].connected = True
    incoming.reject(480)


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_final_response_of_the_servers_takes_it_out_of_every_table(world: World, method: str) -> None:
    _, incoming = asked(world, method)
    waited = [incoming.awaits_final]
    assert tables(world) == [1, 0, 1 if method == "INVITE" else 0]
    incoming.reject(480, "X-a: b\r\n")
    (sent,) = world.network.take()
    response = parse_message(sent)
    assert (status_of(sent), response.get("x-a"), response.to_tag) == (480, "b", incoming.local_tag)
    waited.append(incoming.awaits_final)
    assert waited == [True, False]
    assert tables(world) == [0, 0, 0]


def test_what_the_proxy_takes_over_waits_for_no_application_and_no_cancel_here(world: World) -> None:
    _, incoming = asked(world)
    world.core.pending.take_over(incoming)
    assert tables(world) == [0, 0, 0]
    assert world.core.pending.get(incoming.transaction_id) is None
    assert world.core.pending.cancellable(incoming.transaction.key) is None
    incoming.reject(480)


def test_a_held_answer_is_the_last_one_but_can_still_be_cancelled(world: World) -> None:
    call = ReliableCall(world)
    call.progress()
    (incoming,) = world.core.pending.of(call.application)
    assert call.application.answer(call.transaction_id, "SIP/2.0 200 OK\r\n\r\n") == "", (
        "it waits for the PRACK"
    )
    assert tables(world) == [0, 1, 1]
    assert world.core.pending.get(incoming.transaction_id) is None
    assert list(world.core.pending.of(call.application)) == [incoming]
    assert statuses_of(call.phone.send("CANCEL", same=True)) == [200, 487]
    assert tables(world) == [0, 0, 0]


def test_the_last_patience_counts(world: World) -> None:
    _, incoming = asked(world)
    over: list[float] = []
    incoming.wait(5, lambda: over.append(world.clock.now))
    incoming.wait(9, lambda: over.append(world.clock.now))
    world.advance(8)
    assert over == []
    world.advance(1)
    assert over == [9]
    incoming.reject(480)


def test_who_takes_it_over_has_the_time_that_is_left(world: World) -> None:
    _, incoming = asked(world)
    over: list[float] = []
    incoming.wait(5, lambda: over.append(-1.0))
    world.advance(3)
    incoming.wait_for(lambda: over.append(world.clock.now), 100)
    world.advance(2)
    assert over == [5]
    incoming.stop_waiting()
    incoming.wait_for(lambda: over.append(world.clock.now), 7)
    world.advance(7)
    assert over == [5, 12]
    incoming.reject(480)


@pytest.mark.parametrize(("cancelled", "status"), [(True, 487), (False, 480)])
def test_an_early_usage_ends_with_it_but_one_that_it_came_in_stays(
    world: World, cancelled: bool, status: int
) -> None:
    call = Call(world, world.application("invite")).ring()
    (incoming,) = world.core.pending.of(call.application)
    usage = incoming.usage
    assert usage is not None
    world.network.take()
    if cancelled:
        incoming.cancel()
        incoming.refuse(487)
    else:
        incoming.refuse(480)
    assert statuses_of(world.network.take()) == [status]
    assert usage.is_over
    call = Call(world, call.application, "call2").establish()
    call.phone.send("INVITE", "Contact: <sip:alice@127.0.0.1:5080>")
    (again,) = world.core.pending.of(call.application)
    again.refuse(480)
    assert again.usage is not None
    assert again.usage.is_confirmed
    call.application.take()
    call.hang_up()
    assert not again.usage.move(UsageEvent.BYE)


def test_over_a_connection_that_is_gone_it_answers_by_another(world: World) -> None:
    phone = Phone(world, flow=BY_TCP)
    application = world.application("options")
    phone.send("OPTIONS")
    (incoming,) = world.core.pending.of(application)
    reopened = [incoming.reopened]
    incoming.answer_by(phone.flow)
    reopened.append(incoming.reopened)
    assert reopened == [False, True]
    incoming.reject(480)
