"""Calls with a session timer, what refreshes them, and how they end when nobody does."""

from __future__ import annotations

from reference_server.core.ports import Flow
from reference_server.sip.messages.message import parse_message
from tests.core.world import BY_UDP, SDP, Call, Phone, World, sip_of, tokens_of, transaction_id_of

ANSWER = f"SIP/2.0 200 OK\r\nSession-Expires: 90;refresher=uas\r\n\r\n{SDP}"


def refreshed_by_us(world: World, flow: Flow = BY_UDP) -> Call:
    """A call that the server has to refresh."""
    call = Call(world, world.application("invite"), flow=flow)
    call.answer(ANSWER)
    call.phone.send("ACK")
    call.application.take()
    world.network.take()
    return call


def refreshed_by_them(world: World) -> Call:
    """A call that its caller has to refresh."""
    application = world.application("invite")
    phone = Phone(world)
    phone.invite("Supported: timer")
    answer = ANSWER.replace("uas", "uac")
    phone.learn(sip_of(application.answer(transaction_id_of(application.take_one()), answer)))
    phone.send("ACK")
    application.take()
    world.network.take()
    call = Call.__new__(Call)
    call.world, call.application, call.phone, call.transaction_id = world, application, phone, ""
    return call


def refresh(call: Call, seconds: float = 50) -> str:
    """The refresh that goes out within ``seconds``."""
    call.world.advance(seconds)
    first, *repeated = call.world.network.take()
    assert first.startswith(("INVITE ", "UPDATE "))
    assert set(repeated) <= {first}
    return first


def expired(call: Call) -> str:
    """The BYE that has gone out, and been shown to the application."""
    bye = next(text for text in call.world.network.take() if text.startswith("BYE "))
    assert parse_message(bye).get("reason") == 'SIP;cause=200;text="Session timer expired"'
    shown = call.application.take_one()
    assert tokens_of(shown)[8] == "unsolicited"
    assert sip_of(shown) == bye
    return bye
