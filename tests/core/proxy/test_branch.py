"""One copy of a proxied request: its timers, its CANCEL, its way (RFC 3261 §16.6, §16.8)."""

from __future__ import annotations

import pytest

from tests.core.proxy.stage import Stage
from tests.core.world import (
    tokens_of,
)

FULL = "remainInDialog|fullResponse||serial||"


def test_a_target_that_is_silent_for_too_long(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options="|||serial|700ms|")
    stage.world.advance(0.69)
    assert stage.dan.nothing_more()
    stage.world.advance(0.02)
    second = stage.dan.take()
    stage.dan.answer(second, 180)
    stage.world.advance(10)
    stage.dan.answer(second, 200)
    assert stage.statuses == [180, 200]
    first = stage.carol.take()
    repeated = stage.carol.received[-1]
    assert repeated.text == first.text
    stage.carol.answer(first, 100)  # only now it can be cancelled
    assert isinstance(stage.carol.received[-1].start_line, str)
    assert stage.carol.received[-1].start_line.startswith("CANCEL ")
    stage.carol.answer(first, 487)


def test_only_a_provisional_response_was_asked_for(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options="|||serial|1s|")
    stage.carol.answer(stage.carol.take(), 100)
    stage.world.advance(60)
    assert stage.dan.nothing_more()
    stage.phone.send("CANCEL", same=True)


def test_the_final_timeout_cancels_and_goes_on(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri, options="|||serial||2s")
    first = stage.carol.take()
    stage.carol.answer(first, 180)
    stage.world.advance(2)
    assert stage.carol.take().method == "CANCEL"
    second = stage.dan.take()
    stage.carol.answer(first, 487)
    assert stage.carol.take().method == "ACK"
    stage.dan.answer(second, 404)
    assert stage.statuses == [180, 404]


def test_nobody_answers_at_all(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    stage.world.advance(32)
    assert stage.statuses[0] == 408
    times = stage.world.network.times("INVITE sip:carol")
    assert times == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


def test_timer_c_ends_endless_ringing_and_each_provisional_response_starts_it_again(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.carol.answer(invite, 180)
    stage.world.advance(180)
    stage.carol.answer(invite, 180)
    stage.world.advance(184)
    assert stage.statuses == [180, 180]
    stage.world.advance(1)
    assert stage.statuses == [180, 180, 408]
    assert stage.carol.take().method == "CANCEL"


def test_a_far_end_that_answers_only_the_cancel_is_not_waited_for(stage: Stage) -> None:
    stage.start(stage.carol.uri, options=FULL)
    invite = stage.carol.take()
    stage.carol.answer(invite, 180)
    stage.phone.send("CANCEL", same=True)
    stage.carol.answer(stage.carol.take(), 200)
    stage.world.advance(32)
    assert [tokens_of(text)[3:] for text in stage.application.take()] == [["OK", "done"]]


def test_a_way_that_is_found_when_the_caller_has_gone(stage: Stage) -> None:
    stage.world.network.pending = []
    stage.start(stage.carol.uri, options="|fullResponse||serial||")
    stage.phone.send("CANCEL", same=True)
    assert stage.statuses == [200, 487]
    stage.world.network.pending[0]()
    assert stage.carol.nothing_more()
    assert [tokens_of(text)[3:] for text in stage.application.take()] == [["OK", "done"]]


def test_a_datagram_that_is_too_large(stage: Stage) -> None:
    stage.request("INVITE", body="v=0\r\n" + "x" * 65_300)
    answer = stage.proxy(stage.carol.uri, headers=f"X-Long: {'y' * 1000}\r\n")
    assert tokens_of(answer)[3:] == ["NOK", "error proxying request to "]
    assert stage.statuses[0] == 500


def test_what_the_network_does_not_deliver_ends_the_copy(stage: Stage) -> None:
    stage.start(stage.carol.uri, stage.dan.uri)
    stage.world.core.undelivered(stage.carol.take().text[:200])
    stage.dan.answer(stage.dan.take(), 200)
    assert stage.statuses == [200]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@pytest.mark.parametrize("how", ["503", "undelivered"])
def test_the_next_address_of_a_targets_name_is_tried(stage: Stage, method: str, how: str) -> None:
    stage.world.network.alternatives[stage.carol.uri] = [stage.dan.flow]
    stage.request(method)
    stage.proxy(stage.carol.uri)
    first = stage.carol.take()
    if how == "503":
        stage.carol.answer(first, 503)
        if method == "INVITE":
            ack = stage.carol.take()
            assert (ack.method, ack.get("via")) == ("ACK", first.get("via"))
    else:
        stage.world.core.undelivered(first.text)
    second = stage.dan.take()
    assert (second.method, second.uri) == (first.method, first.uri)
    assert second.get("via") != first.get("via")
    assert stage.statuses == []
    stage.dan.answer(second, 200, f"Contact: <{stage.dan.uri}>")
    assert stage.statuses == [200]
    assert stage.carol.nothing_more()


def test_the_last_address_decides(stage: Stage) -> None:
    stage.world.network.alternatives[stage.carol.uri] = [stage.dan.flow]
    stage.start(stage.carol.uri)
    stage.carol.answer(stage.carol.take(), 503)
    stage.dan.answer(stage.dan.take(), 503)
    assert stage.statuses == [503]


def test_a_cancelled_copy_goes_nowhere_else(stage: Stage) -> None:
    network = stage.world.network
    network.alternatives[stage.carol.uri] = [stage.dan.flow]
    stage.start(stage.carol.uri)
    network.pending = []
    stage.carol.answer(stage.carol.take(), 503)
    stage.phone.send("CANCEL", same=True)
    for answer in network.pending:
        answer()
    assert stage.dan.nothing_more()
    assert stage.statuses[-1:] in ([487], [500])


def test_what_is_silent_is_left_for_the_next_address(stage: Stage) -> None:
    stage.world.network.alternatives[stage.carol.uri] = [stage.dan.flow]
    stage.start(stage.carol.uri)
    stage.world.advance(32)
    second = stage.dan.take()
    stage.dan.answer(second, 180)
    stage.phone.send("CANCEL", same=True)
    assert stage.dan.take().method == "CANCEL"
    stage.dan.answer(second, 487)
    assert stage.statuses[-1] == 487
