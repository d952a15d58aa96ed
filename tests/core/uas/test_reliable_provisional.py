"""The application's reliable provisional responses and the PRACKs for them (RFC 3262 §3)."""

from __future__ import annotations

import pytest

from reference_server.core.context import Settings
from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.transactions.timing import Timing
from tests.core.uas.reliable_call import OK, RELIABLE, ReliableCall
from tests.core.world import (
    BY_TCP,
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


# A whole call


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
