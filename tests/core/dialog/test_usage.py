"""The machine of a dialog usage: every event in every state, and the picture of it; what it keeps of an ACK."""

from __future__ import annotations

import re

import pytest

from reference_server.core.dialog import usage as module
from reference_server.core.dialog.usage import MOVES, DialogUsage, UsageEvent, UsageState, begin_usage
from reference_server.sip.dialog import Dialog
from reference_server.sip.messages.message import parse_message
from tests.core.uac.originated import CONTACT, Originated
from tests.core.world import BY_UDP, Call, RecordingApplication, World, sip_of, tokens_of

ENDS = [event for event in UsageEvent if event is not UsageEvent.ACCEPTED]


def made(owner: RecordingApplication | None = None) -> DialogUsage:
    """A usage that the application's own request has begun."""
    dialog = Dialog(
        call_id="c",
        local="<sip:a>;tag=1",
        local_tag="1",
        remote="<sip:b>;tag=2",
        remote_tag="2",
        local_cseq=1,
        remote_cseq=-1,
        remote_contact="<sip:b@127.0.0.1:5080>",
        route_set=[],
    )
    return begin_usage(dialog, "c;from-tag=1", owner, BY_UDP)


def in_state(state: UsageState) -> DialogUsage:
    usage = made()
    if state is not UsageState.EARLY:
        assert usage.move(UsageEvent.ACCEPTED)
    if state is UsageState.OVER:
        assert usage.move(UsageEvent.BYE)
    assert usage.state is state
    return usage


@pytest.mark.parametrize("state", [UsageState.EARLY, UsageState.CONFIRMED])
@pytest.mark.parametrize("event", ENDS)
def test_every_end_ends_it(state: UsageState, event: UsageEvent) -> None:
    usage = in_state(state)
    assert usage.move(event)
    assert (usage.is_early, usage.is_confirmed, usage.is_over) == (False, False, True)


@pytest.mark.parametrize("state", [UsageState.EARLY, UsageState.CONFIRMED])
def test_a_2xx_confirms_it_and_confirms_it_again(state: UsageState) -> None:
    usage = in_state(state)
    assert usage.move(UsageEvent.ACCEPTED)
    assert (usage.is_early, usage.is_confirmed, usage.is_over) == (False, True, False)


@pytest.mark.parametrize("event", UsageEvent)
def test_over_stays_over(event: UsageEvent) -> None:
    usage = in_state(UsageState.OVER)
    assert not usage.move(event)
    assert usage.is_over


def test_the_picture_says_what_the_table_says() -> None:
    """Each of its lines: ``STATE, STATE --EVENT, EVENT--> STATE``."""
    drawn = {
        (UsageState[state], UsageEvent[event]): UsageState[after]
        for states, events, after in re.findall(
            r"^ +([A-Z, ]+?) +--([A-Z, ]+)--> +([A-Z]+)", module.__doc__ or "", re.MULTILINE
        )
        for state in states.split(", ")
        for event in events.split(", ")
    }
    assert drawn == MOVES


def test_nobody_owns_it_while_its_owner_is_gone_and_then_whoever_uses_its_id(world: World) -> None:
    owner, heir, stranger = world.application(), world.application(), world.application()
    usage = made(owner)
    assert usage.usable_by(owner)
    assert not usage.usable_by(heir)
    owner.leave()
    assert usage.current_owner() is None
    assert usage.usable_by(heir)
    assert usage.current_owner() is heir
    assert not usage.usable_by(stranger)
    usage.disown()
    assert usage.usable_by(stranger)


def test_of_own_acks_only_the_latest_are_kept() -> None:
    usage = made()
    for cseq in range(1, 20):
        usage.own_invite_accepted(cseq)
        assert usage.awaits_own_ack
        usage.keep_own_ack(cseq, f"ACK {cseq}")
        assert not usage.awaits_own_ack
    assert usage.last_answered_invite == 19
    assert [cseq for cseq in range(1, 20) if usage.own_ack(cseq) is not None] == list(range(12, 20))


def test_the_contact_of_a_description_stays_where_the_next_has_none() -> None:
    usage = made()
    usage.describe("INVITE sip:x SIP/2.0\r\nContact: <sip:me>\r\n\r\nv=0")
    usage.describe("UPDATE sip:x SIP/2.0\r\nA: b\r\n\r\nv=1")
    assert parse_message(usage.description).get("contact") == "<sip:me>"
    usage.describe_unless_described("INVITE sip:y SIP/2.0\r\n\r\n")
    assert usage.description.endswith("v=1")


def test_who_began_it(world: World) -> None:
    """A call of the far end, and one of the application, seen through the core."""
    call = Call(world, world.application("invite")).ring()
    (theirs,) = world.core.dialogs
    assert (theirs.begun_here, theirs.is_early) == (False, True)
    assert theirs.begun_by is not None
    assert theirs.begun_by.transaction_id == call.transaction_id
    call.establish()
    assert theirs.is_confirmed
    call.hang_up()
    assert theirs.is_over
    originated = Originated(world)
    originated.answer(180, CONTACT)
    (ours,) = world.core.dialogs
    assert (ours.begun_here, ours.begun_by) == (True, None)
    originated.answer(486)
    assert ours.is_over


def test_the_application_learns_the_tag_that_it_chose(world: World) -> None:
    call = Call(world, world.application("invite"))
    echo = call.answer("SIP/2.0 200 OK\r\nTo: <sip:bob@127.0.0.1:5060>;tag=mine\r\n\r\n")
    call.phone.send("ACK")
    assert tokens_of(call.application.take_one())[9] == tokens_of(echo)[11]
    bye = sip_of(call.application.request(call.dialog_id, "BYE\r\n\r\n"))
    assert parse_message(bye).from_tag == "mine"
    call.phone.respond(bye)
