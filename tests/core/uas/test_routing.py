"""Requests outside dialogs: whom they reach, with which tokens, and what happens if nobody answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transactions.timing import Timing
from tests.core.world import (
    BY_TCP,
    BY_UDP,
    SDP,
    Call,
    Phone,
    World,
    sip_of,
    status_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)
from tests.hand_clock import TICK

METHODS = ["INVITE", "REGISTER", "MESSAGE", "OPTIONS", "INFO", "NOTIFY", "SUBSCRIBE", "PUBLISH"]


def test_100_is_sent_before_the_application_is_asked(world: World) -> None:
    application = world.application("invite")
    phone = Phone(world)
    (trying,) = phone.invite()
    assert trying == (
        "SIP/2.0 100 Trying\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:5080;branch={phone.branch};rport=5080\r\n"
        f"From: {phone.from_}\r\nTo: <sip:bob@127.0.0.1:5060>\r\nCall-ID: {phone.call_id}\r\nCSeq: 1 INVITE\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 486 \r\n\r\n")


@pytest.mark.parametrize("flow", [BY_UDP, BY_TCP], ids=["udp", "tcp"])
def test_every_token(world: World, flow: object) -> None:
    application = world.application("message")
    chosen = BY_UDP if flow is BY_UDP else BY_TCP
    world.advance(0.25)
    phone = Phone(world, flow=chosen)
    text = phone.text("MESSAGE", body="v=0 \xe2\x98\x8e")
    assert world.receive(text, chosen) == []
    payload = application.take_one()
    transport = chosen.transport.name
    transaction = transaction_id_of(payload)
    assert tokens_of(payload) == [
        "uuid", "sip", "network", str(len(text)), transport, "127.0.0.1", "5080", "08:00:00.250000", transaction, "",
        "127.0.0.1", "5060", "",
    ]  # fmt: skip
    assert sip_of(payload) == text.replace(phone.branch, f"{phone.branch};rport=5080")
    application.answer(transaction, "SIP/2.0 200 OK\r\n\r\n")


def test_the_0_8_dialect_has_no_local_address(worlds: Callable[[Settings], World]) -> None:
    world = worlds(Settings(dialect_0_8=True))
    application = world.application("options")
    Phone(world).send("OPTIONS")
    payload = application.take_one()
    assert len(tokens_of(payload)) == 10
    assert tokens_of(payload)[9] == ""
    application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")


@pytest.mark.parametrize("method", METHODS)
def test_each_method_reaches_who_routed_it(world: World, method: str) -> None:
    wanted = world.application(method.lower())
    other = world.application(*(name.lower() for name in METHODS if name != method), method)
    Phone(world).send(method)
    assert other.take() == [], "routes are compared exactly, in lower case"
    wanted.answer(transaction_id_of(wanted.take_one()), "SIP/2.0 404 Not Found\r\n\r\n")


@pytest.mark.parametrize("method", METHODS)
def test_without_an_application_503(world: World, method: str) -> None:
    world.application("ack", "refer")
    sent = Phone(world).send(method)
    assert statuses_of(sent) == ([100, 503] if method == "INVITE" else [503])
    assert sent[-1].startswith("SIP/2.0 503 Service Unavailable\r\n")
    assert len(parse_message(sent[-1]).to_tag) == 13
    assert parse_message(sent[0]).to_tag == ("" if method == "INVITE" else parse_message(sent[-1]).to_tag)


def test_round_robin(world: World) -> None:
    applications = [world.application("options") for _ in range(3)]
    order = []
    for number in range(6):
        Phone(world, f"o{number}").send("OPTIONS")
        (chosen,) = [application for application in applications if application.payloads]
        order.append(chosen.number)
        chosen.answer(transaction_id_of(chosen.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    assert sorted(order[:3]) == [1, 2, 3]
    assert order[3:] == order[:3]


@pytest.mark.parametrize("method", [method for method in METHODS if method != "INVITE"])
def test_a_silent_application_504_before_the_client_gives_up(world: World, method: str) -> None:
    application = world.application(method.lower())
    phone = Phone(world)
    phone.send(method)
    transaction = transaction_id_of(application.take_one())
    world.advance(31.5 - TICK)
    assert world.network.take() == []
    world.advance(TICK)
    (sent,) = world.network.take()
    assert sent.startswith("SIP/2.0 504 Server Time-out\r\n")
    assert application.answer(transaction, "SIP/2.0 200 OK\r\n\r\n") == (
        "uuid|response|m1|NOK|Response not sent due to unknown transaction"
    )
    assert phone.world.receive(phone.text(method, same=True)) == [sent], "a repetition gets the 504 again"
    assert application.take() == []


def test_a_silent_application_504_after_64_seconds_for_an_invite(world: World) -> None:
    application = world.application("invite")
    phone = Phone(world)
    phone.invite()
    world.network.take()
    transaction = transaction_id_of(application.take_one())
    world.advance(64 - TICK)
    assert world.network.take() == []
    world.advance(TICK)
    (sent,) = world.network.take()
    assert sent.startswith("SIP/2.0 504 Server Time-out\r\n")
    assert "NOK|Response not sent due to unknown transaction" in application.answer(
        transaction, "SIP/2.0 200 OK"
    )
    phone.learn(sent)
    phone.send("ACK", same=True)
    world.advance(1)
    assert world.network.take() == []


def test_after_a_provisional_response_the_server_waits_as_long_as_the_caller(world: World) -> None:
    call = Call(world, world.application("invite")).ring()
    world.network.take()
    world.advance(1000)
    assert world.network.take() == []
    call.answer("SIP/2.0 486 Busy Here\r\n\r\n")


def test_an_application_that_said_only_100_is_not_silent(world: World) -> None:
    call = Call(world, world.application("invite"))
    call.application.answer(call.transaction_id, "SIP/2.0 100 Trying\r\n\r\n")
    world.network.take()
    world.advance(100)
    assert world.network.take() == []
    call.answer("SIP/2.0 486 Busy Here\r\n\r\n")


def test_a_provisional_response_to_another_request_keeps_the_504(world: World) -> None:
    application = world.application("options")
    Phone(world).send("OPTIONS")
    transaction = transaction_id_of(application.take_one())
    assert "|OK|" in application.answer(transaction, "SIP/2.0 183 Wait\r\n\r\n")
    world.network.take()
    world.advance(31.5)
    assert statuses_of(world.network.take()) == [504]


def test_the_504_follows_the_configured_times(worlds: Callable[[Settings], World]) -> None:
    world = worlds(Settings(timing=Timing(t1=0.25, t1x64=16.0)))
    application = world.application("options")
    Phone(world).send("OPTIONS")
    world.advance(15.75)
    assert statuses_of(world.network.take()) == [504]
    application.take()


def test_repetitions_are_absorbed_until_there_is_an_answer_then_get_it_again(world: World) -> None:
    application = world.application("invite", "options")
    phone = Phone(world)
    text = phone.text("INVITE", body=SDP)
    assert statuses_of(world.receive(text)) == [100]
    transaction = transaction_id_of(application.take_one())
    assert world.receive(text) == []
    application.answer(transaction, "SIP/2.0 100 Trying\r\n\r\n")
    assert world.receive(text) == []
    ringing = sip_of(application.answer(transaction, "SIP/2.0 180 Ringing\r\n\r\n"))
    assert world.receive(text) == [ringing]
    failed = sip_of(application.answer(transaction, "SIP/2.0 404 Not Found\r\n\r\n"))
    assert world.receive(text) == [failed]
    assert application.take() == []


def test_repetitions_of_other_requests(world: World) -> None:
    application = world.application("options")
    text = Phone(world).text("OPTIONS")
    assert world.receive(text) == []
    transaction = transaction_id_of(application.take_one())
    assert world.receive(text) == []
    answer = sip_of(application.answer(transaction, "SIP/2.0 200 OK\r\n\r\n"))
    world.advance(31)
    assert world.receive(text) == [answer]
    assert application.take() == []
    world.advance(1)
    assert world.receive(text) == []
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
def test_a_request_that_came_before_by_another_way_is_refused(world: World, method: str) -> None:
    application = world.application(method.lower())
    phone = Phone(world)
    text = phone.text(method)
    world.receive(text)
    first = transaction_id_of(application.take_one())
    *_, refused = world.receive(text.replace(phone.branch, "z9hG4bKcopy1"))
    assert refused.startswith("SIP/2.0 482 Loop Detected\r\n")
    assert application.take() == []
    application.answer(first, "SIP/2.0 486 Busy Here\r\n\r\n")
    world.receive(text.replace(phone.branch, "z9hG4bKcopy2"))  # somebody tries again
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 486 Busy Here\r\n\r\n")
    world.advance(32)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sip:bob@127.0.0.1:5060 SIP", "sip:bob2@127.0.0.1:5060 SIP"),
        ("Max-Forwards", "Route: <sip:127.0.0.1:5060;lr;service=2>\r\nMax-Forwards"),
        ("CSeq: 1 ", "CSeq: 2 "),
        ("tag=from-call1", "tag=other"),
        ("Call-ID: ", "Call-ID: x"),
    ],
)
def test_a_request_that_differs_in_more_than_its_way_is_another(world: World, old: str, new: str) -> None:
    application = world.application("options")
    phone = Phone(world)
    text = phone.text("OPTIONS")
    world.receive(text)
    assert old in text
    assert world.receive(text.replace(old, new).replace(phone.branch, "z9hG4bKcopy")) == []
    for payload in application.take():
        assert "|OK|" in application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")


def test_what_the_application_gets_is_as_received(world: World) -> None:
    application = world.application("options")
    text = (
        "OPTIONS sip:bob@127.0.0.1:5060 SIP/2.0\r\nZ-first: SIP/2.0/UDP alice.invalid;branch=z9hG4bKo1\r\n"
        "v: SIP/2.0/UDP alice.invalid;branch=z9hG4bKo1, SIP/2.0/TCP p;branch=y\r\nf: <sip:a@b>;tag=1\r\n"
        "t : <sip:c@d>\r\ni: x1\r\nsUBJECT: folded\r\n  over two\r\nCSeq: 1 OPTIONS\r\nl: 0\r\n\r\n"
    )
    world.receive(text)
    payload = application.take_one()
    completed = "alice.invalid;branch=z9hG4bKo1;received=127.0.0.1;rport=5080, SIP"
    assert sip_of(payload) == text.replace("alice.invalid;branch=z9hG4bKo1, SIP", completed)
    answer = application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")
    assert status_of(sip_of(answer)) == 200
    assert f"Via: SIP/2.0/UDP {completed}/2.0/TCP p;branch=y\r\n" in answer
