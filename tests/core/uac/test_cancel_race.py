"""A CANCEL of the application that meets a 2xx (OUT-11)."""

from __future__ import annotations

import pytest

from tests.core.uac.originated import CONTACT, Originated
from tests.core.world import (
    World,
    sip_of,
    tokens_of,
)

RACE = 'SIP;cause=200;text="ACK-BYE due to cancel race condition"'


@pytest.fixture
def call(world: World) -> Originated:
    return Originated(world)


@pytest.mark.parametrize("provisional", [True, False])
def test_a_200_overtakes_the_cancel(world: World, call: Originated, provisional: bool) -> None:
    if provisional:
        call.answer(180, CONTACT)
    call.cancel()
    call.application.take()
    call.answer(200, CONTACT)
    assert call.statuses() == [200]
    ack = call.say("ACK")
    sent = world.network.take()
    assert sent[0] == ack.text
    bye = call.parsed(sent[1])
    assert (bye.method, bye.get("reason")) == ("BYE", RACE)
    frame = call.application.take_one()
    assert tokens_of(frame)[1:7] == ["sip", "application", str(len(bye.text)), "udp", "127.0.0.1", "5060"]
    assert tokens_of(frame)[8:] == ["unsolicited", call.dialog_id, ""]
    assert sip_of(frame) == bye.text
    call.answer(200, to=bye)
    assert call.application.take() == []
    assert "|NOK|" in call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
