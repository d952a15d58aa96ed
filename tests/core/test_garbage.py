"""What a call leaves behind: nothing that the garbage collector would have to find, and little for it to look at.

The server lets the collector pass seldom (``tune_for_traffic``), and it does not see timers (``TimerHandle``).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reference_server.core.ports import Flow
from tests.core.world import BY_TCP, BY_UDP, Call, Phone, World, transaction_id_of


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """The collector passes when it is told to, and sees nothing older: other tests may have left it seconds of work."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def test_a_cycle_is_found_behind_what_is_older() -> None:
    with collector_at_rest():
        before = len(gc.get_objects())
        cycle: list[object] = []
        cycle.append(cycle)
        assert len(gc.get_objects()) == before + 1
        del cycle
        assert gc.collect() == 1


def _whole_call(world: World, number: int) -> None:
    Call(world, world.applications[0], f"call{number}").establish().hang_up()
    world.applications[0].take()
    world.network.take()


def test_calls_leave_no_cycles_behind(world: World) -> None:
    world.application("invite")
    _whole_call(world, 0)
    with collector_at_rest():
        for number in range(1, 11):
            _whole_call(world, number)
        assert gc.collect() == 0, "while transactions wait for their timers"
        world.advance(64)
        assert gc.collect() == 0, "when all is over"


def test_a_call_that_waits_for_its_timers_is_few_objects_to_the_collector(world: World) -> None:
    world.application("invite")
    world.core.context.sip_taps.clear()  # the world's own keeps every message
    _whole_call(world, 0)
    with collector_at_rest():
        before = len(gc.get_objects())
        for number in range(1, 101):
            _whole_call(world, number)
        assert (len(gc.get_objects()) - before) / 100 < 6


@pytest.mark.parametrize("flow", [BY_UDP, BY_TCP])
@pytest.mark.parametrize("method", ["OPTIONS", "MESSAGE", "INVITE"])
def test_neither_do_requests_that_are_answered_or_refused(world: World, flow: Flow, method: str) -> None:
    application = world.application("options", "invite")
    with collector_at_rest():
        for number in range(10):
            phone = Phone(world, f"{method}{number}", flow)
            phone.send(method, "Contact: <sip:a@127.0.0.1>")
            for payload in application.take():
                application.answer(transaction_id_of(payload), "SIP/2.0 486 Busy Here\r\n\r\n")
            if method == "INVITE":
                phone.send("ACK", same=True)
            world.network.take()
        world.advance(64)
        assert gc.collect() == 0
