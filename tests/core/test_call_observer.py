"""What somebody who watches proxied requests is told, and in which order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.call_observer import Copy, Ended, ProxiedCall, Role, Source
from reference_server.sip.messages.message import Request, Response
from tests.core.proxy.stage import Stage


class Watcher:
    """Implements ``CallObserver``: one line for each call."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def branch_sent(self, branch: Copy) -> None:
        self.told.append(f"sent {branch.text.split()[1]}")

    def branch_answered(self, branch: Copy, response: Response) -> None:
        self.told.append(f"answered {response.status} {len(response.all('via'))}")

    def branch_failed(self, branch: Copy, response: Response | None) -> None:
        self.told.append(f"failed {response.status if response else None}")

    def branch_refused(self, branch: Copy, bye: str) -> None:
        self.told.append(f"refused {bye.split()[0]}")

    def caller_answered(self, branch: Copy, response: Response, text: str) -> None:
        self.told.append(f"caller {text.split()[1]}")

    def caller_failed(self, proxied: ProxiedCall, status: int, text: str) -> None:
        assert text.split()[1] == str(status)
        self.told.append(f"caller {status}")

    def passed_on(self, request: Request, received: str, text: str) -> None:
        assert received.split()[0] == request.method
        self.told.append(f"passed {text.split()[0]}")

    def attempted(self, call: object, source: Source, invite: str) -> None:
        """Of own calls other tests tell."""

    def answered(self, call: object, usage: object, role: Role, success: str) -> None:
        raise AssertionError("nobody answers for an application here")

    def failed(self, call: object, ended: Ended) -> None:
        raise AssertionError("nobody answers for an application here")

    def ended(self, usage: object, ended: Ended | None, call: object = None) -> None:
        raise AssertionError("there is no usage here")

    def detach(self, usage: object) -> Callable[[Ended | None], None]:
        raise AssertionError("there is no usage here")


@pytest.fixture
def watcher(stage: Stage) -> Watcher:
    found = Watcher()
    stage.world.core.context.observer = found
    return found


def test_an_answer_after_a_failure(stage: Stage, watcher: Watcher) -> None:
    stage.start(stage.carol.uri, stage.dan.uri)
    stage.carol.answer(stage.carol.take(), 486)
    stage.dan.answer(invite := stage.dan.take(), 200)
    stage.dan.answer(invite, 200)
    assert watcher.told == [
        f"sent {stage.carol.uri}",
        "failed 486",
        f"sent {stage.dan.uri}",
        "answered 200 2",
        "caller 200",
    ]


def test_a_cancelled_call(stage: Stage, watcher: Watcher) -> None:
    stage.start(stage.carol.uri)
    stage.carol.answer(invite := stage.carol.take(), 180)
    stage.phone.send("CANCEL", same=True)
    stage.carol.answer(invite, 487)
    assert watcher.told[1:] == ["caller 487", "failed 487"]


def test_nobody_answers(stage: Stage, watcher: Watcher) -> None:
    stage.start(stage.carol.uri, "sip:nobody@nowhere.invalid")
    stage.world.advance(32)
    assert watcher.told == [f"sent {stage.carol.uri}", "failed None", "caller 408"]


def test_a_copy_that_is_given_up_fails_when_its_end_comes(stage: Stage, watcher: Watcher) -> None:
    stage.start(stage.carol.uri, options="|||serial||1s")
    stage.carol.answer(invite := stage.carol.take(), 180)
    stage.world.advance(1)
    stage.carol.answer(invite, 487)
    assert watcher.told[1:] == ["caller 408", "failed 487"]


def test_a_2xx_that_nobody_wants_is_an_answer(stage: Stage, watcher: Watcher) -> None:
    stage.start(stage.carol.uri)
    stage.carol.answer(invite := stage.carol.take(), 180)
    stage.phone.send("CANCEL", same=True)
    stage.carol.answer(invite, 200, f"Contact: <{stage.carol.uri}>")
    assert watcher.told[1:] == ["caller 487", "answered 200 2", "refused BYE"]


def test_requests_by_their_route(stage: Stage, watcher: Watcher) -> None:
    stage.world.receive(
        f"BYE {stage.carol.uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKx1\r\n"
        f"Route: <sip:127.0.0.1:5060;lr{stage.route_token('c', '1')}>\r\nFrom: <sip:a>;tag=1\r\n"
        "To: <sip:b>;tag=2\r\nCall-ID: c\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n",
        stage.phone.flow,
    )
    stage.carol.answer(stage.carol.take(), 200)
    assert watcher.told == ["passed BYE"]
