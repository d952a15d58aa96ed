"""drachtio-srf applications that listen and that the server connects to: unmodified, in both versions, TCP and TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, run_sipp
from drachtio_load.verdict import judge
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import SECRET, NodeApplication, Server
from tests.tls.openssl import Authority


@contextmanager
def listening(
    script: str, library: str, *, scheme: str = "tcp", secret: str = SECRET, **variables: str
) -> Iterator[tuple[NodeApplication, Server]]:
    """The application, and a server that hands every new request to it."""
    application = NodeApplication(
        APPLICATIONS / f"{script}.js", 0, secret, library, DRACHTIO_LISTEN="1", **variables
    )
    try:
        assert application.connected["event"] == "listening"
        url = f"{scheme}://127.0.0.1:{application.connected['port']}"
        server = Server("--loglevel", "notice", "--http-handler", url)
        yield application, server
        assert server.stop() == 0
    finally:
        application.stop()


def call(server: Server, scenario: str, calls: int, folder: Path) -> None:
    plan = LoadPlan(
        scenario=find_scenario(scenario), host="127.0.0.1", port=server.sip_port("udp"), rate=50, calls=calls
    )
    judgement = judge(asyncio.run(run_sipp(plan, folder)))
    assert judgement.code is ExitCode.OK, judgement.sentence


@pytest.mark.parametrize(
    ("script", "scenario", "last"),
    [
        ("reject", "reject", "sent"),
        ("answer", "answered", "destroyed"),
        ("answer_hangup", "answered_callee_bye", "hung-up"),
        ("options", "options", "options"),
        ("cancel", "cancel", "cancelled"),
    ],
)
def test_what_it_does_with_a_call(
    script: str, scenario: str, last: str, library: str, tmp_path: Path
) -> None:
    with listening(script, library) as (application, server):
        call(server, scenario, 20, tmp_path)
        application.wait_for_events(last, 20)
        assert not application.events("failed")
        assert not application.events("error")


def test_over_tls(library: str, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).signed("app.test")
    variables = {"DRACHTIO_TLS_KEY": str(key), "DRACHTIO_TLS_CERT": str(certificate)}
    with listening("answer", library, scheme="tls", **variables) as (application, server):
        call(server, "answered", 5, tmp_path)
        application.wait_for_events("destroyed", 5)


def test_one_with_another_secret(library: str, tmp_path: Path) -> None:
    with listening("reject", library, secret="colibri") as (application, server):
        plan = LoadPlan(
            scenario=find_scenario("reject"), host="127.0.0.1", port=server.sip_port("udp"), rate=10, calls=1
        )
        judgement = judge(asyncio.run(run_sipp(plan, tmp_path)))
        assert judgement.code is ExitCode.FAILURES
        assert "480" in judgement.sentence
        assert not application.events("invite")
