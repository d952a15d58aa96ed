"""Server transactions against RFC 3261 §17.2 and RFC 6026, to the millisecond."""

from __future__ import annotations

import pytest

from reference_server.sip.transactions.server import (
    InviteServerTransaction,
    NonInviteServerTransaction,
    ServerMeans,
    ServerState,
    ServerTransaction,
)
from reference_server.sip.transactions.timing import Timing
from tests.hand_clock import TICK, HandClock


class Stage:
    """A transaction, what it sent and when, and how often it said that it is over."""

    def __init__(self, invite: bool, reliable: bool = False, timing: Timing | None = None) -> None:
        self.clock = HandClock()
        self.sent: list[tuple[float, str]] = []
        self.answered: list[tuple[int, int]] = []
        self.over: list[tuple[float, ServerTransaction]] = []
        machine = InviteServerTransaction if invite else NonInviteServerTransaction
        self.transaction: ServerTransaction = machine(
            "key",
            lambda text: self.sent.append((self.clock.now, text)),
            ServerMeans(
                self.clock.timers,
                timing or Timing(),
                lambda transaction: self.over.append((self.clock.now, transaction)),
                self._answered,
            ),
            reliable=reliable,
        )

    def _answered(self, transaction: ServerTransaction, status: int, kept: int) -> int:
        self.answered.append((status, kept))
        return 0

    def is_in(self, state: ServerState) -> bool:
        return self.transaction.state is state

    def respond(self, status: int) -> None:
        self.transaction.respond(status, str(status))

    def repeat(self) -> None:
        self.transaction.receive_repeated_request()

    def ack(self) -> bool:
        assert isinstance(self.transaction, InviteServerTransaction)
        return self.transaction.receive_ack()

    def times(self, text: str) -> list[float]:
        return [moment for moment, sent in self.sent if sent == text]

    @property
    def ended(self) -> list[float]:
        return [moment for moment, _ in self.over]

    def check_nothing_is_left(self) -> None:
        """A transaction that is over answers nothing, and 64·T1 later no timer knows it."""
        assert self.over == [(self.ended[0], self.transaction)]
        assert self.transaction.state is ServerState.TERMINATED
        before = list(self.sent)
        self.respond(200)
        if isinstance(self.transaction, InviteServerTransaction):
            self.repeat()
            self.ack()
        self.clock.advance(32)
        assert len(self.clock.timers) == 0
        assert self.sent == before
        assert len(self.over) == 1


UDP_REPEATS = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
"""Timer G: T1, doubled up to T2, until H at 64·T1."""


@pytest.mark.parametrize("status", [300, 404, 486, 503, 699])
def test_a_failure_is_repeated_until_timer_h(status: int) -> None:
    stage = Stage(invite=True)
    stage.respond(status)
    assert stage.is_in(ServerState.COMPLETED)
    stage.clock.advance(32 - TICK)
    assert stage.times(str(status)) == UDP_REPEATS
    assert stage.ended == []
    stage.clock.advance(TICK)
    assert stage.ended == [32.0]
    stage.clock.advance(100)
    assert stage.times(str(status)) == UDP_REPEATS
    stage.check_nothing_is_left()


@pytest.mark.parametrize("acknowledged_at", [0.0, 0.25, 5.0, 31.75])
def test_an_ack_stops_the_repetition_and_timer_i_ends_it(acknowledged_at: float) -> None:
    stage = Stage(invite=True)
    stage.respond(486)
    stage.clock.advance(acknowledged_at)
    assert stage.ack()
    assert stage.is_in(ServerState.CONFIRMED)
    sent = list(stage.sent)
    assert stage.ack(), "a repeated ACK is absorbed"
    stage.repeat()
    stage.clock.advance(5 - TICK)
    assert stage.sent == sent
    assert stage.ended == []
    stage.clock.advance(TICK)
    assert stage.ended == [acknowledged_at + 5.0]
    stage.check_nothing_is_left()


def test_over_a_reliable_transport_nothing_is_repeated_and_the_ack_ends_it() -> None:
    stage = Stage(invite=True, reliable=True)
    stage.respond(486)
    stage.clock.advance(10)
    assert stage.times("486") == [0.0]
    assert stage.ack()
    assert stage.ended == [10.0]
    stage.check_nothing_is_left()


def test_over_a_reliable_transport_timer_h_still_gives_up() -> None:
    stage = Stage(invite=True, reliable=True)
    stage.respond(486)
    stage.clock.advance(100)
    assert stage.times("486") == [0.0]
    assert stage.ended == [32.0]
    stage.check_nothing_is_left()


@pytest.mark.parametrize("reliable", [False, True])
def test_a_success_is_sent_once_and_timer_l_ends_it(reliable: bool) -> None:
    stage = Stage(invite=True, reliable=reliable)
    stage.respond(180)
    stage.respond(200)
    assert stage.is_in(ServerState.ACCEPTED)
    stage.clock.advance(16)
    stage.repeat()
    assert not stage.ack(), "the ACK for a 2xx is the dialog's"
    stage.clock.advance(16 - TICK)
    assert stage.ended == []
    stage.clock.advance(TICK)
    assert stage.ended == [32.0]
    assert stage.sent == [(0.0, "180"), (0.0, "200")]
    stage.check_nothing_is_left()


def test_a_repeated_invite_gets_the_last_response_but_not_100() -> None:
    stage = Stage(invite=True)
    stage.repeat()
    assert stage.sent == []
    stage.respond(100)
    stage.repeat()
    assert stage.sent == [(0.0, "100")]
    stage.respond(180)
    stage.respond(183)
    stage.clock.advance(1)
    stage.repeat()
    assert stage.sent[-1] == (1.0, "183")
    stage.respond(100)
    stage.repeat()
    assert stage.sent[-1] == (1.0, "183"), "a later 100 does not replace what was said"
    stage.respond(486)
    stage.repeat()
    assert stage.times("486") == [1.0, 1.0]


def test_without_an_answer_an_invite_waits_for_ever() -> None:
    stage = Stage(invite=True)
    stage.respond(180)
    stage.clock.advance(10_000)
    assert stage.ended == []
    assert stage.sent == [(0.0, "180")]


@pytest.mark.parametrize("first", [200, 486])
@pytest.mark.parametrize("second", [100, 180, 200, 404])
def test_after_a_final_response_nothing_more_is_sent(first: int, second: int) -> None:
    for invite in (True, False):
        stage = Stage(invite)
        stage.respond(first)
        stage.respond(second)
        assert stage.sent == [(0.0, str(first))]


def test_an_ack_before_the_final_response_is_not_this_transactions() -> None:
    stage = Stage(invite=True)
    assert not stage.ack()
    stage.respond(180)
    assert not stage.ack()
    assert stage.is_in(ServerState.PROCEEDING)


def test_other_requests_end_with_timer_j() -> None:
    stage = Stage(invite=False)
    assert stage.is_in(ServerState.TRYING)
    stage.repeat()
    assert stage.sent == [], "in TRYING repetitions are discarded"
    stage.respond(100)
    assert stage.is_in(ServerState.PROCEEDING)
    stage.repeat()
    stage.clock.advance(1)
    stage.respond(200)
    assert stage.is_in(ServerState.COMPLETED)
    stage.clock.advance(30)
    stage.repeat()
    assert stage.sent == [(0.0, "100"), (0.0, "100"), (1.0, "200"), (31.0, "200")]
    stage.clock.advance(2 - TICK)
    assert stage.ended == []
    stage.clock.advance(TICK)
    assert stage.ended == [33.0]
    stage.check_nothing_is_left()


def test_other_requests_end_at_once_over_a_reliable_transport() -> None:
    stage = Stage(invite=False, reliable=True)
    stage.clock.advance(7)
    stage.respond(404)
    assert stage.ended == [7.0]
    stage.check_nothing_is_left()


def test_other_requests_are_never_repeated_unasked() -> None:
    stage = Stage(invite=False)
    stage.respond(486)
    stage.clock.advance(100)
    assert stage.sent == [(0.0, "486")]


def test_configured_times() -> None:
    stage = Stage(invite=True, timing=Timing(t1=0.25, t2=1.0, t4=2.0, t1x64=4.0))
    stage.respond(486)
    stage.clock.advance(3)
    assert stage.times("486") == [0.0, 0.25, 0.75, 1.75, 2.75]
    stage.ack()
    stage.clock.advance(10)
    assert stage.ended == [5.0]
    unacknowledged = Stage(invite=True, timing=Timing(t1=0.25, t2=1.0, t4=2.0, t1x64=4.0))
    unacknowledged.respond(486)
    unacknowledged.clock.advance(10)
    assert unacknowledged.ended == [4.0]


def test_it_is_over_when_the_owner_hears_of_it() -> None:
    """The owner may look at the transaction, or begin another, when it is told."""
    clock = HandClock()
    seen: list[ServerState] = []
    transaction = NonInviteServerTransaction(
        "key",
        lambda text: None,
        ServerMeans(clock.timers, Timing(), lambda ended: seen.append(ended.state), lambda *how: 0),
        reliable=True,
    )
    transaction.respond(200, "200")
    assert seen == [ServerState.TERMINATED]
