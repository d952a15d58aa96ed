"""Call detail records: one attempt, at most one start, exactly one stop, whatever becomes of a call.

That every leg has stopped at the end is looked at after each test: ``calls without a stop record`` is a table.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from tests.core.cdr.accounts import KINDS, Worlds, told
from tests.core.uac.originated import CONTACT, Originated
from tests.core.world import BY_TCP, Call, Phone, RecordingApplication, World, sip_of, tokens_of


@pytest.fixture
def world(worlds: Worlds) -> World:
    return worlds(Settings(call_records=True))


@pytest.fixture
def accounts(world: World) -> RecordingApplication:
    return world.application(*KINDS)


INVITED = "attempt network | INVITE"
ANSWERED = "start application uas | SIP/2.0 200"
CALLED = "attempt application | INVITE"
CONNECTED = "start network uac | SIP/2.0 200"


def test_the_tokens(world: World, accounts: RecordingApplication) -> None:
    call = Call(world, world.application("invite"))
    call.answer()
    call.phone.send("ACK")
    bye = call.phone.text("BYE")
    world.receive(bye)
    attempt, start, stop = accounts.take()
    assert tokens_of(attempt) == ["uuid", "cdr:attempt", "network", "08:00:00.000000"]
    assert tokens_of(start) == ["uuid", "cdr:start", "application", "08:00:00.000000", "uas"]
    assert tokens_of(stop) == ["uuid", "cdr:stop", "network", "08:00:00.000000", "normal-release"]
    assert sip_of(stop) == bye.replace(call.phone.branch, f"{call.phone.branch};rport=5080")
    call.application.answer(tokens_of(call.application.take()[-1])[8], "SIP/2.0 200 OK\r\n\r\n")


def test_without_anybody_who_wants_them(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    call.hang_up()


def test_switched_off_there_are_none(worlds: Worlds) -> None:
    world = worlds(None)
    accounts = world.application(*KINDS)
    Call(world, world.application("invite")).establish().hang_up()
    assert world.core.context.observer is None
    assert accounts.take() == []


@pytest.mark.parametrize("status", [300, 404, 487, 503, 603])
def test_a_rejection(world: World, accounts: RecordingApplication, status: int) -> None:
    call = Call(world, world.application("invite")).ring()
    call.answer(f"SIP/2.0 {status} No\r\n\r\n")
    assert told(accounts) == [INVITED, f"stop application call-rejected | SIP/2.0 {status}"]


@pytest.mark.parametrize("status", [200, 202, 299])
def test_any_success_starts_a_call(world: World, accounts: RecordingApplication, status: int) -> None:
    call = Call(world, world.application("invite"))
    call.answer(f"SIP/2.0 {status} Yes\r\n\r\n")
    call.phone.send("ACK")
    call.application.take()
    call.hang_up()
    assert told(accounts)[1:] == [
        f"start application uas | SIP/2.0 {status}",
        "stop network normal-release | BYE",
    ]


@pytest.mark.parametrize("ring", [False, True])
def test_a_cancel(world: World, accounts: RecordingApplication, ring: bool) -> None:
    call = Call(world, world.application("invite"))
    if ring:
        call.answer("SIP/2.0 180 Ringing\r\n\r\n")
        call.phone.to = "<sip:bob@127.0.0.1:5060>"
    call.phone.send("CANCEL", same=True)
    call.phone.send("CANCEL", same=True)
    call.application.answer(call.transaction_id, "SIP/2.0 486 No\r\n\r\n")
    assert told(accounts) == [INVITED, "stop network call-canceled | INVITE"]


def test_a_cancel_that_comes_too_late(world: World, accounts: RecordingApplication) -> None:
    call = Call(world, world.application("invite"))
    call.answer()
    call.phone.send("CANCEL", same=True)
    assert told(accounts) == [INVITED, ANSWERED]
    call.phone.send("ACK")
    call.application.take()
    call.hang_up()


@pytest.mark.parametrize(
    ("refuse", "status"),
    [
        (lambda call: call.world.advance(64), 504),
        (lambda call: call.application.leave(), 480),
        (lambda call: call.application.answer(call.transaction_id, "SIP/2.0 700 x\r\n\r\n"), 500),
        (
            lambda call: call.application.answer(
                call.transaction_id, "SIP/2.0 200 OK\r\nContact: <<<\r\n\r\n"
            ),
            500,
        ),
    ],
    ids=["silent", "gone", "no status", "wrong header"],
)
def test_what_the_server_answers_itself(
    world: World, accounts: RecordingApplication, refuse: Callable[[Call], object], status: int
) -> None:
    refuse(Call(world, world.application("invite")))
    assert told(accounts) == [INVITED, f"stop application call-rejected | SIP/2.0 {status}"]


def test_a_call_that_cannot_be_answered(world: World, accounts: RecordingApplication) -> None:
    call = Call(world, world.application("invite"), flow=BY_TCP)
    world.network.broken.add(BY_TCP.connection)
    call.application.answer(call.transaction_id, "SIP/2.0 200 OK\r\n\r\n")
    assert told(accounts) == [INVITED, "stop application call-rejected | SIP/2.0 500"]


def test_two_calls_with_one_id(world: World, accounts: RecordingApplication) -> None:
    """Both INVITEs are attempts; the id that they share is the first's that is answered. Were their numbers the same,
    the second would be taken for a copy of the first (CALL-17)."""
    application = world.application("invite")
    first = Call(world, application)
    phone = Phone(world, "other-way")
    phone.call_id, phone.from_, phone.cseq = first.phone.call_id, first.phone.from_, 7
    second = Call(world, application, phone=phone)
    first.answer()
    second.application.answer(second.transaction_id, "SIP/2.0 200 OK\r\n\r\n")
    assert told(accounts) == [INVITED, INVITED, ANSWERED, "stop application call-rejected | SIP/2.0 480"]
    first.phone.send("ACK")
    application.take()
    first.hang_up()


def test_faulty_and_unknown_invites_are_no_attempts(world: World, accounts: RecordingApplication) -> None:
    phone = Phone(world)
    world.receive(phone.text("INVITE").replace("CSeq: 1 INVITE", "CSeq: 1 BYE"))
    phone.to += ";tag=unknown"
    phone.invite()
    assert told(accounts) == []


def test_a_bye_of_the_application_before_the_answer(world: World, accounts: RecordingApplication) -> None:
    call = Call(world, world.application("invite")).ring()
    bye = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
    assert told(accounts) == [INVITED, "stop application normal-release | BYE"]
    call.phone.respond(bye)
    assert told(accounts) == []


def test_a_bye_that_nobody_owns(world: World, accounts: RecordingApplication) -> None:
    call = Call(world, world.application("invite")).establish()
    call.application.leave()
    call.phone.send("BYE")
    assert told(accounts) == [INVITED, ANSWERED, "stop network normal-release | BYE"]


def test_a_bye_out_of_order_ends_nothing(world: World, accounts: RecordingApplication) -> None:
    call = Call(world, world.application("invite")).establish()
    call.phone.send("INFO")
    call.application.answer(tokens_of(call.application.take_one())[8], "SIP/2.0 200 OK\r\n\r\n")
    call.phone.send("BYE", cseq=1)
    assert told(accounts) == [INVITED, ANSWERED]
    call.hang_up()
    assert told(accounts) == ["stop network normal-release | BYE"]


def test_a_challenged_bye_is_sent_twice_and_recorded_once(
    world: World, accounts: RecordingApplication
) -> None:
    call = Call(world, world.application("invite")).establish()
    told(accounts)
    for status in (401, 200):
        bye = sip_of(call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n"))
        call.phone.respond(bye, status)
    assert told(accounts) == ["stop application normal-release | BYE"]


def test_an_application_that_is_gone_and_hung_up_for(worlds: Worlds) -> None:
    world = worlds(Settings(call_records=True, hangup_on_application_loss=True))
    accounts = world.application(*KINDS)
    Call(world, world.application("invite")).establish().application.leave()
    assert told(accounts) == [INVITED, ANSWERED, "stop application system-initiated-termination | BYE"]


def test_no_ack_and_no_way_to_say_so(world: World, accounts: RecordingApplication) -> None:
    phone = Phone(world)
    world.receive(phone.text("INVITE"))
    application = world.application("invite")
    told(accounts)
    phone = Phone(world, "call2")
    world.receive(phone.text("INVITE", "Max-Breadth: 60"))
    application.answer(tokens_of(application.take_one())[8], "SIP/2.0 200 OK\r\n\r\n")
    world.advance(33)
    assert told(accounts) == [
        INVITED,
        ANSWERED,
        "stop application system-error-initiated-termination | SIP/2.0 200",
    ]


def test_calling(world: World, accounts: RecordingApplication) -> None:
    call = Originated(world)
    call.answer(180, CONTACT)
    call.answer(200, CONTACT)
    call.answer(200, CONTACT)
    assert told(accounts) == [CALLED, CONNECTED]
    call.application.request(call.dialog_id, "ACK sip:x SIP/2.0\r\n\r\n")
    call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    assert told(accounts) == ["stop application normal-release | BYE"]


@pytest.mark.parametrize(
    ("status", "reason"), [(302, "call-rejected"), (407, "call-rejected"), (487, "call-canceled")]
)
def test_calling_in_vain(world: World, accounts: RecordingApplication, status: int, reason: str) -> None:
    Originated(world).answer(status)
    assert told(accounts) == [CALLED, f"stop network {reason} | SIP/2.0 {status}"]


def test_calling_nobody(world: World, accounts: RecordingApplication) -> None:
    application = world.application()
    application.say("sip||\r\nINVITE sip:carol@nowhere.invalid SIP/2.0\r\n\r\n")
    assert told(accounts) == [CALLED, "stop network call-rejected | SIP/2.0 503"]
    application.take()


def test_calling_somebody_who_only_rings(world: World, accounts: RecordingApplication) -> None:
    call = Originated(world)
    call.answer(180)
    call.application.say(f"sip|{call.transaction_id}|\r\nCANCEL sip:x SIP/2.0\r\n\r\n")
    world.advance(32)
    assert told(accounts) == [CALLED, "stop network call-rejected | SIP/2.0 408"]


def test_an_answer_to_an_application_that_is_gone(world: World, accounts: RecordingApplication) -> None:
    call = Originated(world)
    call.application.leave()
    call.answer(200, CONTACT)
    assert told(accounts) == [CALLED, CONNECTED, "stop application system-initiated-termination | BYE"]


def test_a_second_call_with_the_id_of_the_first(world: World, accounts: RecordingApplication) -> None:
    application = world.application()
    headers = ("Call-ID: one", "From: <sip:me@example.com>;tag=t1")
    first = Originated(world, "INVITE", *headers, application=application)
    first.answer(200, CONTACT)
    second = Originated(world, "INVITE", *headers, application=application)
    second.answer(200, CONTACT, tag="b2")
    assert told(accounts) == [
        *(CALLED, CONNECTED),
        *(CALLED, CONNECTED, "stop application system-initiated-termination | BYE"),
    ]
    application.request(first.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")


def test_nothing_but_invites(world: World, accounts: RecordingApplication) -> None:
    application = world.application("options", "subscribe")
    Phone(world).send("OPTIONS")
    application.answer(tokens_of(application.take_one())[8], "SIP/2.0 200 OK\r\n\r\n")
    Originated(world, "SUBSCRIBE", "Event: presence").answer(404)
    assert told(accounts) == []


def test_a_kind_that_nobody_wants_is_dropped(world: World) -> None:
    stops = world.application("cdr:stop")
    Call(world, world.application("invite")).answer("SIP/2.0 486 No\r\n\r\n")
    assert told(stops) == ["stop application call-rejected | SIP/2.0 486"]
