"""A case played step by step from synchronous code, on the reference server."""

from __future__ import annotations

import threading

import pytest

from drachtio_conformance.cases.case import Case
from drachtio_conformance.engine.results import StepOutcome, Verdict
from drachtio_conformance.engine.session import LoopThread, Session, StepFailed
from drachtio_conformance.steps.absence import ExpectClose, ExpectNothing
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.control import Authenticate, Route
from drachtio_conformance.steps.expect import Expect, Respond
from drachtio_conformance.steps.send import Send, SendBytes
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipAck, SipRequest
from drachtio_conformance.steps.stage import Pace
from drachtio_conformance.steps.stories import Advance, Alive
from drachtio_conformance.targets.embedded import EmbeddedTarget
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import ServerUnderTest, StartFailed
from tests.conformance.small_server import SmallTarget

CASE = Case(name="s/one", title="One", clauses=("X-1",), steps=(), source="s.yaml:1")


def test_a_rejected_call() -> None:
    with Session(EmbeddedTarget()) as session:
        session.do(Authenticate())
        session.do(Route(verb="invite"))
        session.do(SipPeer())
        session.do(SipRequest(method="INVITE"))
        session.do(
            Expect(tokens="{uuid}|sip|network|${phone.sent.length}|{transport}|**", start="~INVITE .*")
        )
        session.do(Respond(status=486, headers={"X-Custom": "abc"}))
        found = session.do(SipExpect(status=486, skip=["100"], headers={"X-Custom": "abc"}))
        session.do(SipAck())
        assert found.actual.startswith("SIP/2.0 486 Busy Here\n")
        assert session.captures["transport"] == "udp"
        assert session.has_application("app")
        assert session.has_peer("phone")
        result = session.result(CASE)
    assert (result.name, result.verdict, len(result.steps)) == ("s/one", Verdict.PASS, 8)
    assert [event.summary for event in result.events if event.kind == "sip"][-2:] == [
        "486 Busy Here (INVITE)",
        f"ACK sip:bob@{session.endpoints.sip('udp', 'ipv4')}",
    ]


def test_a_failed_step_raises_with_both_sides() -> None:
    with Session(EmbeddedTarget(), pace=Pace(deadline=0.05)) as session:
        session.do(Authenticate())
        session.do(Send(tokens="ping"))
        with pytest.raises(StepFailed) as failure:
            session.do(Expect(tokens="*|response|*|NO"), source="ping.feature:7")
        assert failure.value.result.outcome is StepOutcome.FAILED
        assert session.result(CASE).verdict is Verdict.FAIL
    text = str(failure.value)
    assert text.startswith(
        "ping.feature:7: app gets *|response|*|NO\n  expected: token 3: NO; number of tokens: 4"
    )
    assert "got: token 3: OK;" in text


def test_time_can_be_advanced_and_settings_chosen() -> None:
    with Session(EmbeddedTarget(), settings=ServerSettings(incomplete_frame_timeout=5)) as session:
        session.do(Authenticate())
        session.do(SendBytes(text="50#abc"))
        session.do(Advance(duration="4s"))
        session.do(ExpectNothing(quiet="10ms"))
        session.do(Advance(duration="2s"))
        session.do(Expect(tokens="*|response||NO|~framing error: .*"))
        session.do(ExpectClose())


def test_a_call_left_behind_is_a_complaint() -> None:
    session = Session(EmbeddedTarget(), pace=Pace(deadline=0.05))
    session.do(Authenticate())
    session.do(Route(verb="invite"))
    session.do(SipPeer())
    session.do(SipRequest(method="INVITE"))
    session.do(Expect(tokens="**"))
    session.do(Respond(status=200))
    session.do(SipExpect(status=200, skip=["100"]))
    session.do(SipAck())
    session.do(Expect(tokens="*|sip|**", start="~ACK .*"))
    assert "still holds" in session.close()


def test_sessions_can_share_a_thread() -> None:
    before = threading.enumerate()
    thread = LoopThread()
    try:
        for _ in range(2):
            with Session(EmbeddedTarget(), thread=thread) as session:
                session.do(Alive())
    finally:
        thread.close()
    assert set(threading.enumerate()) <= set(before)


def test_an_exception_in_the_server_is_a_complaint() -> None:
    def broken(tokens: list[str]) -> list[str]:
        raise ValueError("of the server")

    session = Session(SmallTarget(broken), pace=Pace(deadline=0.05))
    with pytest.raises(StepFailed):
        session.do(Authenticate())
    assert session.close().startswith("an exception escaped in the server: ValueError: of the server")


def test_a_target_that_does_not_start_leaves_no_thread() -> None:
    class Broken(SmallTarget):
        async def start(self, settings: ServerSettings | None) -> ServerUnderTest:
            raise StartFailed("it is broken")

    before = threading.enumerate()
    with pytest.raises(StartFailed, match="it is broken"):
        Session(Broken())
    assert set(threading.enumerate()) <= set(before)
