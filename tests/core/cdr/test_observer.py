"""Records come out right in whatever order the core says two things of one moment (CDR-5)."""

from __future__ import annotations

import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.core.call_observer import Ended, Reason, Role, Source
from reference_server.core.cdr.observer import CallRecords
from tests.core.cdr.accounts import KINDS, told
from tests.core.world import RecordingApplication, World

BYE = Ended(Source.NETWORK, Reason.NORMAL_RELEASE, "BYE sip:x SIP/2.0\r\n\r\n")
FAILURE = Ended(Source.APPLICATION, Reason.CALL_REJECTED, "SIP/2.0 480 x\r\n\r\n")
ATTEMPT = "attempt network | INVITE"
START = "start application uas | SIP/2.0 200"


def records(world: World) -> tuple[CallRecords, RecordingApplication]:
    accounts = world.application(*KINDS)
    core = world.core.context
    return CallRecords(world.registry, core.time_token, core.timers, core.monotonic), accounts


def say(made: CallRecords, what: str) -> None:
    """One thing about the call "call", whose usage is "usage"."""
    match what:
        case "answered":
            made.answered("call", "usage", Role.UAS, "SIP/2.0 200 OK\r\n\r\n")
        case "failed":
            made.failed("call", FAILURE)
        case "ended":
            made.ended("usage", BYE)
        case "ended early":
            made.ended("usage", BYE, "call")
        case "lost":
            made.ended("usage", None)
        case _:
            made.detach("usage")(BYE)


@given(st.permutations(["failed", "ended", "lost", "detached"]))
def test_of_several_ends_at_one_moment_one_counts(order: list[str]) -> None:
    """A BYE that ends the INVITE with 487, a CANCEL that ends its usage: whatever is said first is the stop."""
    world = World()
    made, accounts = records(world)
    made.attempted("call", Source.NETWORK, "INVITE sip:x SIP/2.0\r\n\r\n")
    for what in order:
        say(made, what)
    assert told(accounts) == [ATTEMPT, "stop application call-rejected | SIP/2.0 480"]
    assert made.unfinished == 0


@given(st.permutations(["ended", "lost", "detached", "failed", "answered"]))
def test_of_several_ends_of_an_answered_call_one_counts(order: list[str]) -> None:
    world = World()
    made, accounts = records(world)
    made.attempted("call", Source.NETWORK, "INVITE sip:x SIP/2.0\r\n\r\n")
    say(made, "answered")
    for what in order:
        say(made, what)
    first = next(what for what in order if what in ("ended", "lost", "detached"))
    stop = "stop application system-error-initiated-termination | SIP/2.0 200"
    assert told(accounts) == [
        ATTEMPT,
        START,
        stop if first == "lost" else "stop network normal-release | BYE",
    ]
    assert made.unfinished == 0


@given(
    st.lists(st.sampled_from(["answered", "failed", "ended", "ended early", "lost", "detached"]), max_size=8)
)
def test_whatever_is_said_no_leg_starts_or_stops_twice(said: list[str]) -> None:
    world = World()
    made, accounts = records(world)
    made.attempted("call", Source.NETWORK, "INVITE sip:x SIP/2.0\r\n\r\n")
    for what in said:
        say(made, what)
    kinds = [record.split(" ")[0] for record in told(accounts)]
    assert kinds in (["attempt"], ["attempt", "start"], ["attempt", "stop"], ["attempt", "start", "stop"])
    assert made.unfinished == (0 if kinds[-1] == "stop" else 1)


def test_of_what_was_never_attempted_nothing_is_told() -> None:
    world = World()
    made, accounts = records(world)
    for what in ("answered", "failed", "ended", "ended early", "lost", "detached"):
        say(made, what)
    assert told(accounts) == []
    assert made.unfinished == 0


def test_a_call_that_is_detached_stops_when_it_is_known_how() -> None:
    world = World()
    made, accounts = records(world)
    made.attempted("call", Source.NETWORK, "INVITE sip:x SIP/2.0\r\n\r\n")
    say(made, "answered")
    tell = made.detach("usage")
    made.ended("usage", None)
    assert told(accounts) == [ATTEMPT, START], "the loss of what is detached is nobody's"
    assert made.unfinished == 1
    tell(BYE)
    assert told(accounts) == ["stop network normal-release | BYE"]


class Known:
    """Something that a call is known by."""


@pytest.mark.parametrize("end", ["failed", "ended", "detached"])
def test_a_call_that_is_over_is_remembered_by_nobody(end: str) -> None:
    world = World()
    made, _ = records(world)
    call, usage = Known(), Known()
    left = [weakref.ref(call), weakref.ref(usage)]
    made.attempted(call, Source.NETWORK, "INVITE sip:x SIP/2.0\r\n\r\n")
    if end == "failed":
        made.failed(call, FAILURE)
    else:
        made.answered(call, usage, Role.UAS, "SIP/2.0 200 OK\r\n\r\n")
        if end == "ended":
            made.ended(usage, BYE)
        else:
            made.detach(usage)(BYE)
    del call, usage
    assert [one() for one in left] == [None, None]
