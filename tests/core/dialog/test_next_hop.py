"""Where a request in a dialog goes: by its routes, to where the far end was heard, by a new connection (DLG-10)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transport import TCP, UDP
from tests.core.world import (
    BY_TCP,
    BY_UDP,
    UDP_ENDPOINT,
    Call,
    Phone,
    World,
    sip_of,
    transaction_id_of,
)


def bye(call: Call) -> None:
    """The application hangs up."""
    sent = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
    call.phone.respond(sent)
    call.application.take()


def test_routes(world: World) -> None:
    application = world.application("invite")
    phone = Phone(world)
    proxy = Flow(UDP, "127.0.0.3", 5070, UDP_ENDPOINT)
    world.network.routes["sip:127.0.0.3:5070;lr"] = proxy
    phone.invite("Record-Route: <sip:127.0.0.3:5070;lr>", "Record-Route: <sip:p2;lr>")
    phone.learn(
        sip_of(application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n"))
    )
    phone.send("ACK")
    world.network.take()
    echo = application.request(phone.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    assert parse_message(sip_of(echo)).all("route") == ["<sip:127.0.0.3:5070;lr>", "<sip:p2;lr>"]
    assert [flow for _, flow, _ in world.network.sent] == [proxy]
    phone.respond(sip_of(echo))


def test_no_way_to_the_first_route(world: World) -> None:
    application = world.application("invite")
    phone = Phone(world)
    phone.invite("Record-Route: <sip:nowhere.invalid;lr>")
    phone.learn(
        sip_of(application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n"))
    )
    phone.send("ACK")
    answer = application.request(phone.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    no_route = "Server error: unable to find route when sending request inside dialog for dialog id"
    assert answer == f"uuid|response|m2|NOK|{no_route} {phone.dialog_id}"
    phone.send("BYE")
    application.answer(transaction_id_of(application.take()[-1]), "SIP/2.0 200 OK\r\n\r\n")


def test_a_far_end_without_a_usable_contact_cannot_be_addressed(world: World) -> None:
    application = world.application("invite")
    phone = Phone(world)
    phone.send("INVITE")
    phone.learn(
        sip_of(application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n"))
    )
    phone.send("ACK")
    world.network.take()
    answer = application.request(phone.dialog_id, "INFO sip:x SIP/2.0\r\n\r\n")
    assert "|NOK|Server error: unable to find route when sending request inside dialog" in answer
    assert world.network.take() == []
    phone.send("BYE")
    application.answer(transaction_id_of(application.take()[-1]), "SIP/2.0 200 OK\r\n\r\n")


def test_over_tcp_a_lost_connection_is_opened_again_to_the_contact(world: World) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP).establish()
    world.network.broken.add(BY_TCP.connection)
    again = Flow(TCP, "127.0.0.1", 5080, BY_TCP.local, connection=2)
    world.network.routes["sip:alice@127.0.0.1:5080"] = again
    echo = call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    assert [flow for _, flow, _ in world.network.sent] == [again]
    call.phone.respond(sip_of(echo))


def test_the_far_end_behind_a_nat_is_reached_where_it_was_heard(world: World) -> None:
    call = Call(
        world, world.application("invite"), flow=Flow(UDP, "127.0.0.9", 40000, UDP_ENDPOINT)
    ).establish()
    echo = call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    ((_, flow, sent),) = world.network.sent
    assert (flow.remote_host, flow.remote_port) == ("127.0.0.9", 40000)
    assert sent.startswith("BYE sip:alice@127.0.0.1:5080 SIP/2.0")
    call.phone.respond(sip_of(echo))


@pytest.mark.parametrize(
    ("aggressive", "disabled", "record_route", "next_hop"),
    [
        (False, True, "", "sip:alice@10.1.1.1"),
        (False, False, "Record-Route: <sip:10.2.2.2;lr;nat=yes>", "sip:10.2.2.2;lr;nat=yes"),
        (True, False, "Record-Route: <sip:10.2.2.2;lr>", "sip:10.2.2.2;lr"),
        (True, False, "Record-Route: <sip:10.2.2.2;lr;nat=yes>", ""),
        (True, True, "Record-Route: <sip:10.2.2.2;lr;NAT=Yes>", "sip:10.2.2.2;lr;NAT=Yes"),
    ],
)
def test_settings_of_nat_detection(
    worlds: Callable[[Settings | None], World],
    aggressive: bool,
    disabled: bool,
    record_route: str,
    next_hop: str,
) -> None:
    world = worlds(Settings(aggressive_nat_detection=aggressive, disable_nat_detection=disabled))
    application = world.application("invite")
    phone = Phone(world)
    phone.send("INVITE", "Contact: <sip:alice@10.1.1.1>", *filter(None, [record_route]))
    answered = application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    phone.learn(sip_of(answered))
    phone.send("ACK")
    world.network.take()
    if next_hop:
        world.network.routes[next_hop] = BY_UDP
    application.request(phone.dialog_id, "BYE sip:placeholder SIP/2.0\r\n\r\n")
    (bye,) = world.network.take()
    assert world.network.opened == [next_hop] * bool(next_hop)
    phone.respond(bye)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_far_end_that_comes_back_by_another_connection_is_reached_by_that(
    world: World, method: str
) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP).establish()
    world.network.broken.add(BY_TCP.connection)
    world.core.connection_lost(BY_TCP)
    call.phone.flow = Flow(TCP, "127.0.0.1", 40124, BY_TCP.local, connection=2)
    call.phone.send(method, "Contact: <sip:alice@10.1.1.1;transport=tcp>")
    call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    if method == "INVITE":
        call.phone.send("ACK")
    call.application.take()
    world.network.take()
    bye(call)
    assert world.network.opened == []


def test_of_several_connections_the_one_of_the_latest_update_counts(world: World) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP).establish()
    world.network.broken.add(BY_TCP.connection)
    world.core.connection_lost(BY_TCP)
    for method, connection in (("INVITE", 2), ("UPDATE", 3)):
        call.phone.flow = Flow(TCP, "127.0.0.1", 40120 + connection, BY_TCP.local, connection=connection)
        call.phone.send(method, "Contact: <sip:alice@10.1.1.1;transport=tcp>")
        call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
        if method == "INVITE":
            call.phone.send("ACK")
            call.application.take()
    world.network.take()
    echo = call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    assert [flow.connection for _, flow, _ in world.network.sent] == [3]
    call.phone.respond(sip_of(echo))
