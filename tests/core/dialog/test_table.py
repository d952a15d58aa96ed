"""Dialogs of applications: ids, the second one of an id, subscriptions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.sip.messages.message import parse_message
from tests.core.world import Call, Phone, World, sip_of, statuses_of, tokens_of, transaction_id_of


@pytest.mark.parametrize(
    ("from_", "dialog_id"),
    [
        ("<sip:alice@127.0.0.1>;tag=k2x8", "call1@127.0.0.1;from-tag=k2x8"),
        ("sip:alice@127.0.0.1;x=y;TAG=k2x8;z", "call1@127.0.0.1;from-tag=k2x8"),
        ('"a <b>;tag=no" <sip:alice@127.0.0.1;tag=no>;tag=k2x8', "call1@127.0.0.1;from-tag=k2x8"),
        ("<sip:alice@127.0.0.1>", "call1@127.0.0.1;from-tag="),
    ],
)
def test_the_id_is_made_of_call_id_and_from_tag(world: World, from_: str, dialog_id: str) -> None:
    phone = Phone(world)
    phone.from_ = from_
    call = Call(world, world.application("invite"), phone=phone)
    assert tokens_of(call.answer())[11] == dialog_id
    call.phone.send("ACK")
    assert tokens_of(call.application.take_one())[9] == dialog_id
    call.hang_up()


def test_the_id_in_the_0_8_dialect(worlds: Callable[[Settings], World]) -> None:
    world = worlds(Settings(dialect_0_8=True))
    call = Call(world, world.application("invite"))
    assert tokens_of(call.answer())[11] == "call1@127.0.0.1;uas"
    call.phone.send("ACK")
    call.application.take()
    sent = sip_of(call.application.request("call1@127.0.0.1;uas", "BYE\r\n\r\n"))
    call.phone.respond(sent)


def test_two_calls_of_one_call_id_are_two_dialogs(world: World) -> None:
    application = world.application("invite")
    first = Call(world, application, "one").establish()
    other = Phone(world, "two")
    other.call_id = first.phone.call_id
    second = Call(world, application, phone=other).establish()
    assert first.dialog_id != second.dialog_id
    for call in (first, second):
        call.phone.send("INFO")
        payload = application.take_one()
        assert tokens_of(payload)[9] == call.dialog_id
        application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")
    first.hang_up()
    second.hang_up()


def forked(phone: Phone, text: str) -> str:
    """The same request to another contact of the same user; to the same one it would be refused (CALL-17)."""
    return text.replace(phone.branch, f"{phone.branch}x").replace(" sip:bob@", " sip:bob-at-home@", 1)


def test_a_merged_request_cannot_take_the_id_of_a_living_dialog(world: World) -> None:
    """The same INVITE by two ways (RFC 3261 §8.2.2.2): one id, so only one of them can be answered."""
    application = world.application("invite")
    phone = Phone(world)
    text = phone.text("INVITE", "Contact: <sip:alice@127.0.0.1:5080>")
    world.receive(text)
    world.receive(forked(phone, text))
    first, second = (transaction_id_of(payload) for payload in application.take())
    phone.learn(sip_of(application.answer(first, "SIP/2.0 200 OK\r\n\r\n")))
    world.network.take()
    refused = application.answer(second, "SIP/2.0 200 OK\r\n\r\n")
    assert refused.endswith("|NOK|dialog already exists, rejecting this request")
    (sent,) = world.network.take()
    assert statuses_of([sent]) == [480]
    phone.send("ACK")
    application.take()
    phone.respond(sip_of(application.request(phone.dialog_id, "BYE\r\n\r\n")))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_merged_requests_that_both_ring_the_first_answered_has_the_id(
    world: World, order: tuple[int, int]
) -> None:
    application = world.application("invite")
    phone = Phone(world)
    text = phone.text("INVITE", "Contact: <sip:alice@127.0.0.1:5080>")
    world.receive(text)
    world.receive(forked(phone, text))
    offers = [transaction_id_of(payload) for payload in application.take()]
    for transaction in offers:
        assert "|OK|" in application.answer(transaction, "SIP/2.0 180 Ringing\r\n\r\n")
    answered, other = (offers[index] for index in order)
    phone.learn(sip_of(application.answer(answered, "SIP/2.0 200 OK\r\n\r\n")))
    world.network.take()
    assert "|NOK|dialog already exists" in application.answer(other, "SIP/2.0 200 OK\r\n\r\n")
    assert statuses_of(world.network.take()) == [480]
    phone.send("ACK")
    assert transaction_id_of(application.take_one()) == answered
    bye = sip_of(application.request(phone.dialog_id, "BYE\r\n\r\n"))
    assert parse_message(bye).get("from") == phone.to
    phone.respond(bye)


def test_a_merged_subscription(world: World) -> None:
    application = world.application("subscribe")
    phone = Phone(world)
    text = phone.text("SUBSCRIBE", "Contact: <sip:alice@127.0.0.1:5080>", "Expires: 5")
    world.receive(text)
    world.receive(forked(phone, text))
    first, second = (transaction_id_of(payload) for payload in application.take())
    assert "|OK|" in application.answer(first, "SIP/2.0 200 OK\r\n\r\n")
    assert "|NOK|dialog already exists" in application.answer(second, "SIP/2.0 200 OK\r\n\r\n")
    world.advance(40)
