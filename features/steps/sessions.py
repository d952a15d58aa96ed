"""Calls with a session timer, as Alice sees them."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.expect import Respond
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipAck, SipRequest, SipRespond
from features.steps.applications import receive

_DESCRIPTION = "v=0\no=- 7 7 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 20400 RTP/AVP 0\n"
_REFRESHERS = {"Alice": "uac", "the server": "uas"}


@given(
    parsers.re(
        r"a call between Alice and the application that (?P<who>Alice|the server) has to refresh"
        r" every (?P<seconds>\d+) seconds$"
    )
)
def a_call_with_a_timer(session: Session, who: str, seconds: str) -> None:
    expires = f"{seconds};refresher={_REFRESHERS[who]}"
    session.do(SipPeer(name="phone"))
    session.do(SipRequest(method="INVITE", headers={"Supported": "timer", "Session-Expires": expires}))
    receive(session, "app", "INVITE")
    session.do(Respond(status=200, headers={"Content-Type": "application/sdp"}, body=_DESCRIPTION))
    session.do(SipExpect(status=200, skip=["100"], headers={"Session-Expires": expires}))
    session.do(SipAck())
    receive(session, "app", "ACK")


@when("Alice refreshes the call")
def she_refreshes(session: Session) -> None:
    _ask_for(session, "90;refresher=uac")


@when(parsers.parse("Alice asks for a session of {seconds:d} seconds"))
def she_asks_for(session: Session, seconds: int) -> None:
    _ask_for(session, f"{seconds};refresher=uac")


@when("Alice accepts the refresh")
def she_accepts(session: Session) -> None:
    session.do(SipRespond(status=200, to="refresh"))


@when(parsers.parse("Alice refuses the refresh with {status:d}"))
def she_refuses(session: Session, status: int) -> None:
    session.do(SipRespond(status=status, to="refresh"))
    session.do(SipExpect(method="ACK"))


@then("Alice receives a refresh with the session description of the application")
def she_receives_a_refresh(session: Session) -> None:
    session.do(
        SipExpect(
            method="INVITE",
            headers={"Session-Expires": "90;refresher=uac"},
            body=_DESCRIPTION.replace("\n", "\r\n"),
            save="refresh",
        )
    )


@then("Alice receives the acknowledgement of the server")
def she_receives_the_ack(session: Session) -> None:
    session.do(SipExpect(method="ACK"))


def _ask_for(session: Session, expires: str) -> None:
    session.do(SipRequest(method="UPDATE", in_dialog=True, headers={"Session-Expires": expires}))
