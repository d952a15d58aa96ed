"""PRACKs of the application (RFC 3262 §4): in which dialog they go, and what is wrong with one."""

from __future__ import annotations

import pytest

from tests.core.uac.originated import CONTACT, Originated, finish, prack, progress, refused
from tests.core.world import World, sip_of, tokens_of, transaction_id_of

NO_INVITE = "NOK|Server error: unable to find IIP when sending PRACK"


NO_RACK = "NOK|Server error: Error creating sip transaction for request"


@pytest.fixture
def call(world: World) -> Originated:
    return Originated(world, "INVITE", "Supported: 100rel")


def test_the_application_sends_the_prack_and_gets_its_answer(call: Originated) -> None:
    assert progress(call, 77) == [183]
    assert call.world.network.take() == [], "the server sends none itself"
    sent = prack(call, 77)
    assert sent.uri == "sip:b1@127.0.0.1:5080"
    assert (sent.from_tag, sent.to_tag) == (call.request.from_tag, "b1")
    assert sent.cseq_number == call.request.cseq_number + 1
    assert sent.get("rack") == f"77 {call.request.cseq_number} INVITE"
    call.answer(200, to=sent)
    delivered = call.application.take_one()
    assert tokens_of(delivered)[9] == call.dialog_id
    assert sip_of(delivered).startswith("SIP/2.0 200 ")
    finish(call)


def test_the_echo_names_a_transaction_of_its_own(call: Originated) -> None:
    progress(call, 77)
    echo = call.application.request(
        call.dialog_id, f"PRACK sip:placeholder SIP/2.0\r\nRAck: 77 {call.request.cseq_number} INVITE\r\n\r\n"
    )
    transaction_id = tokens_of(echo)[10]
    assert transaction_id != call.transaction_id
    call.answer(200, to=call.parsed(sip_of(echo)))
    assert transaction_id_of(call.application.take_one()) == transaction_id
    finish(call)


def test_a_prack_may_carry_an_offer(call: Originated) -> None:
    progress(call, 77)
    sent = prack(call, 77, body="v=0\r\n")
    assert (sent.get("content-type"), sent.body) == ("application/sdp", "v=0\r\n")
    call.answer(200, to=sent)
    finish(call)


def test_each_branch_of_a_fork_gets_its_own_prack(call: Originated) -> None:
    for tag, number in (("b1", 10), ("b2", 20), ("b3", 10)):
        assert progress(call, number, tag) == [183]
    for number, tag in ((20, "b2"), (10, "b1"), (10, "b3"), (20, "b2")):
        sent = prack(call, number)
        assert (sent.to_tag, sent.uri) == (tag, f"sip:{tag}@127.0.0.1:5080")
        call.answer(200, tag=tag, to=sent)
    finish(call)


def test_a_branch_goes_on_where_its_pracks_left_off(call: Originated) -> None:
    progress(call, 10)
    first = prack(call, 10)
    progress(call, 11)
    second = prack(call, 11)
    call.answer(200, to=first)
    call.answer(200, to=second)
    base = call.request.cseq_number
    assert (first.cseq_number, second.cseq_number) == (base + 1, base + 2)
    call.answer(200, CONTACT)
    assert call.say("ACK").cseq_number == base
    bye = call.say("BYE")
    assert bye.cseq_number == base + 3
    call.answer(200, to=bye)


def test_a_number_that_nobody_sent_goes_where_the_dialog_id_leads(call: Originated) -> None:
    progress(call, 10)
    sent = prack(call, 99)
    assert sent.to_tag == "b1"
    call.answer(481, to=sent)
    assert call.statuses() == [481]
    finish(call)


@pytest.mark.parametrize("header", ["X-a: 1", "RAck: 77", "RAck: x 1 INVITE", "RAck: 1 INVITE 77"])
def test_without_a_rack(call: Originated, header: str) -> None:
    progress(call, 77)
    assert refused(call, header) == NO_RACK
    call.answer(200, to=prack(call, 77))
    finish(call)


@pytest.mark.parametrize("status", [200, 486])
def test_after_the_final_response(call: Originated, status: int) -> None:
    progress(call, 77)
    call.answer(status, CONTACT)
    expected = (
        NO_INVITE if status == 200 else "NOK|Server error: unable to find dialog for dialog id provided"
    )
    assert refused(call, "RAck: 77 1 INVITE") == expected
    if status == 200:
        call.say("ACK")
        call.hang_up()


def test_without_an_invite_in_progress(call: Originated) -> None:
    call.establish()
    assert refused(call, "RAck: 77 1 INVITE") == NO_INVITE
    call.hang_up()


def test_another_applications_prack(call: Originated) -> None:
    progress(call, 77)
    stranger = call.world.application()
    answer = stranger.request(call.dialog_id, "PRACK sip:x SIP/2.0\r\nRAck: 77 1 INVITE\r\n\r\n")
    assert answer.endswith("unable to find dialog for dialog id provided")
    call.answer(200, to=prack(call, 77))
    finish(call)


def test_two_calls_with_one_dialog_id(world: World) -> None:
    """As after a challenge: Call-ID and From tag again, the CSeq one higher."""
    identity = ["Call-ID: same", "From: <sip:a@127.0.0.1>;tag=same", "Supported: 100rel"]
    first = Originated(world, "INVITE", *identity)
    second = Originated(world, "INVITE", *identity, "CSeq: 2 INVITE", application=first.application)
    assert progress(first, 5, "b1") == [183]
    assert progress(second, 6, "b2") == [183]
    first.answer(486)
    sent = prack(second, 6)
    assert sent.to_tag == "b2"
    second.answer(200, to=sent, tag="b2")
    second.answer(486, tag="b2")
    second.application.take()
