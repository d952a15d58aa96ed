"""Calls that end otherwise than by a BYE of either side: what an unmodified drachtio-srf application makes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, Transport, run_sipp
from drachtio_load.verdict import judge
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import NodeApplication, Server

CALLS = 3
CONFIGURATION = """<drachtio>
  <admin port="0">127.0.0.1</admin>
  <sip><timers><t1x64>1600</t1x64></timers></sip>
</drachtio>
"""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose 64·T1 is 1.6 s."""
    file = tmp_path_factory.mktemp("hasty") / "drachtio.conf.xml"
    file.write_text(CONFIGURATION)
    running = Server("--loglevel", "notice", "--file", str(file))
    yield running
    assert running.stop() == 0


@pytest.mark.parametrize("transport", list(Transport), ids=str)
@pytest.mark.parametrize(
    ("scenario", "reason", "statuses"),
    [
        ("never_acknowledges", "ACK timeout", []),
        ("forgets", "Call does not exist", [481] * CALLS),
    ],
)
def test_the_application_learns_that_its_call_is_over(
    scenario: str, reason: str, statuses: list[int], transport: Transport, hasty: Server, tmp_path: Path
) -> None:
    application = NodeApplication(APPLICATIONS / "info.js", hasty.admin_port)
    try:
        plan = LoadPlan(
            scenario=find_scenario(scenario),
            host="127.0.0.1",
            port=hasty.sip_port(transport),
            transport=transport,
            calls=CALLS,
        )
        judgement = judge(asyncio.run(run_sipp(plan, tmp_path)))
        assert judgement.code is ExitCode.OK, judgement.sentence
        for line in application.wait_for_events("destroyed", CALLS):
            assert (line["reason"], line["connected"]) == (reason, False)
        answered = application.wait_for_events("answered", len(statuses))
        assert [line["status"] for line in answered] == statuses
        assert not application.events("error")
    finally:
        application.stop()
