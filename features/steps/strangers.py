"""Somebody whom the server may have been told to keep out, and what the server does then."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.absence import SipNothing
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.sip_send import SipRequest
from features.steps.callers import expect_response

_METHODS = {"calls": "INVITE", "asks": "OPTIONS"}


@when(
    parsers.re(
        r'somebody with the program "(?P<program>[^"]+)" (?P<what>calls|asks) by (?P<transport>UDP|TCP)$'
    )
)
def somebody_calls(session: Session, program: str, what: str, transport: str) -> None:
    session.do(SipPeer(name="phone", transport="tcp" if transport == "TCP" else "udp"))
    session.do(SipRequest(method=_METHODS[what], headers={"User-Agent": program}))


@then(parsers.re(r'that caller receives "(?P<status>\d+) (?P<reason>[^"]+)"$'))
def that_caller_receives(session: Session, status: str, reason: str) -> None:
    expect_response(session, status, reason, {})


@then("that caller receives nothing")
def that_caller_receives_nothing(session: Session) -> None:
    session.do(SipNothing(peer="phone"))
