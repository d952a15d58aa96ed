"""Connections by which phones have registered."""

from __future__ import annotations

import pytest

from reference_server.core.location import registered_flows as bindings
from reference_server.core.ports import Endpoint, Flow
from reference_server.sip.transport import TCP, TLS, UDP
from tests.core.world import (
    BY_TCP,
    BY_UDP,
    TCP_ENDPOINT,
    UDP_ENDPOINT,
    Phone,
    RecordingApplication,
    World,
    sip_of,
    tokens_of,
    transaction_id_of,
)

OTHER = Flow(TCP, "127.0.0.1", 5082, TCP_ENDPOINT, 2)
BY_TLS = Flow(TLS, "127.0.0.1", 5084, Endpoint(TLS, "127.0.0.1", 5061, "127.0.0.1", "sips:127.0.0.1:5061"), 3)
ALI = "sip:ali@abc.invalid"


def register(
    world: World,
    contact: str,
    answer: str = "",
    *,
    flow: Flow = BY_TCP,
    method: str = "REGISTER",
    status: int = 200,
    to: str = "<sip:bob@127.0.0.1:5060>",
) -> RecordingApplication:
    """The application accepts a registration with these header lines."""
    application = world.application(method.lower())
    phone = Phone(world, f"r{len(world.applications)}", flow)
    phone.to = to
    phone.send(method, *contact.split("\n"))
    lines = "".join(f"{line}\r\n" for line in filter(None, answer.split("\n")))
    application.answer(transaction_id_of(application.take_one()), f"SIP/2.0 {status} OK\r\n{lines}\r\n")
    world.network.take()
    world.registry.remove(application)
    return application


def way_to(world: World, uri: str) -> Flow | None:
    """The flow by which a MESSAGE to ``uri`` goes; it is answered."""
    application = world.application()
    world.network.routes[uri] = BY_UDP
    opened = len(world.network.opened)
    echo = application.say(f"sip||\r\nMESSAGE {uri} SIP/2.0\r\n\r\n")
    ((_, flow, sent),) = world.network.sent
    Phone(world, flow=flow).respond(sent)
    world.network.take()
    assert tokens_of(echo)[6] == flow.transport.name
    assert sip_of(echo) == sent
    return None if len(world.network.opened) > opened else flow


@pytest.mark.parametrize(
    ("contact", "answer", "seconds"),
    [
        (f"Contact: <{ALI};transport=ws>;expires=20", "", 20),
        (f"Contact: <{ALI}>\nExpires: 20", "", 20),
        (f"Contact: <{ALI}>;expires=300", "Expires: 20", 20),
        (f"Contact: <{ALI}>;expires=300", f"Contact: <{ALI}>;expires=20\nExpires: 300", 20),
        (f"Contact: <{ALI}>", f"Contact: <sip:other@x>;expires=9, <{ALI}>;expires=20", 20),
        (f"Contact: <{ALI}>;expires=junk\nExpires: 20", "", 20),
    ],
)
def test_how_long_the_way_back_holds(world: World, contact: str, answer: str, seconds: int) -> None:
    register(world, contact, answer)
    assert world.core.occupancy()["registered connections"] == 1
    world.advance(seconds - 1)
    assert way_to(world, ALI) is BY_TCP
    world.advance(2)
    assert way_to(world, ALI) is None
    assert world.core.occupancy()["registered connections"] == 0


def test_without_any_word_an_hour(world: World) -> None:
    register(world, f"Contact: <{ALI}>")
    world.advance(3500)
    assert way_to(world, ALI) is BY_TCP
    world.advance(101)
    assert way_to(world, ALI) is None


@pytest.mark.parametrize(
    ("contact", "answer"),
    [
        ("Contact: *\nExpires: 0", ""),
        (f"Contact: <{ALI}>;expires=0", ""),
        (f"Contact: <{ALI}>;expires=60", f"Contact: <{ALI}>;expires=0"),
        ("Contact: <tel:+123>", ""),
    ],
)
def test_what_opens_no_way_back(world: World, contact: str, answer: str) -> None:
    register(world, contact, answer)
    assert world.core.occupancy()["registered connections"] == 0


def test_neither_does_a_datagram_nor_a_refusal(world: World) -> None:
    register(world, f"Contact: <{ALI}>", flow=BY_UDP)
    register(world, f"Contact: <{ALI}>", status=403)
    register(world, f"Contact: <{ALI}>\nContent-Type: text/plain", method="MESSAGE")
    assert world.core.occupancy()["registered connections"] == 0


def test_the_latest_connection_counts_and_takes_the_way_back_with_it(world: World) -> None:
    register(world, f"Contact: <{ALI}>, <sip:ali@second.invalid>")
    register(world, f"Contact: <{ALI}>", flow=OTHER)
    assert way_to(world, "sip:ali@ABC.invalid:5999;foo=bar") is OTHER
    assert way_to(world, "sip:ali@second.invalid") is BY_TCP
    world.core.connection_lost(BY_TCP)
    assert way_to(world, "sip:ali@second.invalid") is None
    assert way_to(world, ALI) is OTHER
    assert way_to(world, "sip:Ali@abc.invalid") is None  # the case of a user counts
    world.core.connection_lost(OTHER)
    assert way_to(world, ALI) is None


def test_refreshing_often_leaves_no_timers_behind(world: World) -> None:
    for seconds in range(100, 130):
        register(world, f"Contact: <{ALI}>;expires={seconds}")
    assert len(world.clock.timers) < 5
    world.core.connection_lost(BY_TCP)


def test_a_route_url_counts_more(world: World) -> None:
    register(world, f"Contact: <{ALI}>;expires=20")
    world.network.routes["sip:edge"] = BY_UDP
    application = world.application()
    application.say(f"sip|||sip:edge\r\nOPTIONS {ALI} SIP/2.0\r\n\r\n")
    ((_, flow, sent),) = world.network.sent
    assert flow is BY_UDP
    Phone(world).respond(sent)
    world.advance(21)


SOURCE = Flow(TCP, "2001:db8::7", 40123, TCP_ENDPOINT, 3)


@pytest.mark.parametrize(
    ("flow", "method", "contact"),
    [
        (BY_TCP, "REGISTER", "sip:ali@127.0.0.1:5080"),
        (BY_TCP, "SUBSCRIBE", "sip:127.0.0.1:5080;transport=tcp"),
        (SOURCE, "REGISTER", "sip:ali@[2001:DB8:0::7]:40123"),
        (BY_TCP, "REGISTER", "sip:anybody@x.invalid:9"),
        (BY_TCP, "SUBSCRIBE", "sip:anybody@x.invalid"),
        (BY_TCP, "REGISTER", "sip:bob@office.example"),  # the address-of-record
    ],
)
def test_what_a_connection_may_claim(world: World, flow: Flow, method: str, contact: str) -> None:
    lines = f"Contact: <{contact}>;expires=20\nExpires: 20"
    register(world, lines, "Expires: 20", flow=flow, method=method, to="<sip:bob@office.example>")
    assert way_to(world, contact) is flow
    world.advance(21)


@pytest.mark.parametrize(
    ("method", "contact"),
    [
        ("REGISTER", "sip:+4912345@gateway.example.com"),
        ("REGISTER", "sip:ali@192.0.2.7:5080"),
        ("REGISTER", "sip:ali@127.0.0.1:5081"),
        ("REGISTER", "sip:bob@127.0.0.1:5081"),
        ("REGISTER", "sip:ali@x.invalid.example.com"),
        ("SUBSCRIBE", "sip:alice@127.0.0.1:5079"),
        ("SUBSCRIBE", "sip:bob@office.example"),
    ],
)
def test_what_may_be_anothers_it_may_not(world: World, method: str, contact: str) -> None:
    lines = f"Contact: <{contact}>;expires=20\nExpires: 20"
    register(world, lines, "Expires: 20", method=method, to="<sip:bob@office.example>")
    assert world.core.occupancy()["registered connections"] == 0
    assert way_to(world, contact) is None
    world.advance(21)


def test_a_phone_that_registered_by_datagrams_keeps_its_contact(world: World) -> None:
    register(
        world, "Contact: <sip:ali@127.0.0.1:5082>;expires=20", flow=Flow(UDP, "127.0.0.1", 5082, UDP_ENDPOINT)
    )
    register(world, "Contact: <sip:ali@127.0.0.1:5082>;expires=20", flow=BY_TCP)
    assert way_to(world, "sip:ali@127.0.0.1:5082") is None


def test_a_subscriber_can_say_it_is_anybody_and_moves_nothing(world: World) -> None:
    lines = f"Contact: <{ALI}>\nExpires: 30"
    register(world, lines, "Expires: 30", method="SUBSCRIBE")
    register(world, lines, "Expires: 30", method="SUBSCRIBE", flow=OTHER)
    assert way_to(world, ALI) is BY_TCP
    register(world, f"Contact: <{ALI}>;expires=10")
    register(world, lines, "Expires: 30", method="SUBSCRIBE", flow=OTHER)
    assert way_to(world, ALI) is BY_TCP
    world.advance(31)


def test_a_contact_stays_with_the_address_of_record_that_registered_it(world: World) -> None:
    register(world, f"Contact: <{ALI}>;expires=100")
    for line in (f"Contact: <{ALI}>;expires=100", f"Contact: <{ALI}>;expires=0"):
        application = world.application("register")
        thief = Phone(world, f"thief{len(world.applications)}", OTHER)
        thief.to = "<sip:eve@127.0.0.1:5060>"
        thief.send("REGISTER", line)
        application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
        world.registry.remove(application)
        world.network.take()
        assert way_to(world, ALI) is BY_TCP
    world.core.connection_lost(BY_TCP)
    register(world, f"Contact: <{ALI}>;expires=100", flow=OTHER)
    assert way_to(world, ALI) is OTHER
    world.advance(101)


def test_one_connection_has_only_so_many_ways_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bindings, "MOST_OF_CONNECTION", 20)
    register(world, f"Contact: <{ALI}>", flow=OTHER)
    for number in range(50):
        register(world, f"Contact: <sip:u{number}@abc.invalid>")
    register(world, f"Contact: <sip:{'u' * 300}@abc.invalid>")
    assert world.core.occupancy()["registered connections"] == 21
    assert way_to(world, "sip:u49@abc.invalid") is BY_TCP
    assert way_to(world, "sip:u29@abc.invalid") is None
    assert way_to(world, ALI) is OTHER
    for flow in (BY_TCP, OTHER):
        world.core.connection_lost(flow)


@pytest.mark.parametrize(
    ("registered", "called", "found"),
    [
        ("sip:bob@127.0.0.1:40563;transport=tls", "sip:bob@127.0.0.1:40563;transport=TLS", True),
        ("sips:bob@127.0.0.1:40563", "sips:bob@127.0.0.1:40563", True),
        ("sip:bob@127.0.0.1:40563;transport=tls", "sip:bob@127.0.0.1:40563", False),
        ("sip:bob@127.0.0.1:40563", "sip:bob@127.0.0.1:40563", False),
        ("sip:bob@127.0.0.2:40563;transport=tls", "sip:bob@127.0.0.2:40563;transport=tls", False),
    ],
)
def test_a_phone_over_tls_need_not_be_connected_to(
    world: World, registered: str, called: str, *, found: bool
) -> None:
    register(world, f"Contact: <{registered}>", flow=BY_TLS)
    assert (way_to(world, called) is BY_TLS) is found
    world.core.connection_lost(BY_TLS)


def test_a_connection_without_tls_claims_no_port_for_tls(world: World) -> None:
    register(world, "Contact: <sip:bob@127.0.0.1:40563;transport=tls>")
    assert way_to(world, "sip:bob@127.0.0.1:40563;transport=tls") is None
