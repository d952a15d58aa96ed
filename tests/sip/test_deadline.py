"""Deadlines that move, on the server's own timer queues."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.sip.deadline import Deadline, even
from tests.hand_clock import HandClock


class _Watched:
    """A deadline, and when it came."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.came: list[float] = []
        self.deadline = Deadline(
            self.clock.timers, self.clock.monotonic, lambda: self.came.append(self.clock.now)
        )


@pytest.mark.parametrize("seconds", [0, 1, 45, 64, 90, 1800, 3632, 10**6])
def test_whole_seconds_come_on_time(seconds: int) -> None:
    watched = _Watched()
    watched.deadline.move(seconds)
    watched.clock.advance(2 * seconds + 1)
    assert watched.came == [seconds]


@given(st.floats(0, 2**32))
def test_never_early_and_at_most_a_second_late(seconds: float) -> None:
    watched = _Watched()
    watched.deadline.move(seconds)
    watched.clock.advance(seconds + 2)
    (came,) = watched.came
    assert seconds - 0.001 <= came <= seconds + 1


def test_what_moves_away_often_keeps_one_timer() -> None:
    watched = _Watched()
    for _ in range(1000):
        watched.deadline.move(90)
        watched.clock.advance(1)
    assert len(watched.clock.timers) == 1
    assert watched.came == []
    watched.clock.advance(90)
    assert watched.came == [999 + 90]


def test_what_moves_nearer_comes_once() -> None:
    watched = _Watched()
    watched.deadline.move(1800)
    watched.deadline.move(90)
    watched.clock.advance(4000)
    assert watched.came == [90]
    assert len(watched.clock.timers) == 0


def test_what_is_stopped_never_comes_until_it_moves_again() -> None:
    watched = _Watched()
    watched.deadline.stop()
    watched.deadline.move(10)
    watched.deadline.stop()
    watched.clock.advance(100)
    assert watched.came == []
    watched.deadline.move(5)
    watched.clock.advance(100)
    assert watched.came == [105]


@given(st.floats(0, 2**32))
def test_an_even_delay_is_near(seconds: float) -> None:
    assert seconds - seconds / 32 <= even(seconds) <= seconds + 1


def test_there_are_few_even_delays() -> None:
    assert len({even(tenth / 10) for tenth in range(36_000)}) < 300
