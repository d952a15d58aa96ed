"""The world as the core sees it: settings that may change, clock and ports that stay."""

from __future__ import annotations

from reference_server.core.context import Context, Settings
from reference_server.core.ports import Taps
from reference_server.sip.identifiers import Identifiers
from reference_server.sip.transactions.timing import Timing
from tests.core.world import BY_UDP, RecordingTap, World


def context_of(world: World, settings: Settings, taps: Taps) -> Context:
    return Context(
        settings,
        clock=world.clock,
        timers=world.clock.timers,
        identifiers=Identifiers(lambda count: b"x" * count),
        network=world.network,
        applications=world.registry,
        taps=taps,
    )


def test_new_settings_hold_from_now_on_and_change_no_port(world: World) -> None:
    context = context_of(world, Settings(), Taps())
    fast = Settings(timing=Timing(t1=0.1), dialect_0_8=True)
    context.apply(fast)
    assert (context.settings, context.timing.t1) == (fast, 0.1)
    assert (context.network, context.applications, context.timers) == (
        world.network,
        world.registry,
        world.clock.timers,
    )


def test_the_time_token_is_of_the_same_clock(world: World) -> None:
    context = context_of(world, Settings(), Taps())
    before = context.time_token()
    world.advance(1)
    assert context.time_token() != before
    assert context.monotonic() == world.clock.now


def test_those_who_come_later_watch_too(world: World) -> None:
    taps, tap = Taps(), RecordingTap()
    context = context_of(world, Settings(), taps)
    context.event("lost", reason="nobody watches")
    taps.add(tap)
    context.event("told", reason="x")
    assert tap.events == [("told", {"reason": "x"})]
    assert context.sip_taps == [tap]


def test_new_times_hold_for_transactions_that_begin_from_now_on(world: World) -> None:
    """Through the core: what is under way keeps its time, what begins has the new one."""
    application = world.application()
    world.network.routes["sip:x"] = BY_UDP
    application.say("sip||\r\nOPTIONS sip:x SIP/2.0\r\n\r\n")
    world.core.apply(Settings(timing=Timing(t1x64=1.0)))
    application.say("sip||\r\nOPTIONS sip:x SIP/2.0\r\n\r\n")
    world.advance(2)
    assert len(application.take()) == 1
    world.advance(31)
    assert len(application.take()) == 1
