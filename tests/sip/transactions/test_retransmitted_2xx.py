"""The repetition of a 2xx to an INVITE (RFC 3261 §13.3.1.4)."""

from __future__ import annotations

import pytest

from reference_server.sip.transactions.retransmitted_2xx import Retransmitted2xx
from reference_server.sip.transactions.timing import Timing
from tests.hand_clock import TICK, HandClock


class Stage:
    def __init__(self, timing: Timing | None = None) -> None:
        self.clock = HandClock()
        self.sent: list[float] = []
        self.unacknowledged: list[float] = []
        self.repeater = Retransmitted2xx(
            "200",
            lambda text: self.sent.append(self.clock.now),
            lambda: self.unacknowledged.append(self.clock.now),
            timers=self.clock.timers,
            timing=timing or Timing(),
        )


REPEATS = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def test_without_an_ack() -> None:
    stage = Stage()
    stage.clock.advance(32 - TICK)
    assert stage.sent == REPEATS
    assert stage.unacknowledged == []
    stage.clock.advance(100)
    assert stage.sent == REPEATS
    assert stage.unacknowledged == [32.0]
    assert not stage.repeater.stop()
    assert len(stage.clock.timers) == 0


@pytest.mark.parametrize(
    ("acknowledged_at", "repeats"), [(0.0, 0), (0.25, 0), (0.5, 1), (4.0, 3), (31.75, 10)]
)
def test_the_ack_stops_it(acknowledged_at: float, repeats: int) -> None:
    stage = Stage()
    stage.clock.advance(acknowledged_at)
    assert stage.repeater.stop()
    assert not stage.repeater.stop(), "a second ACK finds nothing waiting"
    stage.clock.advance(100)
    assert stage.sent == REPEATS[:repeats]
    assert stage.unacknowledged == []
    assert len(stage.clock.timers) == 0


def test_a_stop_while_it_sends_is_for_good() -> None:
    clock = HandClock()
    told: list[str] = []

    def send(text: str) -> None:
        told.append(text)
        repeater.stop()

    repeater = Retransmitted2xx(
        "200", send, lambda: told.append("given up"), timers=clock.timers, timing=Timing()
    )
    clock.advance(100)
    assert told == ["200"]
    assert len(clock.timers) == 0


def test_late_repetitions_do_not_put_off_the_end() -> None:
    clock = HandClock()
    ended: list[float] = []

    def send(text: str) -> None:
        clock.now += 0.125  # the machine is busy

    Retransmitted2xx("200", send, lambda: ended.append(clock.now), timers=clock.timers, timing=Timing())
    while (deadline := clock.timers.next_deadline()) is not None:
        clock.now = max(clock.now, deadline)
        clock.timers.run_due(clock.now)
    assert len(ended) == 1
    assert 32.0 <= ended[0] <= 32.25
    assert len(clock.timers) == 0


def test_the_first_intervals_do_not_depend_on_t1_the_longest_is_t2() -> None:
    stage = Stage(timing=Timing(t1=0.125, t2=2.0, t1x64=8.0))
    stage.clock.advance(100)
    assert stage.sent == [0.5, 1.5, 3.5, 5.5, 7.5]
    assert stage.unacknowledged == [8.0]
