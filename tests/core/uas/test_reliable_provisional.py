"""The application's reliable provisional responses and the PRACKs for them (RFC 3262 §3)."""

from __future__ import annotations

import pytest

from reference_server.core.context import Settings
from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.transactions.timing import Timing
from tests.core.world import (
    BY_TCP,
    SDP,
    Call,
    Phone,
    RecordingApplication,
    World,
    sip_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

UNKNOWN = "NOK|Response not sent due to unknown transaction"
UNSUPPORTED = "NOK|Remote endpoint does not support 100rel"
OK = "SIP/2.0 200 OK\r\n\r\n"
RELIABLE = "SIP/2.0 183 Session Progress\r\nRequire: 100rel\r\n\r\n"


class ReliableCall:
    """An INVITE that an application answers reliably, and its caller."""

    def __init__(self, world: World, *headers: str, flow: Phone | None = None) -> None:
        self.world = world
        self.phone = flow or Phone(world)
        self.application = world.application("invite")
        self.phone.invite(*(headers or ("Supported: timer, 100rel",)))
        self.transaction_id = transaction_id_of(self.application.take_one())
        world.network.take()

    def respond(self, status: int = 183, *headers: str, body: str = SDP, reliable: bool = True) -> str:
        """The application's response; returns the answer, empty if there is none yet."""
        lines = "".join(f"{header}\r\n" for header in (["Require: 100rel"] if reliable else []) + [*headers])
        answer = self.application.answer(
            self.transaction_id, f"SIP/2.0 {status} Reason {status}\r\n{lines}\r\n{body}"
        )
        if "|OK|" in answer:
            self.phone.learn(sip_of(answer))
        return answer

    def progress(self, status: int = 183, *headers: str, body: str = SDP, reliable: bool = True) -> Response:
        """The same, sent at once: the response on the wire."""
        self.world.network.take()
        self.respond(status, *headers, body=body, reliable=reliable)
        (sent,) = self.world.network.take()
        response = parse_message(sent)
        assert isinstance(response, Response)
        return response

    def prack(self, response: Response, number: int = 0, same: bool = False) -> list[str]:
        """The caller's PRACK of ``response``; returns what the server sent because of it."""
        rack = f"RAck: {number or response.get('rseq')} {response.cseq_number} INVITE"
        return self.phone.send("PRACK", rack, same=same)

    def answer_prack(self, text: str = OK) -> str:
        """The application answers the PRACK that was delivered last."""
        return self.application.answer(transaction_id_of(self.application.take()[-1]), text)

    def refuse(self) -> None:
        """End what the test leaves open."""
        assert "|OK|" in self.application.answer(self.transaction_id, "SIP/2.0 480 \r\n\r\n")

    def hang_up(self) -> None:
        """ACK, BYE and 200."""
        self.phone.send("ACK", cseq=1)
        self.phone.send("BYE")
        self.answer_prack()


@pytest.fixture
def call(world: World) -> ReliableCall:
    return ReliableCall(world)


def sent_texts(answer: str) -> str:
    """The text of a refusal."""
    return answer.split("|", 3)[3]


# What is sent reliably


def test_rseq_require_and_contact(call: ReliableCall) -> None:
    answer = call.respond(183)
    (sent,) = call.world.network.take()
    assert sip_of(answer) == sent
    assert tokens_of(answer)[4:9] == ["application", str(len(sent)), "udp", "127.0.0.1", "5080"]
    assert tokens_of(answer)[10:] == [call.transaction_id, call.phone.dialog_id, "", "Msg sent:", ""]
    response = parse_message(sent)
    names = [name for name, _ in response.fields]
    assert names[names.index("cseq") :] == [
        "cseq",
        "contact",
        "rseq",
        "require",
        "content-type",
        "content-length",
    ]
    assert response.get("contact") == "<sip:127.0.0.1:5060>"
    assert response.get("require") == "100rel"
    assert 0 < int(response.get("rseq")) < 2**31
    call.refuse()


def test_the_applications_own_contact_stays(call: ReliableCall) -> None:
    assert call.progress(183, "Contact: <sip:me@10.0.0.1>").get("contact") == "<sip:me@10.0.0.1>"
    call.refuse()


@pytest.mark.parametrize("header", ["Require: 100rel", "k: 100REL", "Supported: timer\r\nSupported: 100rel"])
def test_a_caller_that_understands(world: World, header: str) -> None:
    call = ReliableCall(world, *header.split("\r\n"))
    assert call.progress().get("rseq") != ""
    call.refuse()


@pytest.mark.parametrize("header", ["X-a: 100rel", "Supported: timer", "Supported: x100rel"])
def test_a_caller_that_does_not_understand(world: World, header: str) -> None:
    call = ReliableCall(world, header)
    assert sent_texts(call.respond(183)) == UNSUPPORTED
    assert world.network.take() == []
    assert "|OK|" in call.respond(180, reliable=False, body="")
    call.refuse()


def test_only_an_invite_is_answered_reliably(world: World) -> None:
    application = world.application("options")
    Phone(world).send("OPTIONS", "Supported: 100rel")
    transaction_id = transaction_id_of(application.take_one())
    assert sent_texts(application.answer(transaction_id, RELIABLE)) == UNSUPPORTED
    application.answer(transaction_id, OK)


def test_a_demand_does_not_concern_what_cannot_be_reliable(world: World) -> None:
    application = world.application("options")
    Phone(world).send("OPTIONS", "Require: 100rel")
    transaction_id = transaction_id_of(application.take_one())
    echo = application.answer(transaction_id, "SIP/2.0 182 Queued\r\n\r\n")
    assert parse_message(sip_of(echo)).get("rseq") == ""
    application.answer(transaction_id, OK)


def test_trying_is_never_reliable(world: World) -> None:
    call = ReliableCall(world, "Require: 100rel")
    assert call.progress(100, reliable=False, body="").get("rseq") == ""
    call.refuse()


def test_a_caller_that_supports_it_gets_ordinary_responses_where_the_application_gives_them(
    call: ReliableCall,
) -> None:
    response = call.progress(180, reliable=False, body="")
    assert response.get("rseq") == response.get("require") == response.get("contact") == ""
    call.world.advance(40)
    assert call.world.network.take() == []
    call.refuse()


def test_over_tcp_it_is_repeated_too(world: World) -> None:
    call = ReliableCall(world, flow=Phone(world, flow=BY_TCP))
    response = call.progress()
    assert response.get("contact") == "<sip:127.0.0.1:5060;transport=tcp>"
    world.advance(0.5)
    assert world.network.take() == [response.text]
    call.prack(response)
    call.answer_prack()
    call.refuse()


# PRACK


def test_a_prack_goes_to_the_application_which_answers_it(call: ReliableCall) -> None:
    response = call.progress()
    call.world.advance(0.5)
    assert call.world.network.take() == [response.text]
    text = call.phone.text("PRACK", f"RAck: {response.get('rseq')} 1 INVITE")
    assert call.world.receive(text) == []
    tokens = tokens_of(call.application.take_one())
    assert tokens[1:7] == ["sip", "network", str(len(text)), "udp", "127.0.0.1", "5080"]
    assert tokens[8] != call.transaction_id
    assert tokens[9:] == [call.phone.dialog_id, ""]
    echo = call.application.answer(tokens[8], OK)
    assert tokens_of(echo)[6] == ""
    assert tokens_of(echo)[10:] == [tokens[8], call.phone.dialog_id, "", "Msg sent:", ""]
    assert statuses_of(call.world.network.take()) == [200]
    call.world.advance(40)
    assert call.world.network.take() == [], "it is not repeated any more"
    call.refuse()


def test_bodies_of_prack_and_its_answer_pass(call: ReliableCall) -> None:
    response = call.progress()
    rack = f"RAck: {response.get('rseq')} 1 INVITE"
    call.phone.send("PRACK", rack, body=SDP.replace("20400", "20500"))
    delivered = call.application.take_one()
    assert parse_message(sip_of(delivered)).body == SDP.replace("20400", "20500")
    echo = call.application.answer(transaction_id_of(delivered), f"SIP/2.0 200 OK\r\n\r\n{SDP}")
    assert parse_message(sip_of(echo)).body == SDP
    assert parse_message(sip_of(echo)).get("content-type") == "application/sdp"
    call.refuse()


def test_a_whole_call(call: ReliableCall) -> None:
    first = call.progress()
    call.prack(first)
    call.answer_prack()
    second = call.progress(180, body="")
    assert int(second.get("rseq")) == int(first.get("rseq")) + 1
    call.prack(second)
    call.answer_prack()
    answer = call.progress(200, reliable=False)
    assert answer.get("rseq") == answer.get("require") == ""
    call.phone.send("ACK", cseq=1)
    assert sip_of(call.application.take_one()).startswith("ACK ")
    call.phone.send("BYE")
    call.answer_prack()


def test_a_repeated_prack_is_absorbed(call: ReliableCall) -> None:
    response = call.progress()
    text = call.phone.text("PRACK", f"RAck: {response.get('rseq')} 1 INVITE")
    assert call.world.receive(text) == []
    assert call.world.receive(text) == []
    call.answer_prack()
    answer = call.world.network.take()
    assert statuses_of(answer) == [200]
    assert call.world.receive(text) == answer
    call.refuse()


def test_another_prack_of_the_same_response_reaches_the_application(call: ReliableCall) -> None:
    response = call.progress()
    call.prack(response)
    call.answer_prack()
    call.prack(response)
    assert sip_of(call.application.payloads[-1]).startswith("PRACK ")
    call.answer_prack()
    call.refuse()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("RAck: 999 1 INVITE", 481),
        ("RAck: {number} 2 INVITE", 481),
        ("RAck: {number} 1 UPDATE", 481),
        ("RAck: {next} 1 INVITE", 481),
        ("X-a: 1", 400),
        ("RAck: x 1 INVITE", 400),
    ],
)
def test_a_prack_that_acknowledges_nothing(call: ReliableCall, line: str, status: int) -> None:
    response = call.progress()
    number = int(response.get("rseq"))
    filled = line.format(number=number, next=number + 1)
    assert statuses_of(call.phone.send("PRACK", filled)) == [status]
    assert call.application.take() == []
    call.world.advance(0.5)
    assert response.text in call.world.network.take(), "still repeated"
    call.prack(response)
    call.answer_prack()
    call.refuse()


def test_without_any_reliable_response_a_prack_is_the_applications(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.send("PRACK", "RAck: 1 1 INVITE")
    delivered = call.application.take_one()
    assert sip_of(delivered).startswith("PRACK ")
    call.application.answer(transaction_id_of(delivered), OK)
    call.hang_up()


def test_a_prack_out_of_order_is_refused_as_any_request(call: ReliableCall) -> None:
    response = call.progress()
    call.phone.send("UPDATE", cseq=7)
    call.answer_prack()
    call.world.network.take()
    assert statuses_of(call.prack(response)) == [500]
    call.refuse()


def test_a_silent_applications_prack_ends_with_504(call: ReliableCall) -> None:
    call.prack(call.progress())
    call.world.advance(31.5)
    assert statuses_of(call.world.network.take()) == [504]
    call.refuse()


# Demanded by the caller


def test_a_demanded_response_is_made_reliable_and_its_prack_answered_by_the_server(world: World) -> None:
    call = ReliableCall(world, "Require: 100rel")
    response = call.progress(180, reliable=False, body="")
    assert response.get("require") == "100rel"
    assert response.get("contact") == "<sip:127.0.0.1:5060>"
    world.advance(0.5)
    assert world.network.take() == [response.text]
    assert statuses_of(call.prack(response)) == [200]
    assert call.application.take() == []
    assert statuses_of(call.prack(response)) == [200], "and again"
    assert call.application.take() == []
    world.network.take()
    world.advance(40)
    assert world.network.take() == []
    call.progress(200, reliable=False)
    call.hang_up()


def test_what_the_application_requires_stays(world: World) -> None:
    call = ReliableCall(world, "Require: 100rel")
    assert call.progress(180, "Require: timer", reliable=False, body="").get("require") == "timer, 100rel"
    call.refuse()


def test_what_was_demanded_and_what_was_asked_for_in_one_call(world: World) -> None:
    call = ReliableCall(world, "Require: 100rel")
    assert statuses_of(call.prack(call.progress(180, reliable=False, body=""))) == [200]
    assert call.prack(call.progress(183)) == []
    call.answer_prack()
    call.refuse()


# One at a time


def test_the_next_response_waits_for_the_prack_and_is_answered_then(call: ReliableCall) -> None:
    first = call.progress()
    assert call.respond(180, body="") == ""
    assert call.world.network.take() == []
    (sent,) = call.prack(first)
    second = parse_message(sent)
    assert isinstance(second, Response)
    assert (second.status, second.reason) == (180, "Reason 180")
    assert int(second.get("rseq")) == int(first.get("rseq")) + 1
    prack, answer = call.application.take()
    assert sip_of(prack).startswith("PRACK ")
    assert tokens_of(answer)[2:4] == ["m2", "OK"]
    assert sip_of(answer) == sent
    call.application.answer(transaction_id_of(prack), OK)
    assert call.prack(second) == []
    call.answer_prack()
    call.refuse()


def test_the_answer_waits_for_the_prack(call: ReliableCall) -> None:
    first = call.progress()
    assert call.respond(200, reliable=False) == ""
    assert call.world.network.take() == []
    assert sent_texts(call.application.answer(call.transaction_id, OK)) == UNKNOWN
    (sent,) = call.prack(first)
    answer = parse_message(sent)
    assert isinstance(answer, Response)
    assert (answer.status, answer.reason) == (200, "Reason 200")
    prack, echo = call.application.take()
    assert sip_of(echo) == sent
    assert tokens_of(echo)[10:] == [call.transaction_id, call.phone.dialog_id, "", "Msg sent:", ""]
    call.application.answer(transaction_id_of(prack), OK)
    call.hang_up()


def test_an_answer_behind_a_response_without_a_session_description_does_not_wait(call: ReliableCall) -> None:
    first = call.progress(180, body="")
    call.respond(182, body="")
    assert "|OK|" in call.respond(200, reliable=False)
    assert statuses_of(call.world.network.take()) == [200]
    assert [sent_texts(answer) for answer in call.application.take()] == [UNKNOWN], "the 182"
    call.world.advance(0.25)
    call.prack(first)
    delivered = call.application.take_one()
    assert sip_of(delivered).startswith("PRACK "), "it may come late"
    call.application.answer(transaction_id_of(delivered), OK)
    call.hang_up()


def test_a_late_prack_of_a_demanded_response_is_the_servers(world: World) -> None:
    call = ReliableCall(world, "Require: 100rel")
    first = call.progress(180, reliable=False, body="")
    call.progress(200, reliable=False)
    assert statuses_of(call.prack(first)) == [200]
    assert call.application.take() == []
    call.hang_up()


# Ends before the PRACK


def test_a_failure_goes_out_at_once(call: ReliableCall) -> None:
    first = call.progress()
    call.respond(180)
    answer = call.respond(486, reliable=False, body="")
    assert "|OK|" in answer
    assert statuses_of(call.world.network.take()) == [486]
    assert [sent_texts(answer) for answer in call.application.take()] == [UNKNOWN], "the 180"
    call.phone.send("ACK", same=True, cseq=1)
    assert statuses_of(call.prack(first)) == [481]
    call.world.network.take()
    call.world.advance(40)
    assert call.world.network.take() == []


@pytest.mark.parametrize("answered", [False, True])
def test_a_cancel_goes_through(call: ReliableCall, answered: bool) -> None:
    call.progress()
    if answered:
        assert call.respond(200, reliable=False) == ""
    call.phone.to = "<sip:bob@127.0.0.1:5060>"
    assert statuses_of(call.phone.send("CANCEL", same=True)) == [200, 487]
    cancel, *refused = call.application.take()
    assert [sent_texts(answer) for answer in refused] == [UNKNOWN] * answered
    assert sip_of(cancel).startswith("CANCEL ")
    assert tokens_of(cancel)[8:] == [call.transaction_id, call.phone.dialog_id, ""]


@pytest.mark.parametrize("answered", [False, True])
def test_a_bye_in_the_early_dialog_goes_through(call: ReliableCall, answered: bool) -> None:
    call.progress()
    if answered:
        call.respond(200, reliable=False)
    assert statuses_of(call.phone.send("BYE")) == [487, 200]
    bye, *refused = call.application.take()
    assert [sent_texts(answer) for answer in refused] == [UNKNOWN] * answered
    assert sip_of(bye).startswith("BYE ")


@pytest.mark.parametrize("answered", [False, True])
def test_never_acknowledged(call: ReliableCall, answered: bool) -> None:
    first = call.progress()
    if answered:
        call.respond(200, reliable=False)
    call.world.advance(31.75)
    assert call.world.network.take() == [first.text] * 6
    assert call.application.take() == []
    call.world.advance(0.25)
    assert statuses_of(call.world.network.take()) == [504]
    *refused, cancel = call.application.take()
    assert [sent_texts(answer) for answer in refused] == [UNKNOWN] * answered
    tokens = tokens_of(cancel)
    assert tokens[1:7] == ["sip", "network", "0", "udp", "", "0"]
    assert tokens[8:] == [call.transaction_id, call.phone.dialog_id, ""]
    request = parse_message(sip_of(cancel))
    assert request.start_line == "CANCEL sip:bob@127.0.0.1:5060 SIP/2.0"
    assert request.get("call-id") == call.phone.call_id
    assert request.get("cseq") == "1 CANCEL"
    assert request.get("reason") == 'SIP;cause=504;text="PRACK timeout"'
    assert sent_texts(call.application.answer(call.transaction_id, OK)) == UNKNOWN
    assert call.application.request(call.phone.dialog_id, "INFO sip:x SIP/2.0").endswith("dialog id provided")
    assert statuses_of(call.prack(first)) == [481]


def test_the_patience_is_64_t1() -> None:
    world = World(Settings(timing=Timing(t1=0.25, t1x64=4.0)))
    ReliableCall(world).progress()
    world.advance(4)
    assert statuses_of(world.network.take())[-1] == 504
    world.check_empty()


@pytest.mark.parametrize("answered", [False, True])
def test_the_application_goes(call: ReliableCall, answered: bool) -> None:
    first = call.progress()
    if answered:
        call.respond(200, reliable=False)
    call.respond(180)
    call.application.leave()
    assert statuses_of(call.world.network.take()) == [480]
    assert statuses_of(call.prack(first)) == [481]
    assert call.application.take() == []
    call.world.advance(40)
    assert call.application.take() == []


def test_a_connection_that_is_gone(world: World) -> None:
    call = ReliableCall(world, flow=Phone(world, flow=BY_TCP))
    call.progress()
    world.network.broken.add(1)
    answer = call.application.answer(call.transaction_id, RELIABLE)
    assert answer.endswith("transport for response has been shutdown or closed")
    world.network.take()
    world.advance(1)
    assert world.network.take() == []


# Inside a dialog


def in_dialog(world: World, application: RecordingApplication) -> tuple[Call, str, Response]:
    """A re-INVITE that got a reliable 183."""
    call = Call(world, application).establish()
    call.phone.invite("Supported: 100rel")
    transaction_id = transaction_id_of(application.take_one())
    world.network.take()
    response = parse_message(sip_of(application.answer(transaction_id, RELIABLE)))
    assert isinstance(response, Response)
    world.network.take()
    return call, transaction_id, response


def test_a_reinvite_is_answered_reliably(world: World) -> None:
    call, transaction_id, response = in_dialog(world, world.application("invite"))
    assert call.phone.send("PRACK", f"RAck: {response.get('rseq')} 2 INVITE") == []
    call.application.answer(transaction_id_of(call.application.take_one()), OK)
    call.application.answer(transaction_id, OK)
    call.phone.send("ACK", cseq=2)
    call.application.take()
    call.hang_up()


def test_a_reinvite_that_nobody_acknowledges_leaves_the_call(world: World) -> None:
    call, transaction_id, _ = in_dialog(world, world.application("invite"))
    world.advance(32)
    assert statuses_of(world.network.take())[-1] == 504
    cancel = call.application.take_one()
    assert tokens_of(cancel)[8:] == [transaction_id, call.dialog_id, ""]
    call.hang_up()
