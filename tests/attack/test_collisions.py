"""Identifiers made equal on purpose: by callers, by the called, and by one application against another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reference_server.core.ports import Flow
from reference_server.core.uac.early_dialogs import MOST_BRANCHES
from tests.core.world import BY_TCP, BY_UDP, Call, Phone, World, statuses_of, tokens_of, transaction_id_of

OK = "SIP/2.0 200 OK\r\n\r\n"


@pytest.fixture
def world() -> Iterator[World]:
    """In the end nothing is left."""
    world = World()
    yield world
    world.advance(64)
    world.check_empty()


def intrude(world: World, way: Flow) -> None:
    """One who knows the Call-ID and From tag of the victim's call sends an INVITE of his own with them."""
    phone = Phone(world, "victim", way)
    phone.branch = "z9hG4bKother"
    phone._branches, phone.cseq = 100, 6  # with the same number it would be a copy, and refused (CALL-17)
    phone.invite()


def test_a_dialog_with_the_same_tags_at_both_ends_takes_nobodys_place(world: World) -> None:
    victim = Call(world, world.application("invite"), "victim").ring()
    world.registry.remove(victim.application)
    accomplice = world.application("invite")
    world.network.take()
    intrude(world, BY_TCP)
    tag = victim.phone.to.partition(";tag=")[2]
    transaction_id = transaction_id_of(accomplice.take_one())
    for status in ("180 Ringing", "200 OK"):
        answer = accomplice.answer(
            transaction_id, f"SIP/2.0 {status}\r\nTo: <sip:bob@127.0.0.1>;tag={tag}\r\n\r\n"
        )
    assert answer.endswith("|NOK|dialog already exists, rejecting this request")
    assert statuses_of(world.network.take()) == [100, 180, 480]
    victim.establish()
    victim.phone.send("INFO")
    assert tokens_of(victim.application.take_one())[9] == victim.dialog_id
    assert accomplice.take() == []
    victim.hang_up()


@pytest.mark.parametrize("way", [BY_TCP, BY_UDP])
def test_the_same_ids_from_another_caller_do_not_end_a_call(world: World, way: Flow) -> None:
    application = world.application("invite")
    victim = Call(world, application, "victim").establish()
    world.network.take()
    intrude(world, way)
    assert statuses_of(world.network.take()) == [100, 491], "its place is taken (SIP-50)"
    assert application.take() == []
    assert "|OK|" in application.request(victim.dialog_id, "INFO sip:x SIP/2.0\r\n\r\n")
    victim.phone.respond(world.network.take()[-1])
    victim.hang_up()


def test_two_invites_with_one_number_need_one_ack(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    for _ in range(2):
        call.phone.send("INVITE", "Contact: <sip:alice@127.0.0.1:5080>", cseq=7)
        call.application.answer(transaction_id_of(call.application.take_one()), OK)
    call.phone.send("ACK", cseq=7)
    world.network.take()
    call.application.take()
    world.advance(40)
    assert world.network.take() == [], "the call goes on"
    call.phone.cseq = 7
    call.hang_up()


def outgoing(world: World) -> tuple[Call, str]:
    """An established call, and the application's re-INVITE in it."""
    call = Call(world, world.application("invite")).establish()
    answer = call.application.request(call.dialog_id, "INVITE sip:x SIP/2.0\r\n\r\n")
    assert "|OK|" in answer
    return call, world.network.take()[-1]


def test_a_re_invite_that_is_promised_an_answer_for_ever_ends_with_the_call(world: World) -> None:
    call, reinvite = outgoing(world)
    call.phone.respond(reinvite, 100)
    call.application.take()
    call.hang_up()
    call.application.take()
    world.advance(32)
    assert "SIP/2.0 408 Request Timeout" in call.application.take_one()


def test_a_re_invite_that_is_promised_an_answer_for_ever_ends_by_itself(world: World) -> None:
    call, reinvite = outgoing(world)
    call.phone.respond(reinvite, 100)
    call.application.take()
    world.advance(1000)
    assert "SIP/2.0 408 Request Timeout" in call.application.take()[0]
    call.phone.send("BYE")
    assert "481" in world.network.take()[-1], "whoever does not answer has no call any more"


def invite_of(world: World) -> str:
    """An INVITE that an application sent outside dialogs."""
    world.network.routes["sip:carol@127.0.0.1:5080"] = BY_UDP
    application = world.application("invite")
    assert "|OK|" in application.say("sip||\r\nINVITE sip:carol@127.0.0.1:5080 SIP/2.0\r\n\r\n")
    return world.network.take()[-1]


def tagged(invite: str, tag: str) -> str:
    """The INVITE as the branch ``tag`` of a fork answers it."""
    return invite.replace("\r\nCall-ID", f";tag={tag}\r\nCall-ID", 1)


def test_a_far_end_cannot_make_dialogs_without_end(world: World) -> None:
    invite = invite_of(world)
    phone = Phone(world)
    for number in range(1000):
        phone.respond(tagged(invite, f"t{number}"), 180, "Contact: <sip:carol@127.0.0.1:5080>")
    assert world.core.occupancy()["dialogs by key"] <= MOST_BRANCHES
    assert len(world.applications[0].take()) == 1000, "each is passed on all the same"
    world.applications[0].leave()
    phone.respond(invite, 487)


def test_a_far_end_cannot_make_us_send_byes_without_end(world: World) -> None:
    invite = invite_of(world)
    phone = Phone(world)
    for number in range(1000):
        phone.respond(tagged(invite, f"t{number}"), 200, "Contact: <sip:carol@127.0.0.1:5080>")
    assert sum(text.startswith("BYE") for text in world.network.take()) < MOST_BRANCHES
    (dialog_id,) = {usage.dialog_id for usage in world.core.dialogs}
    application = world.applications[0]
    application.request(dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    application.request(dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    world.advance(32)


def test_an_application_with_the_ids_of_another_sends_nothing(world: World) -> None:
    victim = Call(world, world.application("invite"), "victim").establish()
    world.network.routes["sip:carol@127.0.0.1:5080"] = BY_UDP
    other = world.application()
    world.network.take()
    answer = other.say(
        "sip||\r\nINVITE sip:carol@127.0.0.1:5080 SIP/2.0\r\nCall-ID: victim@127.0.0.1\r\n"
        "From: <sip:x@127.0.0.1>;tag=from-victim\r\n\r\n"
    )
    assert "|NOK|dialog id is in use by another application" in answer
    assert world.network.take() == []
    assert "unable to find dialog" in other.request(victim.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    victim.hang_up()


def test_a_subscription_that_claims_an_unknown_dialog_ends_by_itself(world: World) -> None:
    application = world.application("subscribe")
    phone = Phone(world)
    phone.to += ";tag=of-its-own"
    phone.send("SUBSCRIBE", "Contact: <sip:alice@127.0.0.1:5080>", "Expires: 10")
    application.answer(transaction_id_of(application.take_one()), OK)
    world.advance(43)
    assert not list(world.core.dialogs)


def test_refreshing_without_end_leaves_no_timers_behind(world: World) -> None:
    application = world.application("subscribe")
    phone = Phone(world)
    phone.send("SUBSCRIBE", "Contact: <sip:alice@127.0.0.1:5080>", "Expires: 3600")
    phone.learn(application.answer(transaction_id_of(application.take_one()), OK).partition("\r\n")[2])
    for _ in range(300):
        phone.send("SUBSCRIBE", "Expires: 3600")
        application.answer(transaction_id_of(application.take_one()), OK)
        world.advance(40)
        assert sum(map(len, world.clock.timers._queues.values())) < 10, "cancelled ones counted"
    world.advance(4000)


def test_delays_that_far_ends_choose_are_few(world: World) -> None:
    application = world.application("subscribe")
    for seconds in range(1, 1_000_000, 997):
        Phone(world, f"s{seconds}").send(
            "SUBSCRIBE", "Contact: <sip:a@127.0.0.1:5080>", f"Expires: {seconds}"
        )
        application.answer(transaction_id_of(application.take_one()), OK)
    assert len(world.clock.timers._queues) < 600
    world.advance(10**6)


def test_the_acks_of_a_long_call_do_not_add_up(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    for _ in range(50):
        call.application.request(call.dialog_id, "INVITE sip:x SIP/2.0\r\n\r\n")
        call.phone.respond(world.network.take()[-1], 200, "Contact: <sip:alice@127.0.0.1:5080>")
        call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
        world.network.take()
    usage = world.core.dialogs.by_id(call.dialog_id)
    assert usage is not None
    assert len(usage._own_acks) < 10
    call.application.take()
    call.hang_up()
