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


def say(application: socket.socket, payload: str) -> str:
    """Send a frame; the next one that comes."""
    application.sendall(f"{len(payload)}#{payload}".encode())
    return hear(application)


def hear(application: socket.socket) -> str:
    """The payload of the next frame."""
    length = b""
    while not length.endswith(b"#"):
        length += application.recv(1)
    return application.recv(int(length[:-1]), socket.MSG_WAITALL).decode()


@when("an application authenticates")
def an_application_authenticates(scene: Scene, applications: list[socket.socket]) -> None:
    assert scene.server is not None
    connected = socket.create_connection(("127.0.0.1", scene.server.admin_port), timeout=DEADLINE)
    applications.append(connected)
    assert "|response|1|OK|" in say(connected, "1|authenticate|cymru")


@when("it asks for calls")
def it_asks_for_calls(applications: list[socket.socket]) -> None:
    assert "|response|2|OK" in say(applications[0], "2|route|invite")


@when(parsers.parse('Alice calls, and the application answers "{first}" and "{second}"'))
def alice_calls(scene: Scene, applications: list[socket.socket], first: str, second: str) -> None:
    assert scene.alice is not None
    scene.alice.send(scene.alice.request("INVITE", f"Contact: <sip:alice@127.0.0.1:{scene.alice.port}>\r\n"))
    transaction = hear(applications[0]).split("|")[8]
    for number, status in enumerate((first, second), start=3):
        assert f"|response|{number}|OK|" in say(
            applications[0], f"{number}|sip|{transaction}|\r\nSIP/2.0 {status}\r\n\r\n"
        )
    for status in ("100 Trying", first, second):
        assert scene.alice.answer().startswith(f"SIP/2.0 {status}\r\n")


@when(parsers.parse("Alice sends {count:d} requests, each of a method of its own"))
def many_methods(scene: Scene, count: int) -> None:
    assert scene.alice is not None
    for number in range(count):
        scene.ask(scene.alice.request(f"METHOD{number}"))
