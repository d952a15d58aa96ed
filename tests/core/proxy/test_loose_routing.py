"""Requests of a dialog that come back by a Record-Route of ours."""

from __future__ import annotations

import pytest

from reference_server.core.context import Settings
from reference_server.sip.route_token import RouteTokens, without_token
from tests.core.proxy.stage import Stage
from tests.core.world import World

HERE = "sip:127.0.0.1:5060"
OURS = f"<{HERE};lr>"
ALSO_OURS = f"<{HERE};transport=tcp;lr>"


def in_dialog(
    stage: Stage,
    method: str,
    *routes: str,
    uri: str = "sip:carol@127.0.0.1:5090",
    forwards: int = 70,
    vias: tuple[str, ...] = (),
) -> None:
    """A request of a dialog that the server does not know; routes that name it prove to be of its making."""
    text = request_text(stage, method, *routes, uri=uri, forwards=forwards, vias=vias)
    stage.world.receive(text, stage.phone.flow)


def request_text(
    stage: Stage,
    method: str,
    *routes: str,
    uri: str = "sip:carol@127.0.0.1:5090",
    forwards: int = 70,
    vias: tuple[str, ...] = (),
) -> str:
    token = stage.world.core.proxying.tokens.parameter("loose", "a")
    routes = tuple(
        route.replace(";lr", f";lr{token}", 1) if "127.0.0.1:5060" in route else route for route in routes
    )
    if uri == f"{HERE};lr":
        uri += token
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK{method}{len(stage.world.network.sent)}",
        *(f"Via: {via}" for via in vias),
        *(f"Route: {route}" for route in routes),
        f"Max-Forwards: {forwards}",
        "From: <sip:alice@127.0.0.1:5080>;tag=a",
        "To: <sip:bob@127.0.0.1:5060>;tag=b",
        "Call-ID: loose",
        f"CSeq: 2 {method}",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""])


@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY", "FOO"])
def test_a_request_passes_and_its_answer_comes_back(stage: Stage, method: str) -> None:
    in_dialog(stage, method, OURS)
    request = stage.carol.take()
    assert (request.method, request.get("max-forwards"), request.get("route")) == (method, "69", "")
    assert "record-route" not in request.first
    stage.carol.answer(request, 200)
    assert stage.statuses == [200]
    assert len(stage.heard[0].all("via")) == 1
    assert stage.application.take() == []


def test_an_ack_passes_once_each_time(stage: Stage) -> None:
    for _ in range(2):
        in_dialog(stage, "ACK", OURS)
    assert [request.get("max-forwards") for request in (stage.carol.take(), stage.carol.take())] == [
        "69",
        "69",
    ]
    assert stage.carol.nothing_more()
    assert stage.statuses == []
    assert stage.world.core.occupancy()["client transactions"] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Call-ID: loose\r\n", ""),
        ("Content-Length: 0", "Content-Length: 0\r\nl: 1"),
        ("CSeq: 2 ACK", "CSeq: 2 BYE"),
        ("From: <", 'From: "<'),
        ("ACK sip:carol@127.0.0.1:5090 ", "ACK <sip:carol@127.0.0.1:5090> "),
        ("ACK sip:carol@127.0.0.1:5090 ", "ACK   "),
    ],
)
def test_a_faulty_ack_is_not_passed_on(stage: Stage, old: str, new: str) -> None:
    """Nobody answers it, so it is dropped, and told to those who watch."""
    text = request_text(stage, "ACK", OURS)
    assert old in text
    stage.world.receive(text.replace(old, new, 1), stage.phone.flow)
    assert stage.carol.nothing_more()
    assert stage.world.tap.events[-1][0] == "sip-dropped"


def test_all_routes_of_ours_are_taken_off(stage: Stage) -> None:
    stage.world.network.routes["sip:127.0.0.1:5091;lr"] = stage.dan.flow
    in_dialog(stage, "BYE", f"{OURS}, {ALSO_OURS}", "<sip:127.0.0.1:5091;lr>", "<sip:x;lr>", OURS)
    request = stage.dan.take()
    assert [without_token(route) for route in request.all("route")] == [
        "<sip:127.0.0.1:5091;lr>",
        "<sip:x;lr>",
        OURS,
    ]
    assert request.uri == stage.carol.uri
    stage.dan.answer(request, 200)


@pytest.mark.parametrize("method", ["BYE", "ACK"])
@pytest.mark.parametrize(
    ("uri", "route"),
    [("sip:carol@127.0.0.1:5090;", OURS), ("sip:carol@127.0.0.1:5090", "<sip:@127.0.0.1:5060;lr;>,")],
)
def test_slips_of_either_end_do_not_stop_it(stage: Stage, method: str, uri: str, route: str) -> None:
    in_dialog(stage, method, route, uri=uri)
    request = stage.carol.take()
    assert (request.method, request.uri, request.get("route")) == (method, uri, "")
    if method == "BYE":
        stage.carol.answer(request, 200)


def test_a_route_of_somebody_else_is_none_of_our_business(stage: Stage) -> None:
    in_dialog(stage, "BYE", "<sip:far.invalid;lr>")
    in_dialog(stage, "ACK", "<sip:far.invalid;lr>")
    assert stage.statuses == [481]
    assert stage.carol.nothing_more()


def test_a_route_that_ends_here_leads_to_us(stage: Stage) -> None:
    in_dialog(stage, "BYE", OURS, uri="sip:bob@127.0.0.1:5060")
    assert stage.statuses == [481]


def test_a_new_request_with_our_route_is_offered(stage: Stage) -> None:
    stage.phone.invite(f"Route: {OURS}")
    assert len(stage.application.take()) == 1
    stage.phone.send("CANCEL", same=True)


@pytest.mark.parametrize(("method", "statuses"), [("BYE", [483]), ("ACK", [])])
def test_at_zero_it_stops(stage: Stage, method: str, statuses: list[int]) -> None:
    in_dialog(stage, method, OURS, forwards=0)
    assert stage.statuses == statuses
    assert stage.carol.nothing_more()


@pytest.mark.parametrize(("method", "statuses"), [("BYE", [482]), ("ACK", [])])
def test_in_a_circle_it_stops(stage: Stage, method: str, statuses: list[int]) -> None:
    in_dialog(stage, method, OURS)
    first = stage.carol.take()
    in_dialog(stage, method, OURS, vias=tuple(first.all("via")))
    assert stage.statuses == statuses
    assert stage.carol.nothing_more()


def test_a_spiral_goes_on(stage: Stage) -> None:
    in_dialog(stage, "BYE", OURS)
    first = stage.carol.take()
    in_dialog(stage, "BYE", OURS, uri=stage.dan.uri, vias=tuple(first.all("via")))
    assert len(stage.dan.take().all("via")) == 4


def test_strict_routers_above_and_below(stage: Stage) -> None:
    in_dialog(stage, "BYE", f"<{stage.carol.uri}>", uri="sip:127.0.0.1:5060;lr")
    request = stage.carol.take()
    assert (request.uri, request.get("route")) == (stage.carol.uri, "")
    stage.carol.answer(request, 200)
    in_dialog(stage, "INFO", OURS, f"<{stage.dan.uri}>", "<sip:x;lr>", uri="sip:end@far.invalid")
    request = stage.dan.take()
    assert (request.uri, request.all("route")) == (stage.dan.uri, ["<sip:x;lr>", "<sip:end@far.invalid>"])
    stage.dan.answer(request, 200)


def test_where_nothing_leads_the_caller_hears_of_it(stage: Stage) -> None:
    in_dialog(stage, "BYE", OURS, uri="sip:carol@nowhere.invalid")
    in_dialog(stage, "ACK", OURS, uri="sip:carol@nowhere.invalid")
    assert stage.statuses == [500]


def test_nobody_answers(stage: Stage) -> None:
    in_dialog(stage, "INFO", OURS)
    stage.world.advance(31.4)
    assert stage.statuses == []
    stage.world.advance(0.1)
    assert stage.statuses == [504]


def test_a_re_invite_passes_with_its_cancel(stage: Stage) -> None:
    in_dialog(stage, "INVITE", OURS)
    assert stage.world.network.sent[0][2].startswith("SIP/2.0 100 Trying")
    invite = stage.carol.take()
    stage.carol.answer(invite, 180)
    branch = stage.heard[-1].get("via").partition("branch=")[2].partition(";")[0]
    text = (
        f"CANCEL {stage.carol.uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch={branch}\r\nRoute: {OURS}\r\n"
        "From: <sip:alice@127.0.0.1:5080>;tag=a\r\nTo: <sip:bob@127.0.0.1:5060>;tag=b\r\nCall-ID: loose\r\n"
        "CSeq: 2 CANCEL\r\nContent-Length: 0\r\n\r\n"
    )
    stage.world.receive(text, stage.phone.flow)
    assert stage.carol.take().method == "CANCEL"
    assert [(one.status, one.cseq_method) for one in stage.heard[1:]] == [(200, "CANCEL")]
    stage.carol.answer(invite, 200)  # it crossed the CANCEL: both ends must know
    assert stage.statuses == [180, 200, 200]


def test_a_re_invite_whose_far_end_is_gone_gets_487_when_cancelled(stage: Stage) -> None:
    in_dialog(stage, "INVITE", OURS)
    invite = stage.carol.take()
    stage.carol.answer(invite, 100)
    branch = invite.all("via")[1].partition("branch=")[2].partition(";")[0]
    text = (
        f"CANCEL {stage.carol.uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch={branch}\r\n"
        "From: <sip:alice@127.0.0.1:5080>;tag=a\r\nTo: <sip:bob@127.0.0.1:5060>;tag=b\r\nCall-ID: loose\r\n"
        "CSeq: 2 CANCEL\r\nContent-Length: 0\r\n\r\n"
    )
    stage.world.receive(text, stage.phone.flow)
    stage.world.advance(32)
    assert [(one.status, one.cseq_method) for one in stage.heard][:2] == [(200, "CANCEL"), (487, "INVITE")]


def forged(stage: Stage, method: str, route: str, uri: str = "sip:carol@127.0.0.1:5090") -> None:
    """As ``in_dialog``, with the Route as it stands."""
    text = request_text(stage, method, "<sip:placeholder>", uri=uri).replace("<sip:placeholder>", route)
    stage.world.receive(text, stage.phone.flow)


@pytest.mark.parametrize("method", ["BYE", "INVITE", "MESSAGE", "FOO"])
@pytest.mark.parametrize("other", ["", ";rt=0123456789abcdef", "call-id", "tag", "key", "cut", "long"])
def test_who_has_no_route_of_our_making_is_not_served(stage: Stage, method: str, other: str) -> None:
    tokens = stage.world.core.proxying.tokens
    token = {
        "call-id": tokens.parameter("other", "a"),
        "tag": tokens.parameter("loose", "c"),
        "key": RouteTokens(b"other").parameter("loose", "a"),
        "cut": tokens.parameter("loose", "a")[:-1],
        "long": tokens.parameter("loose", "a") + "0",
    }.get(other, other)
    forged(stage, method, f"<{HERE};lr{token}>")
    assert stage.statuses[-1:] == [403]
    assert stage.carol.nothing_more()


def test_his_ack_is_dropped_and_he_is_told_of_once_a_second(stage: Stage) -> None:
    for _ in range(3):
        forged(stage, "ACK", OURS)
    forged(stage, "ACK", "<sip:x;lr>", uri=f"{HERE};lr")
    assert stage.carol.nothing_more()
    told = [details for name, details in stage.world.tap.events if name == "sip-refused"]
    assert [details["reason"] for details in told] == [
        "ACK of 127.0.0.1 names our Route, which was not made for its call"
    ]


def test_either_end_of_a_call_comes_back_by_its_record_route(stage: Stage) -> None:
    tokens = stage.world.core.proxying.tokens
    forged(stage, "BYE", f"<{HERE};lr{tokens.parameter('loose', 'a')}>")
    stage.carol.answer(stage.carol.take(), 200)
    forged(stage, "INFO", f"<{HERE};lr{tokens.parameter('loose', 'b')}>")
    stage.carol.answer(stage.carol.take(), 200)
    assert stage.statuses == [200, 200]


def test_servers_with_one_key_pass_on_each_others_calls() -> None:
    ours, other = (World(Settings(relay_key="k")).core.proxying.tokens for _ in range(2))
    assert ours.parameter("c", "t") == other.parameter("c", "t")
    alone, stranger = (World().core.proxying.tokens for _ in range(2))
    assert alone.parameter("c", "t") != ours.parameter("c", "t")
    assert stranger is not alone


def test_an_open_relay_is_one_only_if_asked_for() -> None:
    stage = Stage(World(Settings(open_relay=True)))
    forged(stage, "BYE", OURS)
    stage.carol.answer(stage.carol.take(), 200)
    assert stage.statuses == [200]
    stage.start(stage.carol.uri)
    assert stage.carol.take().all("record-route") == [OURS]
