"""What is turned away at the door: names that are too long, and what there is no room for."""

from __future__ import annotations

import pytest

from reference_server.account import Account
from reference_server.core.ports import Flow
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transport import UDP
from tests.core.world import (
    BY_UDP,
    UDP_ENDPOINT,
    Call,
    Phone,
    World,
    status_of,
    statuses_of,
    transaction_id_of,
)

FROM_AFAR = Flow(UDP, "192.0.2.9", 5060, UDP_ENDPOINT)


def fill(world: World, *, aside: bool = False) -> Account:
    """Somebody has all the room there is for strangers, and ``aside`` also what is set aside."""
    account = world.core.context.account
    account.change("192.0.2.1", account.most + (account.set_aside if aside else 0) - account.total)
    return account


@pytest.fixture
def full(world: World) -> Account:
    """No room is left."""
    return fill(world)


def empty(account: Account) -> None:
    """There is room again."""
    account.change("192.0.2.1", -account.of("192.0.2.1"))


def test_without_room_a_request_is_refused_and_leaves_nothing(world: World, full: Account) -> None:
    application = world.application("invite")
    before = full.total
    sent = Phone(world, flow=FROM_AFAR).invite()
    assert statuses_of(sent) == [503]
    response = parse_message(sent[0])
    assert response.get("retry-after") == "10"
    assert response.to_tag
    assert application.take() == []
    assert full.total == before
    assert world.core.occupancy()["server transactions"] == 0
    empty(full)


def test_its_repetition_is_refused_alike(world: World, full: Account) -> None:
    phone = Phone(world, flow=FROM_AFAR)
    first = phone.invite()
    assert (
        phone.send("INVITE", "Contact: <sip:alice@127.0.0.1:5080>", same=True)[0].partition("\r\n\r\n")[0]
        == (first[0].partition("\r\n\r\n")[0])
    )
    assert phone.send("ACK", same=True) == []
    empty(full)


def test_each_is_told_as_the_limit_that_it_is(world: World, full: Account) -> None:
    for number in range(5):
        Phone(world, f"c{number}", FROM_AFAR).invite()
    told = [details for name, details in world.tap.events if name == "sip-refused"]
    assert {(details["limit"], details["source"]) for details in told} == {("kept-for-peers", "192.0.2.9")}
    assert len(told) == 5
    empty(full)


def test_calls_go_on_and_known_callers_come_in(world: World) -> None:
    application = world.application("invite", "options")
    call = Call(world, application).establish()
    waiting = Call(world, application, "waiting", FROM_AFAR)
    account = fill(world)
    assert statuses_of(Phone(world, "stranger", FROM_AFAR).send("OPTIONS")) == [503]
    assert Phone(world, "again", BY_UDP).send("OPTIONS") == []
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    assert statuses_of(waiting.phone.send("CANCEL", same=True)) == [200, 487]
    application.take()
    call.phone.flow = FROM_AFAR  # a phone that moves
    call.hang_up()
    empty(account)


def test_not_even_a_call_has_room_without_end(world: World) -> None:
    application = world.application("invite")
    call = Call(world, application).establish()
    account = fill(world, aside=True)
    assert statuses_of(call.phone.send("BYE")) == [503]
    empty(account)
    call.hang_up()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Call-ID: call1@127.0.0.1", f"Call-ID: {'c' * 513}", "Bad Call-ID Header"),
        ("tag=from-call1", f"tag={'t' * 513}", "Bad From Header"),
        ("<sip:bob@127.0.0.1:5060>", f"<sip:bob@127.0.0.1:5060>;tag={'t' * 513}", "Bad To Header"),
        ("branch=z9hG4bKcall1.1", f"branch=z9hG4bK{'b' * 506}", "Bad Via Header"),
    ],
)
def test_an_overlong_name_is_refused_and_leaves_nothing(
    world: World, old: str, new: str, reason: str
) -> None:
    text = Phone(world).text("OPTIONS")
    (sent,) = world.receive(text.replace(old, new))
    assert sent.startswith(f"SIP/2.0 400 {reason}\r\n")
    assert new in sent
    assert world.core.occupancy()["server transactions"] == 0


def test_what_is_long_is_remembered_by_a_digest(world: World) -> None:
    phone = Phone(world)
    long = phone.text("OPTIONS").replace(
        "sip:bob@127.0.0.1:5060 ", f"sip:bob@127.0.0.1:5060;x={'x' * 40_000} "
    )
    assert status_of(world.receive(long)[0]) == 503  # no application
    assert all(len(key) < 1100 for key in world.core.transactions._first_arrivals)
    assert world.receive(long) == [world.network.sent[0][2]], "a repetition is one"


def test_what_is_kept_is_given_back(world: World) -> None:
    application = world.application("invite", "options")
    account = world.core.context.account
    for flow in (BY_UDP, FROM_AFAR):
        Call(world, application, f"c{flow.remote_host}", flow).establish().hang_up()
        phone = Phone(world, f"o{flow.remote_host}", flow)
        phone.send("OPTIONS", f"Subject: {'s' * 20_000}")
        assert account.of(flow.remote_host) > 60_000
        application.answer(transaction_id_of(application.take()[-1]), "SIP/2.0 404 No\r\n\r\n")
        assert account.of(flow.remote_host) < 10_000
    world.advance(64)
    assert (account.total, len(account)) == (0, 0)
