"""The table of methods: the Allow list, and what each row brings about, seen through the core."""

from __future__ import annotations

import pytest

from reference_server.core.methods import ALLOW, METHODS, Method, method_named
from reference_server.sip.messages.message import parse_message
from tests.core.uac.originated import Originated
from tests.core.world import (
    BY_TCP,
    Call,
    Phone,
    World,
    sip_of,
    status_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

OK = "SIP/2.0 200 OK\r\n\r\n"
ROWS = list(METHODS.values())
OUTSIDE = [row for row in ROWS if row.name not in ("ACK", "CANCEL")]


def named(row: Method) -> str:
    return row.name


def those(**wanted: bool) -> list[Method]:
    """The rows, ACK and CANCEL left out, which go no way of their own (RFC 3261 §9, §17)."""
    return [row for row in OUTSIDE if all(getattr(row, name) is value for name, value in wanted.items())]


def test_allow_lists_every_method_in_the_order_of_the_table() -> None:
    assert ALLOW == (
        "Allow: INVITE, REGISTER, MESSAGE, OPTIONS, INFO, NOTIFY, SUBSCRIBE, PUBLISH, ACK, CANCEL, BYE, PRACK, "
        "REFER, UPDATE\r\n"
    )


def test_a_method_that_nobody_knows_may_do_nothing() -> None:
    unknown = method_named("FROBNICATE")
    assert unknown.name == "FROBNICATE"
    assert not any((unknown.routable, unknown.sendable, unknown.forms_dialog, unknown.offers_session))
    assert method_named("INVITE") is METHODS["INVITE"]


@pytest.mark.parametrize("row", those(routable=True), ids=named)
def test_routable_it_is_offered(world: World, row: Method) -> None:
    application = world.application(row.name.lower())
    Phone(world).send(row.name, "Contact: <sip:alice@127.0.0.1:5080>")
    offered = application.take_one()
    assert sip_of(offered).startswith(f"{row.name} ")
    application.answer(transaction_id_of(offered), "SIP/2.0 480 \r\n\r\n")


@pytest.mark.parametrize("row", those(routable=False), ids=named)
def test_not_routable_it_is_refused_although_somebody_wants_it(world: World, row: Method) -> None:
    application = world.application(row.name.lower())
    (sent,) = Phone(world).send(row.name)
    assert status_of(sent) == (481 if row.needs_dialog else 405)
    assert (ALLOW in sent) is not row.needs_dialog
    assert application.take() == []


@pytest.mark.parametrize("row", [*ROWS, Method(name="FROBNICATE")], ids=named)
def test_sendable_inside_a_dialog(world: World, row: Method) -> None:
    call = Call(world, world.application("invite")).establish()
    answer = call.application.request(call.dialog_id, f"{row.name} sip:x SIP/2.0\r\nRAck: 1 1 INVITE\r\n\r\n")
    if row.name == "PRACK":  # it is, but there is nothing to acknowledge
        assert "unable to find IIP" in answer
    elif row.name == "ACK":  # nothing waits for one
        assert "|NOK|Server error: ACK for non-success" in answer
    elif row.name == "CANCEL":  # there is nothing to cancel
        assert "|NOK|unable to cancel unknown transaction id: " in answer
    elif not row.sendable:
        assert "|NOK|Server error: invalid or missing method supplied on start line" in answer
    else:
        assert sip_of(answer).startswith(f"{row.name} ")
        contact = parse_message(sip_of(answer)).get("contact")
        assert (contact == "<sip:127.0.0.1:5060>") is row.names_contact
        call.phone.respond(sip_of(answer), 200, "Contact: <sip:alice@127.0.0.1:5080>")
        if row.name == "INVITE":
            call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    call.application.take()
    world.network.take()
    if row.name != "BYE":
        call.hang_up()


@pytest.mark.parametrize("row", [row for row in those(routable=True) if row.name != "INVITE"], ids=named)
def test_a_2xx_of_the_application_forms_a_dialog(world: World, row: Method) -> None:
    application = world.application(row.name.lower())
    phone = Phone(world)
    phone.send(row.name, "Contact: <sip:alice@127.0.0.1:5080>", "Expires: 0")
    echo = application.answer(transaction_id_of(application.take_one()), OK)
    assert (world.core.occupancy()["dialogs by id"] == 1) is row.forms_dialog
    assert bool(tokens_of(echo)[11]) is row.forms_dialog
    world.advance(64)


@pytest.mark.parametrize("row", those(routable=True), ids=named)
def test_it_binds_the_connection(world: World, row: Method) -> None:
    application = world.application(row.name.lower())
    phone = Phone(world, flow=BY_TCP)
    phone.send(row.name, "Contact: <sip:alice@x7y2.invalid>", "Expires: 3")
    application.answer(transaction_id_of(application.take_one()), OK)
    assert (world.core.occupancy()["registered connections"] == 1) is row.binds_connection
    if row.name == "INVITE":
        phone.learn(world.network.sent[-1][2])
        phone.send("ACK")
        application.take()
        phone.send("BYE")
        application.answer(transaction_id_of(application.take_one()), OK)
    world.advance(64)


ASKING = [row for row in those(forms_dialog=False, sendable=True) if row.name not in ("BYE", "PRACK")]
"""A BYE ends a call whatever the answer, and a PRACK needs something to acknowledge."""


@pytest.mark.parametrize("row", ASKING, ids=named)
def test_a_481_says_that_the_call_is_gone(world: World, row: Method) -> None:
    call = Call(world, world.application("invite")).establish()
    sent = sip_of(call.application.request(call.dialog_id, f"{row.name} sip:x SIP/2.0\r\n\r\n"))
    hung_up = [text for text in call.phone.respond(sent, 481) if text.startswith("BYE ")]
    assert bool(hung_up) is row.about_call
    call.application.take()
    if hung_up:
        call.phone.respond(hung_up[0])
    else:
        call.hang_up()


@pytest.mark.parametrize("row", those(offers_session=True), ids=named)
def test_what_offers_a_session_gives_way_to_what_is_open(world: World, row: Method) -> None:
    call = Call(world, world.application("invite")).establish()
    ours = sip_of(call.application.request(call.dialog_id, "INVITE sip:x SIP/2.0\r\n\r\nv=0\r\n"))
    world.network.take()
    assert 491 in statuses_of(call.phone.send(row.name, body="v=0\r\n"))
    if row.name == "INVITE":
        call.phone.send("ACK", same=True)
    call.phone.respond(ours, 486)
    call.application.take()
    call.hang_up()


def test_only_what_rings_can_be_cancelled(world: World) -> None:
    ringing = [row.name for row in ROWS if row.rings]
    assert ringing == ["INVITE"]
    options = Originated(world, "OPTIONS")
    assert "|NOK|unable to cancel" in options.cancel()
    options.answer(200)
