"""An unmodified drachtio-srf application that proxies with ``srf.proxyRequest``: SIPp on both sides, by UDP and TCP."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.messages import SeenMessage, read_messages
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, Transport, run_sipp
from drachtio_load.verdict import judge
from reference_server.sip.route_token import without_token
from tests.peers.callees import Callee
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import Line, NodeApplication, Server

CALLS = 3
IN_THE_WAY = {"remainInDialog": True}
Start = Callable[..., Callee]


@pytest.fixture(params=list(Transport), ids=str)
def transport(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


@pytest.fixture
def callee(transport: Transport, tmp_path: Path) -> Iterator[Start]:
    started: list[Callee] = []

    def start(scenario: str, by: Transport = transport, **values: str) -> Callee:
        folder = tmp_path / f"callee-{len(started)}"
        folder.mkdir()
        started.append(Callee(scenario, by, CALLS, folder, **values))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def application(server: Server) -> Iterator[NodeApplication]:
    running = NodeApplication(APPLICATIONS / "proxy.js", server.admin_port)
    yield running
    running.stop()


@pytest.fixture
def play(
    server: Server, application: NodeApplication, transport: Transport, tmp_path: Path
) -> Callable[..., list[Line]]:
    """Lets callers of a scenario call by way of a plan; returns what the application said of each request."""

    def played(
        scenario: str, destination: list[str], options: dict[str, object], requests: int = CALLS
    ) -> list[Line]:
        told = json.dumps({"plan": "service", "destination": destination, "options": options})
        stdin = application.process.stdin
        assert stdin is not None
        planned = len(application.events("planned"))
        stdin.write(f"{told}\n")
        stdin.flush()
        application.wait_for_events("planned", planned + 1)
        before = len(application.said)
        folder = tmp_path / "caller"
        folder.mkdir()
        plan = LoadPlan(
            scenario=find_scenario(scenario),
            host="127.0.0.1",
            port=server.sip_port(transport),
            transport=transport,
            calls=CALLS,
            credentials=("carol", "kolibri"),
            trace_messages=True,
        )
        judgement = judge(asyncio.run(run_sipp(plan, folder)))
        assert judgement.code is ExitCode.OK, judgement.sentence

        def ends(said: list[Line]) -> list[Line]:
            return [line for line in said[before:] if line["event"] in ("proxied", "refused")]

        application.wait_for(f"{requests} ends", lambda said: len(ends(said)) >= requests)
        return ends(application.said)

    return played


def seen_by(callee: Callee, start: str) -> list[SeenMessage]:
    return [
        seen for seen in read_messages(callee.messages) if not seen.sent and seen.start_line.startswith(start)
    ]


def outcomes(lines: list[Line]) -> set[tuple[object, ...]]:
    """(connected, final status, all statuses) of each request."""
    found: set[tuple[object, ...]] = set()
    for line in lines:
        statuses = line["statuses"]
        assert isinstance(statuses, list)
        found.add((line["connected"], line["final"], *statuses))
    return found


def test_a_call_with_the_server_in_the_way(
    play: Callable[..., list[Line]], callee: Start, server: Server
) -> None:
    far_end = callee("answer")
    assert outcomes(play("answered", [far_end.uri], IN_THE_WAY)) == {(True, 200, 200)}
    far_end.wait()
    parameter = ";transport=tcp" if far_end.transport is Transport.TCP else ""
    route = f"<sip:127.0.0.1:{server.sip_port(far_end.transport)}{parameter};lr>"
    routes = {seen.header("Record-Route") or "" for seen in seen_by(far_end, "INVITE")}
    assert {without_token(one) for one in routes} == {route}
    assert len(routes) == CALLS, "each call has a proof of its own"
    for method in ("INVITE", "ACK", "BYE"):
        came = seen_by(far_end, method)
        assert len(came) == CALLS
        assert {seen.header("Max-Forwards") for seen in came} == {"69"}
        assert all(f":{server.sip_port(far_end.transport)};" in (seen.header("Via") or "") for seen in came)


@pytest.mark.parametrize("alias", ["recordRoute", "path"])
def test_the_callee_hangs_up(play: Callable[..., list[Line]], callee: Start, alias: str) -> None:
    far_end = callee("answer_hang_up")
    assert outcomes(play("answered_callee_bye", [far_end.uri], {alias: True})) == {(True, 200, 200)}
    far_end.wait()


def test_headers_of_the_application(play: Callable[..., list[Line]], callee: Start) -> None:
    far_end = callee("answer")
    play("answered", [far_end.uri], {**IN_THE_WAY, "headers": {"X-Account": "17", "Subject": "hi"}})
    far_end.wait()
    invites = seen_by(far_end, "INVITE")
    assert {(seen.header("X-Account"), seen.header("Subject")) for seen in invites} == {("17", "hi")}


def test_the_second_target_takes_the_call(play: Callable[..., list[Line]], callee: Start) -> None:
    busy, free = callee("reject"), callee("answer")
    assert outcomes(play("answered", [busy.uri, free.uri], IN_THE_WAY)) == {(True, 200, 486, 200)}
    busy.wait()
    free.wait()


def test_nobody_takes_the_call(play: Callable[..., list[Line]], callee: Start) -> None:
    first, second = callee("reject"), callee("reject")
    assert outcomes(play("reject", [first.uri, second.uri], {})) == {(False, 486, 486, 486)}
    first.wait()
    second.wait()


def test_all_ring_and_one_answers(play: Callable[..., list[Line]], callee: Start) -> None:
    free, ringing = callee("answer"), callee("ring")
    options = {**IN_THE_WAY, "forking": "simultaneous"}
    assert outcomes(play("answered", [ringing.uri, free.uri], options)) == {(True, 200, 200)}
    free.wait()
    ringing.wait()
    reasons = {seen.header("Reason") for seen in seen_by(ringing, "CANCEL")}
    assert reasons == {'SIP;cause=200;text="Call completed elsewhere"'}


def test_a_redirection_is_followed(play: Callable[..., list[Line]], callee: Start) -> None:
    free = callee("answer")
    moved = callee("forward", elsewhere=free.uri)
    options = {**IN_THE_WAY, "followRedirects": True}
    assert outcomes(play("answered", [moved.uri], options)) == {(True, 200, 302, 200)}
    moved.wait()
    free.wait()


def test_a_target_that_says_nothing_is_given_up(play: Callable[..., list[Line]], callee: Start) -> None:
    with closing(socket.socket(type=socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        nowhere = f"sip:silent@127.0.0.1:{silent.getsockname()[1]}"
        free = callee("answer")
        options = {**IN_THE_WAY, "provisionalTimeout": "200ms"}
        assert outcomes(play("answered", [nowhere, free.uri], options)) == {(True, 200, 200)}
        free.wait()


def test_a_target_that_rings_for_too_long_is_given_up(play: Callable[..., list[Line]], callee: Start) -> None:
    ringing, free = callee("ring"), callee("answer")
    options = {**IN_THE_WAY, "finalTimeout": "300ms"}
    ends = play("answered", [ringing.uri, free.uri], options)
    assert {line["connected"] for line in ends} == {True}
    ringing.wait()
    free.wait()


def test_the_caller_gives_up(play: Callable[..., list[Line]], callee: Start) -> None:
    ringing = callee("ring")
    assert outcomes(play("cancel", [ringing.uri], IN_THE_WAY)) == {(False, 487, 487)}
    ringing.wait()


def test_reliable_provisional_responses_are_between_the_ends(
    play: Callable[..., list[Line]], callee: Start
) -> None:
    far_end = callee("prack")
    assert outcomes(play("prack", [far_end.uri], IN_THE_WAY)) == {(True, 200, 200)}
    far_end.wait()
    assert {(seen.header("RAck") or "").split()[0] for seen in seen_by(far_end, "PRACK")} == {"4711"}


def test_a_registrar_asks_for_the_password_and_knows_the_way_back(
    play: Callable[..., list[Line]], callee: Start, server: Server
) -> None:
    registrar = callee("registrar")
    ends = play("register_digest", [registrar.uri], {"path": True}, 2 * CALLS)
    assert [line["final"] for line in ends].count(401) == [line["final"] for line in ends].count(200) == CALLS
    registrar.wait()
    parameter = ";transport=tcp" if registrar.transport is Transport.TCP else ""
    path = f"<sip:127.0.0.1:{server.sip_port(registrar.transport)}{parameter};lr>"
    assert {(seen.header("Path"), seen.header("Require")) for seen in seen_by(registrar, "REGISTER")} == {
        (path, "path")
    }


def test_a_caller_by_one_transport_and_a_callee_by_the_other(
    play: Callable[..., list[Line]], callee: Start, transport: Transport
) -> None:
    other = Transport.TCP if transport is Transport.UDP else Transport.UDP
    far_end = callee("answer", other)
    assert outcomes(play("answered", [far_end.uri], IN_THE_WAY)) == {(True, 200, 200)}
    far_end.wait()


def test_five_answer_in_one_turn(play: Callable[..., list[Line]], callee: Start) -> None:
    """A race: the caller hears five 200, acknowledges all, and ends the calls of all but one."""
    racing = [callee("answer_at_once") for _ in range(5)]
    options = {**IN_THE_WAY, "forking": "simultaneous"}
    ends = play("race", [one.uri for one in racing], options)
    assert {line["connected"] for line in ends} == {True}
    for one in racing:
        one.wait()
        assert len(seen_by(one, "ACK")) == len(seen_by(one, "BYE")) == CALLS


def test_a_destination_that_is_none(
    application: NodeApplication, server: Server, transport: Transport, tmp_path: Path
) -> None:
    told = {"plan": "nobody", "destination": ["tel:+4930123"], "options": {}}
    stdin = application.process.stdin
    assert stdin is not None
    stdin.write(f"{json.dumps(told)}\n")
    stdin.flush()
    before = len(application.events("refused"))
    plan = LoadPlan(
        scenario=find_scenario("reject"),
        host="127.0.0.1",
        port=server.sip_port(transport),
        transport=transport,
        calls=1,
        user="nobody",
        trace_messages=True,
    )
    run = asyncio.run(run_sipp(plan, tmp_path))
    line = application.wait_for_events("refused", before + 1)[-1]
    assert line["reason"] == "error proxying request to tel:+4930123"
    assert "SIP/2.0 500 Internal Server Error" in {seen.start_line for seen in run.messages}
