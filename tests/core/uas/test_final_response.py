"""What a final response does to the dialog: a 2xx is retransmitted until its ACK, a failure ends an early one."""

from __future__ import annotations

import pytest

from reference_server.sip.messages.message import parse_message
from tests.core.world import (
    BY_TCP,
    Call,
    World,
    sip_of,
    tokens_of,
)


def test_the_500_ends_an_early_dialog(world: World) -> None:
    call = Call(world, world.application("invite")).ring()
    call.application.answer(call.transaction_id, "SIP/2.0 200 OK\r\nContact: <<<\r\n\r\n")
    assert call.application.request(call.dialog_id, "INFO sip:x SIP/2.0").endswith("dialog id provided")


def test_a_200_is_repeated_until_the_ack(world: World) -> None:
    call = Call(world, world.application("invite"))
    world.network.sent.clear()
    answered = sip_of(call.answer())
    world.advance(8)
    assert world.network.times("SIP/2.0 200") == [0.0, 0.5, 1.5, 3.5, 7.5]
    assert {text for _, _, text in world.network.sent} == {answered}
    call.phone.send("ACK")
    world.network.take()
    world.advance(100)
    assert world.network.take() == []
    call.hang_up()


@pytest.mark.parametrize("status", [200, 202, 299])
def test_without_an_ack_the_server_hangs_up_after_64_t1(world: World, status: int) -> None:
    call = Call(world, world.application("invite"))
    call.answer(f"SIP/2.0 {status} OK\r\n\r\n")
    world.advance(31.75)
    assert world.network.times(f"SIP/2.0 {status}") == [
        0,
        0.5,
        1.5,
        3.5,
        7.5,
        11.5,
        15.5,
        19.5,
        23.5,
        27.5,
        31.5,
    ]
    assert call.application.take() == []
    world.network.take()
    world.advance(0.25)
    (bye,) = world.network.take()
    payload = call.application.take_one()
    assert sip_of(payload) == bye
    assert tokens_of(payload) == [
        "uuid", "sip", "application", str(len(bye)), "udp", "127.0.0.1", "5060", "08:00:32.000000", "unsolicited",
        call.dialog_id, "",
    ]  # fmt: skip
    message = parse_message(bye)
    assert message.start_line == "BYE sip:alice@127.0.0.1:5080 SIP/2.0"
    assert message.get("reason") == 'SIP;cause=200;text="ACK timeout"'
    assert message.get("from") == call.phone.to
    assert message.get("to") == call.phone.from_
    assert message.get("cseq") == "2 BYE"
    assert call.phone.respond(bye) == []
    assert call.application.take() == []
    assert call.application.request(call.dialog_id, "INFO sip:x SIP/2.0").endswith("dialog id provided")


def test_over_tcp_a_200_is_repeated_too(world: World) -> None:
    """Behind the next proxy there may be datagrams (RFC 3261 §13.3.1.4)."""
    call = Call(world, world.application("invite"), flow=BY_TCP)
    world.network.take()
    call.answer()
    world.advance(4)
    assert world.network.times("SIP/2.0 200") == [0.0, 0.5, 1.5, 3.5]
    world.advance(28)
    *_, bye = world.network.take()
    assert bye.startswith("BYE")
    tokens = tokens_of(call.application.take_one())
    assert tokens[2:5] == ["application", str(len(bye)), "tcp"]
    call.phone.respond(bye)


def test_a_failure_is_repeated_until_its_ack_which_nobody_sees(world: World) -> None:
    call = Call(world, world.application("invite"))
    world.network.take()
    call.answer("SIP/2.0 486 Busy Here\r\n\r\n")
    world.advance(4)
    assert world.network.times("SIP/2.0 486") == [0.0, 0.5, 1.5, 3.5]
    call.phone.send("ACK", same=True)
    world.network.take()
    world.advance(100)
    assert world.network.take() == []
    assert call.application.take() == []


def test_a_failure_without_an_ack_is_dropped_after_64_t1(world: World) -> None:
    call = Call(world, world.application("invite"))
    world.network.take()
    call.answer("SIP/2.0 486 Busy Here\r\n\r\n")
    world.advance(200)
    assert len(world.network.times("SIP/2.0 486")) == 11
    assert call.application.take() == []
