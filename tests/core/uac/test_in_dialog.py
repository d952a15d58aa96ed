"""The application's requests inside dialogs."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Flow
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transport import TCP
from tests.core.world import (
    BY_TCP,
    BY_UDP,
    SDP,
    Call,
    World,
    sip_of,
    tokens_of,
    transaction_id_of,
)

UNKNOWN_DIALOG = "uuid|response|m1|NOK|Server error: unable to find dialog for dialog id provided"
METHODS = [
    "INFO",
    "OPTIONS",
    "MESSAGE",
    "NOTIFY",
    "REFER",
    "UPDATE",
    "SUBSCRIBE",
    "REGISTER",
    "PUBLISH",
]


@pytest.fixture
def call(world: World) -> Call:
    """A call between an application and a phone, established."""
    return Call(world, world.application("invite")).establish()


def bye(call: Call) -> None:
    """The application hangs up."""
    sent = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
    call.phone.respond(sent)
    call.application.take()


@pytest.mark.parametrize("flow", [BY_UDP, BY_TCP], ids=["udp", "tcp"])
def test_every_token_of_echo_and_response(world: World, flow: Flow) -> None:
    call = Call(world, world.application("invite"), flow=flow).establish()
    world.advance(0.5)
    text = "INFO sip:placeholder SIP/2.0\r\nX-a: 1\r\nContent-Type: a/b\r\n\r\nhello"
    echo = call.application.request(call.dialog_id, text)
    (sent,) = world.network.take()
    tokens = tokens_of(echo)
    own = "5060" if flow is BY_UDP else "5080"
    assert tokens[3:] == [
        "OK", "application", str(len(sent)), flow.transport.name, "127.0.0.1", own, "08:00:00.500000", tokens[10],
        "Msg sent:", "",
    ]  # fmt: skip
    assert sip_of(echo) == sent
    message = parse_message(sent)
    branch = message.get("via").partition("branch=")[2]
    assert len(branch) == 20
    rport = ";rport" if flow is BY_UDP else ""
    assert sent == (
        "INFO sip:alice@127.0.0.1:5080 SIP/2.0\r\n"
        f"Via: SIP/2.0/{flow.transport.via_token} 127.0.0.1:5060{rport};branch={branch}\r\nMax-Forwards: 70\r\n"
        f"From: {call.phone.to}\r\nTo: {call.phone.from_}\r\nCall-ID: {call.phone.call_id}\r\nCSeq: 2 INFO\r\n"
        "Content-Type: a/b\r\nContent-Length: 5\r\nX-a: 1\r\n\r\nhello"
    )
    world.advance(0.25)
    call.phone.respond(sent, 200, "X-b: 2")
    response = call.application.take_one()
    assert tokens_of(response) == [
        "uuid", "sip", "network", str(len(sip_of(response))), flow.transport.name,
        "127.0.0.1", "5080", "08:00:00.750000", tokens[10], call.dialog_id, "",
    ]  # fmt: skip
    assert "\r\nX-b: 2\r\n" in sip_of(response)
    bye(call)


@pytest.mark.parametrize("method", METHODS)
def test_every_method(call: Call, method: str) -> None:
    echo = call.application.request(call.dialog_id, f"{method} sip:placeholder SIP/2.0\r\n\r\n")
    message = parse_message(sip_of(echo))
    assert message.start_line == f"{method} sip:alice@127.0.0.1:5080 SIP/2.0"
    assert message.get("cseq") == f"2 {method}"
    assert bool(message.get("contact")) == (method in ("SUBSCRIBE", "REFER"))
    call.phone.respond(sip_of(echo))
    assert transaction_id_of(call.application.take_one()) == tokens_of(echo)[10]
    bye(call)


@pytest.mark.parametrize(
    "start_line", ["INFO", "INFO sip:placeholder SIP/2.0", "INFO foo", "INFO sip:other@x SIP/2.0"]
)
def test_the_uri_does_not_matter(call: Call, start_line: str) -> None:
    sent = sip_of(call.application.request(call.dialog_id, start_line))
    assert sent.startswith("INFO sip:alice@127.0.0.1:5080 SIP/2.0\r\n")
    call.phone.respond(sent)
    bye(call)


@pytest.mark.parametrize(
    "start_line", ["", "info sip:x SIP/2.0", "FOO sip:x SIP/2.0", " INFO x", "\nINFO", "INFO\nX: 1"]
)
def test_no_method(call: Call, start_line: str) -> None:
    answer = call.application.request(call.dialog_id, f"{start_line}\r\n\r\n")
    text = "NOK|Server error: invalid or missing method supplied on start line: "
    assert answer == f"uuid|response|m2|{text}{start_line}"
    assert call.world.network.take() == []
    bye(call)


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        ("INFO\r\n\r\nv=0\r\n", "application/sdp"),
        ("INFO\r\nContent-Type: a/b\r\n\r\nv=0\r\n", "a/b"),
        ("INFO\r\n\r\n", ""),
    ],
)
def test_content_types(call: Call, text: str, content_type: str) -> None:
    sent = sip_of(call.application.request(call.dialog_id, text))
    assert parse_message(sent).get("content-type") == content_type
    call.phone.respond(sent)
    bye(call)


def test_a_body_of_no_known_type(call: Call) -> None:
    answer = call.application.request(call.dialog_id, "INFO sip:x SIP/2.0\r\n\r\nhello")
    assert answer == "uuid|response|m2|NOK|Server error: missing content-type"
    assert call.world.network.take() == []
    bye(call)


def test_unknown_dialogs(call: Call) -> None:
    for dialog_id in ("nonesuch", call.dialog_id[:-1], call.dialog_id + "x", call.dialog_id.upper()):
        application = call.world.application()
        assert application.request(dialog_id, "BYE sip:x SIP/2.0\r\n\r\n") == UNKNOWN_DIALOG
        assert application.request(dialog_id, "ACK sip:x SIP/2.0\r\n\r\n").endswith(
            "NOK|Server error: ACK for non-success final response is automatically generated by server"
        )
    assert call.world.network.take() == []
    bye(call)


def test_the_dialog_of_another_application(call: Call) -> None:
    thief = call.world.application("invite")
    assert thief.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n") == UNKNOWN_DIALOG
    assert call.world.network.take() == []
    bye(call)


def test_cseq_counts_on(call: Call) -> None:
    for number in (2, 3, 4):
        sent = sip_of(call.application.request(call.dialog_id, "INFO\r\nCSeq: 77 INFO\r\n\r\n"))
        assert parse_message(sent).get("cseq") == f"{number} INFO"
        call.phone.respond(sent)
    bye(call)


def test_a_cancel_by_dialog_id_cancels_the_one_invite_that_is_open(call: Call) -> None:
    request = call.application.request
    assert request(call.dialog_id, "CANCEL sip:x SIP/2.0\r\n\r\n").endswith(
        "|NOK|unable to cancel unknown transaction id: "
    )
    invite = sip_of(request(call.dialog_id, f"INVITE sip:x SIP/2.0\r\n\r\n{SDP}"))
    call.phone.respond(invite, 180)
    call.application.take()
    cancel = parse_message(sip_of(request(call.dialog_id, "CANCEL sip:x SIP/2.0\r\n\r\n")))
    assert cancel.get("via") == parse_message(invite).get("via"), (
        "the far end knows it by that (RFC 3261 §9.2)"
    )
    assert cancel.get("cseq") == "2 CANCEL"
    call.phone.respond(cancel.text)
    call.phone.respond(invite, 487)
    assert tokens_of(call.application.take_one())[9] == call.dialog_id
    bye(call)


def test_a_re_invite_and_its_ack(call: Call) -> None:
    world = call.world
    invite = sip_of(call.application.request(call.dialog_id, f"INVITE sip:x SIP/2.0\r\n\r\n{SDP}"))
    message = parse_message(invite)
    assert message.get("contact") == "<sip:127.0.0.1:5060>"
    assert message.get("content-type") == "application/sdp"
    call.phone.respond(invite, 100)
    call.phone.respond(invite, 200, "Contact: <sip:new@127.0.0.1:5080>")
    call.phone.respond(invite, 200)
    assert len(call.application.take()) == 1, "a repeated 200 is not told"
    world.network.take()
    echo = call.application.request(call.dialog_id, f"ACK sip:x SIP/2.0\r\nX-a: 1\r\n\r\n{SDP}")
    ack = sip_of(echo)
    assert ack.startswith("ACK sip:new@127.0.0.1:5080 SIP/2.0\r\n")
    assert parse_message(ack).get("cseq") == "2 ACK"
    assert ack.endswith(f"X-a: 1\r\n\r\n{SDP}")
    assert tokens_of(echo)[11:] == ["Msg sent:", ""]
    assert world.network.take() == [ack]
    assert call.phone.respond(invite, 200) == [ack], "the ACK is repeated for a repeated 200"
    world.network.take()
    assert call.application.take() == []
    world.advance(32)
    assert world.network.take() == []
    bye(call)


def test_the_ack_has_the_cseq_of_its_invite_whatever_was_sent_since(call: Call) -> None:
    invite = sip_of(call.application.request(call.dialog_id, "INVITE sip:x SIP/2.0\r\n\r\n"))
    info = sip_of(call.application.request(call.dialog_id, "INFO sip:x SIP/2.0\r\n\r\n"))
    call.phone.respond(info)
    call.phone.respond(invite)
    ack = sip_of(call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n"))
    assert parse_message(ack).get("cseq") == "2 ACK"
    assert call.phone.respond(invite) == [ack]
    call.application.take()
    bye(call)


def test_an_ack_for_nothing_is_refused(call: Call) -> None:
    def refused() -> bool:
        answer = call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
        return answer.endswith(
            "|NOK|Server error: ACK for non-success final response is automatically generated by server"
        )

    assert refused()
    sent = sip_of(call.application.request(call.dialog_id, "INVITE sip:x SIP/2.0\r\n\r\n"))
    assert refused(), "there is no answer yet"
    call.phone.respond(sent, 200)
    call.application.take()
    ack = sip_of(call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n"))
    assert parse_message(ack).get("cseq") == "2 ACK"
    assert refused(), "once is enough"
    bye(call)


def test_headers_that_cannot_be_parsed_are_left_out(call: Call) -> None:
    sent = sip_of(
        call.application.request(call.dialog_id, "INFO\r\nContact: <<<\r\nExpires: x\r\nX-a: 1\r\n\r\n")
    )
    message = parse_message(sent)
    assert message.get("contact") == message.get("expires") == ""
    assert message.get("x-a") == "1"
    call.phone.respond(sent)
    bye(call)


@pytest.mark.parametrize(
    "headers", ["X-a: 1\nVia: evil", "X-a: 1\rRoute: <sip:evil>", "To: <sip:a@b>\nVia: evil", "X-a: \0"]
)
def test_nothing_is_smuggled_through_headers(call: Call, headers: str) -> None:
    sent = sip_of(call.application.request(call.dialog_id, f"INFO\r\n{headers}\r\n\r\n"))
    message = parse_message(sent)
    assert len(message.all("via")) == 1
    assert message.all("route") == []
    assert not {"\r", "\n", "\0"} & set(sent.replace("\r\n", ""))
    call.phone.respond(sent)
    bye(call)


def test_the_answer_waits_until_the_way_is_known(world: World) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP).establish()
    world.network.broken.add(BY_TCP.connection)
    world.network.pending = []
    world.network.routes["sip:alice@127.0.0.1:5080"] = Flow(
        BY_TCP.transport, "127.0.0.1", 5080, BY_TCP.local, connection=2
    )
    assert call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n") == ""
    (proceed,) = world.network.pending
    proceed()
    echo = call.application.take_one()
    assert tokens_of(echo)[2:5] == ["m2", "OK", "application"]
    call.phone.respond(sip_of(echo))


def test_the_far_end_hangs_up_while_the_way_is_sought(world: World) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP).establish()
    world.network.broken.add(BY_TCP.connection)
    world.network.pending = []
    again = Flow(TCP, "127.0.0.1", 5080, BY_TCP.local, connection=2)
    world.network.routes["sip:alice@127.0.0.1:5080"] = again
    call.application.request(call.dialog_id, "INVITE sip:x SIP/2.0\r\n\r\n")
    call.phone.flow = again
    call.hang_up()
    world.network.take()
    (proceed,) = world.network.pending
    proceed()
    for sent in world.network.take():
        call.phone.respond(sent, 481)
    assert len(call.application.take()) >= 1, "each frame gets an answer"


@pytest.mark.parametrize("method", ["INFO", "INVITE", "UPDATE"])
def test_an_application_that_goes_while_the_way_is_sought_has_asked_for_nothing(
    world: World, method: str
) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP).establish()
    world.network.broken.add(BY_TCP.connection)
    call.phone.flow = Flow(TCP, "127.0.0.1", 5080, BY_TCP.local, connection=2)
    world.network.routes["sip:alice@127.0.0.1:5080"] = call.phone.flow
    world.network.pending = []
    assert call.application.request(call.dialog_id, f"{method} sip:x SIP/2.0\r\n\r\n") == ""
    call.application.leave()
    (proceed,) = world.network.pending
    proceed()
    assert world.network.take() == []
    call.phone.send("BYE")


def test_its_bye_goes_all_the_same(world: World) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP).establish()
    world.network.broken.add(BY_TCP.connection)
    call.phone.flow = Flow(TCP, "127.0.0.1", 5080, BY_TCP.local, connection=2)
    world.network.routes["sip:alice@127.0.0.1:5080"] = call.phone.flow
    world.network.pending = []
    call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    call.application.leave()
    (proceed,) = world.network.pending
    world.network.pending = None
    proceed()
    (bye,) = world.network.take()
    call.phone.respond(bye)
    assert world.core.occupancy()["dialogs by id"] == 0
