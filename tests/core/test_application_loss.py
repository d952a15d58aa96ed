"""An application disconnects: what it had not answered, its calls, who takes them up (CONN-3 to CONN-6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core import application_loss
from reference_server.core.context import Settings
from reference_server.sip.messages.message import parse_message
from tests.core.world import (
    BY_TCP,
    Call,
    Phone,
    World,
    sip_of,
    status_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

UNKNOWN_DIALOG = "Server error: unable to find dialog for dialog id provided"


def test_what_was_not_answered_gets_480_at_once(world: World) -> None:
    application = world.application("invite", "options")
    fresh, ringing = Call(world, application, "fresh"), Call(world, application, "ringing").ring()
    options = Phone(world, "options")
    options.send("OPTIONS")
    world.network.take()
    application.leave()
    sent = {parse_message(text).get("call-id"): text for text in world.network.take()}
    assert statuses_of(list(sent.values())) == [480, 480, 480]
    assert all(text.startswith("SIP/2.0 480 Temporarily Unavailable\r\n") for text in sent.values())
    assert parse_message(sent[ringing.phone.call_id]).get("to") == ringing.phone.to
    for call in (fresh, ringing):
        call.phone.learn(sent[call.phone.call_id])
        call.phone.send("ACK", same=True)
    other = world.application()
    assert other.request(ringing.dialog_id, "INFO\r\n\r\n").endswith(UNKNOWN_DIALOG), (
        "the early dialog is over"
    )
    assert "unknown transaction" in other.answer(fresh.transaction_id, "SIP/2.0 200 OK\r\n\r\n")


def test_its_routes_go_with_it(world: World) -> None:
    application = world.application("invite")
    application.leave()
    assert statuses_of(Phone(world).invite()) == [100, 503]


def test_other_applications_are_not_disturbed(world: World) -> None:
    first, second = world.application("invite"), world.application("options")
    call = Call(world, first)
    Phone(world, "options").send("OPTIONS")
    world.network.take()
    second.leave()
    assert statuses_of(world.network.take()) == [480]
    call.establish()
    call.hang_up()


@pytest.mark.parametrize("method", ["INFO", "BYE", "INVITE", "UPDATE"])
def test_while_nobody_owns_a_dialog_its_requests_get_481(world: World, method: str) -> None:
    call = Call(world, world.application("invite")).establish()
    other = world.application("invite", "info", "bye")
    call.application.leave()
    assert world.network.take() == []
    sent = call.phone.send(method)
    assert statuses_of(sent) == ([100, 481] if method == "INVITE" else [481])
    assert other.take() == []
    if method == "INVITE":
        call.phone.send("ACK", same=True)
    if method == "BYE":
        assert other.request(call.dialog_id, "INFO\r\n\r\n").endswith(UNKNOWN_DIALOG), (
            "BYE ends the dialog all the same"
        )
    else:
        call.phone.send("BYE")


def test_an_ownerless_dialog_is_adopted_by_whoever_uses_its_id(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    heir, late = world.application(), world.application()
    assert heir.request(call.dialog_id, "INFO\r\n\r\n").endswith(UNKNOWN_DIALOG)
    call.application.leave()
    echo = heir.request(call.dialog_id, "INFO\r\n\r\n")
    assert tokens_of(echo)[3] == "OK"
    call.phone.respond(sip_of(echo))
    assert tokens_of(heir.take_one())[9] == call.dialog_id
    assert late.request(call.dialog_id, "INFO\r\n\r\n").endswith(UNKNOWN_DIALOG)
    call.phone.send("INFO")
    heir.answer(transaction_id_of(heir.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    call.application = heir
    call.hang_up()


def test_a_request_that_names_no_method_adopts_nothing(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.application.leave()
    world.application().request(call.dialog_id, "info\r\n\r\n")
    heir = world.application()
    echo = heir.request(call.dialog_id, "BYE\r\n\r\n")
    assert tokens_of(echo)[3] == "OK"
    call.phone.respond(sip_of(echo))


def test_the_response_to_a_request_of_a_lost_application_reaches_the_heir(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    sent = sip_of(call.application.request(call.dialog_id, "INFO\r\n\r\n"))
    call.application.leave()
    heir = world.application()
    heirs = sip_of(heir.request(call.dialog_id, "INFO\r\n\r\n"))
    call.phone.respond(sent)
    assert parse_message(sip_of(heir.take_one())).get("cseq") == "2 INFO"
    call.phone.respond(heirs)
    heir.take_one()
    call.application = heir
    call.hang_up()


def test_the_response_to_a_request_of_a_lost_application_without_an_heir_is_dropped(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    sent = sip_of(call.application.request(call.dialog_id, "BYE\r\n\r\n"))
    call.application.leave()
    assert call.phone.respond(sent) == []


def test_a_timeout_after_the_loss(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.application.request(call.dialog_id, "BYE\r\n\r\n")
    call.application.leave()
    world.advance(32)


def test_lost_before_the_ack_the_call_goes_on(world: World) -> None:
    call = Call(world, world.application("invite"))
    call.answer()
    call.application.leave()
    world.network.take()
    call.phone.send("ACK")
    world.advance(40)
    assert world.network.take() == [], "the ACK stops the 200 although nobody is told"
    heir = world.application()
    call.phone.respond(sip_of(heir.request(call.dialog_id, "BYE\r\n\r\n")))


def test_lost_before_an_ack_that_never_comes(world: World) -> None:
    call = Call(world, world.application("invite"))
    call.answer()
    call.application.leave()
    world.network.take()
    world.advance(32)
    bye = world.network.take()[-1]
    assert bye.startswith("BYE ")
    call.phone.respond(bye)


def test_the_bye_that_it_had_not_answered_gets_200(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.send("BYE")
    world.network.take()
    call.application.leave()
    assert statuses_of(world.network.take()) == [200]


def test_hanging_up_on_application_loss(worlds: Callable[[Settings], World]) -> None:
    world = worlds(Settings(hangup_on_application_loss=True))
    application, survivor = world.application("invite"), world.application()
    established = Call(world, application, "established").establish()
    ringing = Call(world, application, "ringing").ring()
    over_tcp = Call(world, application, "tcp", BY_TCP).establish()
    world.registry.remove(application)
    world.registry.add_route(survivor, "invite")
    untouched = Call(world, survivor, "untouched").establish()
    world.network.sent.clear()
    application.leave()
    sent = world.network.take()
    byes = {parse_message(text).get("call-id"): text for text in sent if text.startswith("BYE ")}
    assert set(byes) == {call.phone.call_id for call in (established, over_tcp)}
    for call in (established, over_tcp):
        bye = byes[call.phone.call_id]
        assert parse_message(bye).get("reason") == 'SIP;cause=480;text="Application disconnected"'
        call.phone.respond(bye)
    assert [status_of(text) for text in sent if not text.startswith("BYE ")] == [480]
    ringing.phone.send("ACK", same=True)
    assert survivor.take() == []
    untouched.hang_up()


def test_hanging_up_sends_no_bye_in_a_subscription(worlds: Callable[[Settings], World]) -> None:
    world = worlds(Settings(hangup_on_application_loss=True))
    application = world.application("subscribe")
    phone = Phone(world)
    phone.send("SUBSCRIBE", "Contact: <sip:alice@127.0.0.1:5080>", "Expires: 60")
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    world.network.take()
    application.leave()
    assert [text for text in world.network.take() if text.startswith("BYE")] == []
    world.advance(100)


def test_hanging_up_waits_for_the_ack(worlds: Callable[[Settings], World]) -> None:
    world = worlds(Settings(hangup_on_application_loss=True))
    application, heir = world.application("invite"), world.application()
    acknowledged, adopted, never = (
        Call(world, application, name) for name in ("acknowledged", "adopted", "never")
    )
    for call in (acknowledged, adopted, never):
        call.answer()
    world.network.sent.clear()
    application.leave()
    assert world.network.take() == []
    (bye,) = acknowledged.phone.send("ACK")
    assert bye.startswith("BYE ")
    assert parse_message(bye).get("reason") == 'SIP;cause=480;text="Application disconnected"'
    acknowledged.phone.respond(bye)
    assert acknowledged.phone.send("ACK", same=True) == []
    info = sip_of(heir.request(adopted.dialog_id, "INFO\r\n\r\n"))
    adopted.phone.respond(info)
    world.network.take()
    assert adopted.phone.send("ACK") == []
    world.advance(32)
    byes = [text for text in world.network.take() if text.startswith("BYE ")]
    assert [parse_message(text).get("call-id") for text in byes] == [never.phone.call_id]
    never.phone.respond(byes[0])
    adopted.phone.respond(sip_of(heir.request(adopted.dialog_id, "BYE\r\n\r\n")))


def test_what_many_waited_for_is_answered_by_portions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application_loss, "AT_ONCE", 10)
    application = world.application("options")
    phones = [Phone(world, f"p{number}") for number in range(25)]
    for phone in phones:
        phone.send("OPTIONS")
    heir = world.application()
    last = transaction_id_of(application.take()[-1])
    application.leave()
    assert statuses_of(world.network.take()) == [480] * 10
    heir.answer(last, "SIP/2.0 200 OK\r\n\r\n")
    assert statuses_of(world.network.take()) == [200]
    world.advance(0.05)
    assert statuses_of(world.network.take()) == [480] * 10
    world.advance(0.05)
    assert statuses_of(world.network.take()) == [480] * 4
