"""Requests and challenges that would have the server work for strangers as a proxy."""

from __future__ import annotations

import time

import pytest

from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.sip.transport import UDP
from tests.core.world import UDP_ENDPOINT, Phone, World, statuses_of, transaction_id_of

US = "<sip:127.0.0.1:5060;lr>"
CAROL = "sip:carol@127.0.0.1:5090"
TO_CAROL = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
TO_DAN = Flow(UDP, "127.0.0.1", 5091, UDP_ENDPOINT)


def by_route(method: str, *lines: str, route: str = US, uri: str = CAROL) -> str:
    """A request inside a dialog that the server knows nothing of."""
    fields = [
        "Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKstranger",
        "From: <sip:a@127.0.0.1>;tag=f",
        "To: <sip:b@127.0.0.1>;tag=t",
        "Call-ID: stranger",
        f"CSeq: 7 {method}",
        f"Route: {route}",
        *lines,
    ]
    return (
        f"{method} {uri} SIP/2.0\r\n"
        + "".join(f"{field}\r\n" for field in fields)
        + "Content-Length: 0\r\n\r\n"
    )


@pytest.fixture
def world() -> World:
    world = World(Settings(open_relay=True))  # the worst case: whoever names us is served
    world.network.routes[CAROL] = TO_CAROL
    return world


@pytest.mark.parametrize("method", ["INVITE", "INFO", "ACK"])
@pytest.mark.parametrize("forwards", ["9" * 5000, "4294967296", "255", "70"])
def test_any_max_forwards_by_a_route(world: World, method: str, forwards: str) -> None:
    sent = world.receive(by_route(method, f"Max-Forwards: {forwards}"))[-1]
    assert sent.startswith(f"{method} {CAROL} ")
    assert "\r\nMax-Forwards: 69\r\n" in sent
    if method != "ACK":
        Phone(world).respond(sent, 486)
    world.check_empty()


@pytest.mark.parametrize("forwards", ["9" * 5000, "255"])
def test_any_max_forwards_by_an_application(world: World, forwards: str) -> None:
    application = world.application("options")
    text = Phone(world).text("OPTIONS").replace("Max-Forwards: 70", f"Max-Forwards: {forwards}")
    world.receive(text)
    transaction_id = transaction_id_of(application.take_one())
    answer = application.say(f"proxy|{transaction_id}|||||||{CAROL}\r\nOPTIONS x SIP/2.0\r\n\r\n")
    assert answer.endswith("|OK|done")
    sent = world.network.take()[-1]
    assert "\r\nMax-Forwards: 69\r\n" in sent
    Phone(world).respond(sent)
    world.check_empty()


def test_routes_that_name_us_by_turns_end(world: World) -> None:
    """A strict router's URI that leads back to us makes two routes one more way round; each way all are read."""
    routes: list[str] = []
    for number in range(300):
        alias = f"sip:alias.test:5060;way={number}"
        world.network.routes[alias] = TO_DAN
        routes += [US, f"<{alias}>"]
    text = by_route("ACK", "Max-Forwards: 100000", route=", ".join(routes))
    ways = 0
    while sent := world.receive(text):
        (text,) = sent
        ways += 1
    assert ways == 70
    world.check_empty()


def test_a_challenge_without_a_nonce_brings_nobody_elses_credentials(world: World) -> None:
    dan = "sip:dan@127.0.0.1:5091"
    world.network.routes[dan] = TO_DAN
    application = world.application("register")

    def proxied(name: str, destination: str, *lines: str) -> str:
        caller = Phone(world, name)
        caller.send("REGISTER", *lines)
        transaction_id = transaction_id_of(application.take_one())
        application.say(f"proxy|{transaction_id}|||||||{destination}\r\nREGISTER x SIP/2.0\r\n\r\n")
        ((_, flow, sent),) = world.network.sent
        assert flow is (TO_CAROL if destination == CAROL else TO_DAN)
        world.network.take()
        return sent

    sent = proxied("first", CAROL)
    assert statuses_of(Phone(world).respond(sent, 401, 'WWW-Authenticate: Bearer authz_server="x"')) == [401]
    world.network.take()
    sent = proxied("second", dan, "Authorization: Bearer secret")
    Phone(world).respond(sent)
    world.network.take()
    world.check_empty()


@pytest.mark.parametrize("via", ["a" * 2000, "a" + ";branch" * 280, ";" * 2000, "a;" + "branch=" * 280])
def test_a_forged_icmp_message_costs_no_time(world: World, via: str) -> None:
    quoted = f"OPTIONS sip:x SIP/2.0\r\nVia: {via}"
    began = time.process_time()
    for _ in range(256):  # as many as are read in a row
        world.core.undelivered(quoted)
    assert time.process_time() - began < 0.5, (
        "linear: some 20 ms; each octet against each other: 2 s and more"
    )
