"""Requests inside dialogs from the far end."""

from __future__ import annotations

import pytest

from reference_server.sip.messages.message import parse_message
from tests.core.world import (
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

METHODS = ["INFO", "OPTIONS", "MESSAGE", "NOTIFY", "REFER", "UPDATE", "SUBSCRIBE", "FOO"]


def test_the_ack_reaches_the_owner_with_the_invites_id_and_no_transport(world: World) -> None:
    call = Call(world, world.application("invite"))
    call.answer()
    text = call.phone.text("ACK", body=SDP)
    assert world.receive(text) == []
    payload = call.application.take_one()
    assert tokens_of(payload) == [
        "uuid", "sip", "network", str(len(text)), "", "127.0.0.1", "5080", "08:00:00.000000", call.transaction_id,
        call.dialog_id, "",
    ]  # fmt: skip
    assert sip_of(payload) == text.replace(call.phone.branch, f"{call.phone.branch};rport=5080")
    call.hang_up()


def test_only_the_first_ack_is_delivered(world: World) -> None:
    call = Call(world, world.application("invite"))
    call.answer()
    text = call.phone.text("ACK")
    world.receive(text)
    world.receive(text)
    call.phone.send("ACK")
    assert len(call.application.take()) == 1
    call.hang_up()


@pytest.mark.parametrize("change", ["CSeq", "To", "From", "Call-ID"])
def test_an_ack_for_something_else_stops_nothing(world: World, change: str) -> None:
    call = Call(world, world.application("invite"))
    call.answer()
    text = call.phone.text("ACK")
    name, _, value = next(line for line in text.split("\r\n") if line.startswith(change)).partition(": ")
    other = "7 ACK" if change == "CSeq" else f"{value}x"
    assert world.receive(text.replace(f"{name}: {value}", f"{name}: {other}")) == []
    assert call.application.take() == []
    world.network.take()
    world.advance(0.5)
    assert statuses_of(world.network.take()) == [200]
    call.phone.send("ACK")
    call.application.take_one()
    call.hang_up()


@pytest.mark.parametrize("method", METHODS)
def test_any_method_reaches_the_owner_without_a_route(world: World, method: str) -> None:
    call = Call(world, world.application("invite")).establish()
    stranger = world.application(*(name.lower() for name in METHODS))
    text = call.phone.text(method, "X-a: 1")
    assert world.receive(text) == []
    payload = call.application.take_one()
    tokens = tokens_of(payload)
    assert tokens[:8] == [
        "uuid",
        "sip",
        "network",
        str(len(text)),
        "udp",
        "127.0.0.1",
        "5080",
        "08:00:00.000000",
    ]
    assert tokens[8] != call.transaction_id
    assert tokens[9:] == [call.dialog_id, ""]
    echo = call.application.answer(tokens[8], "SIP/2.0 200 OK\r\n\r\n")
    assert tokens_of(echo)[6] == ""
    assert tokens_of(echo)[11] == call.dialog_id
    assert stranger.take() == []
    call.hang_up()


def test_a_re_invite(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    (trying,) = call.phone.invite()
    assert status_of(trying) == 100
    payload = call.application.take_one()
    assert transaction_id_of(payload) != call.transaction_id
    echo = call.application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")
    assert tokens_of(echo)[11] == call.dialog_id
    assert parse_message(sip_of(echo)).get("to") == call.phone.to
    world.network.take()
    world.advance(1.5)
    assert len(world.network.take()) == 2
    call.phone.send("ACK")
    ack = call.application.take_one()
    assert transaction_id_of(ack) not in (call.transaction_id, transaction_id_of(payload))
    world.advance(10)
    assert world.network.take() == []
    call.hang_up()


def test_a_re_invite_moves_the_target_once_it_is_accepted(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    for status, uri in ((488, "sip:alice@127.0.0.1:5080"), (200, "sip:new@127.0.0.1:5999")):
        call.phone.send("INVITE", "Contact: <sip:new@127.0.0.1:5999>", body=SDP)
        transaction = transaction_id_of(call.application.take_one())
        call.application.answer(transaction, f"SIP/2.0 {status} x\r\n\r\n")
        call.phone.send("ACK", same=status == 488)
        call.application.take()
        echo = call.application.request(call.dialog_id, "INFO sip:x SIP/2.0\r\n\r\n")
        assert sip_of(echo).startswith(f"INFO {uri} SIP/2.0\r\n")
        call.phone.respond(sip_of(echo))
        call.application.take_one()
    call.hang_up()


def test_a_re_invite_that_is_never_acknowledged_ends_the_call(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.invite()
    call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    world.network.take()
    world.advance(32)
    bye = world.network.take()[-1]
    assert bye.startswith("BYE ")
    assert tokens_of(call.application.take_one())[8] == "unsolicited"
    call.phone.respond(bye)


def test_a_bye_ends_the_dialog_on_arrival_and_the_application_answers_it(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    assert call.phone.send("BYE") == []
    payload = call.application.take_one()
    assert tokens_of(payload)[9] == call.dialog_id
    refused = call.application.request(call.dialog_id, "INFO sip:x SIP/2.0\r\n\r\n")
    assert refused.endswith("NOK|Server error: unable to find dialog for dialog id provided")
    echo = call.application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")
    assert tokens_of(echo)[11] == "", "the echo of an answer to BYE names no dialog"
    assert world.network.take() == [sip_of(echo)]
    assert statuses_of(call.phone.send("BYE")) == [481]


def test_a_bye_before_the_ack_stops_the_200(world: World) -> None:
    call = Call(world, world.application("invite"))
    call.answer()
    call.hang_up()
    world.network.take()
    world.advance(40)
    assert world.network.take() == []


def test_a_bye_in_an_early_dialog_ends_the_invite(world: World) -> None:
    call = Call(world, world.application("invite")).ring()
    terminated, accepted = call.phone.send("BYE")
    assert terminated.startswith("SIP/2.0 487 Request Terminated\r\n")
    assert "CSeq: 1 INVITE\r\n" in terminated
    assert accepted.startswith("SIP/2.0 200 OK\r\n")
    assert "CSeq: 2 BYE\r\n" in accepted
    told = call.application.take_one()
    assert sip_of(told).startswith("BYE ")
    for transaction_id in (call.transaction_id, transaction_id_of(told)):
        answer = call.application.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n")
        assert "|NOK|Response not sent due to unknown transaction" in answer
    assert "|NOK|" in call.application.request(call.dialog_id, "INFO sip:x SIP/2.0\r\n\r\n")


def test_a_bye_while_a_re_invite_waits_ends_that_too(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.invite()
    reinvite = transaction_id_of(call.application.take_one())
    (terminated,) = call.phone.send("BYE")
    assert status_of(terminated) == 487
    assert "CSeq: 2 INVITE\r\n" in terminated
    late = call.application.answer(reinvite, "SIP/2.0 200 OK\r\n\r\n")
    assert late.endswith("|NOK|Response not sent due to unknown transaction")
    call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    world.network.take()
    world.advance(40)
    assert [text for text in world.network.take() if text.startswith(("SIP/2.0 200", "BYE"))] == []


def test_a_silent_application_504(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.send("INFO")
    transaction = transaction_id_of(call.application.take_one())
    world.advance(31.5)
    assert statuses_of(world.network.take()) == [504]
    assert "unknown transaction" in call.application.answer(transaction, "SIP/2.0 200 OK\r\n\r\n")
    call.phone.send("BYE")
    world.network.take()
    call.application.take()
    world.advance(31.5)
    assert statuses_of(world.network.take()) == [504]


def test_a_request_that_is_older_than_the_last_is_refused(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.cseq = 9
    call.phone.send("INFO")
    call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    assert statuses_of(call.phone.send("INFO", cseq=5)) == [500]
    assert call.application.take() == []
    call.hang_up()


def test_repetitions_are_not_delivered(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    text = call.phone.text("INFO")
    world.receive(text)
    world.receive(text)
    answer = sip_of(
        call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    )
    assert world.receive(text) == [answer]
    assert call.application.take() == []
    call.hang_up()


@pytest.mark.parametrize("method", ["BYE", "UPDATE", "PRACK", "INVITE"])
def test_in_no_dialog_481(world: World, method: str) -> None:
    application = world.application("invite", "bye", "update", "prack")
    phone = Phone(world)
    phone.to = "<sip:bob@127.0.0.1:5060>;tag=none"
    sent = phone.send(method)
    assert statuses_of(sent) == ([100, 481] if method == "INVITE" else [481])
    assert parse_message(sent[-1]).get("to") == phone.to
    assert application.take() == []


def test_after_the_dialog_other_requests_are_offered_anew(world: World) -> None:
    call = Call(world, world.application("invite", "info")).establish()
    call.hang_up()
    call.phone.send("INFO")
    payload = call.application.take_one()
    assert len(tokens_of(payload)) == 13
    call.application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")


def test_a_call_id_with_a_bar_writes_no_tokens(world: World) -> None:
    phone = Phone(world, "ab")
    phone.call_id = "a|b@127.0.0.1"
    call = Call(world, world.application("invite"), phone=phone)
    echo = call.answer()
    dialog_id = tokens_of(echo)[11]
    assert dialog_id == "a%7Cb@127.0.0.1;from-tag=from-ab"
    assert "Call-ID: a|b@127.0.0.1\r\n" in echo
    call.phone.send("ACK")
    call.application.take()
    call.phone.send("INFO")
    payload = call.application.take_one()
    assert tokens_of(payload)[9] == dialog_id
    assert len(tokens_of(payload)) == 11
    call.application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")
    bye = sip_of(call.application.request(dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
    assert "\r\nCall-ID: a|b@127.0.0.1\r\n" in bye
    call.phone.respond(bye)


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_a_call_id_with_a_line_end_writes_no_lines(world: World, end: str) -> None:
    application = world.application("invite")
    phone = Phone(world)
    text = phone.text("INVITE", "Contact: <sip:alice@127.0.0.1:5080>").replace(
        phone.call_id, f"{phone.call_id}{end}X-Evil: 1"
    )
    world.receive(text)
    for payload in application.take():
        echo = application.answer(transaction_id_of(payload), "SIP/2.0 486 \r\n\r\n")
        assert end not in tokens_of(echo)[11]
    for sent in world.network.take():
        assert not {"\r", "\n"} & set(sent.replace("\r\n", ""))


def test_a_caller_that_knows_no_tags(world: World) -> None:
    """RFC 2543 had none in the From (RFC 3261 §12.1.1): the empty tag is one like any other."""
    phone = Phone(world)
    phone.from_ = "<sip:alice@127.0.0.1:5080>"
    call = Call(world, world.application("invite"), phone=phone).establish()
    assert call.dialog_id == f"{phone.call_id};from-tag="
    assert phone.send("INFO") == []
    call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    bye = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
    assert "To: <sip:alice@127.0.0.1:5080>\r\n" in bye
    phone.respond(bye)
    assert "SIP/2.0 200 " in call.application.take_one()


def test_numbers_may_be_left_out(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    for number in (7, 8, 1000):
        assert call.phone.send("INFO", cseq=number) == []
        call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    assert statuses_of(call.phone.send("INFO", cseq=999)) == [500]
    call.phone.cseq = 1000
    call.hang_up()


def test_both_hang_up(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    bye = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
    call.phone.send("BYE")
    theirs = transaction_id_of(call.application.take_one())
    assert "|OK|" in call.application.answer(theirs, "SIP/2.0 200 OK\r\n\r\n")
    call.phone.respond(bye, 481)
    assert "SIP/2.0 481 " in call.application.take_one()
    assert call.application.take() == [], "no BYE of the server's own behind it"


def test_the_application_hangs_up_before_the_ack(world: World) -> None:
    """Its BYE goes out at once, as in the genuine server; the 200 is repeated until that is answered."""
    call = Call(world, world.application("invite"))
    call.answer()
    bye = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
    world.network.take()
    world.advance(0.5)
    assert statuses_of([text for text in world.network.take() if text.startswith("SIP/2.0")]) == [200]
    call.phone.respond(bye)
    world.network.take()
    world.advance(40)
    assert world.network.take() == []
    call.application.take()


@pytest.mark.parametrize("method", ["INFO", "OPTIONS", "MESSAGE", "UPDATE", "NOTIFY", "REFER", "FOO"])
def test_any_method_while_it_rings(world: World, method: str) -> None:
    call = Call(world, world.application("invite")).ring()
    assert call.phone.send(method) == []
    told = call.application.take_one()
    assert tokens_of(told)[9] == call.dialog_id
    assert transaction_id_of(told) != call.transaction_id
    assert "|OK|" in call.application.answer(transaction_id_of(told), "SIP/2.0 200 OK\r\n\r\n")
    call.application.answer(call.transaction_id, "SIP/2.0 486 Busy Here\r\n\r\n")


def test_what_waits_in_an_early_dialog_is_answered_although_that_ends(world: World) -> None:
    call = Call(world, world.application("invite")).ring()
    call.phone.send("INFO")
    told = call.application.take_one()
    call.application.answer(call.transaction_id, "SIP/2.0 486 Busy Here\r\n\r\n")
    echo = call.application.answer(transaction_id_of(told), "SIP/2.0 200 OK\r\n\r\n")
    assert status_of(sip_of(echo)) == 200
