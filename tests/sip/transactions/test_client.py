"""Client transactions against RFC 3261 §17.1 and RFC 6026, to the millisecond; the first interval is a second."""

from __future__ import annotations

import pytest

from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.transactions.client import (
    ClientMeans,
    ClientState,
    ClientTransaction,
    InviteClientTransaction,
    NonInviteClientTransaction,
)
from reference_server.sip.transactions.timing import Timing
from tests.hand_clock import TICK, HandClock


def response(status: int) -> Response:
    message = parse_message(f"SIP/2.0 {status} x\r\n\r\n")
    assert isinstance(message, Response)
    return message


class Stage:
    """A transaction and everything that it did, with times."""

    def __init__(self, invite: bool, reliable: bool = False, timing: Timing | None = None) -> None:
        self.clock = HandClock()
        self.sent: list[tuple[float, str]] = []
        self.told: list[tuple[float, int]] = []
        self.over: list[float] = []
        self.proceeded: list[float] = []
        self.transaction: ClientTransaction
        means = ClientMeans(self.clock.timers, timing or Timing(), self._end)
        if invite:
            self.transaction = InviteClientTransaction(
                "key",
                "request",
                means,
                send=self._send,
                reliable=reliable,
                user=self,
                make_ack=self._ack,
            )
        else:
            self.transaction = NonInviteClientTransaction(
                "key", "request", means, send=self._send, reliable=reliable, user=self
            )

    def _send(self, text: str) -> None:
        self.sent.append((self.clock.now, text))

    def _ack(self, failure: Response) -> str:
        return f"ACK {failure.status}"

    def _end(self, transaction: ClientTransaction) -> None:
        assert transaction is self.transaction
        self.over.append(self.clock.now)

    def proceeding(self) -> None:
        self.proceeded.append(self.clock.now)

    def answered(self, response: Response) -> None:
        self.told.append((self.clock.now, response.status))

    def timed_out(self) -> None:
        self.told.append((self.clock.now, 408))

    def unreachable(self) -> None:
        self.told.append((self.clock.now, 503))

    def receive(self, *statuses: int) -> None:
        for status in statuses:
            self.transaction.receive(response(status))

    def times(self, text: str = "request") -> list[float]:
        return [moment for moment, sent in self.sent if sent == text]

    def check_nothing_is_left(self) -> None:
        assert self.transaction.state is ClientState.TERMINATED
        assert len(self.over) == 1
        assert len(self.clock.timers) == 0
        before = (list(self.sent), list(self.told))
        self.receive(100, 180, 200, 486)
        self.clock.advance(1000)
        self.transaction.terminate()
        assert (self.sent, self.told) == before
        assert len(self.over) == 1


def test_an_invite_without_any_response() -> None:
    stage = Stage(invite=True)
    stage.clock.advance(32 - TICK)
    assert stage.times() == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]
    assert stage.told == []
    stage.clock.advance(TICK)
    assert stage.told == [(32.0, 408)]
    assert stage.over == [32.0]
    stage.check_nothing_is_left()


def test_another_request_without_any_response() -> None:
    stage = Stage(invite=False)
    stage.clock.advance(32 - TICK)
    assert stage.times() == [0.0, 1.0, 3.0, 7.0, 11.0, 15.0, 19.0, 23.0, 27.0, 31.0]
    stage.clock.advance(TICK)
    assert stage.told == [(32.0, 408)]
    assert stage.over == [32.0]
    stage.check_nothing_is_left()


@pytest.mark.parametrize("invite", [True, False])
def test_over_a_reliable_transport_nothing_is_repeated(invite: bool) -> None:
    stage = Stage(invite, reliable=True)
    stage.clock.advance(100)
    assert stage.times() == [0.0]
    assert stage.told == [(32.0, 408)]
    stage.check_nothing_is_left()


@pytest.mark.parametrize("status", [100, 180])
def test_a_provisional_response_stops_timers_a_and_b_of_an_invite(status: int) -> None:
    stage = Stage(invite=True)
    stage.clock.advance(2)
    stage.receive(status)
    assert stage.transaction.state is ClientState.PROCEEDING
    stage.clock.advance(1000)
    assert stage.times() == [0.0, 1.0]
    assert stage.told == ([(2.0, 180)] if status == 180 else [])
    assert stage.over == []


def test_an_invite_proceeds_once_even_if_only_a_100_comes() -> None:
    stage = Stage(invite=True)
    stage.clock.advance(0.5)
    stage.receive(100, 100, 180)
    assert stage.proceeded == [0.5]
    assert [status for _, status in stage.told] == [180]
    stage.receive(486)
    stage.clock.advance(64)
    stage.check_nothing_is_left()


def test_an_invite_that_is_answered_at_once_never_proceeds() -> None:
    stage = Stage(invite=True)
    stage.receive(200)
    assert stage.proceeded == []
    stage.clock.advance(64)
    stage.check_nothing_is_left()


def test_a_provisional_response_leaves_timers_e_and_f_of_another_request() -> None:
    stage = Stage(invite=False)
    stage.receive(100, 180)
    assert stage.transaction.state is ClientState.PROCEEDING
    stage.clock.advance(100)
    assert len(stage.times()) > 5
    assert stage.told == [(0.0, 180), (32.0, 408)]
    stage.check_nothing_is_left()


@pytest.mark.parametrize("status", [300, 404, 486, 600])
def test_a_failure_of_an_invite_is_acknowledged_each_time_and_told_once(status: int) -> None:
    stage = Stage(invite=True)
    stage.clock.advance(1.5)
    stage.receive(180, status)
    assert stage.transaction.state is ClientState.COMPLETED
    stage.clock.advance(0.5)
    stage.receive(status, status)
    stage.receive(180, 200)
    assert stage.times(f"ACK {status}") == [1.5, 2.0, 2.0]
    assert stage.told == [(1.5, 180), (1.5, status)]
    stage.clock.advance(31.5 - TICK)
    assert stage.over == []
    stage.clock.advance(TICK)
    assert stage.over == [33.5], "timer D"
    assert stage.times() == [0.0, 1.0]
    stage.check_nothing_is_left()


def test_timer_d_is_zero_over_a_reliable_transport() -> None:
    stage = Stage(invite=True, reliable=True)
    stage.receive(486)
    assert stage.times("ACK 486") == [0.0]
    assert stage.told == [(0.0, 486)]
    assert stage.over == [0.0]
    stage.check_nothing_is_left()


@pytest.mark.parametrize("reliable", [False, True])
def test_every_success_of_an_invite_is_told_until_timer_m(reliable: bool) -> None:
    stage = Stage(invite=True, reliable=reliable)
    stage.receive(200)
    assert stage.transaction.state is ClientState.ACCEPTED
    stage.clock.advance(10)
    stage.receive(200, 202, 180, 486)
    assert stage.told == [(0.0, 200), (10.0, 200), (10.0, 202)]
    assert stage.times("ACK 486") == []
    stage.clock.advance(22 - TICK)
    assert stage.over == []
    stage.clock.advance(TICK)
    assert stage.over == [32.0]
    assert stage.times() == [0.0]
    stage.check_nothing_is_left()


@pytest.mark.parametrize("status", [200, 404, 603])
def test_a_final_response_to_another_request_is_told_once_until_timer_k(status: int) -> None:
    stage = Stage(invite=False)
    stage.clock.advance(3)
    stage.receive(status)
    assert stage.transaction.state is ClientState.COMPLETED
    stage.receive(status, 180, 500)
    assert stage.told == [(3.0, status)]
    stage.clock.advance(5 - TICK)
    assert stage.over == []
    stage.clock.advance(TICK)
    assert stage.over == [8.0]
    assert stage.times() == [0.0, 1.0, 3.0]
    stage.check_nothing_is_left()


def test_timer_k_is_zero_over_a_reliable_transport() -> None:
    stage = Stage(invite=False, reliable=True)
    stage.receive(200)
    assert stage.told == [(0.0, 200)]
    assert stage.over == [0.0]
    stage.check_nothing_is_left()


@pytest.mark.parametrize("invite", [True, False])
def test_terminating_says_nothing_more(invite: bool) -> None:
    stage = Stage(invite)
    stage.transaction.terminate()
    stage.transaction.terminate()
    assert stage.told == []
    assert stage.over == [0.0]
    stage.check_nothing_is_left()


def test_100_is_never_told() -> None:
    for invite in (True, False):
        stage = Stage(invite)
        stage.receive(100, 100, 101, 199)
        assert stage.told == [(0.0, 101), (0.0, 199)]


def test_configured_times() -> None:
    timing = Timing(t1=2.0, t2=4.0, t4=2.5, t1x64=16.0)
    invite = Stage(invite=True, timing=timing)
    invite.clock.advance(100)
    assert invite.times() == [0.0, 2.0, 6.0, 14.0]
    assert invite.told == [(16.0, 408)]
    other = Stage(invite=False, timing=timing)
    other.clock.advance(13)
    assert other.times() == [0.0, 2.0, 6.0, 10.0]
    other.receive(200)
    other.clock.advance(100)
    assert other.over == [15.5]


def test_a_shorter_t1_does_not_shorten_the_first_interval() -> None:
    stage = Stage(invite=False, timing=Timing(t1=0.125))
    stage.clock.advance(1 - TICK)
    assert stage.times() == [0.0]


def test_the_user_may_terminate_when_told() -> None:
    clock = HandClock()
    told: list[int] = []

    class User:
        def answered(self, response: Response) -> None:
            told.append(response.status)
            transaction.terminate()

        def timed_out(self) -> None:
            raise AssertionError

        unreachable = timed_out

    transaction = NonInviteClientTransaction(
        "key",
        "request",
        ClientMeans(clock.timers, Timing(), lambda ended: None),
        send=lambda text: None,
        reliable=False,
        user=User(),
    )
    transaction.receive(response(200))
    clock.advance(100)
    assert told == [200]
    assert len(clock.timers) == 0


@pytest.mark.parametrize("invite", [True, False])
@pytest.mark.parametrize("before", [(), (100,)])
def test_a_transport_that_fails_ends_it_at_once(invite: bool, before: tuple[int, ...]) -> None:
    stage = Stage(invite=invite)
    stage.receive(*before)
    stage.clock.advance(0.5)
    stage.transaction.fail()
    assert stage.told == [(0.5, 503)]
    assert stage.over == [0.5]
    stage.transaction.fail()
    stage.check_nothing_is_left()


@pytest.mark.parametrize("invite", [True, False])
@pytest.mark.parametrize("final", [200, 486])
def test_a_transport_that_fails_after_the_final_response_changes_nothing(invite: bool, final: int) -> None:
    stage = Stage(invite=invite)
    stage.receive(final)
    stage.transaction.fail()
    assert stage.told == [(0.0, final)]
    assert stage.over == []
    stage.clock.advance(100)
    assert stage.told == [(0.0, final)]
    stage.check_nothing_is_left()


@pytest.mark.parametrize("invite", [True, False])
def test_what_nobody_wants_any_more_is_not_repeated_and_its_answer_is_heard(invite: bool) -> None:
    stage = Stage(invite=invite)
    stage.clock.advance(1)
    assert stage.times() == [0.0, 1.0]
    stage.transaction.repeat_no_more()
    stage.clock.advance(20)
    assert stage.times() == [0.0, 1.0]
    stage.receive(486)
    assert stage.told == [(21.0, 486)]
    stage.clock.advance(100)
    stage.check_nothing_is_left()


def test_over_a_reliable_transport_there_is_no_repetition_to_end() -> None:
    for invite in (True, False):
        stage = Stage(invite=invite, reliable=True)
        stage.transaction.repeat_no_more()
        stage.clock.advance(100)
        assert stage.times() == [0.0]
        assert [status for _, status in stage.told] == [408]
