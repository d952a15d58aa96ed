"""Kamailio as registrar and outbound proxy: calls of applications through it, and calls that it brings to them.

It stays in the way of each call (Record-Route), so that ACK and BYE go through it in both directions.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.messages import read_messages
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, Transport, run_sipp
from drachtio_load.verdict import judge
from tests.peers.callees import Callee
from tests.peers.flows import APPLICATIONS
from tests.peers.kamailio import AUTH, DOMAIN, Kamailio
from tests.peers.processes import Line, NodeApplication, Server

BY = pytest.mark.parametrize("transport", list(Transport), ids=str)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kamailio]:
    running = Kamailio(tmp_path_factory.mktemp("kamailio"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def application(server: Server) -> Iterator[NodeApplication]:
    running = NodeApplication(APPLICATIONS / "originate.js", server.admin_port)
    yield running
    running.stop()


@pytest.fixture
def callee(transport: Transport, tmp_path: Path) -> Iterator[Callable[[str], Callee]]:
    started: list[Callee] = []

    def start(scenario: str) -> Callee:
        started.append(Callee(scenario, transport, 1, tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def ask(application: NodeApplication, event: str, deed: str, **details: object) -> Line:
    """Let the application do it; returns the line with ``event`` that tells how it ended."""
    one = f"{deed}-{len(application.said)}"
    stdin = application.process.stdin
    assert stdin is not None
    stdin.write(json.dumps({"do": deed, "id": one, **details}) + "\n")
    stdin.flush()

    def ended(said: list[Line]) -> list[Line]:
        return [
            line for line in said if line.get("id") == one and line["event"] in (event, "failed", "refused")
        ]

    application.wait_for(event, lambda said: bool(ended(said)))
    (line,) = ended(application.said)
    assert line["event"] == event, line
    return line


def register(
    application: NodeApplication, proxy: Kamailio, transport: Transport, user: str, contact: str
) -> None:
    """Bind ``user`` of the domain to ``contact``; the registrar asks for a password first."""
    registered = ask(
        application,
        "registered",
        "register",
        uri=proxy.uri(transport),
        aor=f"sip:{user}@{DOMAIN}",
        contact=f"<{contact}>",
        auth=AUTH,
    )
    assert registered["status"] == 200


@BY
@pytest.mark.parametrize(
    ("scenario", "event", "wait"),
    [("answer", "hung-up", False), ("answer_hang_up", "destroyed", True)],
    ids=["the-application-hangs-up", "the-callee-hangs-up"],
)
def test_a_call_through_the_proxy(
    scenario: str,
    event: str,
    wait: bool,
    transport: Transport,
    application: NodeApplication,
    callee: Callable[[str], Callee],
    proxy: Kamailio,
    server: Server,
) -> None:
    far_end = callee(scenario)
    user = f"{scenario}-{transport}"
    register(application, proxy, transport, user, far_end.uri)
    ended = ask(
        application,
        event,
        "call",
        uri=f"sip:{user}@{DOMAIN}",
        proxy=proxy.uri(transport),
        wait=wait,
    )
    far_end.wait()
    if wait:
        assert ended["reason"] == "the callee has enough"
        proxy.forwarded("BYE", far_end.port, 1)
    requests = {
        seen.start_line.partition(" ")[0]: seen for seen in read_messages(far_end.messages) if not seen.sent
    }
    for method in ("INVITE", "ACK") if wait else ("INVITE", "ACK", "BYE"):
        assert requests[method].text.count("\r\nVia: ") == 2, "the proxy's and the server's"
    assert f"127.0.0.1:{proxy.port}" in (requests["INVITE"].header("Record-Route") or "")


@BY
def test_a_call_through_the_proxy_is_cancelled(
    transport: Transport, application: NodeApplication, callee: Callable[[str], Callee], proxy: Kamailio
) -> None:
    far_end = callee("ring")
    register(application, proxy, transport, f"ring-{transport}", far_end.uri)
    via = proxy.uri(transport)
    ended = ask(application, "refused", "cancel", uri=f"sip:ring-{transport}@{DOMAIN}", proxy=via)
    assert ended["status"] == 487
    far_end.wait()


@BY
def test_nobody_is_registered(transport: Transport, application: NodeApplication, proxy: Kamailio) -> None:
    via = proxy.uri(transport)
    ended = ask(application, "refused", "call", uri=f"sip:nobody@{DOMAIN}", proxy=via)
    assert (ended["status"], ended["reason"]) == (404, "Not Registered")


@BY
@pytest.mark.parametrize(
    ("script", "scenario", "last"),
    [("answer", "answered", "destroyed"), ("answer_hangup", "answered_callee_bye", "hung-up")],
    ids=["the-caller-hangs-up", "the-application-hangs-up"],
)
def test_a_call_to_a_registered_application(
    script: str,
    scenario: str,
    last: str,
    transport: Transport,
    application: NodeApplication,
    proxy: Kamailio,
    server: Server,
    tmp_path: Path,
) -> None:
    user = f"{script}-here-{transport}"
    parameter = ";transport=tcp" if transport is Transport.TCP else ""
    register(
        application, proxy, transport, user, f"sip:{user}@127.0.0.1:{server.sip_port(transport)}{parameter}"
    )
    called = NodeApplication(APPLICATIONS / f"{script}.js", server.admin_port)
    try:
        plan = LoadPlan(
            scenario=find_scenario(scenario),
            host="127.0.0.1",
            port=proxy.port,
            transport=transport,
            user=user,
            calls=3,
            rate=40,
        )
        judgement = judge(asyncio.run(run_sipp(plan, tmp_path)))
        assert judgement.code is ExitCode.OK, judgement.sentence
        called.wait_for_events(last, 3)
        if last == "hung-up" and transport is Transport.UDP:
            proxy.forwarded("BYE", server.sip_port("udp"), 3)
    finally:
        called.stop()


@BY
@pytest.mark.parametrize(
    ("far_end", "scenario"),
    [
        ("answer", "answered"),
        ("answer_hang_up", "answered_callee_bye"),
        ("ring", "cancel"),
        ("reject", "reject"),
    ],
)
def test_an_application_that_proxies_between_two_proxies(
    far_end: str,
    scenario: str,
    transport: Transport,
    application: NodeApplication,
    callee: Callable[[str], Callee],
    proxy: Kamailio,
    server: Server,
    tmp_path: Path,
) -> None:
    """The caller calls by way of Kamailio, the application passes the call on to Kamailio, which knows the callee."""
    listening = callee(far_end)
    parameter = ";transport=tcp" if transport is Transport.TCP else ""
    here, there = f"{far_end}-by-us-{transport}", f"{far_end}-behind-{transport}"
    port = server.sip_port(transport)
    register(application, proxy, transport, here, f"sip:{here}@127.0.0.1:{port}{parameter}")
    register(application, proxy, transport, there, listening.uri)
    passing_on = NodeApplication(APPLICATIONS / "proxy.js", server.admin_port)
    try:
        stdin = passing_on.process.stdin
        assert stdin is not None
        destination = f"sip:{there}@127.0.0.1:{proxy.port}{parameter}"
        plan = {"plan": here, "destination": [destination], "options": {"remainInDialog": True}}
        stdin.write(f"{json.dumps(plan)}\n")
        stdin.flush()
        passing_on.wait_for_events("planned", 1)
        folder = tmp_path / "caller"
        folder.mkdir()
        load = LoadPlan(
            scenario=find_scenario(scenario),
            host="127.0.0.1",
            port=proxy.port,
            transport=transport,
            user=here,
        )
        judgement = judge(asyncio.run(run_sipp(load, folder)))
        assert judgement.code is ExitCode.OK, judgement.sentence
        listening.wait()
        (ended,) = passing_on.wait_for_events("proxied", 1)
        assert ended["connected"] is far_end.startswith("answer")
    finally:
        passing_on.stop()
    invites = [seen for seen in read_messages(listening.messages) if seen.start_line.startswith("INVITE")]
    (invite,) = {seen.text: seen for seen in invites}.values()
    assert invite.text.count("\r\nVia: ") == 4, "the proxy's, the server's, the proxy's and the caller's"
    assert invite.text.count("\r\nRecord-Route: ") >= 3
