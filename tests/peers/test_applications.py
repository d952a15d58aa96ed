"""Several applications, many calls, and an application that does not know the secret."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, run_sipp
from drachtio_load.verdict import judge
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import NodeApplication, Server


def call(server: Server, scenario: str, calls: int, rate: float, folder: Path) -> None:
    plan = LoadPlan(
        scenario=find_scenario(scenario),
        host="127.0.0.1",
        port=server.sip_port("udp"),
        rate=rate,
        calls=calls,
    )
    judgement = judge(asyncio.run(run_sipp(plan, folder)))
    assert judgement.code is ExitCode.OK, judgement.sentence


def test_a_wrong_secret_is_refused(server: Server, library: str) -> None:
    stranger = NodeApplication(APPLICATIONS / "options.js", server.admin_port, "colibri", library)
    try:
        assert stranger.connected == {"event": "refused", "reason": "failed to authenticate to server"}
    finally:
        stranger.stop()


def test_applications_take_turns(server: Server, tmp_path: Path) -> None:
    applications = [NodeApplication(APPLICATIONS / "options.js", server.admin_port) for _ in range(3)]
    try:
        call(server, "options", 12, 100, tmp_path)
        for application in applications:
            application.wait_for_events("options", 4)
        assert [len(application.events("options")) for application in applications] == [4, 4, 4]
    finally:
        for application in applications:
            application.stop()


@pytest.mark.parametrize(
    ("script", "scenario", "last"),
    [("answer", "answered", "destroyed"), ("answer_hangup", "answered_callee_bye", "hung-up")],
)
def test_many_calls_at_once(script: str, scenario: str, last: str, server: Server, tmp_path: Path) -> None:
    application = NodeApplication(APPLICATIONS / f"{script}.js", server.admin_port)
    try:
        call(server, scenario, 200, 200, tmp_path)
        application.wait_for_events(last, 200)
        assert not application.events("failed")
    finally:
        application.stop()
