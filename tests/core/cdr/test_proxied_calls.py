"""Call detail records of proxied calls: both sides, each copy, and what the server ends in the caller's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from reference_server.core.cdr import proxied_calls as proxy_records
from reference_server.core.cdr.proxied_calls import LONGEST_SILENCE_SECONDS
from reference_server.core.context import Settings
from reference_server.sip.messages.message import Request
from tests.core.cdr.accounts import KINDS, told
from tests.core.proxy.stage import Stage
from tests.core.world import Phone, RecordingApplication, World

AT_ONCE = "remainInDialog||followRedirects|simultaneous||"
UNSEEN = "||followRedirects|serial||"
INVITED = "attempt network | INVITE"
SENT_ON = "attempt application | INVITE"
CALLEE_STARTS = "start network proxy-uac | SIP/2.0 200"
CALLER_STARTS = "start application proxy-uas | SIP/2.0 200"
BYE_CAME, BYE_WENT = "stop network normal-release | BYE", "stop application normal-release | BYE"
CONTACT = "Contact: <sip:carol@127.0.0.1:5090>"


@pytest.fixture
def stage(worlds: Callable[[Settings | None], World]) -> Iterator[Stage]:
    made = Stage(worlds(Settings(call_records=True)))
    yield made
    made.world.advance(2 * made.world.core.context.timing.t1x64)


@pytest.fixture
def accounts(stage: Stage) -> RecordingApplication:
    return stage.world.application(*KINDS)


def answered(stage: Stage, options: str = "") -> Request:
    """Carol takes a call; returns her INVITE."""
    stage.start(stage.carol.uri, **({"options": options} if options else {}))
    invite = stage.carol.take()
    stage.carol.answer(invite, 200, CONTACT)
    stage.phone.to = stage.heard[-1].get("to")
    return invite


def send(stage: Stage, method: str, route: str = "Route: <sip:127.0.0.1:5060;lr>") -> None:
    """The caller's request inside the dialog."""
    text = stage.phone.text(method, route.replace(":5060;lr", f":5060;lr{stage.route_token()}"))
    stage.world.receive(text.replace(f"{method} sip:127.0.0.1:5060 ", f"{method} {stage.carol.uri} "))


def test_a_call(stage: Stage, accounts: RecordingApplication) -> None:
    answered(stage)
    assert told(accounts) == [INVITED, SENT_ON, CALLEE_STARTS, CALLER_STARTS]
    send(stage, "BYE")
    assert told(accounts) == [BYE_CAME, BYE_WENT]
    send(stage, "BYE")
    assert told(accounts) == []


@pytest.mark.parametrize(
    ("route", "left"),
    [
        ("Route: <sip:127.0.0.1:5060;lr>", None),
        ("route :  <sip:127.0.0.1:5060;lr>, <sip:127.0.0.1:5090;lr>", "route :  <sip:127.0.0.1:5090;lr>"),
        ("Route: <sip:127.0.0.1:5060;lr>,\r\n <sip:127.0.0.1:5090;lr>", "Route: <sip:127.0.0.1:5090;lr>"),
    ],
    ids=["alone", "in a list", "folded"],
)
def test_the_route_that_led_here_is_taken_off_the_bye(
    stage: Stage, accounts: RecordingApplication, route: str, left: str | None
) -> None:
    stage.world.network.routes["sip:127.0.0.1:5090;lr"] = stage.carol.flow
    answered(stage)
    accounts.take()
    send(stage, "BYE", route)
    came, _ = accounts.take()
    lines = came.split("\r\n")
    assert [line for line in lines if line.lower().startswith("route")] == ([left] if left else [])
    assert lines[-2:] == ["", ""]


def test_a_repeated_2xx_makes_nothing(stage: Stage, accounts: RecordingApplication) -> None:
    invite = answered(stage)
    accounts.take()
    stage.carol.answer(invite, 200, CONTACT)
    stage.carol.answer(invite, 200, CONTACT, tag="another")
    assert told(accounts) == []
    send(stage, "BYE")
    assert told(accounts) == [BYE_CAME, BYE_WENT]


def test_each_copy_has_its_own_end(stage: Stage, accounts: RecordingApplication) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options=AT_ONCE)
    stage.carol.answer(stage.carol.take(), 404)
    invite = stage.dan.take()
    assert told(accounts) == [INVITED, SENT_ON, SENT_ON, "stop network call-rejected | SIP/2.0 404"]
    stage.dan.answer(invite, 302)
    assert told(accounts)[0] == "stop network call-rejected | SIP/2.0 302"


def test_two_copies_that_are_both_answered(stage: Stage, accounts: RecordingApplication) -> None:
    """The caller has a call with each of them, and ends each."""
    stage.start(stage.carol.uri, stage.dan.uri, options=AT_ONCE)
    first, second = stage.carol.take(), stage.dan.take()
    stage.carol.answer(first, 200, CONTACT)
    stage.dan.answer(second, 200, "Contact: <sip:dan@127.0.0.1:5091>")
    assert told(accounts)[3:] == [CALLEE_STARTS, CALLER_STARTS, CALLEE_STARTS]
    one, other = (response.get("to") for response in stage.heard)
    stage.phone.to = other
    send(stage, "BYE")
    assert told(accounts) == [BYE_WENT]
    stage.phone.to = one
    send(stage, "BYE")
    assert told(accounts) == [BYE_CAME, BYE_WENT]


def test_an_answer_that_crosses_the_cancel(stage: Stage, accounts: RecordingApplication) -> None:
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.phone.send("CANCEL", same=True)
    assert told(accounts) == [INVITED, SENT_ON, "stop application call-rejected | SIP/2.0 487"]
    stage.carol.answer(invite, 200, CONTACT)
    stage.carol.answer(invite, 200, CONTACT)
    assert told(accounts) == [CALLEE_STARTS, "stop application system-initiated-termination | BYE"]


def test_an_answer_that_nobody_wants_and_that_cannot_be_hung_up(
    stage: Stage, accounts: RecordingApplication
) -> None:
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.phone.send("CANCEL", same=True)
    accounts.take()
    stage.carol.answer(invite, 200, "Contact: <sip:carol@nowhere.invalid>")
    assert told(accounts) == [
        CALLEE_STARTS,
        "stop application system-error-initiated-termination | SIP/2.0 200",
    ]


def test_a_target_that_says_nothing(stage: Stage, accounts: RecordingApplication) -> None:
    stage.start(stage.carol.uri)
    stage.world.advance(33)
    assert told(accounts) == [
        *(INVITED, SENT_ON),
        "stop application system-error-initiated-termination | INVITE",
        "stop application call-rejected | SIP/2.0 408",
    ]


def test_a_target_that_cannot_be_reached(stage: Stage, accounts: RecordingApplication) -> None:
    stage.start("sip:carol@nowhere.invalid")
    assert told(accounts) == [INVITED, "stop application call-rejected | SIP/2.0 500"]


def test_a_call_whose_end_is_not_seen(stage: Stage, accounts: RecordingApplication) -> None:
    answered(stage, UNSEEN)
    assert told(accounts) == [INVITED, SENT_ON, CALLEE_STARTS, CALLER_STARTS]
    assert stage.world.core.occupancy()["calls without a stop record"] == 0


def test_other_methods_make_none(stage: Stage, accounts: RecordingApplication) -> None:
    stage.request("OPTIONS")
    stage.proxy(stage.carol.uri)
    stage.carol.answer(stage.carol.take(), 200)
    stage.request("MESSAGE")
    stage.proxy(stage.carol.uri)
    stage.carol.answer(stage.carol.take(), 404)
    assert told(accounts) == []


def test_a_call_of_which_nothing_is_heard_is_over_some_day(
    stage: Stage, accounts: RecordingApplication
) -> None:
    answered(stage)
    accounts.take()
    stage.world.advance(LONGEST_SILENCE_SECONDS / 2)
    send(stage, "INFO")
    stage.world.advance(LONGEST_SILENCE_SECONDS - 1)
    assert told(accounts) == []
    stage.world.advance(LONGEST_SILENCE_SECONDS / 16)
    assert told(accounts) == ["stop application system-error-initiated-termination | SIP/2.0 200"] * 2
    send(stage, "BYE")
    assert told(accounts) == []


def test_switched_off_nobody_watches(worlds: Callable[[Settings | None], World]) -> None:
    stage = Stage(worlds(None))
    assert stage.world.core.context.observer is None


def test_of_too_many_calls_the_longest_silent_is_over(
    worlds: Callable[[Settings | None], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy_records, "MOST_CALLS", 2)
    stage = Stage(worlds(Settings(call_records=True)))
    accounts = stage.world.application(*KINDS)
    for name in ("one", "two", "three"):
        stage.phone = Phone(stage.world, name)
        answered(stage)
    records = told(accounts)
    assert len([record for record in records if record.startswith("stop")]) == 2, "both sides of the first"
    assert all(record.startswith("stop application system-error") for record in records[-2:])
    assert stage.world.core.occupancy()["calls without a stop record"] == 4
    stage.world.advance(LONGEST_SILENCE_SECONDS)
    assert stage.world.core.occupancy()["calls without a stop record"] == 0
