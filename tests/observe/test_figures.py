"""What is counted, from messages of both ways and frames."""

from __future__ import annotations

import pytest

from reference_server.observe.figures import OTHER, Awaited, Figures, Histogram
from tests.core.world import BY_TCP, BY_UDP
from tests.hand_clock import HandClock

IN, OUT = False, True


def request(method: str = "INVITE", branch: str = "1", to_tag: str = "") -> str:
    tag = f";tag={to_tag}" if to_tag else ""
    return (
        f"{method} sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK{branch}\r\nFrom: <sip:a@h>;tag=1\r\n"
        f"To: <sip:b@h>{tag}\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )


def response(status: int, method: str = "INVITE", branch: str = "1") -> str:
    text = request(method, branch, to_tag="2").partition("\r\n")[2]
    return f"SIP/2.0 {status} Whatever\r\n{text}"


class Counted:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.figures = Figures(self.clock.monotonic)

    def pass_by(self, sent: bool, text: str, after: float = 0.0) -> None:
        self.clock.advance(after)
        self.figures.sip(sent, BY_UDP, text)


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_requests_by_method_and_responses_by_status_and_method(counted: Counted) -> None:
    counted.pass_by(IN, request())
    counted.pass_by(IN, request("ACK", "2"))
    counted.pass_by(OUT, request("BYE", "3"))
    counted.pass_by(OUT, response(100))
    counted.pass_by(OUT, response(486))
    counted.pass_by(IN, response(200, "BYE", "3"))
    figures = counted.figures
    assert figures.requests == ({"INVITE": 1, "ACK": 1}, {"BYE": 1})
    assert figures.responses == ({("200", "BYE"): 1}, {("486", "INVITE"): 1})
    assert figures.messages == [3, 3]


def test_what_comes_or_goes_again_counts_as_such_for_a_while(counted: Counted) -> None:
    for after in (0, 0.5, 31, 31):
        counted.pass_by(IN, request(), after)
        counted.pass_by(OUT, response(486))
    figures = counted.figures
    assert figures.requests[IN] == {"INVITE": 1}
    assert (figures.requests_again, figures.responses_again) == ([3, 0], [0, 3])
    counted.pass_by(IN, request(), after=100)
    assert figures.requests[IN] == {"INVITE": 2}
    figures.sip(IN, BY_TCP, request("OPTIONS"))
    figures.sip(IN, BY_UDP, request("OPTIONS"))
    assert figures.requests[IN]["OPTIONS"] == 1, "the same peer, whatever the transport"


def test_methods_that_nobody_knows_are_one(counted: Counted) -> None:
    for number in range(100):
        counted.pass_by(IN, request(f"M{number}"))
        counted.pass_by(OUT, response(405, f"M{number}"))
    assert counted.figures.requests[IN] == {OTHER: 100}
    assert counted.figures.responses[OUT] == {("405", OTHER): 100}


def test_what_cannot_be_read(counted: Counted) -> None:
    figures = counted.figures
    counted.pass_by(IN, "garbage")
    figures.event("sip-dropped", reason="no start line")
    counted.pass_by(IN, request("OPTIONS"))
    figures.event("sip-dropped", reason="request without a Via")
    counted.pass_by(IN, response(200))
    figures.event("sip-dropped", reason="response to no request of ours")
    assert (figures.bad_messages, figures.bad_requests) == (2, 1)


def test_delays_of_a_call_that_is_received_and_of_one_that_is_sent(counted: Counted) -> None:
    for way in (IN, OUT):
        branch = f"call{way}"
        counted.pass_by(way, request(branch=branch))
        counted.pass_by(not way, response(183, branch=branch), after=1.5)
        counted.pass_by(not way, response(180, branch=branch), after=1)
        counted.pass_by(not way, response(200, branch=branch), after=10)
        counted.pass_by(not way, response(200, branch=branch).replace("Whatever", "again"), after=10)
        rings, answer = counted.figures.post_dial_seconds[way], counted.figures.answer_seconds[way]
        assert (sum(rings.counts), round(rings.total, 6)) == (1, 1.5)
        assert (sum(answer.counts), round(answer.total, 6)) == (1, 12.5)
        assert rings.counts[1] == 1
    assert set(counted.figures.awaited().values()) == {0}


def test_a_failure_ends_the_waiting_and_is_no_answer(counted: Counted) -> None:
    counted.pass_by(IN, request())
    counted.pass_by(OUT, response(486), after=2)
    assert sum(counted.figures.post_dial_seconds[IN].counts) == 1
    assert sum(counted.figures.answer_seconds[IN].counts) == 0
    assert set(counted.figures.awaited().values()) == {0}


def test_an_invite_of_a_dialog_is_no_call(counted: Counted) -> None:
    counted.pass_by(IN, request(to_tag="3"))
    counted.pass_by(OUT, response(200))
    assert sum(counted.figures.answer_seconds[IN].counts) == 0


def test_the_round_trip_to_an_application(counted: Counted) -> None:
    figures = counted.figures
    delivered = (
        "id|sip|network|310|udp|127.0.0.1|5080|12:00:00.0|uuid-1||127.0.0.1|5060\r\nINVITE sip:b@h SIP/2.0"
    )
    figures.frame(1, OUT, delivered)
    counted.clock.advance(0.03)
    figures.frame(1, IN, "m1|sip|uuid-1|\r\nSIP/2.0 180 Ringing")
    figures.frame(1, IN, "m2|sip|uuid-1|\r\nSIP/2.0 200 OK")
    figures.frame(1, IN, "m3|sip||\r\nOPTIONS sip:x SIP/2.0")
    figures.frame(1, IN, "m4|ping")
    figures.frame(1, OUT, "id|response|m4|OK|pong")
    assert sum(figures.round_trip_seconds.counts) == 1
    assert figures.round_trip_seconds.total == pytest.approx(0.03)


def test_lost_copies_add_up(counted: Counted) -> None:
    for count in (3, 4):
        counted.figures.event("capture-lost", messages=count, server="h", reason="r")
    assert counted.figures.copies_lost == 7


def test_attempts_that_wait_are_counted(counted: Counted) -> None:
    for name in ("admin-attempt-delayed", "admin-refused", "admin-attempt-delayed"):
        counted.figures.event(name, connection=1, peer="192.0.2.1:40000", seconds="1")
    assert counted.figures.attempts_delayed == 2


def test_a_histogram_counts_up_to_its_bounds() -> None:
    histogram = Histogram((1, 2))
    for value in (0.5, 1, 1.5, 2.5):
        histogram.observe(value)
    assert (histogram.counts, histogram.total) == ([2, 1, 1], 5.5)


def test_what_never_comes_is_forgotten() -> None:
    clock = HandClock()
    awaited = Awaited(clock.monotonic, most=3)
    for key in range(5):
        awaited.begin(key)
    assert len(awaited) == 3
    assert awaited.seconds(0, over=False) is None
    assert awaited.seconds(4, over=False) == 0
    clock.advance(601)
    awaited.begin("new")
    assert len(awaited) == 1
