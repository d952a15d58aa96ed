"""What responses to the application's requests inside a dialog do to it (DLG-7, DLG-13)."""

from __future__ import annotations

import pytest

from reference_server.sip.messages.message import parse_message
from tests.core.world import (
    Call,
    World,
    sip_of,
    statuses_of,
    tokens_of,
)

UNKNOWN_DIALOG = "uuid|response|m1|NOK|Server error: unable to find dialog for dialog id provided"


@pytest.fixture
def call(world: World) -> Call:
    """A call between an application and a phone, established."""
    return Call(world, world.application("invite")).establish()


def bye(call: Call) -> None:
    """The application hangs up."""
    sent = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
    call.phone.respond(sent)
    call.application.take()


def test_without_a_response_408_after_64_t1(call: Call) -> None:
    call.world.network.sent.clear()
    echo = call.application.request(call.dialog_id, "INFO\r\n\r\n")
    call.world.advance(32)
    assert call.world.network.times("INFO") == [0, 1, 3, 7, 11, 15, 19, 23, 27, 31]
    payload = call.application.take_one()
    tokens = tokens_of(payload)
    assert tokens[1:8] == ["sip", "network", "0", "udp", "", "0", "08:00:32.000000"]
    assert tokens[8:] == [tokens_of(echo)[10], call.dialog_id, ""]
    request, response = parse_message(sip_of(echo)), parse_message(sip_of(payload))
    assert response.start_line == "SIP/2.0 408 Request Timeout"
    for name in ("via", "from", "to", "call-id", "cseq"):
        assert response.get(name) == request.get(name)
    bye(call)


def test_responses_are_passed_on_but_100_and_repetitions(call: Call) -> None:
    sent = sip_of(call.application.request(call.dialog_id, "INFO\r\n\r\n"))
    for status in (100, 180, 180, 200, 200, 404):
        call.phone.respond(sent, status)
    assert statuses_of([sip_of(payload) for payload in call.application.take()]) == [180, 180, 200]
    bye(call)


def test_a_bye_ends_the_dialog_when_it_is_answered(call: Call) -> None:
    sent = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\nX-by: app\r\n\r\n"))
    assert sent.endswith("\r\nX-by: app\r\n\r\n")
    again = call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    assert parse_message(sip_of(again)).get("cseq") == "3 BYE", "until then it can still be addressed"
    call.phone.respond(sent, 481)
    assert tokens_of(call.application.take_one())[9] == call.dialog_id
    assert UNKNOWN_DIALOG[-40:] in call.application.request(call.dialog_id, "INFO\r\n\r\n")
    assert statuses_of(call.phone.send("BYE")) == [481]
    call.phone.respond(sip_of(again), 481)


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenged_bye_leaves_the_dialog(call: Call, status: int) -> None:
    sent = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
    call.phone.respond(sent, status)
    call.application.take_one()
    bye(call)


def test_a_bye_that_is_never_answered_ends_the_dialog(call: Call) -> None:
    call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    call.world.advance(32)
    assert statuses_of([sip_of(call.application.take_one())]) == [408]
    assert "unable to find dialog" in call.application.request(call.dialog_id, "INFO\r\n\r\n")


def test_a_refused_re_invite_is_acknowledged_by_the_server(call: Call) -> None:
    invite = sip_of(call.application.request(call.dialog_id, "INVITE sip:x SIP/2.0\r\n\r\n"))
    (ack,) = call.phone.respond(invite, 488)
    request, sent = parse_message(invite), parse_message(ack)
    assert sent.start_line == "ACK sip:alice@127.0.0.1:5080 SIP/2.0"
    assert sent.get("cseq") == "2 ACK"
    for name in ("via", "from", "to", "call-id"):
        assert sent.get(name) == request.get(name)
    assert call.phone.respond(invite, 488) == [ack]
    assert statuses_of([sip_of(call.application.take_one())]) == [488]
    bye(call)


def test_a_response_for_nobody_changes_nothing(call: Call) -> None:
    sent = sip_of(call.application.request(call.dialog_id, "INFO\r\n\r\n"))
    call.phone.respond(sent.replace("branch=", "branch=x"))
    call.phone.respond(sent.replace("2 INFO", "2 BYE"))
    assert call.application.take() == []
    call.phone.respond(sent)
    assert len(call.application.take()) == 1
    bye(call)
