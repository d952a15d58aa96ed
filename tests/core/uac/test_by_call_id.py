"""Requests of an application that name their dialog by its Call-ID alone."""

from __future__ import annotations

import pytest

from reference_server.core.ports import NoWay
from tests.core.world import Call, Phone, World, sip_of, tokens_of


def said(call: Call, request_line: str, call_id: str, head: str = "Call-ID") -> str:
    """The answer to a request without any id in its frame."""
    call.world.network.routes["sip:placeholder"] = NoWay.NAME_UNKNOWN
    return call.application.say(f"sip||\r\n{request_line}\r\n{head}: {call_id}\r\nX-a: 1\r\n\r\n")


@pytest.mark.parametrize("head", ["Call-ID", "call-id", "CALL-ID "])
@pytest.mark.parametrize("request_line", ["INFO sip:placeholder SIP/2.0", "INFO sip:placeholder"])
def test_it_is_sent_inside_the_dialog(world: World, head: str, request_line: str) -> None:
    call = Call(world, world.application("invite")).establish()
    answer = said(call, request_line, call.phone.call_id, head)
    sent = sip_of(answer)
    assert sent.startswith("INFO sip:alice@127.0.0.1:5080 SIP/2.0\r\n")
    assert "X-a: 1\r\n" in sent
    call.phone.respond(sent)
    response = call.application.take_one()
    assert tokens_of(response)[8:10] == [tokens_of(answer)[10], call.dialog_id]
    call.hang_up()


def test_a_bye(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.respond(sip_of(said(call, "BYE sip:placeholder SIP/2.0", call.phone.call_id)))
    assert "SIP/2.0 200 " in call.application.take_one()
    assert world.core.occupancy()["dialogs by id"] == 0


def test_a_body_names_no_dialog(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    world.network.routes["sip:placeholder"] = NoWay.NAME_UNKNOWN
    text = f"MESSAGE sip:placeholder SIP/2.0\r\nContent-Type: a/b\r\n\r\nCall-ID: {call.phone.call_id}\r\n"
    assert tokens_of(call.application.say(f"sip||\r\n{text}"))[6] == "unknown"
    call.application.take()
    call.hang_up()


def test_what_is_not_meant_for_a_dialog_goes_out_as_before(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    world.network.routes["sip:carol@127.0.0.1:5080"] = call.phone.flow
    elsewhere = sip_of(said(call, "OPTIONS sip:carol@127.0.0.1:5080 SIP/2.0", call.phone.call_id))
    assert elsewhere.startswith("OPTIONS sip:carol@127.0.0.1:5080 SIP/2.0\r\n")
    call.phone.respond(elsewhere)
    assert tokens_of(said(call, "INFO sip:placeholder SIP/2.0", "another"))[6] == "unknown"
    other = world.application()
    answer = other.say(f"sip||\r\nINFO sip:placeholder SIP/2.0\r\nCall-ID: {call.phone.call_id}\r\n\r\n")
    assert tokens_of(answer)[6] == "unknown", "the dialog is not that application's"
    call.application.take()
    call.hang_up()


def test_two_dialogs_of_one_call_id_are_not_told_apart(world: World) -> None:
    application = world.application("invite")
    first = Call(world, application).establish()
    again = Phone(world, "call2")
    again.call_id = first.phone.call_id
    second = Call(world, application, phone=again).establish()
    assert tokens_of(said(first, "INFO sip:placeholder SIP/2.0", first.phone.call_id))[6] == "unknown"
    application.take()
    first.hang_up()
    second.hang_up()
