"""Where a URI leads: by a connection over which its phone has registered, else where the network says (NET-7)."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Flow, NoWay, Way
from reference_server.sip.messages.uri import parse_uri
from tests.core.world import BY_TCP, BY_UDP, Phone, World, transaction_id_of

ALI = "sip:ali@x7y2.invalid"


def register(world: World) -> None:
    """ali registers over a connection, for five seconds."""
    application = world.application("register")
    Phone(world, flow=BY_TCP).send("REGISTER", f"Contact: <{ALI}>", "Expires: 5")
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")


def reached(world: World, uri: str) -> list[Way]:
    """What ``reach`` says."""
    found: list[Way] = []
    world.core.location.reach(uri, found.append)
    return found


def test_nothing_registered_the_network_says(world: World) -> None:
    world.network.routes[ALI] = BY_UDP
    assert reached(world, ALI) == [BY_UDP]
    assert reached(world, "sip:nowhere.invalid") == [NoWay.NAME_UNKNOWN]
    assert world.network.opened == [ALI, "sip:nowhere.invalid"]


def test_what_is_known_at_once_is_not_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def flow_to(next_hop: str) -> Way | None:
        return BY_UDP

    monkeypatch.setattr(world.network, "flow_to", flow_to)
    assert reached(world, ALI) == [BY_UDP]
    assert world.network.opened == []


def test_a_registered_phone_is_reached_by_its_connection_wherever_its_name_leads(world: World) -> None:
    register(world)
    world.network.routes[ALI] = BY_UDP
    assert reached(world, ALI) == [BY_TCP]
    assert reached(world, f"{ALI};transport=tcp") == [BY_TCP]
    world.advance(5)
    assert reached(world, ALI) == [BY_UDP]


@pytest.mark.parametrize("uri", ["sip:x7y2.invalid", f"{ALI};lr", "sip:bob@x7y2.invalid", "no uri at all"])
def test_no_registration_diverts_a_host_a_route_or_somebody_else(world: World, uri: str) -> None:
    register(world)
    assert world.core.location.registered_flow(uri) is None
    world.advance(5)


def test_a_request_uri_without_a_user_is_a_phone_too(world: World) -> None:
    application = world.application("register")
    Phone(world, flow=BY_TCP).send("REGISTER", "Contact: <sip:x7y3.invalid>", "Expires: 5")
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    found: Flow | None = world.core.location.registered_flow_to(parse_uri("sip:x7y3.invalid"))
    assert found == BY_TCP
    world.advance(5)


def test_what_names_this_server(world: World) -> None:
    assert world.core.location.own.include("sip:127.0.0.1:5060")
    assert not world.core.location.own.include(ALI)
