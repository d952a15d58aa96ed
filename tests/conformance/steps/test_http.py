"""The callback that the suite plays: what it says where a case or the server is wrong. Cases show the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drachtio_conformance.engine.session import Session, StepFailed
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.http import Callback, HttpAnswer, HttpExpect
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipRequest
from drachtio_conformance.targets.embedded import EmbeddedTarget
from drachtio_conformance.targets.settings import ServerSettings

REJECTS = HttpAnswer(body='{"action": "reject", "data": {"status": 404}}')


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(EmbeddedTarget(), settings=ServerSettings(request_handler="POST")) as running:
        running.do(Callback())
        running.do(SipPeer())
        yield running


def end(session: Session) -> None:
    session.do(REJECTS)
    session.do(SipExpect(status=404))


def test_a_question_and_its_answer(session: Session) -> None:
    session.do(SipRequest(method="OPTIONS"))
    session.do(HttpExpect(start="~POST /\\?method=OPTIONS&.*", headers={"Content-Length": "{number}"}))
    end(session)
    kinds = [(event.kind, event.source, event.summary[:17]) for event in session.events]
    assert ("http", "server", "POST /?method=OPT") in kinds
    assert ("http", "hook", "HTTP/1.1 200 OK") in kinds


def test_two_questions_on_one_connection(session: Session) -> None:
    for method in ("OPTIONS", "MESSAGE"):
        session.do(SipRequest(method=method))
        session.do(HttpExpect(start=f"~POST /\\?method={method}&.*"))
        end(session)


def test_another_question_than_expected(session: Session) -> None:
    session.do(SipRequest(method="OPTIONS"))
    with pytest.raises(StepFailed) as raised:
        session.do(HttpExpect(start="GET / HTTP/1.1"))
    assert raised.value.result.expected == "start line: GET / HTTP/1.1"
    assert "POST /?method=OPTIONS" in raised.value.result.actual


def test_no_question(session: Session) -> None:
    with pytest.raises(StepFailed, match=r"nothing came within 0\.05 s"):
        session.do(HttpExpect(within="50ms"))


def test_an_answer_to_nothing(session: Session) -> None:
    with pytest.raises(StepFailed, match="hook has not been asked anything yet"):
        session.do(REJECTS)


def test_a_callback_that_is_not_there(session: Session) -> None:
    with pytest.raises(StepFailed, match="there is no callback 'other'; there are hook"):
        session.do(HttpExpect(hook="other"))


def test_a_name_that_is_taken(session: Session) -> None:
    with pytest.raises(StepFailed, match="the name 'phone' is taken"):
        session.do(Callback(name="phone"))
    with pytest.raises(StepFailed, match=r"other cannot listen on .*: Address already in use"):
        session.do(Callback(name="other"))


def test_a_server_that_asks_nobody() -> None:
    with Session(EmbeddedTarget()) as running, pytest.raises(StepFailed, match="request-handler"):
        running.do(Callback())
