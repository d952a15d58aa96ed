"""What lasts in unmodified drachtio-srf applications: calls with a session timer, and subscriptions, by UDP and TCP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from drachtio_load.messages import read_messages
from drachtio_load.sipp import Transport
from tests.peers.callees import Callee
from tests.peers.flows import APPLICATIONS
from tests.peers.processes import Line, NodeApplication, Server

TIMES = 3


@pytest.fixture(scope="module")
def application(server: Server) -> Iterator[NodeApplication]:
    running = NodeApplication(APPLICATIONS / "long_lived.js", server.admin_port)
    yield running
    running.stop()


@pytest.fixture(params=list(Transport), ids=str)
def transport(request: pytest.FixtureRequest) -> Transport:
    assert isinstance(request.param, Transport)
    return request.param


def lived(application: NodeApplication, deed: str, callee: Callee) -> dict[str, list[Line]]:
    """Let the application do it TIMES times, until each is over; returns what it said of each."""
    ids = [f"{deed}-{callee.port}-{number}" for number in range(TIMES)]
    stdin = application.process.stdin
    assert stdin is not None
    for one in ids:
        stdin.write(json.dumps({"do": deed, "id": one, "uri": callee.uri}) + "\n")
    stdin.flush()

    def over(said: list[Line]) -> bool:
        ended = {line["id"] for line in said if line["event"] in ("over", "failed")}
        return ended >= set(ids)

    application.wait_for(f"{TIMES} × over", over)
    callee.wait()
    return {one: [line for line in application.said if line.get("id") == one] for one in ids}


def test_a_call_is_refreshed_and_the_application_sees_nothing_of_it(
    application: NodeApplication, transport: Transport, tmp_path: Path
) -> None:
    callee = Callee("refreshed", transport, TIMES, tmp_path)
    try:
        for said in lived(application, "call", callee).values():
            assert [line["event"] for line in said] == ["answered", "over"]
            assert (said[1]["method"], said[1].get("reason")) == ("BYE", None)
    finally:
        callee.stop()
    invites = [seen for seen in read_messages(callee.messages) if seen.start_line.startswith("INVITE")]
    by_call: dict[str | None, list[int]] = {}
    for seen in invites:
        number = int((seen.header("CSeq") or "0").split()[0])
        by_call.setdefault(seen.header("Call-ID"), []).append(number)
    assert len(by_call) == TIMES
    for numbers in by_call.values():
        first = min(numbers)
        assert sorted(set(numbers)) == [first, first + 1, first + 2]


@pytest.mark.parametrize("notifier", ["notifier", "notifier_hasty"])
def test_a_subscription_is_notified_and_ended(
    application: NodeApplication, transport: Transport, tmp_path: Path, notifier: str
) -> None:
    callee = Callee(notifier, transport, TIMES, tmp_path)
    try:
        for said in lived(application, "subscribe", callee).values():
            events = [str(line["event"]) for line in said]
            assert events[:2] == ["subscribed", "notified"]
            assert sorted(events[2:]) == ["notified", "over", "unsubscribed"]
            states = [line["state"] for line in said if line["event"] == "notified"]
            assert states == ["active;expires=60", "terminated;reason=timeout"]
    finally:
        callee.stop()
