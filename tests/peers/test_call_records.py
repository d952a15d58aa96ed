"""A drachtio-srf application that keeps accounts of thousands of calls of every kind: its books must balance.

One application handles the calls, in the ways that their user parts say, and makes calls of its own; SIPp is all far
ends. Another application gets the call detail records and knows nothing else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec import Struct, structs

from drachtio_conformance.engine.outcome import ExitCode
from drachtio_load.scenarios import find_scenario
from drachtio_load.sipp import LoadPlan, Transport, run_sipp
from drachtio_load.verdict import judge
from tests.peers.callees import Callee
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import Line, NodeApplication, Server

RATE = 75.0
"""calls a second of each caller"""


class Incoming(Struct, frozen=True):
    """A caller of ``sipp/``, and what happens to its calls."""

    scenario: str
    user: str
    calls: int
    records: tuple[str, ...]
    """of each call, the caller's attempt aside"""
    callee: str = ""
    """of ``sipp/callees``: to whom the application proxies the calls"""


class Outgoing(Struct, frozen=True):
    """A callee of ``sipp/callees``, and what becomes of the application's calls to it."""

    scenario: str
    wait: bool
    calls: int
    records: tuple[str, ...]


INCOMING = (
    Incoming("answered", "answer", 450, ("start application uas", "stop network normal-release")),
    Incoming(
        "answered_callee_bye", "hang-up", 450, ("start application uas", "stop application normal-release")
    ),
    Incoming("reject", "reject", 450, ("stop application call-rejected",)),
    Incoming("cancel", "ring", 450, ("stop network call-canceled",)),
)
PROXIED = (
    Incoming(
        "answered",
        "proxy",
        150,
        (
            *("attempt application", "start network proxy-uac", "start application proxy-uas"),
            *("stop network normal-release", "stop application normal-release"),
        ),
        "answer",
    ),
    Incoming(
        "reject",
        "proxy",
        150,
        ("attempt application", "stop network call-rejected", "stop application call-rejected"),
        "reject",
    ),
)
OUTGOING = (
    Outgoing("answer", False, 100, ("start network uac", "stop application normal-release")),
    Outgoing("answer_hang_up", True, 100, ("start network uac", "stop network normal-release")),
    Outgoing("reject", False, 100, ("stop network call-rejected",)),
)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server("--loglevel", "notice", "--cdrs")
    yield running
    assert running.stop() == 0


@pytest.fixture
def switchboard(server: Server) -> Iterator[NodeApplication]:
    running = NodeApplication(APPLICATIONS / "switchboard.js", server.admin_port)
    yield running
    assert not running.events("failed")
    running.stop()


@pytest.fixture
def accounts(server: Server) -> Iterator[NodeApplication]:
    running = NodeApplication(APPLICATIONS / "accounts.js", server.admin_port)
    yield running
    running.stop()


def tell(application: NodeApplication, what: object) -> None:
    stdin = application.process.stdin
    assert stdin is not None
    stdin.write(f"{json.dumps(what)}\n")
    stdin.flush()


def call_in(server: Server, folder: Path, flows: Sequence[Incoming]) -> None:
    """All callers at once, until each has made its calls."""

    async def run() -> None:
        plans = [
            LoadPlan(
                scenario=find_scenario(flow.scenario),
                host="127.0.0.1",
                port=server.sip_port("udp"),
                rate=RATE * flow.calls / max(one.calls for one in flows),
                calls=flow.calls,
                user=flow.user,
            )
            for flow in flows
        ]
        folders = [folder / f"{flow.scenario}-{flow.user}" for flow in flows]
        for one in folders:
            one.mkdir(exist_ok=True)
        runs = await asyncio.gather(*(run_sipp(plan, one) for plan, one in zip(plans, folders, strict=True)))
        for judgement in map(judge, runs):
            assert judgement.code is ExitCode.OK, judgement.sentence

    asyncio.run(run())


def balanced(accounts: NodeApplication, attempts: int) -> Line:
    """The books once ``attempts`` calls are over."""
    before = len(accounts.events("balanced"))
    tell(accounts, attempts)
    return accounts.wait_for_events("balanced", before + 1)[-1]


def test_the_books_of_thousands_of_calls_balance(
    server: Server, switchboard: NodeApplication, accounts: NodeApplication, tmp_path: Path
) -> None:
    callees: list[Callee] = []

    def answer(scenario: str, calls: int) -> Callee:
        folder = tmp_path / f"callee-{len(callees)}"
        folder.mkdir()
        callees.append(Callee(scenario, Transport.UDP, calls, folder))
        return callees[-1]

    try:
        proxied = [
            structs.replace(one, user=f"{one.user}{answer(one.callee, one.calls).port}") for one in PROXIED
        ]
        for flow in OUTGOING:
            uri = answer(flow.scenario, flow.calls).uri
            tell(switchboard, {"uri": uri, "calls": flow.calls, "at_once": 4, "wait": flow.wait})
        call_in(server, tmp_path, [*INCOMING, *proxied])
        switchboard.wait_for_events("dialled", len(OUTGOING))
        for callee in callees:
            callee.wait()
    finally:
        for callee in callees:
            callee.stop()

    expected: dict[str, int] = {}
    for one in (*INCOMING, *PROXIED, *OUTGOING):
        way = "network" if isinstance(one, Incoming) else "application"
        for name in (f"attempt {way}", *one.records):
            expected[name] = expected.get(name, 0) + one.calls
    attempts = expected["attempt network"] + expected["attempt application"]
    books = balanced(accounts, attempts)
    assert books["wrong"] == []
    assert books["counts"] == expected

    # What would come behind these records comes ahead of those of another call.
    last = Incoming("reject", "reject", 1, ("stop application call-rejected",))
    call_in(server, tmp_path, [last])
    books = balanced(accounts, attempts + 1)
    assert books["wrong"] == []
    expected["attempt network"] += 1
    expected["stop application call-rejected"] += 1
    assert books["counts"] == expected
