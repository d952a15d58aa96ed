"""Reliable provisional responses to an application's INVITE, and its PRACKs (RFC 3262 §4)."""

from __future__ import annotations

import pytest

from tests.core.uac.originated import CONTACT, Originated, finish, prack, progress, refused
from tests.core.world import World

NO_INVITE = "NOK|Server error: unable to find IIP when sending PRACK"


@pytest.fixture
def call(world: World) -> Originated:
    return Originated(world, "INVITE", "Supported: 100rel")


def test_a_repeated_response_is_passed_on_once_and_the_next_in_order(call: Originated) -> None:
    assert progress(call, 77) == [183]
    assert progress(call, 77) == []
    assert progress(call, 79) == [], "77 is missing its successor"
    assert progress(call, 78) == [183]
    assert progress(call, 79) == [183]
    finish(call)


@pytest.mark.parametrize(
    "headers", [["RSeq: 77"], ["Require: 100rel"], ["Require: timer", "RSeq: 77"], ["RSeq: x"]]
)
def test_what_is_not_reliable_is_passed_on_each_time(call: Originated, headers: list[str]) -> None:
    for _ in range(2):
        call.answer(183, CONTACT, *headers)
    assert call.statuses() == [183, 183]
    assert refused(call, "RAck: 77 1 INVITE") == NO_INVITE
    finish(call)


def test_without_a_to_tag_there_is_no_dialog_to_acknowledge_in(call: Originated) -> None:
    for _ in range(2):
        call.answer(183, CONTACT, "Require: 100rel", "RSeq: 77", tag="")
    assert call.statuses() == [183, 183]
    assert refused(call, "RAck: 77 1 INVITE").startswith("NOK|Server error: unable to find dialog")
    finish(call)


def test_a_reinvite_of_the_application(world: World) -> None:
    call = Originated(world).establish()
    reinvite = call.say("INVITE", body="v=0\r\n")
    assert progress(call, 5, to=reinvite) == [183]
    assert progress(call, 5, to=reinvite) == []
    sent = prack(call, 5)
    assert sent.cseq_number == reinvite.cseq_number + 1
    assert call.answer(481, to=sent) == [], "that is about the response, not about the call"
    assert call.statuses() == [481]
    call.answer(200, CONTACT, to=reinvite)
    assert call.say("ACK").cseq_number == reinvite.cseq_number
    assert refused(call, "RAck: 5 1 INVITE") == NO_INVITE
    call.application.take()
    call.hang_up()
