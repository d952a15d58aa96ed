"""How long a subscription of the far end lives (RFC 6665; SUB-3)."""

from __future__ import annotations

import pytest

from tests.core.world import Call, Phone, World, sip_of, tokens_of, transaction_id_of


def subscribe(world: World, *lines: str, answer: str = "SIP/2.0 200 OK\r\n\r\n") -> tuple[Call, str]:
    application = world.application("subscribe")
    phone = Phone(world)
    phone.send("SUBSCRIBE", "Contact: <sip:alice@127.0.0.1:5080>", "Event: presence", *lines)
    echo = application.answer(transaction_id_of(application.take_one()), answer)
    phone.learn(sip_of(echo))
    world.network.take()
    call = Call.__new__(Call)
    call.world, call.application, call.phone, call.transaction_id = world, application, phone, ""
    return call, echo


def is_alive(call: Call) -> bool:
    """Whether the dialog can be used."""
    answer = call.application.request(call.dialog_id, "NOTIFY\r\n\r\n")
    if tokens_of(answer)[3] == "NOK":
        return False
    call.phone.respond(sip_of(answer))
    call.application.take()
    return True


@pytest.mark.parametrize(
    ("line", "answer", "seconds"),
    [
        ("Expires: 60", "SIP/2.0 200 OK\r\n\r\n", 60),
        ("Expires: 60", "SIP/2.0 202 OK\r\nExpires: 10\r\n\r\n", 10),
        ("Expires: 60;x=1", "SIP/2.0 200 OK\r\n\r\n", 60),
        ("X: y", "SIP/2.0 200 OK\r\n\r\n", 3600),
        ("Expires: 0", "SIP/2.0 200 OK\r\n\r\n", 0),
        (f"Expires: {'9' * 5000}", "SIP/2.0 200 OK\r\n\r\n", 1_000_000),
        ("Expires: 60", f"SIP/2.0 200 OK\r\nExpires: {'9' * 5000}\r\n\r\n", 1_000_000),
    ],
)
def test_a_subscription_lives_as_long_as_it_says(world: World, line: str, answer: str, seconds: int) -> None:
    line = line.replace("X: y", "Y: z")
    call, echo = subscribe(world, line, answer=answer)
    assert tokens_of(echo)[11] == call.dialog_id
    world.advance(seconds + 31)
    assert is_alive(call)
    world.advance(1)
    assert not is_alive(call)


def test_a_refreshed_subscription_lives_longer(world: World) -> None:
    call, _ = subscribe(world, "Expires: 60")
    world.advance(50)
    call.phone.send("SUBSCRIBE", "Event: presence", "Expires: 60")
    payload = call.application.take_one()
    assert tokens_of(payload)[9] == call.dialog_id
    call.application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")
    world.advance(91)
    assert is_alive(call)
    world.advance(1)
    assert not is_alive(call)


def test_a_notify_that_says_terminated_ends_the_subscription_when_it_is_answered(world: World) -> None:
    call, _ = subscribe(world, "Expires: 60")
    text = "NOTIFY\r\nSubscription-State: terminated;reason=noresource\r\n\r\n"
    sent = sip_of(call.application.request(call.dialog_id, text))
    assert is_alive(call)
    call.phone.respond(sent)
    assert not is_alive(call)


def test_a_notify_that_says_terminated_ends_no_call(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    text = "NOTIFY\r\nEvent: refer\r\nSubscription-State: terminated\r\n\r\n"
    call.phone.respond(sip_of(call.application.request(call.dialog_id, text)))
    call.application.take()
    assert is_alive(call)
    call.hang_up()


def test_a_refused_subscription_makes_no_dialog(world: World) -> None:
    call, echo = subscribe(world, answer="SIP/2.0 489 Bad Event\r\n\r\n")
    assert tokens_of(echo)[11] == call.dialog_id
    assert not is_alive(call)
