"""Responses that no transaction waits for."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Flow
from reference_server.sip.transport import UDP
from tests.core.proxy.stage import Stage
from tests.core.world import UDP_ENDPOINT

BACK = "sip:127.0.0.1:5080;transport=udp"


def late(stage: Stage, status: int = 200, change: tuple[str, str] = ("", "")) -> list[str]:
    """Carol's response comes when everything is forgotten; returns what was sent because of it."""
    stage.world.network.routes[BACK] = stage.phone.flow
    stage.world.network.routes["sip:127.0.0.9:5080;transport=udp"] = Flow(
        UDP, "127.0.0.9", 5080, UDP_ENDPOINT
    )
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.carol.answer(invite, 200)
    answered = next(text for sent, text in reversed(stage.world.tap.sips) if not sent)
    stage.world.advance(70)
    assert stage.world.core.occupancy()["client transactions"] == 0
    text = answered.replace("SIP/2.0 200", f"SIP/2.0 {status}").replace(*change)
    return stage.world.receive(text, stage.carol.flow)


def test_a_2xx_is_passed_on_by_its_via(stage: Stage) -> None:
    (sent,) = late(stage)
    assert stage.statuses == [200, 200]
    assert stage.heard[0].text == sent


@pytest.mark.parametrize("status", [180, 404, 603])
def test_nothing_else_is(stage: Stage, status: int) -> None:
    assert late(stage, status) == []


@pytest.mark.parametrize(
    "change",
    [
        ("127.0.0.1:5080;branch", "127.0.0.9:5080;branch"),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE"),
        ("z9hG4bK", "z9hG4bJ"),
    ],
)
def test_nothing_that_we_did_not_send(stage: Stage, change: tuple[str, str]) -> None:
    assert late(stage, 200, change) == []
    assert stage.world.tap.events[-1][1]["reason"] == "response to no request of ours"
