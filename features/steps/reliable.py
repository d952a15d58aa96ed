"""Provisional responses that are acknowledged with a PRACK, told from either side of a call."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.control import Route
from drachtio_conformance.steps.expect import Expect, Respond
from drachtio_conformance.steps.send import Send
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipAck, SipRequest, SipRespond
from drachtio_conformance.steps.terms import HeaderFields
from features.steps.applications import authenticate, receive

_OFFER = "\n\nv=0\n"


def call(session: Session, headers: dict[str, str | list[str]]) -> None:
    """Alice calls an application that takes INVITE requests, and it has received the call."""
    authenticate(session, "app")
    session.do(Route(verb="invite"))
    session.do(SipPeer(name="phone"))
    session.do(SipRequest(method="INVITE", headers=headers, save="invite"))
    session.do(SipExpect(status=100))
    receive(session, "app", "INVITE")
    session.set("call", session.captures["app.transaction"])


@given("Alice is calling")
def she_is_calling(session: Session) -> None:
    call(session, {})


@given("Alice is calling, and understands reliable provisional responses")
def she_understands(session: Session) -> None:
    call(session, {"Supported": "100rel"})


@given("Alice is calling, and demands reliable provisional responses")
def she_demands(session: Session) -> None:
    call(session, {"Require": "100rel"})


@when(parsers.parse('the application answers "{status:d} {reason}" reliably'))
def it_answers_reliably(session: Session, status: int, reason: str) -> None:
    sip = f"SIP/2.0 {status} {reason}\nRequire: 100rel{_OFFER}"
    session.do(Send(tokens="sip|${call}|", sip=sip))


@when(parsers.parse('the application answers "{status:d} {reason}" to the call'))
def it_answers(session: Session, status: int, reason: str) -> None:
    session.do(Send(tokens="sip|${call}|", sip=f"SIP/2.0 {status} {reason}\n\n"))


@then(parsers.parse('Alice receives a reliable "{status:d} {reason}"'))
def she_receives_it_reliably(session: Session, status: int, reason: str) -> None:
    session.do(Expect(tokens="{uuid}|response|${id}|OK|application|**", start=f"SIP/2.0 {status} {reason}"))
    session.do(
        SipExpect(
            start=f"SIP/2.0 {status} {reason}",
            headers={"RSeq": "{rseq:number}", "Require": "100rel", "Contact": "*"},
        )
    )


@then("Alice receives it again")
def she_receives_it_again(session: Session) -> None:
    session.do(SipExpect(headers={"RSeq": "${rseq}"}, retransmission=True))


@when("Alice acknowledges it with a PRACK")
def she_acknowledges(session: Session) -> None:
    session.do(SipRequest(method="PRACK", in_dialog=True, headers={"RAck": "${rseq} 1 INVITE"}))


@when(parsers.parse('the application answers "{status:d} {reason}" to it'))
def it_answers_the_prack(session: Session, status: int, reason: str) -> None:
    session.do(Respond(status=status, reason=reason))


@then(parsers.re(r"Alice's (?P<what>PRACK|call) receives \"(?P<status>\d+) (?P<reason>[^\"]+)\"$"))
def hers_receives(session: Session, what: str, status: str, reason: str) -> None:
    method = "PRACK" if what == "PRACK" else "INVITE"
    session.do(SipExpect(start=f"SIP/2.0 {status} {reason}", headers={"CSeq": f"{{number}} {method}"}))
    if method == "INVITE":
        session.do(SipAck())


@when("the application takes the call")
def it_takes_the_call(session: Session) -> None:
    session.do(Send(tokens="sip|${call}|", sip=f"SIP/2.0 200 OK{_OFFER}", save="answer"))


@when("the application refuses the call")
def it_refuses_the_call(session: Session) -> None:
    session.do(Send(tokens="sip|${call}|", sip="SIP/2.0 486 Busy Here\n\n"))


@then("Alice can still be refused")
def she_can_be_refused(session: Session) -> None:
    it_refuses_the_call(session)
    session.do(SipExpect(status=486))
    session.do(SipAck())


@then(parsers.parse('the application learns that its "{status:d} {reason}" is on the way'))
def it_learns_of_its_answer(session: Session, status: int, reason: str) -> None:
    tokens = "{uuid}|response|${answer}|OK|application|**"
    session.do(Expect(tokens=tokens, start=f"SIP/2.0 {status} {reason}"))


@then(parsers.parse('the application learns that the server has given the call up because of "{reason}"'))
def it_learns_of_the_end(session: Session, reason: str) -> None:
    session.do(
        Expect(
            tokens="{uuid}|sip|network|0|*||0|{time}|${call}|*|",
            start="~CANCEL .+",
            headers={"Reason": f'~SIP;.*text="{reason}"'},
        )
    )


@when(parsers.parse('Carol answers "{status:d} {reason}" reliably with the number {number:d}'))
def carol_answers_reliably(session: Session, status: int, reason: str, number: int) -> None:
    headers: HeaderFields = {"Require": "100rel", "RSeq": str(number)}
    session.do(SipRespond(status=status, reason=reason, headers=headers))


@when(parsers.parse("the application acknowledges the number {number:d} with a PRACK"))
def it_acknowledges(session: Session, number: int) -> None:
    rack = f"RAck: {number} ${{phone.cseq}} INVITE"
    session.do(Send(tokens="sip||${app.dialog}", sip=f"PRACK sip:placeholder SIP/2.0\n{rack}\n\n"))
    session.do(Expect(tokens="{uuid}|response|${id}|OK|application|**", start="~PRACK .+"))


@then(parsers.parse("Carol receives a PRACK request for the number {number:d}"))
def carol_receives_it(session: Session, number: int) -> None:
    session.do(SipExpect(method="PRACK", headers={"RAck": f"{number} {{number}} INVITE"}))


@when("the application sends a PRACK without a reason")
def it_sends_a_prack(session: Session) -> None:
    sip = "PRACK sip:placeholder SIP/2.0\nRAck: 1 1 INVITE\n\n"
    session.do(Send(tokens="sip||${app.dialog}", sip=sip))
