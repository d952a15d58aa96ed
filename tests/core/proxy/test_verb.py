"""What can be said against a ``proxy`` message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.core import HEADERS_TOO_LARGE
from tests.core.proxy.stage import SERIAL, Stage
from tests.core.world import World, tokens_of

UNREACHABLE = "error proxying request to "


@pytest.mark.parametrize(
    ("destinations", "text"),
    [
        ((), UNREACHABLE),
        (("",), UNREACHABLE),
        (("foo", "bar"), f"{UNREACHABLE}foo"),
        (("sip:",), f"{UNREACHABLE}sip:"),
        (("tel:+1",), f"{UNREACHABLE}tel:+1"),
        (("sip:nobody@nowhere.invalid",), UNREACHABLE),
        (("sip:nobody@nowhere.invalid", "foo"), f"{UNREACHABLE}foo"),
    ],
)
def test_nowhere_to_go(stage: Stage, destinations: tuple[str, ...], text: str) -> None:
    answer = stage.start(*destinations)
    assert tokens_of(answer)[3:] == ["NOK", text]
    assert stage.statuses[0] == 500
    assert not stage.application.ended_by_server


def test_what_is_none_is_passed_over(stage: Stage) -> None:
    assert tokens_of(stage.start("foo", "sip:nobody@nowhere.invalid", stage.carol.uri))[3:] == ["OK", "done"]
    stage.carol.answer(stage.carol.take(), 486)
    assert stage.statuses == [486]


def test_a_way_that_is_found_later(stage: Stage) -> None:
    stage.world.network.pending = []
    assert stage.start(stage.carol.uri) == ""
    stage.world.network.pending[0]()
    assert [tokens_of(text)[3:] for text in stage.application.take()] == [["OK", "done"]]
    stage.world.network.pending = None
    stage.carol.answer(stage.carol.take(), 200)


def test_headers_without_end(stage: Stage) -> None:
    stage.request()
    answer = stage.proxy(stage.carol.uri, headers=f"X-Long: {'y' * 70_000}\r\n")
    assert tokens_of(answer)[3:] == ["NOK", HEADERS_TOO_LARGE]
    assert stage.statuses == []
    stage.proxy("foo")


def test_an_id_of_another_application(stage: Stage) -> None:
    stage.request()
    other = stage.world.application()
    answer = other.say(f"proxy|{stage.transaction_id}|{SERIAL}|{stage.carol.uri}\r\n\r\n")
    assert tokens_of(answer)[3:] == ["NOK", f"Unknown transaction id: {stage.transaction_id}"]
    stage.application.leave()
    assert stage.statuses[0] == 480


def test_a_request_of_a_dialog_is_not_proxied(stage: Stage) -> None:
    stage.request()
    stage.phone.learn(
        stage.application.answer(stage.transaction_id, "SIP/2.0 200 OK\r\n\r\n").partition("\r\n")[2]
    )
    stage.phone.send("ACK")
    stage.application.take()
    stage.phone.send("INFO")
    transaction_id = tokens_of(stage.application.take()[-1])[8]
    answer = stage.application.say(f"proxy|{transaction_id}|{SERIAL}|{stage.carol.uri}\r\n\r\n")
    assert tokens_of(answer)[3:] == ["NOK", f"Unknown transaction id: {transaction_id}"]
    stage.application.answer(transaction_id, "SIP/2.0 200 OK\r\n\r\n")
    stage.phone.send("BYE")
    stage.application.answer(tokens_of(stage.application.take()[-1])[8], "SIP/2.0 200 OK\r\n\r\n")


def test_an_outbound_proxy_is_the_next_hop_of_all(worlds: Callable[[Settings | None], World]) -> None:
    stage = Stage(worlds(Settings(outbound_proxy="sip:127.0.0.1:5091")))
    stage.start(stage.carol.uri)
    invite = stage.dan.take()
    assert invite.uri == stage.carol.uri
    stage.dan.answer(invite, 486)
