"""A caller that acknowledges no reliable response: 504 for it, an end for the application, and the server lives on.

The genuine server dies of this caller after 32 s. Here 64·T1 is a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, Transport, run_sipp
from drachtio_load.verdict import judge
from tests.peers.callees import Callee
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import NodeApplication, Server

CALLS = 3
IMPATIENT = """
<drachtio>
  <admin port="0">127.0.0.1</admin>
  <sip><timers><t1x64>1000</t1x64></timers></sip>
</drachtio>
"""


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose 64·T1 is a second."""
    file = tmp_path_factory.mktemp("impatient") / "drachtio.conf.xml"
    file.write_text(IMPATIENT)
    server = Server("--file", str(file))
    yield server
    assert server.stop() == 0


def call(server: Server, scenario: str, transport: Transport, folder: Path) -> None:
    """CALLS calls, each of which goes as the scenario says."""
    folder.mkdir()
    plan = LoadPlan(
        scenario=find_scenario(scenario),
        host="127.0.0.1",
        port=server.sip_port(transport),
        transport=transport,
        rate=40,
        calls=CALLS,
    )
    judgement = judge(asyncio.run(run_sipp(plan, folder)))
    assert judgement.code is ExitCode.OK, judgement.sentence


@pytest.mark.parametrize("transport", list(Transport), ids=str)
def test_the_application_hears_of_it_as_of_a_cancel(
    impatient: Server, transport: Transport, tmp_path: Path
) -> None:
    application = NodeApplication(APPLICATIONS / "reliable.js", impatient.admin_port)
    try:
        call(impatient, "prack_never", transport, tmp_path / "never")
        told = application.wait_for_events("cancelled", CALLS)
        assert {line["reason"] for line in told} == {'SIP;cause=504;text="PRACK timeout"'}
        call(impatient, "prack", transport, tmp_path / "next")
        application.wait_for_events("destroyed", CALLS)
        assert not application.events("failed")
    finally:
        application.stop()


@pytest.mark.parametrize("transport", list(Transport), ids=str)
def test_the_other_half_of_the_call_is_released(
    impatient: Server, transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callee has answered, the 200 for the caller waits for its PRACK: without it the callee is hung up."""
    folder = tmp_path / "callee"
    folder.mkdir()
    callee = Callee("prack", transport, CALLS, folder)
    monkeypatch.setenv("CALLEE", callee.uri)
    monkeypatch.setenv("PASSED", "Require")
    connecting = NodeApplication(APPLICATIONS / "b2bua.js", impatient.admin_port)
    try:
        call(impatient, "prack_never", transport, tmp_path / "caller")
        callee.wait()
        assert len(connecting.wait_for_events("refused", CALLS)) == CALLS
    finally:
        connecting.stop()
        callee.stop()
