"""Prometheus, and who asks whether a server is alive."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from features.steps.processes import DEADLINE, Start
from features.steps.watchers import Scene


@given("a server that Prometheus may scrape")
def a_server_with_figures(scene: Scene, start_server: Start) -> None:
    pytest.importorskip("prometheus_client")
    scene.begin(start_server("--prometheus-scrape-port", "127.0.0.1:0"))


def fetch(scene: Scene, path: str) -> tuple[int, str]:
    """Status and body."""
    assert scene.server is not None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{scene.server.metrics}{path}", timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


@when("Prometheus scrapes")
def prometheus_scrapes(scene: Scene) -> None:
    status, scene.page = fetch(scene, "/metrics")
    assert status == 200


@then(parsers.re(r'"(?P<name>\w+)"(?: of (?P<labels>[\w ]+))? is (?P<value>\d+)'))
def a_figure_is(scene: Scene, name: str, labels: str | None, value: str) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    wanted = dict(pair.split(" ") for pair in labels.split(" and ")) if labels else {}
    found = [
        sample.value
        for family in text_string_to_metric_families(scene.page)
        for sample in family.samples
        if sample.name == name and sample.labels == wanted
    ]
    assert found == [float(value)], scene.page


@then(parsers.re(r'"(?P<path>/\w+)" is answered (?P<status>\d+)'))
def a_page_is_answered(scene: Scene, path: str, status: str) -> None:
    assert fetch(scene, path)[0] == int(status)


@pytest.fixture
def applications() -> Iterator[list[socket.socket]]:
    """Applications that are connected."""
    connected: list[socket.socket] = []
    yield connected
    for one in connected:
        one.close()


@when("an application authenticates")
def an_application_authenticates(scene: Scene, applications: list[socket.socket]) -> None:
    assert scene.server is not None
    connected = socket.create_connection(("127.0.0.1", scene.server.admin_port), timeout=DEADLINE)
    applications.append(connected)
    connected.sendall(b"20#1|authenticate|cymru")
    assert b"|response|1|OK|" in connected.recv(1000)


@when(parsers.parse("Alice sends {count:d} requests, each of a method of its own"))
def many_methods(scene: Scene, count: int) -> None:
    assert scene.alice is not None
    for number in range(count):
        scene.ask(scene.alice.request(f"METHOD{number}"))
