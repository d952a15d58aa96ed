"""The timer queues on a clock that the test holds."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.timers import TimerQueues


class _Hand:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_earliest_first_over_all_delays() -> None:
    clock = _Hand()
    timers = TimerQueues(clock)
    ran: list[str] = []
    timers.start(4.0, lambda: ran.append("104"))
    timers.start(0.5, lambda: ran.append("100.5"))
    clock.now = 101.0
    timers.start(0.5, lambda: ran.append("101.5"))
    assert timers.next_deadline() == 100.5
    assert timers.run_due(101.4) == 1
    assert timers.run_due(200.0) == 2
    assert ran == ["100.5", "101.5", "104"]
    assert timers.next_deadline() is None
    assert len(timers) == 0


def test_cancelled_timers_are_neither_run_nor_counted() -> None:
    timers = TimerQueues(_Hand())
    ran: list[str] = []
    first = timers.start(0.5, lambda: ran.append("first"))
    timers.start(0.5, lambda: ran.append("second"))
    first.cancel()
    first.cancel()
    assert len(timers) == 1
    timers.run_due(1000.0)
    first.cancel()
    assert ran == ["second"]


def test_a_callback_may_cancel_a_timer_of_the_same_moment() -> None:
    timers = TimerQueues(_Hand())
    ran: list[str] = []
    timers.start(0.5, lambda: second.cancel())
    second = timers.start(0.5, lambda: ran.append("second"))
    assert timers.run_due(1000.0) == 1
    assert ran == []


def test_a_timer_started_by_a_callback_runs_if_it_is_due() -> None:
    clock = _Hand()
    timers = TimerQueues(clock)
    ran: list[float] = []

    def again() -> None:
        clock.now += 1.0
        ran.append(clock.now)
        timers.start(1.0, again)

    timers.start(1.0, again)
    assert timers.run_due(103.5) == 3
    assert ran == [101.0, 102.0, 103.0]
    assert len(timers) == 1


def test_an_exception_spends_its_timer_only() -> None:
    timers = TimerQueues(_Hand())
    ran: list[str] = []

    def broken() -> None:
        raise RuntimeError("broken")

    timers.start(0.5, broken)
    timers.start(0.5, lambda: ran.append("next"))
    with pytest.raises(RuntimeError, match="broken"):
        timers.run_due(1000.0)
    assert timers.run_due(1000.0) == 1
    assert ran == ["next"]


def test_wake_is_called_only_for_an_earlier_deadline() -> None:
    clock = _Hand()
    woken: list[float] = []
    timers = TimerQueues(clock, woken.append)
    for delay in (4.0, 32.0, 4.0, 0.5, 2.0):
        timers.start(delay, lambda: None)
    assert woken == [104.0, 100.5]
    assert timers.planned == 100.5


def test_clear_cancels_all() -> None:
    timers = TimerQueues(_Hand())
    ran: list[str] = []
    timers.start(0.5, lambda: ran.append("x"))
    timers.clear()
    assert len(timers) == 0
    assert timers.run_due(1000.0) == 0
    assert ran == []


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 4.0, 32.0]), st.booleans(), st.floats(0, 3))))
def test_every_live_timer_runs_once_in_order(plan: list[tuple[float, bool, float]]) -> None:
    clock = _Hand()
    timers = TimerQueues(clock)
    ran: list[float] = []
    expected: list[float] = []
    for delay, cancelled, pause in plan:
        deadline = clock.now + delay
        handle = timers.start(delay, partial(ran.append, deadline))
        if cancelled:
            handle.cancel()
        else:
            expected.append(deadline)
        clock.now += pause
    assert len(timers) == len(expected)
    timers.run_due(clock.now + 100)
    assert ran == sorted(expected)
