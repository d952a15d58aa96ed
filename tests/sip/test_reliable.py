"""What either end remembers of reliable provisional responses (RFC 3262), on a clock that is turned by hand."""

from __future__ import annotations

import pytest

from reference_server.sip.reliable import (
    QueuedResponse,
    RAck,
    ReliableReceiver,
    ReliableSender,
    names_100rel,
    parse_rack,
    rseq_of,
)
from reference_server.sip.transactions.timing import Timing
from tests.hand_clock import TICK, HandClock

FIRST = 1_234_567_890


class Stage:
    """An answering end that notes what it does and when."""

    def __init__(self, timing: Timing | None = None) -> None:
        self.clock = HandClock()
        self.sent: list[tuple[float, str]] = []
        self.given_up: list[float] = []
        self.lost: list[str] = []
        self.sender = ReliableSender(
            FIRST,
            lambda text: self.sent.append((self.clock.now, text)),
            lambda: self.given_up.append(self.clock.now),
            timers=self.clock.timers,
            timing=timing or Timing(),
        )

    def respond(self, text: str, describes_session: bool = False) -> int:
        """One more reliable response; returns its RSeq."""
        number = self.sender.number(describes_session)

        def take() -> None:
            self.sender.transmitted(number, text)
            self.sent.append((self.clock.now, text))

        self.sender.in_turn(QueuedResponse(take, lambda: self.lost.append(text)))
        return number

    def answer(self) -> None:
        """The 2xx."""
        self.sender.in_turn(
            QueuedResponse(lambda: self.sent.append((self.clock.now, "200")), lambda: self.lost.append("200"))
        )

    def holds_answer(self) -> bool:
        return self.sender.holds_answer

    def acknowledge(self, number: int) -> bool:
        found = self.sender.acknowledge(number)
        self.sender.proceed()
        return found

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.sent]


REPEATS = [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


def test_without_a_prack_the_intervals_double_and_64_t1_is_the_end() -> None:
    stage = Stage()
    stage.respond("183")
    stage.clock.advance(32 - TICK)
    assert [moment for moment, _ in stage.sent] == REPEATS
    assert stage.given_up == []
    stage.clock.advance(TICK)
    assert stage.given_up == [32.0]
    stage.sender.stop()
    stage.clock.advance(100)
    assert [moment for moment, _ in stage.sent] == REPEATS
    assert len(stage.clock.timers) == 0


def test_the_intervals_are_those_of_the_configured_t1() -> None:
    stage = Stage(Timing(t1=0.25, t1x64=4.0))
    stage.respond("183")
    stage.clock.advance(4)
    assert [moment for moment, _ in stage.sent] == [0.0, 0.25, 0.75, 1.75, 3.75]
    assert stage.given_up == [4.0]


@pytest.mark.parametrize(("at", "transmissions"), [(0.0, 1), (0.25, 1), (0.5, 2), (31.75, 7)])
def test_the_prack_ends_the_repetition(at: float, transmissions: int) -> None:
    stage = Stage()
    number = stage.respond("183")
    stage.clock.advance(at)
    assert stage.acknowledge(number)
    stage.clock.advance(100)
    assert len(stage.sent) == transmissions
    assert stage.given_up == []
    assert len(stage.clock.timers) == 0


def test_one_is_outstanding_at_a_time_and_numbers_go_up_by_one() -> None:
    stage = Stage()
    numbers = [stage.respond("183"), stage.respond("180"), stage.respond("182")]
    assert numbers == [FIRST, FIRST + 1, FIRST + 2]
    assert stage.texts == ["183"]
    assert not stage.acknowledge(FIRST + 1), "it has not been sent"
    assert stage.acknowledge(FIRST)
    assert stage.texts == ["183", "180"]
    stage.clock.advance(0.5)
    assert stage.texts == ["183", "180", "180"], "its intervals begin with its own transmission"
    assert stage.acknowledge(FIRST + 1)
    assert stage.acknowledge(FIRST + 2)
    assert stage.texts == ["183", "180", "180", "182"]


@pytest.mark.parametrize("number", [FIRST - 1, FIRST + 1, 0, 999])
def test_a_prack_for_what_was_not_sent(number: int) -> None:
    stage = Stage()
    stage.respond("183")
    assert not stage.acknowledge(number)
    stage.clock.advance(0.5)
    assert stage.texts == ["183", "183"], "still repeated"


def test_nothing_was_sent_yet() -> None:
    stage = Stage()
    stage.sender.number(False)
    assert not stage.acknowledge(FIRST)


def test_a_repeated_prack_is_known_and_changes_nothing() -> None:
    stage = Stage()
    first, second = stage.respond("183"), stage.respond("180")
    assert stage.acknowledge(first)
    assert stage.acknowledge(first)
    stage.clock.advance(0.5)
    assert stage.texts == ["183", "180", "180"]
    assert stage.acknowledge(second)


def test_a_session_description_holds_the_answer_until_its_prack() -> None:
    stage = Stage()
    assert not stage.holds_answer()
    plain = stage.respond("180")
    assert not stage.holds_answer()
    described = stage.respond("183", describes_session=True)
    assert stage.holds_answer(), "also while it waits itself"
    stage.answer()
    stage.acknowledge(plain)
    assert stage.texts == ["180", "183"]
    assert stage.holds_answer()
    stage.acknowledge(described)
    assert stage.texts == ["180", "183", "200"]
    assert not stage.holds_answer()


def test_the_final_response_loses_what_waits_and_late_pracks_are_known() -> None:
    stage = Stage()
    sent = stage.respond("183", describes_session=True)
    queued = stage.respond("180")
    stage.answer()
    stage.sender.stop()
    assert stage.lost == ["180", "200"]
    assert not stage.holds_answer()
    assert stage.acknowledge(sent)
    assert not stage.acknowledge(queued)
    stage.clock.advance(100)
    assert stage.texts == ["183"]
    assert stage.given_up == []
    stage.sender.stop()
    assert stage.lost == ["180", "200"]


@pytest.mark.parametrize(
    ("value", "rack"),
    [
        ("776656 1 INVITE", RAck(776656, 1, "INVITE")),
        ("  1\t2  INVITE ", RAck(1, 2, "INVITE")),
        ("", None),
        ("1 INVITE", None),
        ("1 2 INVITE INVITE", RAck(1, 2, "INVITE")),
        ("x 1 INVITE", None),
        ("1 -1 INVITE", None),
        ("\xb2 1 INVITE", None),
        (f"{'9' * 5000} 1 INVITE", None),
    ],
)
def test_rack(value: str, rack: RAck | None) -> None:
    assert parse_rack(value) == rack


@pytest.mark.parametrize(
    ("value", "number"), [("988789", 988789), ("", None), ("-1", None), ("x", None), ("9" * 5000, None)]
)
def test_rseq(value: str, number: int | None) -> None:
    assert rseq_of(value) == number


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([], False),
        (["timer"], False),
        (["x100rel"], False),
        (["timer,\t100REL"], True),
        (["timer", "100rel ,gruu"], True),
    ],
)
def test_the_option_tag(values: list[str], named: bool) -> None:
    assert names_100rel(values) is named


def test_responses_are_accepted_once_and_in_order_in_each_branch() -> None:
    receiver = ReliableReceiver()
    assert receiver.accepts("a", 5)
    assert not receiver.accepts("a", 5)
    assert not receiver.accepts("a", 7)
    assert not receiver.accepts("a", 4)
    assert receiver.accepts("a", 6)
    assert receiver.accepts("b", 40)
    assert receiver.accepts("a", 7)


def test_a_prack_is_for_the_branch_that_sent_its_number() -> None:
    receiver = ReliableReceiver()
    for tag, number in (("a", 5), ("b", 40), ("c", 5)):
        assert receiver.accepts(tag, number)
    assert receiver.acknowledged(40) == "b"
    assert receiver.acknowledged(5) == "a"
    assert receiver.acknowledged(5) == "c", "of equal numbers the one that has waited longest"
    assert receiver.acknowledged(40) == "b", "acknowledged again"
    assert receiver.acknowledged(41) == ""


def test_a_far_end_that_floods_is_followed_so_far() -> None:
    receiver = ReliableReceiver()
    assert [receiver.accepts("a", number) for number in range(1, 101)].count(True) == 64
    assert receiver.acknowledged(1) == "a"
    assert not receiver.accepts("a", 70), "it is not the next"
    assert receiver.accepts("a", 65), "which the far end repeats, since nobody acknowledged it"
    tags = ReliableReceiver()
    for number in range(200):
        if tags.accepts(f"t{number}", number):
            assert tags.acknowledged(number) == f"t{number}"
    assert not tags.accepts("t200", 1)
    assert tags.accepts("t0", 1)


def test_a_final_response_before_any_was_sent_leaves_nothing() -> None:
    stage = Stage()
    stage.sender.stop()
    stage.clock.advance(100)
    assert (stage.sent, stage.lost, stage.given_up) == ([], [], [])
    assert not stage.acknowledge(FIRST)
