"""Calls through a network that loses, doubles and reorders: each caller hears one final response, nothing is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.faults.callers import called, outcome
from tests.faults.relay import Relay, Weather
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import NodeApplication, Server

BAD = Weather(lost=0.05, doubled=0.03, late=0.03)
CALLS = 200


@pytest.mark.parametrize(("script", "status"), [("answer", "200"), ("reject", "486")])
def test_each_caller_hears_one_final_response(script: str, status: str) -> None:
    server = Server("--loglevel", "error")
    application = NodeApplication(Path(APPLICATIONS) / f"{script}.js", server.admin_port)
    try:
        with Relay(server.sip_port("udp"), BAD) as relay:
            heard = asyncio.run(called(relay.port, CALLS, 50))
        assert outcome(heard) == {status: CALLS}
        assert relay.lost > CALLS * 0.1, "the network was bad indeed"
        assert relay.doubled > 0
    finally:
        application.stop()
        server.stop()
    assert len(application.events("invite")) == CALLS, "none is delivered twice"


def test_a_network_that_loses_all_is_noticed() -> None:
    """The broken twin: callers who hear nothing are no success."""
    with Relay(9, Weather(lost=1.0, doubled=0.0, late=0.0)) as relay:
        heard = asyncio.run(called(relay.port, 2, 50, patience=0.6))
    assert relay.lost >= 4, "they were repeated"
    assert outcome(heard) != {"200": 2}
