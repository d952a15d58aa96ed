"""Session timers on a clock that is turned by hand: what the YAML cases of family TIMER do not reach."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.ports import Flow
from reference_server.sip.identifiers import Identifiers
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transport import TCP, UDP
from tests.core.refreshed import ANSWER, expired, refresh, refreshed_by_them, refreshed_by_us
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


def test_refreshes_spread_over_ten_seconds(world: World) -> None:
    application = world.application("invite")
    calls = []
    for number in range(60):
        call = Call(world, application, f"call{number}", BY_TCP)
        call.answer(ANSWER)
        call.phone.send("ACK")
        application.take()
        calls.append(call)
    world.network.take()
    world.advance(50)
    times = [moment for moment, _, text in world.network.sent if text.startswith("INVITE")]
    assert len(times) == 60
    assert set(times) == set(range(40, 51))
    for sent in world.network.take():
        calls[0].phone.respond(sent, 200)
    for call in calls:
        call.hang_up()


def test_a_refresh_that_is_only_ringing_ends_with_the_session(world: World) -> None:
    call = refreshed_by_us(world)
    sent = refresh(call)
    call.phone.respond(sent, 180)
    world.advance(90 - 50 + 32)
    call.phone.respond(expired(call), 200)


def test_a_bye_of_the_far_end_while_the_refresh_is_unanswered(world: World) -> None:
    call = refreshed_by_us(world)
    sent = refresh(call)
    call.hang_up()
    (ack,) = [text for text in call.phone.respond(sent, 487) if text.startswith("ACK")]
    assert parse_message(ack).get("cseq") == "2 ACK"
    assert call.application.take() == []


def test_a_bye_of_the_application_while_the_refresh_is_unanswered(world: World) -> None:
    call = refreshed_by_us(world)
    sent = refresh(call)
    bye = sip_of(call.application.request(call.dialog_id, "BYE\r\n\r\n"))
    call.phone.respond(bye, 200)
    assert transaction_id_of(call.application.take_one())
    (ack,) = call.phone.respond(sent, 200)
    assert ack.startswith("ACK ")
    assert call.application.take() == []


def test_an_invite_that_waits_for_the_refresh_is_refused_when_the_call_ends_with_it(world: World) -> None:
    call = refreshed_by_us(world)
    sent = refresh(call)
    assert call.application.request(call.dialog_id, "INVITE\r\n\r\n") == ""
    call.phone.respond(sent, 481)
    told = call.application.take()
    assert [tokens_of(payload)[1] for payload in told] == ["response", "sip"]
    assert told[0].endswith("|NOK|Server error: unable to find dialog for dialog id provided")
    bye = next(text for text in world.network.take() if text.startswith("BYE"))
    call.phone.respond(bye, 200)


def test_an_invite_that_waits_for_the_refresh_dies_with_its_application(world: World) -> None:
    call = refreshed_by_us(world)
    sent = refresh(call)
    call.application.request(call.dialog_id, "INVITE\r\n\r\n")
    call.application.leave()
    assert [text.split(" ")[0] for text in call.phone.respond(sent, 200)] == ["ACK"]
    world.advance(91)
    call.phone.respond(next(text for text in world.network.take() if text.startswith("BYE")), 200)


def test_the_refresh_waits_for_the_ack_of_the_far_end(world: World) -> None:
    call = refreshed_by_us(world)
    world.advance(38)
    call.phone.send("INVITE", "Contact: <sip:alice@127.0.0.1:5080>", body=SDP)
    call.application.answer(transaction_id_of(call.application.take_one()), f"SIP/2.0 200 OK\r\n\r\n{SDP}")
    world.network.take()
    world.advance(15)
    assert not [text for text in world.network.take() if text.startswith("INVITE")]
    call.phone.send("ACK")
    call.application.take()
    sent = refresh(call, 3)
    call.phone.respond(sent, 200)
    call.hang_up()


def test_an_offer_in_a_prack_is_the_session_description(world: World) -> None:
    application = world.application()
    target = "sip:carol@127.0.0.1:5090"
    world.network.routes[target] = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
    invite = sip_of(application.say(f"sip||\r\nINVITE {target} SIP/2.0\r\nSupported: 100rel\r\n\r\n{SDP}"))
    invite = invite.replace(f"To: <{target}>", f"To: <{target}>;tag=c4r0l")
    phone = Phone(world)
    phone.respond(invite, 183, f"Contact: <{target}>", "Require: 100rel", "RSeq: 1")
    dialog_id = tokens_of(application.take_one())[9]
    held = SDP.replace("s=-", "s=held")
    rack = f"RAck: 1 {parse_message(invite).get('cseq')}"
    phone.respond(sip_of(application.request(dialog_id, f"PRACK\r\n{rack}\r\n\r\n{held}")), 200)
    phone.respond(invite, 200, f"Contact: <{target}>", "Session-Expires: 90;refresher=uac")
    application.request(dialog_id, "ACK\r\n\r\n")
    world.network.take()
    world.advance(50)
    sent = world.network.take()[0]
    assert parse_message(sent).body == held
    phone.respond(sent, 200)
    phone.respond(sip_of(application.request(dialog_id, "BYE\r\n\r\n")), 200)


def test_a_call_that_the_application_never_acknowledged_ends_with_its_session(world: World) -> None:
    application = world.application()
    target = "sip:carol@127.0.0.1:5090"
    world.network.routes[target] = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
    invite = sip_of(application.say(f"sip||\r\nINVITE {target} SIP/2.0\r\n\r\n{SDP}"))
    phone = Phone(world)
    phone.respond(invite, 200, f"Contact: <{target}>", "Session-Expires: 90;refresher=uac")
    world.network.take()
    world.advance(90)
    assert [text.split(" ")[0] for text in world.network.take()][:2] == ["ACK", "BYE"]


@pytest.mark.parametrize("second", [200, 201, 4_000_000])
def test_a_second_422_in_a_row_ends_the_call(world: World, second: int) -> None:
    call = refreshed_by_us(world)
    _, again = call.phone.respond(refresh(call), 422, "Min-SE: 200")
    assert parse_message(again).get("session-expires") == "200;refresher=uac"
    assert parse_message(again).get("min-se") == "200"
    world.network.take()
    call.phone.respond(again, 422, f"Min-SE: {second}")
    call.phone.respond(expired(call), 200)


def test_two_422s_with_a_refresh_between_end_nothing(world: World) -> None:
    call = refreshed_by_us(world)
    _, again = call.phone.respond(refresh(call), 422, "Min-SE: 200")
    call.phone.respond(again, 200, "Session-Expires: 200;refresher=uac")
    world.network.take()
    while not (sent := world.network.take()):
        world.advance(1)
    third = sent[0]
    _, fourth = call.phone.respond(third, 422, "Min-SE: 300")
    call.phone.respond(fourth, 200)
    call.hang_up()


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        (408, ()),
        (481, ()),
        (401, ()),
        (488, ()),
        (500, ()),
        (500, ("Retry-After: soon",)),
        (422, ()),
        (422, ("Min-SE: 60",)),
        (603, ()),
    ],
)
def test_other_refusals_end_the_call(world: World, status: int, lines: tuple[str, ...]) -> None:
    call = refreshed_by_us(world)
    sent = refresh(call)
    call.phone.respond(sent, status, *lines)
    call.phone.respond(expired(call), 200)


@pytest.mark.parametrize(
    ("wait", "end", "expected"),
    [
        (1, 90, 49),
        (2, 90, 24),
        (0, 122, 165),  # a refresh is open at the end of the session, and gets its 64·T1
    ],
)
def test_491_again_and_again_ends_with_the_session(
    world: World, monkeypatch: pytest.MonkeyPatch, wait: int, end: int, expected: int
) -> None:
    monkeypatch.setattr(Identifiers, "number", lambda self, greatest: wait)
    call = refreshed_by_us(world)
    tries = 0
    while call.application.payloads == []:
        world.advance(1)
        for text in world.network.take():
            if text.startswith("INVITE"):
                call.phone.respond(text, 491)
                tries += 1
    assert (world.clock.now, tries) == (end, expected)
    world.advance(64)
    assert tokens_of(call.application.take_one())[8] == "unsolicited"


def test_who_made_the_call_id_waits_longer_after_glare(world: World) -> None:
    ours, theirs = set(), set()
    call = refreshed_by_us(world)
    for _ in range(12):
        world.network.sent.clear()
        call.phone.respond(refresh(call), 491)
        world.network.sent.clear()
        began = world.clock.now
        world.advance(2)
        theirs.add(world.network.times("INVITE")[0] - began)
        call.phone.respond(world.network.take()[0], 200)
    assert theirs <= {0, 1, 2}
    assert len(theirs) > 1
    call.hang_up()
    application = world.application()
    target = "sip:carol@127.0.0.1:5090"
    world.network.routes[target] = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
    invite = sip_of(application.say(f"sip||\r\nINVITE {target} SIP/2.0\r\n\r\n{SDP}"))
    phone = Phone(world)
    phone.respond(invite, 200, f"Contact: <{target}>", "Session-Expires: 90;refresher=uac")
    dialog_id = tokens_of(application.take_one())[9]
    application.request(dialog_id, "ACK\r\n\r\n")
    for _ in range(12):
        world.network.sent.clear()
        world.advance(50)
        phone.respond(world.network.take()[0], 491)
        world.network.sent.clear()
        began = world.clock.now
        world.advance(4)
        ours.add(world.network.times("INVITE")[0] - began)
        phone.respond(world.network.take()[0], 200)
    assert ours == {3, 4}
    phone.respond(sip_of(application.request(dialog_id, "BYE\r\n\r\n")), 200)


def test_a_refresh_that_finds_no_way_is_tried_again_until_the_session_is_over(world: World) -> None:
    call = refreshed_by_us(world, BY_TCP)
    world.network.broken.add(BY_TCP.connection)
    world.advance(90)
    assert world.network.take() == []
    assert len([name for name, _ in world.tap.events if name == "refresh-not-sent"]) > 15
    assert [name for name, _ in world.tap.events][-1] == "bye-not-sent"
    told = call.application.take_one()
    assert tokens_of(told)[2:10] == [
        "application",
        "0",
        "unknown",
        "",
        "0",
        tokens_of(told)[7],
        "unsolicited",
        call.dialog_id,
    ]
    assert sip_of(told).startswith("BYE sip:alice@127.0.0.1:5080 SIP/2.0\r\n")


def test_a_way_that_is_found_when_the_call_is_over_is_not_taken(world: World) -> None:
    call = refreshed_by_us(world, BY_TCP)
    world.network.broken.add(BY_TCP.connection)
    world.network.routes["sip:alice@127.0.0.1:5080"] = BY_TCP
    world.network.pending = []
    world.advance(50)
    world.network.broken.clear()
    call.hang_up()
    world.network.take()
    for found in world.network.pending:
        found()
    assert world.network.take() == []


def test_a_way_that_is_found_when_the_application_calls_anew_gives_way(world: World) -> None:
    call = refreshed_by_us(world, BY_TCP)
    world.network.broken.add(BY_TCP.connection)
    world.network.routes["sip:alice@127.0.0.1:5080"] = BY_TCP
    pending: list[Callable[[], None]] = []
    world.network.pending = pending
    world.advance(50)
    world.network.pending = None
    world.network.broken.clear()
    own = sip_of(call.application.request(call.dialog_id, f"INVITE\r\n\r\n{SDP}"))
    world.network.take()
    for found in pending:
        found()
    assert world.network.take() == []
    call.phone.respond(own, 488)
    call.application.take()
    world.network.take()
    call.phone.respond(refresh(call, 3), 200)
    call.hang_up()


@pytest.mark.parametrize(
    ("line", "knows"),
    [
        ("Supported: 100rel, timer", True),
        ("k: Timer", True),
        ("Require: timer", True),
        ("Supported: 100rel\r\nSupported: replaces , timer", True),
        ("Session-Expires: 1800", True),
        ("Supported: timers, xtimer", False),
        ("X-Supported: timer", False),
    ],
)
def test_who_knows_session_timers_refreshes_itself(world: World, line: str, knows: bool) -> None:
    application = world.application("invite")
    phone = Phone(world)
    phone.invite(*line.split("\r\n"))
    phone.learn(
        sip_of(
            application.answer(
                transaction_id_of(application.take_one()), ANSWER.replace(";refresher=uas", "")
            )
        )
    )
    phone.send("ACK")
    application.take()
    world.network.take()
    world.advance(50)
    assert bool(world.network.sent) is not knows
    for text in set(world.network.take()):
        phone.respond(text, 200)
    world.advance(40 if knows else 0)
    if knows:
        assert tokens_of(application.take_one())[8] == "unsolicited"
        phone.respond(world.network.take()[0], 200)
    else:
        phone.send("BYE")
        application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")


def test_many_updates_leave_no_timers_behind(world: World) -> None:
    call = refreshed_by_them(world)
    world.advance(64)
    for interval in [90, 4_000_000_000, 1800] * 100:
        assert call.phone.send("UPDATE", f"Session-Expires: {interval};refresher=uac") == []
        call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    world.advance(64)
    assert len(world.clock.timers) == 1
    call.hang_up()


def test_an_early_update_begins_no_timer(world: World) -> None:
    call = Call(world, world.application("invite")).ring()
    call.phone.send("UPDATE", "Session-Expires: 90;refresher=uac")
    echo = call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    assert parse_message(sip_of(echo)).get("session-expires") == ""
    world.advance(60)
    call.answer()
    call.phone.send("ACK", cseq=1)
    call.application.take()
    world.network.take()
    world.advance(91)
    assert world.network.take() == []
    call.hang_up()


def test_a_far_end_that_takes_over_while_it_is_being_refreshed_need_not_answer(world: World) -> None:
    call = refreshed_by_us(world)
    refresh(call)
    call.phone.send("UPDATE", "Session-Expires: 90;refresher=uac")
    call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    world.advance(60)
    assert call.application.take() == []
    call.hang_up()


def test_an_invite_of_the_application_whose_way_is_found_behind_the_refresh_waits_for_it(
    world: World,
) -> None:
    call = refreshed_by_us(world, BY_TCP)
    world.network.broken.add(BY_TCP.connection)
    call.phone.flow = Flow(TCP, "127.0.0.1", 5080, BY_TCP.local, connection=2)
    world.network.routes["sip:alice@127.0.0.1:5080"] = call.phone.flow
    pending: list[Callable[[], None]] = []
    world.network.pending = pending
    world.advance(50)  # the refresh looks for its way first
    assert call.application.request(call.dialog_id, "INVITE sip:x SIP/2.0\r\n\r\nv=0\r\n") == ""
    world.network.pending = None
    for found in pending:
        found()
    (sent,) = world.network.take()
    assert "Session-Expires: 90;refresher=uac" in sent
    assert call.application.take() == []
    ack, invite = call.phone.respond(sent, 200)
    assert [ack[:4], invite[:7]] == ["ACK ", "INVITE "]
    call.application.take()
    call.phone.respond(invite, 488)
    call.hang_up()


def test_nothing_is_refreshed_behind_a_bye_of_the_application(world: World) -> None:
    call = refreshed_by_us(world)
    world.advance(38)
    world.network.take()
    call.application.request(call.dialog_id, "BYE sip:x SIP/2.0\r\n\r\n")
    world.advance(64)
    assert {text[:4] for text in world.network.take()} == {"BYE "}
    assert [sip_of(told)[:11] for told in call.application.take()] == ["SIP/2.0 408"]
