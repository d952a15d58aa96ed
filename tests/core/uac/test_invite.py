"""Core and subscriptions that an application begins, from the INVITE to the last BYE."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.transport import UDP
from tests.core.world import (
    BY_TCP,
    SDP,
    UDP_ENDPOINT,
    RecordingApplication,
    World,
    sip_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

CAROL = "sip:carol@127.0.0.1:5080"
FLOW = Flow(UDP, "127.0.0.1", 5080, UDP_ENDPOINT)
CONTACT = f"Contact: <{CAROL}>"
RACE = 'SIP;cause=200;text="ACK-BYE due to cancel race condition"'
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
GONE = 'SIP;cause=480;text="Application disconnected"'


class Originated:
    """A request outside dialogs that makes a dialog, and the far end that answers it."""

    def __init__(
        self,
        world: World,
        method: str = "INVITE",
        *headers: str,
        uri: str = CAROL,
        flow: Flow = FLOW,
        application: RecordingApplication | None = None,
    ) -> None:
        self.world = world
        self.flow = flow
        world.network.routes[uri] = flow
        self.application = application or world.application()
        lines = "".join(f"{header}\r\n" for header in headers)
        body = SDP if method == "INVITE" else ""
        self.echo = self.application.say(f"sip||\r\n{method} {uri} SIP/2.0\r\n{lines}\r\n{body}")
        self.transaction_id = tokens_of(self.echo)[10]
        self.request = self.parsed(sip_of(self.echo))
        self.dialog_id = f"{self.request.get('call-id')};from-tag={self.request.from_tag}"
        self.cseq = 0
        self.tag = "b1"
        world.network.take()

    @staticmethod
    def parsed(text: str) -> Request:
        message = parse_message(text)
        assert isinstance(message, Request), text
        return message

    def answer(
        self, status: int, *headers: str, tag: str = "b1", to: Request | None = None, reason: str = "x"
    ) -> list[str]:
        """The far end's response, by default to the first request; returns what the server sent because of it."""
        request = to or self.request
        target = request.get("to") if request.to_tag or not tag else f"{request.get('to')};tag={tag}"
        fields = [
            f"Via: {request.get('via')}",
            f"From: {request.get('from')}",
            f"To: {target}",
            f"Call-ID: {request.get('call-id')}",
            f"CSeq: {request.get('cseq')}",
            *headers,
            "Content-Length: 0",
        ]
        self.world.network.take()
        return self.world.receive(
            f"SIP/2.0 {status} {reason}\r\n" + "".join(f"{field}\r\n" for field in fields) + "\r\n", self.flow
        )

    def ask(self, method: str, *headers: str, tag: str = "b1", cseq: int = 0) -> list[str]:
        """The far end's request in the dialog."""
        self.cseq = cseq or self.cseq + 1
        fields = [
            f"Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK{method}{self.cseq}",
            "Max-Forwards: 70",
            f"From: {self.request.get('to')};tag={tag}",
            f"To: {self.request.get('from')}",
            f"Call-ID: {self.request.get('call-id')}",
            f"CSeq: {self.cseq} {method}",
            *headers,
            "Content-Length: 0",
        ]
        text = f"{method} sip:127.0.0.1:5060 SIP/2.0\r\n" + "".join(f"{field}\r\n" for field in fields)
        return self.world.receive(f"{text}\r\n", self.flow)

    def say(self, method: str, *headers: str, body: str = "") -> Request:
        """The application's request in the dialog, as sent."""
        lines = "".join(f"{header}\r\n" for header in headers)
        echo = self.application.request(
            self.dialog_id, f"{method} sip:placeholder SIP/2.0\r\n{lines}\r\n{body}"
        )
        assert "|OK|" in echo, echo
        return self.parsed(sip_of(echo))

    def cancel(self, *headers: str, application: RecordingApplication | None = None) -> str:
        lines = "".join(f"{header}\r\n" for header in headers)
        return (application or self.application).say(
            f"sip|{self.transaction_id}|\r\nCANCEL {CAROL} SIP/2.0\r\n{lines}\r\n"
        )

    def establish(self, *headers: str) -> Originated:
        self.answer(200, CONTACT, *headers)
        self.say("ACK")
        self.application.take()
        self.world.network.take()
        return self

    def hang_up(self) -> None:
        self.answer(200, to=self.say("BYE"))
        self.application.take()

    def statuses(self) -> list[int]:
        """Of the responses that were delivered since the last call."""
        return [int(sip_of(frame)[8:11]) for frame in self.application.take()]


@pytest.fixture
def call(world: World) -> Originated:
    return Originated(world)


# Answered


def test_a_call(world: World, call: Originated) -> None:
    call.answer(100, tag="")
    assert call.application.take() == []
    call.answer(180, CONTACT)
    ringing = call.application.take_one()
    assert tokens_of(ringing)[8:] == [call.transaction_id, call.dialog_id, ""]
    assert call.answer(200, CONTACT) == []
    answered = call.application.take_one()
    assert tokens_of(answered)[8:] == [call.transaction_id, call.dialog_id, ""]
    ack = call.say("ACK", "X-a: 1")
    assert world.network.take() == [ack.text]
    assert ack.uri == CAROL
    assert ack.get("cseq") == f"{call.request.cseq_number} ACK"
    assert ack.get("to") == f"<{CAROL}>;tag=b1"
    assert ack.get("via") != call.request.get("via")
    assert ack.get("x-a") == "1"
    bye = call.say("BYE")
    assert bye.get("cseq") == f"{call.request.cseq_number + 1} BYE"
    call.answer(200, to=bye)
    ended = call.application.take_one()
    assert tokens_of(ended)[9] == call.dialog_id
    refused = call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    assert refused.endswith("|NOK|Server error: unable to find dialog for dialog id provided")


def test_an_ack_may_carry_the_answer_to_a_late_offer(world: World, call: Originated) -> None:
    call.answer(200, CONTACT)
    ack = call.say("ACK", body=SDP)
    assert (ack.body, ack.get("content-type")) == (SDP, "application/sdp")
    assert call.answer(200, CONTACT) == [ack.text]
    call.hang_up()


def test_a_repeated_200_before_and_after_the_ack(world: World, call: Originated) -> None:
    call.answer(200, CONTACT)
    call.application.take()
    assert call.answer(200, CONTACT) == []
    ack = call.say("ACK")
    world.network.take()
    assert call.answer(200, CONTACT) == [ack.text]
    assert call.application.take() == []
    call.hang_up()


@pytest.mark.parametrize("status", [202, 299])
def test_any_success_makes_the_call(call: Originated, status: int) -> None:
    call.answer(status, CONTACT)
    assert call.statuses() == [status]
    call.say("ACK")
    call.hang_up()


def test_a_far_end_without_contact_or_tag(world: World, call: Originated) -> None:
    call.answer(200, tag="")
    no_route = "Server error: unable to find route when sending request inside dialog for dialog id"
    answer = call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    assert answer.endswith(f"|NOK|{no_route} {call.dialog_id}")
    call.application.leave()


def test_the_far_end_hangs_up(world: World, call: Originated) -> None:
    call.establish()
    call.ask("BYE")
    frame = call.application.take_one()
    assert tokens_of(frame)[9] == call.dialog_id
    answer = call.application.answer(transaction_id_of(frame), "SIP/2.0 200 OK\r\n\r\n")
    assert statuses_of(world.network.take()) == [200]
    assert "|OK|" in answer
    assert statuses_of(call.ask("BYE")) == [481]


def test_the_far_end_hangs_up_before_the_ack(world: World, call: Originated) -> None:
    call.answer(200, CONTACT)
    call.application.take()
    call.ask("BYE")
    call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    answer = call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    assert "|NOK|Server error: ACK for non-success" in answer


def test_a_re_invite_of_the_application(world: World, call: Originated) -> None:
    call.establish()
    world.network.routes["sip:new@127.0.0.1:5080"] = FLOW
    again = call.say("INVITE", body=SDP)
    assert again.get("contact") == "<sip:127.0.0.1:5060>"
    assert again.cseq_number == call.request.cseq_number + 1
    call.answer(200, "Contact: <sip:new@127.0.0.1:5080>", to=again)
    assert call.statuses() == [200]
    ack = call.say("ACK")
    assert (ack.uri, ack.cseq_number) == ("sip:new@127.0.0.1:5080", again.cseq_number)
    assert call.answer(200, to=again) == [ack.text]
    call.hang_up()


def test_a_re_invite_of_the_far_end(world: World, call: Originated) -> None:
    call.establish()
    world.network.routes["sip:moved@127.0.0.1:5080"] = FLOW
    assert statuses_of(call.ask("INVITE", "Contact: <sip:moved@127.0.0.1:5080>")) == [100]
    frame = call.application.take_one()
    assert tokens_of(frame)[9] == call.dialog_id
    call.application.answer(transaction_id_of(frame), "SIP/2.0 200 OK\r\n\r\n")
    call.ask("ACK", cseq=call.cseq)
    assert sip_of(call.application.take_one()).startswith("ACK ")
    world.network.take()
    assert call.say("INFO").uri == "sip:moved@127.0.0.1:5080"
    call.hang_up()
    world.advance(33)


def test_the_route_set_is_the_reversed_record_route_of_the_2xx(world: World, call: Originated) -> None:
    near = Flow(UDP, "127.0.0.3", 5070, UDP_ENDPOINT)
    world.network.routes["sip:near@127.0.0.3:5070;lr"] = near
    call.answer(183, CONTACT, "Record-Route: <sip:other.invalid;lr>")
    call.answer(200, CONTACT, "Record-Route: <sip:far.invalid;lr>, <sip:near@127.0.0.3:5070;lr>")
    world.network.take()
    ack = call.say("ACK")
    assert ack.all("route") == ["<sip:near@127.0.0.3:5070;lr>", "<sip:far.invalid;lr>"]
    assert [flow for _, flow, _ in world.network.sent] == [near]
    call.flow = near
    call.hang_up()


def test_a_strict_router(world: World, call: Originated) -> None:
    world.network.routes["sip:127.0.0.3:5070"] = Flow(UDP, "127.0.0.3", 5070, UDP_ENDPOINT)
    call.answer(200, CONTACT, "Record-Route: <sip:127.0.0.3:5070>")
    ack = call.say("ACK")
    assert (ack.uri, ack.all("route")) == ("sip:127.0.0.3:5070", [f"<{CAROL}>"])
    call.hang_up()


def test_requests_go_to_the_contact(world: World, call: Originated) -> None:
    elsewhere = Flow(UDP, "127.0.0.1", 5085, UDP_ENDPOINT)
    world.network.routes["sip:carol@127.0.0.1:5085"] = elsewhere
    call.answer(200, "Contact: <sip:carol@127.0.0.1:5085>")
    world.network.take()
    call.say("ACK")
    assert [flow for _, flow, _ in world.network.sent] == [elsewhere]
    call.hang_up()


def test_a_contact_of_another_host_is_behind_a_nat(world: World, call: Originated) -> None:
    call.answer(200, "Contact: <sip:carol@10.0.0.7:5060>")
    world.network.take()
    assert call.say("ACK").uri == "sip:carol@10.0.0.7:5060"
    assert [flow for _, flow, _ in world.network.sent] == [FLOW]
    call.hang_up()


def test_over_tcp_the_connection_is_used_again(world: World) -> None:
    call = Originated(world, uri=f"{CAROL};transport=tcp", flow=BY_TCP).establish()
    bye = call.say("BYE")
    assert bye.get("via").startswith("SIP/2.0/TCP ")
    assert [flow for _, flow, _ in world.network.sent] == [BY_TCP]
    call.answer(200, to=bye)


def test_the_applications_ids_are_the_dialogs(worlds: Callable[[Settings | None], World]) -> None:
    world = worlds(Settings(dialect_0_8=True))
    call = Originated(world, "INVITE", "Call-ID: a|b", "From: <sip:a@b>;tag=t")
    call.answer(486)
    assert tokens_of(call.application.take_one())[9:12] == ["a%7Cb;uac", ""]


def test_a_bar_in_an_id_does_not_shift_the_tokens(world: World) -> None:
    call = Originated(world, "INVITE", "Call-ID: a|b", "From: <sip:a@b>;tag=t")
    call.answer(486)
    assert tokens_of(call.application.take_one())[9:] == ["a%7Cb;from-tag=t", ""]


# Refused


@pytest.mark.parametrize("status", [302, 401, 407, 486, 503, 603])
def test_a_refusal_is_acknowledged_by_the_server(world: World, call: Originated, status: int) -> None:
    call.answer(180, CONTACT)
    (ack,) = call.answer(status)
    acknowledged = call.parsed(ack)
    assert acknowledged.start_line == f"ACK {CAROL} SIP/2.0"
    for name in ("via", "from", "call-id"):
        assert acknowledged.get(name) == call.request.get(name)
    assert acknowledged.to_tag == "b1"
    assert call.answer(status) == [ack]
    assert call.statuses() == [180, status]
    answer = call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    text = "Server error: ACK for non-success final response is automatically generated by server"
    assert answer.endswith(f"|NOK|{text}")


def test_a_challenged_call_is_made_again(world: World) -> None:
    call = Originated(world, "INVITE", "Call-ID: c1", "From: <sip:me@localhost>;tag=t1")
    call.answer(407, 'Proxy-Authenticate: Digest realm="r", nonce="n"')
    again = Originated(
        world,
        "INVITE",
        "Call-ID: c1",
        "From: <sip:me@localhost>;tag=t1",
        f"CSeq: {call.request.cseq_number + 1} INVITE",
        'Proxy-Authorization: Digest username="u"',
        application=call.application,
    )
    assert again.dialog_id == call.dialog_id
    assert again.request.cseq_number == call.request.cseq_number + 1
    call.application.take()
    again.answer(200, CONTACT)
    call.answer(407, "X-late: 1")
    assert call.statuses() == [200]
    again.say("ACK")
    again.hang_up()


def test_nobody_answers(world: World, call: Originated) -> None:
    world.advance(33)
    local = call.application.take_one()
    assert sip_of(local).startswith("SIP/2.0 408 Request Timeout\r\n")
    assert tokens_of(local)[8:] == [call.transaction_id, call.dialog_id, ""]
    assert "|NOK|unable to cancel unknown transaction id: " in call.cancel()


def test_a_far_end_that_rings_and_then_says_nothing_is_cancelled_after_half_an_hour(
    world: World, call: Originated
) -> None:
    call.answer(180, CONTACT)
    world.advance(1000)
    call.answer(180, CONTACT)  # heard again: the half hour begins anew
    world.advance(1799)
    assert world.network.take() == []
    world.advance(1)
    (cancel,) = world.network.take()
    assert cancel.startswith(f"CANCEL {CAROL} SIP/2.0\r\n")
    assert 'Reason: SIP;cause=408;text="Request Timeout"\r\n' in cancel
    call.answer(200, to=call.parsed(cancel))
    assert "|NOK|unable to cancel" in call.cancel()
    call.answer(487)
    assert call.statuses() == [180, 180, 487]


def test_a_far_end_that_does_not_even_answer_the_cancel_408(world: World, call: Originated) -> None:
    call.answer(183, CONTACT)
    world.advance(1800 + 32)
    assert call.statuses() == [183, 408]
    assert len(world.network.times("CANCEL")) > 1
    assert world.core.occupancy()["outgoing INVITEs"] == 0


def test_a_call_that_is_taken_when_the_server_has_lost_patience_goes_on(
    world: World, call: Originated
) -> None:
    call.answer(180, CONTACT)
    world.advance(1800)
    call.establish()
    world.advance(40)
    assert world.network.times("BYE") == []  # it was not the application that gave up
    call.hang_up()


def test_forks_share_an_id_until_one_answers(world: World, call: Originated) -> None:
    for tag in ("b1", "b2", "b3"):
        call.answer(180, f"Contact: <sip:{tag}@127.0.0.1:5080>", tag=tag)
    frames = call.application.take()
    assert {tokens_of(frame)[9] for frame in frames} == {call.dialog_id}
    assert world.core.occupancy()["dialogs by key"] == 3
    world.network.routes["sip:b2@127.0.0.1:5080"] = FLOW
    call.answer(200, "Contact: <sip:b2@127.0.0.1:5080>", tag="b2")
    assert world.core.occupancy()["dialogs by key"] == world.core.occupancy()["dialogs by id"] == 1
    ack = call.say("ACK")
    assert (ack.uri, ack.to_tag) == ("sip:b2@127.0.0.1:5080", "b2")
    assert statuses_of(call.ask("INFO", tag="b1")) in ([481], [503])
    call.hang_up()


def test_a_second_2xx_is_acknowledged_and_hung_up(world: World, call: Originated) -> None:
    call.answer(180, CONTACT, tag="b2")
    call.establish()
    world.network.routes["sip:b2@127.0.0.1:5080"] = FLOW
    ack, bye = call.answer(200, "Contact: <sip:b2@127.0.0.1:5080>", tag="b2")
    for text, method in ((ack, "ACK"), (bye, "BYE")):
        request = call.parsed(text)
        assert (request.method, request.to_tag) == (method, "b2")
    assert call.parsed(bye).get("reason") == ELSEWHERE
    assert call.answer(200, CONTACT, tag="b2") == [ack]
    call.answer(200, to=call.parsed(bye))
    assert call.application.take() == []
    call.hang_up()


def test_a_second_2xx_of_an_unknown_branch_before_the_applications_ack(
    world: World, call: Originated
) -> None:
    call.answer(200, CONTACT)
    sent = call.answer(200, CONTACT, tag="b2")
    assert [text.split(" ")[0] for text in sent] == ["ACK", "BYE"]
    call.answer(200, to=call.parsed(sent[1]))
    ack = call.say("ACK")
    assert ack.to_tag == "b1"
    call.hang_up()


# CANCEL


def test_cancel_while_it_rings(world: World, call: Originated) -> None:
    call.answer(180, CONTACT)
    call.application.take()
    echo = call.cancel(
        'Reason: SIP;cause=200;text="x"', "X-foo: bar", "P-Asserted-Identity: <sip:a@localhost>"
    )
    (text,) = world.network.take()
    tokens = tokens_of(echo)
    assert tokens[3:9] == ["OK", "application", str(len(text)), "udp", "127.0.0.1", "5060"]
    assert tokens[10] != call.transaction_id
    request = call.request
    assert text == (
        f"CANCEL {CAROL} SIP/2.0\r\nVia: {request.get('via')}\r\nMax-Forwards: 70\r\nFrom: {request.get('from')}\r\n"
        f"To: {request.get('to')}\r\nCall-ID: {request.get('call-id')}\r\nCSeq: {request.cseq_number} CANCEL\r\n"
        'Reason: SIP;cause=200;text="x"\r\nContent-Length: 0\r\nX-foo: bar\r\n\r\n'
    )
    call.answer(200, to=call.parsed(text))
    assert call.application.take() == [], "the 200 to the CANCEL is not passed on"
    (ack,) = call.answer(487)
    assert ack.startswith("ACK ")
    frame = call.application.take_one()
    assert tokens_of(frame)[8:] == [call.transaction_id, call.dialog_id, ""]
    assert sip_of(frame).startswith("SIP/2.0 487 ")


@pytest.mark.parametrize("status", [100, 180])
def test_a_cancel_waits_for_a_provisional_response(world: World, call: Originated, status: int) -> None:
    echo = call.cancel("X-a: 1")
    assert tokens_of(echo)[3:9] == ["OK", "application", "0", "udp", "127.0.0.1", "5060"]
    assert world.network.take() == []
    (text,) = call.answer(status)
    assert text == sip_of(echo)
    call.answer(200, to=call.parsed(text))
    call.answer(487)
    assert call.statuses() == ([180, 487] if status == 180 else [487])


def test_a_cancel_after_100_does_not_wait(world: World, call: Originated) -> None:
    call.answer(100, tag="")
    assert tokens_of(call.cancel())[5] != "0"
    (text,) = world.network.take()
    call.answer(200, to=call.parsed(text))
    call.answer(487)


def test_a_cancel_is_repeated(world: World, call: Originated) -> None:
    call.answer(180)
    call.cancel()
    world.advance(8)
    assert world.network.times("CANCEL") == [0, 1, 3, 7]
    call.answer(487)


@pytest.mark.parametrize("status", [486, 408])
def test_a_held_cancel_ends_with_its_invite(world: World, call: Originated, status: int) -> None:
    call.cancel()
    if status == 486:
        call.answer(486)
    else:
        world.advance(33)
    assert not any(text.startswith("CANCEL") for text in world.network.take())
    assert call.statuses() == [status]


def test_a_far_end_that_answers_the_cancel_alone(world: World, call: Originated) -> None:
    call.answer(180)
    call.cancel()
    (cancel,) = world.network.take()
    call.answer(200, to=call.parsed(cancel))
    world.advance(31)
    assert call.statuses() == [180]
    world.advance(2)
    assert call.statuses() == [408]
    assert world.core.occupancy()["outgoing INVITEs"] == 0


def test_what_cannot_be_cancelled(world: World, call: Originated) -> None:
    unknown = f"NOK|unable to cancel unknown transaction id: {call.transaction_id}"
    stranger = world.application()
    assert call.cancel(application=stranger).endswith(unknown)
    assert "|OK|" in call.cancel()
    assert call.cancel().endswith(unknown), "twice"
    call.answer(486)
    assert call.cancel().endswith(unknown), "answered"


def test_another_application_cancels_for_one_that_is_gone(world: World, call: Originated) -> None:
    call.answer(180)
    call.application.leave()
    assert world.network.times("CANCEL") == [0]
    assert "|NOK|" in call.cancel(application=world.application()), "the server has cancelled it"
    call.answer(487)


@pytest.mark.parametrize("provisional", [True, False])
def test_a_200_overtakes_the_cancel(world: World, call: Originated, provisional: bool) -> None:
    if provisional:
        call.answer(180, CONTACT)
    call.cancel()
    call.application.take()
    call.answer(200, CONTACT)
    assert call.statuses() == [200]
    ack = call.say("ACK")
    sent = world.network.take()
    assert sent[0] == ack.text
    bye = call.parsed(sent[1])
    assert (bye.method, bye.get("reason")) == ("BYE", RACE)
    frame = call.application.take_one()
    assert tokens_of(frame)[1:7] == ["sip", "application", str(len(bye.text)), "udp", "127.0.0.1", "5060"]
    assert tokens_of(frame)[8:] == ["unsolicited", call.dialog_id, ""]
    assert sip_of(frame) == bye.text
    call.answer(200, to=bye)
    assert call.application.take() == []
    assert "|NOK|" in call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")


# The application goes


def test_the_application_goes_while_it_rings(world: World, call: Originated) -> None:
    call.answer(180, CONTACT)
    call.application.leave()
    (text,) = world.network.take()
    cancel = call.parsed(text)
    assert (cancel.method, cancel.get("reason")) == ("CANCEL", GONE)
    call.answer(200, to=cancel)
    (ack,) = call.answer(487)
    assert ack.startswith("ACK ")


def test_the_application_goes_before_anything_came(world: World, call: Originated) -> None:
    call.application.leave()
    assert world.network.take() == []
    (cancel,) = call.answer(100, tag="")
    assert cancel.startswith("CANCEL ")
    call.answer(487)


def test_a_late_200_for_an_application_that_is_gone(world: World, call: Originated) -> None:
    call.answer(180, CONTACT)
    call.application.leave()
    ack, bye = call.answer(200, CONTACT)
    assert ack.startswith(f"ACK {CAROL} SIP/2.0\r\n")
    assert call.parsed(bye).get("reason") == GONE
    assert call.answer(200, CONTACT) == [ack]
    call.answer(200, to=call.parsed(bye))


def test_the_application_cancels_and_goes(world: World, call: Originated) -> None:
    call.answer(180)
    call.cancel()
    world.network.take()
    call.application.leave()
    assert world.network.take() == [], "one CANCEL is enough"
    call.answer(487)


def test_the_application_goes_before_its_ack(world: World, call: Originated) -> None:
    call.answer(200, CONTACT)
    call.application.leave()
    ack, bye = world.network.take()
    assert call.parsed(ack).cseq_number == call.request.cseq_number
    assert call.parsed(bye).get("reason") == GONE
    call.answer(200, to=call.parsed(bye))


def test_the_application_goes_in_the_call(world: World, call: Originated) -> None:
    call.establish()
    call.application.leave()
    assert world.network.take() == []
    call.application = world.application()
    call.hang_up()


def test_the_200_comes_again_while_the_way_of_our_ack_is_sought(world: World, call: Originated) -> None:
    world.network.routes["sip:127.0.0.3:5070;lr"] = FLOW
    call.answer(180)
    call.application.leave()
    world.network.pending = []
    assert call.answer(200, CONTACT, "Record-Route: <sip:127.0.0.3:5070;lr>") == []
    assert call.answer(200, CONTACT, "Record-Route: <sip:127.0.0.3:5070;lr>") == []
    for proceed in world.network.pending:
        proceed()
    ack, bye = world.network.take()
    assert ack.startswith("ACK ")
    call.answer(200, to=call.parsed(bye))


# SUBSCRIBE


@pytest.fixture
def subscription(world: World) -> Originated:
    return Originated(world, "SUBSCRIBE", "Event: presence", "Expires: 60")


def notify(
    subscription: Originated, state: str, status: int = 200, event: str = "presence"
) -> tuple[str, str]:
    """NOTIFY and its answer: the frame that was delivered, the application's echo."""
    subscription.ask("NOTIFY", f"Event: {event}", f"Subscription-State: {state}", CONTACT)
    frame = subscription.application.take_one()
    return frame, subscription.application.answer(transaction_id_of(frame), f"SIP/2.0 {status} x\r\n\r\n")


def test_a_subscription(world: World, subscription: Originated) -> None:
    assert subscription.request.get("contact") == "<sip:127.0.0.1:5060>"
    subscription.answer(202, CONTACT, "Expires: 60")
    frame = subscription.application.take_one()
    assert tokens_of(frame)[8:] == [subscription.transaction_id, subscription.dialog_id, ""]
    frame, echo = notify(subscription, "active;expires=60")
    assert tokens_of(frame)[9] == tokens_of(echo)[11] == subscription.dialog_id
    frame, echo = notify(subscription, "Terminated;reason=timeout")
    assert tokens_of(frame)[9] == tokens_of(echo)[11] == subscription.dialog_id
    assert "|OK|" in echo
    refused = subscription.application.request(subscription.dialog_id, "SUBSCRIBE sip:x SIP/2.0\r\n\r\n")
    assert refused.endswith("|NOK|Server error: unable to find dialog for dialog id provided")
    world.network.take()
    assert statuses_of(subscription.ask("NOTIFY", "Event: presence")) == [503]


def test_a_subscription_that_is_refused(world: World, subscription: Originated) -> None:
    assert subscription.answer(489) == []
    frame = subscription.application.take_one()
    assert tokens_of(frame)[8:] == [subscription.transaction_id, subscription.dialog_id, ""]
    assert world.core.occupancy()["dialogs by key"] == 0


def test_a_subscription_is_refreshed(world: World, subscription: Originated) -> None:
    subscription.answer(200, CONTACT, "Expires: 60")
    world.advance(50)
    again = subscription.say("SUBSCRIBE", "Event: presence", "Expires: 60")
    assert again.get("contact") == "<sip:127.0.0.1:5060>"
    subscription.answer(200, CONTACT, "Expires: 60", to=again)
    subscription.application.take()
    world.advance(80)
    _, echo = notify(subscription, "active")
    assert tokens_of(echo)[11] == subscription.dialog_id
    world.advance(13)
    assert world.core.occupancy()["dialogs by key"] == 0


def test_a_subscription_is_ended_by_the_application(world: World, subscription: Originated) -> None:
    subscription.answer(200, CONTACT, "Expires: 3600")
    end = subscription.say("SUBSCRIBE", "Event: presence", "Expires: 0")
    subscription.answer(200, CONTACT, "Expires: 0", to=end)
    subscription.application.take()
    _, echo = notify(subscription, "terminated;reason=timeout")
    assert "|OK|" in echo
    assert world.core.occupancy()["dialogs by key"] == 0


def test_a_notify_ends_no_call(world: World, call: Originated) -> None:
    call.establish()
    refer = call.say("REFER", "Refer-To: <sip:dave@127.0.0.1>")
    call.answer(202, to=refer)
    call.application.take()
    notify(call, "terminated;reason=noresource", event="refer")
    world.network.take()
    call.hang_up()


def test_a_subscription_in_a_call_does_not_end_it(world: World, call: Originated) -> None:
    call.establish()
    call.ask("SUBSCRIBE", "Event: refer", "Expires: 1", CONTACT)
    call.application.answer(
        transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\nExpires: 1\r\n\r\n"
    )
    world.advance(120)
    call.hang_up()


@pytest.mark.parametrize("method", ["OPTIONS", "MESSAGE", "REGISTER", "PUBLISH", "REFER"])
def test_other_requests_make_no_dialog(world: World, method: str) -> None:
    request = Originated(world, method)
    request.answer(200, CONTACT)
    assert tokens_of(request.application.take_one())[9] == ""
    assert world.core.occupancy()["dialogs by key"] == 0


def test_an_answer_that_crosses_a_bye_in_the_early_dialog_is_hung_up(world: World) -> None:
    call = Originated(world)
    call.answer(180, CONTACT)
    call.answer(200, to=call.say("BYE"))
    call.application.take()
    ack, bye = (call.parsed(text) for text in call.answer(200, CONTACT))
    assert ack.method == "ACK"
    assert bye.get("reason") == 'SIP;cause=481;text="Call does not exist"'
    assert sip_of(call.application.take_one()).startswith("SIP/2.0 480 ")
    call.answer(200, to=bye)
