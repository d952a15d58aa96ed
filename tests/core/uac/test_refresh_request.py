"""The re-INVITE or UPDATE by which the server refreshes a session: what it says, and what comes back (TIMER-3)."""

from __future__ import annotations

from reference_server.core.ports import Flow
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transport import UDP
from tests.core.refreshed import ANSWER, refresh, refreshed_by_us
from tests.core.world import (
    BY_TCP,
    SDP,
    UDP_ENDPOINT,
    Call,
    Phone,
    World,
    sip_of,
    tokens_of,
    transaction_id_of,
)


def test_a_2xx_of_the_refresh_that_comes_again_gets_its_ack_again(world: World) -> None:
    call = refreshed_by_us(world)
    sent = refresh(call)
    (ack,) = call.phone.respond(sent, 200)
    assert call.phone.respond(sent, 200) == [ack]
    call.hang_up()


def test_over_tcp(world: World) -> None:
    call = refreshed_by_us(world, BY_TCP)
    sent = refresh(call)
    assert "Via: SIP/2.0/TCP" in sent
    assert call.phone.respond(sent, 200)[0].startswith("ACK ")
    call.hang_up()


def test_a_provisional_response_to_the_refresh_is_shown_to_nobody(world: World) -> None:
    call = refreshed_by_us(world)
    sent = refresh(call)
    assert call.phone.respond(sent, 180) == []
    assert call.application.take() == []
    call.phone.respond(sent, 200)
    call.hang_up()


def test_a_refresh_repeats_the_session_description_that_the_application_sent_last(world: World) -> None:
    call = refreshed_by_us(world)
    call.phone.send("INVITE", "Contact: <sip:alice@127.0.0.1:5080>", body=SDP)
    held = SDP.replace("s=-", "s=held")
    call.application.answer(transaction_id_of(call.application.take_one()), f"SIP/2.0 200 OK\r\n\r\n{held}")
    call.phone.send("ACK")
    call.application.take()
    world.network.take()
    sent = refresh(call)
    assert parse_message(sent).body == held
    call.phone.respond(sent, 200)
    call.hang_up()


def test_the_answer_to_an_update_is_the_session_description_and_the_contact_stays(world: World) -> None:
    call = Call(world, world.application("invite"))
    call.answer(ANSWER.replace("\r\n\r\n", "\r\nContact: <sip:bob@localhost>\r\n\r\n", 1))
    call.phone.send("ACK")
    call.application.take()
    held = SDP.replace("s=-", "s=held")
    call.phone.send("UPDATE", body=SDP)
    call.application.answer(transaction_id_of(call.application.take_one()), f"SIP/2.0 200 OK\r\n\r\n{held}")
    world.network.take()
    sent = refresh(call)
    assert parse_message(sent).body == held
    assert parse_message(sent).get("contact") == "<sip:bob@127.0.0.1:5060>"
    call.phone.respond(sent, 200)
    call.hang_up()


def test_what_the_far_end_refused_is_not_the_session_description(world: World) -> None:
    call = refreshed_by_us(world)
    sent = sip_of(
        call.application.request(call.dialog_id, f"INVITE\r\n\r\n{SDP.replace('s=-', 's=refused')}")
    )
    call.phone.respond(sent, 488)
    call.application.take()
    world.network.take()
    sent = refresh(call)
    assert parse_message(sent).body == SDP
    call.phone.respond(sent, 200)
    call.hang_up()


def test_the_answer_in_the_applications_ack_is_the_session_description(world: World) -> None:
    application = world.application()
    target = "sip:carol@127.0.0.1:5090"
    world.network.routes[target] = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
    invite = sip_of(
        application.say(f"sip||\r\nINVITE {target} SIP/2.0\r\nContact: <sip:me@localhost>\r\n\r\n")
    )
    phone = Phone(world)
    phone.respond(invite, 200, f"Contact: <{target}>", "Session-Expires: 90;refresher=uac")
    dialog_id = tokens_of(application.take_one())[9]
    application.request(dialog_id, f"ACK\r\n\r\n{SDP}")
    world.network.take()
    world.advance(50)
    sent = world.network.take()[0]
    assert parse_message(sent).body == SDP
    assert parse_message(sent).get("contact") == "<sip:me@127.0.0.1:5060>"
    assert parse_message(sent).get("content-type") == "application/sdp"
    phone.respond(sent, 200)
    bye = sip_of(application.request(dialog_id, "BYE\r\n\r\n"))
    phone.respond(bye, 200)
