"""Forks of an application's INVITE: early dialogs under one id, and 2xx that nobody wants (OUT-5, OUT-10)."""

from __future__ import annotations

import pytest

from tests.core.uac.originated import CONTACT, FLOW, Originated
from tests.core.world import (
    World,
    statuses_of,
    tokens_of,
)

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


@pytest.fixture
def call(world: World) -> Originated:
    return Originated(world)


def test_forks_share_an_id_until_one_answers(world: World, call: Originated) -> None:
    for tag in ("b1", "b2", "b3"):
        call.answer(180, f"Contact: <sip:{tag}@127.0.0.1:5080>", tag=tag)
    frames = call.application.take()
    assert {tokens_of(frame)[9] for frame in frames} == {call.dialog_id}
    assert world.core.occupancy()["dialogs by key"] == 3
    world.network.routes["sip:b2@127.0.0.1:5080"] = FLOW
    call.answer(200, "Contact: <sip:b2@127.0.0.1:5080>", tag="b2")
    assert world.core.occupancy()["dialogs by key"] == world.core.occupancy()["dialogs by id"] == 1
    ack = call.say("ACK")
    assert (ack.uri, ack.to_tag) == ("sip:b2@127.0.0.1:5080", "b2")
    assert statuses_of(call.ask("INFO", tag="b1")) in ([481], [503])
    call.hang_up()


def test_a_second_2xx_is_acknowledged_and_hung_up(world: World, call: Originated) -> None:
    call.answer(180, CONTACT, tag="b2")
    call.establish()
    world.network.routes["sip:b2@127.0.0.1:5080"] = FLOW
    ack, bye = call.answer(200, "Contact: <sip:b2@127.0.0.1:5080>", tag="b2")
    for text, method in ((ack, "ACK"), (bye, "BYE")):
        request = call.parsed(text)
        assert (request.method, request.to_tag) == (method, "b2")
    assert call.parsed(bye).get("reason") == ELSEWHERE
    assert call.answer(200, CONTACT, tag="b2") == [ack]
    call.answer(200, to=call.parsed(bye))
    assert call.application.take() == []
    call.hang_up()


def test_a_second_2xx_of_an_unknown_branch_before_the_applications_ack(
    world: World, call: Originated
) -> None:
    call.answer(200, CONTACT)
    sent = call.answer(200, CONTACT, tag="b2")
    assert [text.split(" ")[0] for text in sent] == ["ACK", "BYE"]
    call.answer(200, to=call.parsed(sent[1]))
    ack = call.say("ACK")
    assert ack.to_tag == "b1"
    call.hang_up()
