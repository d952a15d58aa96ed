"""Requests larger than ``<udp-mtu>``: by TCP to the same address, by UDP if nobody takes a connection there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transport import TCP, UDP
from tests.core.proxy.stage import Stage
from tests.core.world import (
    BY_UDP,
    SDP,
    TCP_ENDPOINT,
    UDP_ENDPOINT,
    Call,
    Phone,
    RecordingApplication,
    World,
    sip_of,
)

SETTINGS = Settings(largest_datagram=600)
CAROL = "sip:carol@127.0.0.1:5090"
TO_CAROL = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
CONNECTION = Flow(TCP, "127.0.0.1", 5090, TCP_ENDPOINT, connection=7)
BY_TCP_TO_CAROL = "sip:127.0.0.1:5090;transport=tcp"
LARGE = "X-Large: " + "x" * 600 + "\r\n"


@pytest.fixture
def world(worlds: Callable[[Settings], World]) -> World:
    return with_ways(worlds(SETTINGS))


def with_ways(world: World, tcp: Way = CONNECTION) -> World:
    world.network.routes[CAROL] = TO_CAROL
    world.network.routes[BY_TCP_TO_CAROL] = tcp
    return world


def sent(world: World) -> tuple[Flow, str]:
    ((_, flow, text),) = world.network.sent
    world.network.take()
    return flow, text


def ask(application: RecordingApplication, headers: str = LARGE) -> str:
    return application.say(f"sip|||\r\nMESSAGE {CAROL} SIP/2.0\r\n{headers}\r\n")


def test_a_large_one_goes_by_tcp_and_its_via_says_so(world: World) -> None:
    application = world.application()
    echo = sip_of(ask(application))
    flow, text = sent(world)
    assert (flow, text) == (CONNECTION, echo)
    assert parse_message(text).get("via").startswith("SIP/2.0/TCP 127.0.0.1:5060;branch=")
    Phone(world, flow=CONNECTION).respond(text)
    assert "SIP/2.0 200" in application.take_one()


def test_the_measure_is_the_request_as_it_goes_out(worlds: Callable[[Settings], World]) -> None:
    world = with_ways(worlds(Settings()))
    application = world.application()
    octets = len(sip_of(ask(application)))
    Phone(world, flow=TO_CAROL).respond(sent(world)[1])
    for largest, expected in ((octets, TO_CAROL), (octets - 1, CONNECTION)):
        world.core.apply(Settings(largest_datagram=largest))
        ask(application)
        flow, text = sent(world)
        assert flow is expected
        Phone(world, flow=flow).respond(text)


@pytest.mark.parametrize("tcp", [NoWay.UNREACHABLE, NoWay.NOT_AVAILABLE, NoWay.CONNECT_TIMEOUT])
def test_where_nobody_takes_a_connection_it_goes_by_udp(world: World, tcp: NoWay) -> None:
    with_ways(world, tcp)
    ask(world.application())
    flow, text = sent(world)
    assert flow is TO_CAROL
    assert parse_message(text).get("via").startswith("SIP/2.0/UDP ")
    Phone(world, flow=flow).respond(text)


def test_a_connection_that_takes_too_long_is_not_waited_for(world: World) -> None:
    application = world.application()
    world.network.pending = []
    assert ask(application) == ""
    (found,) = world.network.pending
    found()  # the way by UDP; the connection takes its time
    world.advance(3.9)
    assert world.network.sent == []
    world.advance(0.2)
    flow, text = sent(world)
    assert flow is TO_CAROL
    world.network.pending.pop()()  # there it is, too late
    assert world.network.sent == []
    Phone(world, flow=flow).respond(text)


def test_who_is_gone_meanwhile_sends_nothing(world: World) -> None:
    application = world.application()
    world.network.pending = []
    ask(application)
    world.network.pending[0]()
    application.leave()
    world.network.pending[1]()
    assert world.network.sent == []


def test_inside_a_dialog(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    connection = Flow(TCP, "127.0.0.1", 5080, TCP_ENDPOINT, connection=9)
    world.network.routes["sip:127.0.0.1:5080;transport=tcp"] = connection
    for headers, expected in (("", BY_UDP), (LARGE, connection), ("", BY_UDP)):
        call.application.request(call.dialog_id, f"INFO sip:x SIP/2.0\r\n{headers}\r\n")
        flow, text = sent(world)
        assert flow is expected
        assert f"SIP/2.0/{flow.transport.via_token} " in parse_message(text).get("via")
        Phone(world, flow=flow).respond(text)
    assert world.network.opened == ["sip:127.0.0.1:5080;transport=tcp"]
    call.application.take()
    call.hang_up()


def test_inside_a_dialog_that_ends_while_the_connection_is_made(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    world.network.pending = []
    assert call.application.request(call.dialog_id, f"INFO sip:x SIP/2.0\r\n{LARGE}\r\n") == ""
    call.hang_up()
    world.network.take()
    (found,) = world.network.pending
    found()
    assert "NOK|Server error: unable to find dialog" in call.application.take()[-1]
    assert world.network.sent == []


def test_a_proxied_one_and_its_cancel(worlds: Callable[[Settings], World]) -> None:
    stage = Stage(worlds(SETTINGS))
    connection = Flow(TCP, "127.0.0.1", 5090, TCP_ENDPOINT, connection=7)
    stage.world.network.routes[BY_TCP_TO_CAROL] = connection
    stage.request("INVITE", LARGE.rstrip("\r\n"), body=SDP)
    stage.proxy(stage.carol.uri)
    assert stage.carol.received == []
    invite = next(text for _, flow, text in stage.world.network.sent if flow is connection)
    assert parse_message(invite).get("via").startswith("SIP/2.0/TCP 127.0.0.1:5060;")
    Phone(stage.world, flow=connection).respond(invite, 100)
    stage.phone.send("CANCEL", same=True)
    *_, (_, flow, cancel) = [one for one in stage.world.network.sent if one[2].startswith("CANCEL")]
    assert flow is connection
    Phone(stage.world, flow=connection).respond(cancel)
    Phone(stage.world, flow=connection).respond(invite, 487)
    stage.phone.send("ACK", same=True)


def test_a_proxied_one_goes_by_udp_where_nobody_takes_a_connection(
    worlds: Callable[[Settings], World],
) -> None:
    stage = Stage(worlds(SETTINGS))
    stage.world.network.routes[BY_TCP_TO_CAROL] = NoWay.UNREACHABLE
    stage.request("MESSAGE", LARGE.rstrip("\r\n"))
    stage.proxy(stage.carol.uri)
    stage.carol.answer(stage.carol.take(), 200)
    assert stage.statuses == [200]
