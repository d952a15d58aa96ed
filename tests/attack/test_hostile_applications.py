"""Messages of authenticated applications that are well formed as frames and wrong otherwise."""

from __future__ import annotations

import pytest

from reference_server.core.context import Settings
from tests.core.world import BY_TCP, BY_UDP, Call, Phone, World, statuses_of

BRANCHES = (
    "From: *",
    "From: sip:a@b, sip:c@d",
    "From: <sip:a@b>, <sip:c@d>",
    "To: *",
    "To: <sip:a@b>, <sip:c@d>",
)


@pytest.mark.parametrize("line", BRANCHES)
def test_an_address_is_one_address(line: str) -> None:
    world = World()
    world.network.routes["sip:carol@127.0.0.1:5080"] = BY_UDP
    application = world.application("options")
    answer = application.say(f"sip||\r\nOPTIONS sip:carol@127.0.0.1:5080 SIP/2.0\r\n{line}\r\n\r\n")
    if "*" not in line:  # which passes as a number that was dialled
        assert answer.endswith("|NOK|Error creating leg")
    name, _, value = line.partition(": ")
    old = {"From": "<sip:alice@127.0.0.1:5080>;tag=from-call1", "To": "<sip:bob@127.0.0.1:5060>"}[name]
    text = Phone(world).text("OPTIONS").replace(old, f"{value};tag=x")
    assert statuses_of(world.receive(text)) == [400]
    world.advance(32)
    world.check_empty()


@pytest.mark.parametrize(
    "cseq", ["5\tINVITE", "5  OPTIONS", "4294967296 OPTIONS", "9" * 99 + " OPTIONS", "x y"]
)
def test_any_cseq(cseq: str) -> None:
    world = World()
    world.network.routes["sip:carol@127.0.0.1:5080"] = BY_UDP
    application = world.application()
    answer = application.say(f"sip||\r\nOPTIONS sip:carol@127.0.0.1:5080 SIP/2.0\r\nCSeq: {cseq}\r\n\r\n")
    assert "|OK|" in answer
    Phone(world).respond(world.network.take()[-1])
    application.take()
    world.check_empty()


@pytest.mark.parametrize("expires", ["\xb2", "9" * 5000, "-1", "1e3", "", "5(now)"])
def test_any_expires_of_a_far_end(expires: str) -> None:
    world = World()
    world.network.routes["sip:carol@127.0.0.1:5080"] = BY_UDP
    application = world.application()
    application.say("sip||\r\nSUBSCRIBE sip:carol@127.0.0.1:5080 SIP/2.0\r\nEvent: x\r\n\r\n")
    Phone(world).respond(world.network.take()[-1], 200, f"Expires: {expires}")
    assert "SIP/2.0 200" in application.take_one()
    world.advance(10**6)
    world.check_empty()


def test_a_response_that_no_datagram_can_carry_is_said_to_be_none() -> None:
    world = World()
    call = Call(world, world.application("invite"))
    large = f"SIP/2.0 200 OK\r\nContent-Type: a/b\r\n\r\n{'x' * 66_000}"
    answer = call.application.answer(call.transaction_id, large)
    assert answer.endswith("|NOK|Unknown server error sending response")
    assert statuses_of(world.network.take()) == [100, 500]
    assert "unknown transaction" in call.application.answer(call.transaction_id, "SIP/2.0 200 OK\r\n\r\n")
    by_tcp = Call(world, call.application, "tcp", BY_TCP)
    assert "|OK|" in by_tcp.application.answer(by_tcp.transaction_id, large)
    by_tcp.phone.learn(world.network.take()[-1])
    by_tcp.phone.send("ACK")
    call.application.take()
    by_tcp.hang_up()
    world.check_empty()


STATES = ("unanswered", "ringing", "answered", "established", "re-inviting", "hanging up", "being hung up")


@pytest.mark.parametrize("hangs_up", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_an_application_that_leaves_at_any_moment(state: str, hangs_up: bool) -> None:
    world = World(Settings(hangup_on_application_loss=hangs_up))
    call = Call(world, world.application("invite"))
    if state == "ringing":
        call.ring()
    if state not in ("unanswered", "ringing"):
        call.answer()
    if state not in ("unanswered", "ringing", "answered"):
        call.phone.send("ACK")
    match state:
        case "re-inviting":
            call.application.request(call.dialog_id, "INVITE x SIP/2.0\r\n\r\n")
        case "hanging up":
            call.application.request(call.dialog_id, "BYE x SIP/2.0\r\n\r\n")
        case "being hung up":
            call.phone.send("BYE")
    call.application.leave()
    call.phone.send("ACK", same=True)
    call.phone.send("BYE")
    world.advance(200)
    world.check_empty()
    other = world.application("invite")
    Call(world, other, "next").establish().hang_up()
    world.check_empty()
