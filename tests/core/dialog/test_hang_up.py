"""BYEs of the server's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transactions.timing import Timing
from reference_server.sip.transport import UDP
from tests.core.world import BY_TCP, UDP_ENDPOINT, Call, Phone, World, sip_of, tokens_of, transaction_id_of


def unacknowledged(world: World, flow: Flow | None = None) -> Call:
    call = Call(world, world.application("invite"), flow=flow or Flow(UDP, "127.0.0.1", 5080, UDP_ENDPOINT))
    call.answer()
    world.network.sent.clear()
    return call


def test_the_bye_is_repeated_until_it_is_answered(world: World) -> None:
    unacknowledged(world)
    world.advance(64)
    assert world.network.times("BYE") == [32, 33, 35, 39, 43, 47, 51, 55, 59, 63]


@pytest.mark.parametrize("status", [200, 481, 401])
def test_any_final_response_ends_it_and_nobody_is_told(world: World, status: int) -> None:
    call = unacknowledged(world)
    world.advance(32)
    bye = world.network.take()[-1]
    call.application.take()
    call.phone.respond(bye, status)
    world.advance(32)
    assert world.network.take() == []
    assert call.application.take() == []


def test_a_late_ack_changes_nothing(world: World) -> None:
    call = unacknowledged(world)
    world.advance(32)
    call.application.take()
    assert call.phone.send("ACK") == []
    assert call.application.take() == []


def test_a_bye_of_the_far_end_that_crosses_it_gets_481(world: World) -> None:
    call = unacknowledged(world)
    world.advance(32)
    call.application.take()
    (refused,) = call.phone.send("BYE")
    assert refused.startswith("SIP/2.0 481 ")
    assert call.application.take() == []


def test_the_application_is_told_by_the_way_it_went(world: World) -> None:
    call = unacknowledged(world, BY_TCP)
    world.advance(32)
    tokens = tokens_of(call.application.take_one())
    assert tokens[2] == "application"
    assert tokens[4] == "tcp"
    assert tokens[8:] == ["unsolicited", call.dialog_id, ""]
    call.phone.respond(world.network.take()[-1])


def test_when_the_far_end_cannot_be_reached(world: World) -> None:
    call = unacknowledged(world, BY_TCP)
    world.network.broken.add(BY_TCP.connection)
    world.advance(32)
    assert [text for text in world.network.take() if text.startswith("BYE")] == []
    assert ("bye-not-sent", call.dialog_id) in [
        (name, details.get("dialog")) for name, details in world.tap.events
    ]
    assert call.application.request(call.dialog_id, "INFO\r\n\r\n").endswith("dialog id provided")


def test_without_a_contact_no_bye_with_an_empty_uri(world: World) -> None:
    application = world.application("invite")
    phone = Phone(world)
    phone.send("INVITE")
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    world.advance(32)
    for sent in world.network.take():
        assert parse_message(sent).start_line.count("  ") == 0
    application.take()


def test_the_configured_times(worlds: Callable[[Settings], World]) -> None:
    world = worlds(Settings(timing=Timing(t1x64=8.0)))
    call = unacknowledged(world)
    world.advance(8)
    assert world.network.times("BYE") == [8.0]
    assert "ACK timeout" in sip_of(call.application.take_one())


def test_a_bye_to_a_far_end_without_a_contact_names_it_by_its_from(world: World) -> None:
    phone = Phone(world)
    application = world.application("invite")
    phone.send("INVITE")
    answer = application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    assert "|OK|" in answer
    world.advance(32)
    told = application.take_one()
    assert tokens_of(told)[3:7] == ["0", "unknown", "", "0"]
    assert parse_message(sip_of(told)).start_line == "BYE sip:alice@127.0.0.1:5080 SIP/2.0"
