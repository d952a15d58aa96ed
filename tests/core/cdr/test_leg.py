"""The machine of one leg: whatever comes, it starts at most once and stops once (CDR-5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.core.call_observer import Ended, Reason, Role, Source
from reference_server.core.cdr.leg import MOVES, LegEvent, LegState, Records
from reference_server.core.context import Settings
from tests.core.cdr.accounts import KINDS, told
from tests.core.world import World

EVENTS = st.sampled_from(["start", "stop", "fail", "cancelled", "lose"])


@given(st.lists(EVENTS, max_size=8))
def test_whatever_comes_a_leg_starts_and_stops_once(events: list[str]) -> None:
    world = World(Settings(call_records=True))
    accounts = world.application(*KINDS)
    records = Records(world.registry, world.core.context.time_token)
    leg = records.attempt(Source.NETWORK, "INVITE")
    for event in events:
        match event:
            case "start":
                leg.start(Source.NETWORK, Role.UAC, "SIP/2.0 200")
            case "stop":
                leg.stop(Ended(Source.NETWORK, Reason.NORMAL_RELEASE, "BYE"))
            case "fail":
                leg.stop(Ended(Source.APPLICATION, Reason.CALL_REJECTED, "SIP/2.0 486"))
            case "cancelled":
                leg.stop(Ended(Source.NETWORK, Reason.CALL_CANCELED, "SIP/2.0 487"))
            case _:
                leg.lose()
    kinds = [one.partition(" ")[0] for one in told(accounts)]
    first = events[:1]
    ended = any(event != "start" for event in events)
    assert kinds == ["attempt", *(["start"] if first == ["start"] else []), *(["stop"] if ended else [])]
    assert records.unfinished == (0 if ended else 1)


@pytest.mark.parametrize("event", LegEvent)
@pytest.mark.parametrize("state", LegState)
def test_the_table(state: LegState, event: LegEvent) -> None:
    """A start needs an attempt, and nothing moves a leg that has stopped."""
    after = MOVES.get((state, event))
    if state is LegState.STOPPED:
        assert after is None
    elif event is LegEvent.SUCCESS:
        assert after is (LegState.STARTED if state is LegState.ATTEMPTED else None)
    else:
        assert after is LegState.STOPPED


def test_a_leg_that_is_left_stops_without_a_record() -> None:
    world = World(Settings(call_records=True))
    accounts = world.application(*KINDS)
    records = Records(world.registry, world.core.context.time_token)
    leg = records.attempt(Source.NETWORK, "INVITE")
    leg.leave()
    leg.lose()
    leg.leave()
    assert records.unfinished == 0
    assert [one.partition(" ")[0] for one in told(accounts)] == ["attempt"]
