"""Record-Route and Path values: by which of our addresses what follows comes back (RFC 3261 §16.6, RFC 5658 §6)."""

from __future__ import annotations

from msgspec.structs import replace

from reference_server.core.proxy.record_route import record_routes, route_to
from tests.core.proxy.stage import Callee, Stage
from tests.core.world import BY_TCP, TCP_ENDPOINT, UDP_ENDPOINT, World


def test_a_value_is_a_loose_route_that_names_the_transport_unless_it_is_udp() -> None:
    assert route_to(UDP_ENDPOINT) == "<sip:127.0.0.1:5060;lr>"
    assert route_to(TCP_ENDPOINT) == "<sip:127.0.0.1:5060;transport=tcp;lr>"


def test_it_is_the_advertised_address() -> None:
    outside = replace(UDP_ENDPOINT, advertised_host="[2001:db8::1]", port=5070)
    assert route_to(outside) == "<sip:[2001:db8::1]:5070;lr>"


def test_one_value_where_both_sides_are_the_same_else_two_the_way_on_first() -> None:
    assert record_routes(UDP_ENDPOINT, UDP_ENDPOINT, "") == "Record-Route: <sip:127.0.0.1:5060;lr>\r\n"
    assert record_routes(UDP_ENDPOINT, TCP_ENDPOINT, "") == (
        "Record-Route: <sip:127.0.0.1:5060;lr>\r\nRecord-Route: <sip:127.0.0.1:5060;transport=tcp;lr>\r\n"
    )


def test_a_proxied_invite_has_them_above_those_of_others(world: World) -> None:
    stage = Stage(world, BY_TCP)
    stage.request("INVITE", "Record-Route: <sip:p1;lr>")
    stage.proxy(stage.carol.uri)
    invite = stage.carol.take()
    token = stage.route_token()
    assert invite.all("record-route") == [
        f"<sip:127.0.0.1:5060;lr{token}>",
        f"<sip:127.0.0.1:5060;transport=tcp;lr{token}>",
        "<sip:p1;lr>",
    ]
    stage.carol.answer(invite, 486)
    stage.world.advance(64)


def test_without_remain_in_dialog_there_is_none(stage: Stage) -> None:
    stage.start(stage.carol.uri, options="||||||"[:-1])
    invite = stage.carol.take()
    assert invite.get("record-route") == ""
    stage.carol.answer(invite, 486)


def test_a_target_by_another_transport_gets_both(stage: Stage) -> None:
    erin = Callee(stage.world, 5092, "erin", BY_TCP)
    stage.start(erin.uri)
    invite = erin.take()
    token = stage.route_token()
    assert invite.all("record-route") == [
        f"<sip:127.0.0.1:5060;transport=tcp;lr{token}>",
        f"<sip:127.0.0.1:5060;lr{token}>",
    ]
    erin.answer(invite, 486)
