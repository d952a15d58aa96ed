"""Unmodified drachtio-srf applications that call and register, against SIPp as the far end, by UDP and TCP."""

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
from tests.peers.processes import Line, NodeApplication, Server

CALLS = 3
PAUSE = 0.3
"""seconds before a caller hangs up on a callee that has an ACK to send: SIPp calls a BYE unexpected that it reads
before it has got round to the ACK"""
AUTH = {"username": "carol", "password": "kolibri"}
Call = Callable[[str], Callee]


@pytest.fixture(params=list(Transport), ids=str)
def callee(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Call]:
    started: list[Callee] = []

    def start(scenario: str) -> Callee:
        started.append(Callee(scenario, request.param, CALLS, tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def application(server: Server, library: str) -> Iterator[NodeApplication]:
    running = NodeApplication(APPLICATIONS / "originate.js", server.admin_port, library=library)
    yield running
    running.stop()


def ask(application: NodeApplication, deed: str, event: str, callee: Callee, **details: object) -> list[Line]:
    """Let the application do it CALLS times; returns the lines with ``event`` that tell how it ended."""
    ids = [f"{deed}-{callee.port}-{number}" for number in range(CALLS)]
    stdin = application.process.stdin
    assert stdin is not None
    for one in ids:
        stdin.write(json.dumps({"do": deed, "id": one, "uri": callee.uri, **details}) + "\n")
    stdin.flush()

    def ended(said: list[Line]) -> list[Line]:
        return [line for line in said if line.get("id") in ids and line["event"] in (event, "failed")]

    application.wait_for(f"{CALLS} × {event}", lambda said: len(ended(said)) >= CALLS)
    callee.wait()
    assert {line["event"] for line in ended(application.said)} == {event}
    return ended(application.said)


def of(application: NodeApplication, event: str, ended: list[Line]) -> list[Line]:
    return [line for line in application.events(event) if line["id"] in {one["id"] for one in ended}]


def test_a_call_is_answered_and_the_application_hangs_up(application: NodeApplication, callee: Call) -> None:
    ended = ask(application, "call", "hung-up", callee("answer"))
    assert {line["status"] for line in of(application, "provisional", ended)} == {180}
    answered = of(application, "answered", ended)
    assert len({line["callId"] for line in answered}) == CALLS
    assert all(str(line["sdp"]).startswith("v=0") for line in answered)


def test_a_call_is_answered_and_the_far_end_hangs_up(application: NodeApplication, callee: Call) -> None:
    ended = ask(application, "call", "destroyed", callee("answer_hang_up"), wait=True)
    assert {(line["method"], line["reason"]) for line in ended} == {("BYE", "the callee has enough")}


def test_a_call_is_rejected(application: NodeApplication, callee: Call) -> None:
    ended = ask(application, "call", "refused", callee("reject"))
    assert {(line["status"], line["why"]) for line in ended} == {(486, "dinner")}


def test_a_call_is_redirected(application: NodeApplication, callee: Call) -> None:
    ended = ask(application, "call", "refused", callee("redirect"))
    assert {(line["status"], line["why"]) for line in ended} == {(302, "moved")}


def test_a_call_is_cancelled(application: NodeApplication, callee: Call) -> None:
    far_end = callee("ring")
    ended = ask(application, "cancel", "refused", far_end)
    assert {line["status"] for line in ended} == {487}
    cancels = [seen for seen in read_messages(far_end.messages) if seen.start_line.startswith("CANCEL")]
    assert {seen.header("Reason") for seen in cancels} == {'SIP;cause=200;text="Call completed elsewhere"'}


def test_a_reliable_183_is_acknowledged(application: NodeApplication, callee: Call) -> None:
    far_end = callee("prack")
    ended = ask(application, "call", "hung-up", far_end, headers={"Supported": "100rel"})
    assert {line["status"] for line in of(application, "provisional", ended)} == {183}
    pracks = [seen for seen in read_messages(far_end.messages) if seen.start_line.startswith("PRACK")]
    invites = [seen for seen in read_messages(far_end.messages) if seen.start_line.startswith("INVITE")]
    assert {seen.header("RAck") for seen in pracks} == {f"4711 {seen.header('CSeq')}" for seen in invites}


def test_a_challenged_call_is_answered(application: NodeApplication, callee: Call) -> None:
    far_end = callee("challenge")
    ask(application, "call", "hung-up", far_end, auth=AUTH)
    invites = [seen for seen in read_messages(far_end.messages) if seen.start_line.startswith("INVITE")]
    by_call: dict[str | None, list[int]] = {}
    for seen in invites:
        number = int((seen.header("CSeq") or "0").split()[0])
        by_call.setdefault(seen.header("Call-ID"), []).append(number)
    assert len(by_call) == CALLS
    for numbers in by_call.values():
        assert sorted(set(numbers)) == [min(numbers), min(numbers) + 1]


def test_a_challenged_registration(application: NodeApplication, callee: Call, server: Server) -> None:
    far_end = callee("registrar")
    ended = ask(application, "register", "registered", far_end, auth=AUTH)
    port = server.sip_port(far_end.transport)
    assert {(line["status"], line["contact"]) for line in ended} == {
        (200, f"<sip:carol@127.0.0.1:{port}>;expires=60")
    }


@pytest.mark.parametrize(
    ("far_end", "caller", "event", "by", "passed"),
    [
        ("answer", "answered", "destroyed", "caller", ""),
        ("answer_hang_up", "answered_callee_bye", "destroyed", "callee", ""),
        ("ring", "cancel", "cancelled", None, ""),
        ("reject", "reject", "refused", None, ""),
        ("changed", "reinvite", "destroyed", "caller", ""),
        ("changes", "reinvited", "destroyed", "caller", ""),
        # PRACK on the callee's side only, on both sides without the application's doing, on both because of it
        ("prack", "early_media", "destroyed", "caller", ""),
        ("prack", "prack", "destroyed", "caller", ""),
        ("prack", "prack", "destroyed", "caller", "Require"),
    ],
)
def test_two_calls_become_one(
    far_end: str,
    caller: str,
    event: str,
    by: str | None,
    passed: str,
    server: Server,
    library: str,
    callee: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listening = callee(far_end)
    monkeypatch.setenv("CALLEE", listening.uri)
    monkeypatch.setenv("PASSED", passed)
    connecting = NodeApplication(APPLICATIONS / "b2bua.js", server.admin_port, library=library)
    try:
        folder = tmp_path / "caller"
        folder.mkdir()
        plan = LoadPlan(
            scenario=find_scenario(caller),
            host="127.0.0.1",
            port=server.sip_port(listening.transport),
            transport=listening.transport,
            calls=CALLS,
            # A re-INVITE that comes with the ACK drachtio-srf answers itself: nobody can have listened for it yet.
            hold=PAUSE if far_end in ("changes", "changed") else 0.0,
        )
        judgement = judge(asyncio.run(run_sipp(plan, folder)))
        assert judgement.code is ExitCode.OK, judgement.sentence
        listening.wait()
        for line in connecting.wait_for_events(event, CALLS):
            assert line.get("by") == by
        side = {"changed": ["caller"], "changes": ["callee"]}.get(far_end, [])
        assert [line["by"] for line in connecting.events("modify")] == side * CALLS
    finally:
        connecting.stop()
