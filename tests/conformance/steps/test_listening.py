"""The application that listens: what is said where a case or the server is wrong. Cases show the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drachtio_conformance.engine.session import Session, StepFailed
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.control import Authenticate
from drachtio_conformance.steps.expect import Expect, Respond
from drachtio_conformance.steps.listening import Accepts, Listen
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipRequest
from drachtio_conformance.targets.embedded import EmbeddedTarget
from drachtio_conformance.targets.settings import ServerSettings


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(EmbeddedTarget(), settings=ServerSettings(request_handler="tcp")) as running:
        running.do(Listen(handler=True))
        running.do(SipPeer())
        yield running


def test_a_connection_is_an_application(session: Session) -> None:
    session.do(SipRequest(method="OPTIONS"))
    session.do(Accepts(app="taken"))
    session.do(Authenticate(app="taken"))
    session.do(Expect(app="taken", tokens="{uuid}|sip|network|**"))
    session.do(Respond(app="taken", status=200))
    session.do(SipExpect(status=200))
    notes = [(event.source, event.summary) for event in session.events if event.kind == "note"]
    assert notes == [("door", "accepted a connection")]


def test_no_connection(session: Session) -> None:
    with pytest.raises(StepFailed, match=r"nothing came within 0\.05 s"):
        session.do(Accepts(within="50ms"))


def test_a_listener_that_is_not_there(session: Session) -> None:
    with pytest.raises(StepFailed, match="nobody listens as 'gate'; there are door"):
        session.do(Accepts(door="gate"))


def test_a_name_that_is_taken(session: Session) -> None:
    session.do(SipRequest(method="OPTIONS"))
    with pytest.raises(StepFailed, match="the name 'phone' is taken"):
        session.do(Accepts(app="phone"))


def test_two_listeners_have_two_ports(session: Session) -> None:
    session.do(Listen(name="second"))
    assert session.captures["second.port"] != session.captures["door.port"]
