"""What Carol does and sees, whom applications call, and how they call her."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.absence import ExpectNothing
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.expect import Expect
from drachtio_conformance.steps.send import Send
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipRequest, SipRespond, SipRetransmit
from drachtio_conformance.steps.terms import HeaderFields

_OFFER = "\n\nv=0\n"


def request(session: Session, start: str, *headers: str, body: str = "\n\n") -> None:
    """The application sends a request of its own, under ids that the sentences know; its answer is not read yet."""
    fields = ("From: <sip:me@example.com>;tag=t1", "Call-ID: ${call}", *headers)
    session.do(Send(tokens="sip||", sip="\n".join((start, *fields)) + body))


def echoed(session: Session, method: str) -> None:
    """The server says what it has sent."""
    tokens = "{uuid}|response|${id}|OK|application|{number}|*|*|{number}|{time}|*|Msg sent:|"
    result = session.do(Expect(tokens=tokens, start=f"~{method} .+"))
    session.set("txn", result.actual.split("|")[10])


@given("Carol has a SIP phone")
def carol_has_a_phone(session: Session) -> None:
    session.do(SipPeer(name="phone"))
    session.set("call", "call-of-the-application")


@given("a call from the application to Carol")
def a_call_from_the_application(session: Session) -> None:
    it_calls_carol(session)
    session.do(SipExpect(method="INVITE", save="invite"))
    session.do(SipRespond(status=200))
    session.do(Expect(tokens="{uuid}|sip|network|**", start="SIP/2.0 200 OK"))
    it_acknowledges(session)
    session.do(SipExpect(method="ACK"))


@when("the application calls Carol")
def it_calls_carol(session: Session) -> None:
    request(session, "INVITE sip:carol@${phone.address} SIP/2.0", body=_OFFER)
    echoed(session, "INVITE")


@when(parsers.parse('the application calls "{uri}"'))
def it_calls(session: Session, uri: str) -> None:
    request(session, f"INVITE {uri} SIP/2.0", body=_OFFER)


@when("the application registers with Carol")
def it_registers(session: Session) -> None:
    request(session, "REGISTER sip:${phone.address} SIP/2.0", "CSeq: 1 REGISTER")
    echoed(session, "REGISTER")


@when("the application registers again, with a password")
def it_registers_again(session: Session) -> None:
    credentials = 'Authorization: Digest username="me", realm="r", nonce="n", uri="sip:x", response="0"'
    request(session, "REGISTER sip:${phone.address} SIP/2.0", "CSeq: 2 REGISTER", credentials)
    echoed(session, "REGISTER")


@when("the application acknowledges")
def it_acknowledges(session: Session) -> None:
    session.do(Send(tokens="sip||${app.dialog}", sip="ACK sip:placeholder SIP/2.0\n\n"))
    session.do(Expect(tokens="{uuid}|response|${id}|OK|application|**", start="~ACK .+"))


@when("the application cancels")
def it_cancels(session: Session) -> None:
    session.do(Send(tokens="sip|${txn}|", sip="CANCEL sip:carol@example.com SIP/2.0\n\n"))
    session.do(Expect(tokens="{uuid}|response|${id}|OK|application|**", start="~CANCEL .+"))


@when("the application cancels, which has to wait")
def it_cancels_too_early(session: Session) -> None:
    session.do(Send(tokens="sip|${txn}|", sip="CANCEL sip:carol@example.com SIP/2.0\n\n"))
    session.do(Expect(tokens="{uuid}|response|${id}|OK|application|0|**", start="~CANCEL .+"))


@when("the application cancels once more")
def it_cancels_once_more(session: Session) -> None:
    session.do(Send(tokens="sip|${txn}|", sip="CANCEL sip:carol@example.com SIP/2.0\n\n"))


@then("the application is told that there is nothing to cancel")
def nothing_to_cancel(session: Session) -> None:
    session.do(Expect(tokens="{uuid}|response|${id}|NOK|unable to cancel unknown transaction id: ${txn}"))


@when(parsers.re(r'Carol answers "(?P<status>\d+) (?P<reason>[^"]+)"$'))
def she_answers(session: Session, status: str, reason: str) -> None:
    session.do(SipRespond(status=int(status), reason=reason))


@when("Carol takes the call all the same")
def she_answers_all_the_same(session: Session) -> None:
    session.do(SipRespond(status=200, to="invite"))


@when("Carol hangs up")
def she_hangs_up(session: Session) -> None:
    session.do(SipRequest(method="BYE", in_dialog=True))
    session.set("pending", "BYE")


@when("Carol repeats her answer")
def she_repeats(session: Session) -> None:
    session.do(SipRetransmit())


@when("another phone of Carol's answers too")
def another_answers(session: Session) -> None:
    session.do(SipRespond(status=200, to="invite", headers={"To": "<sip:carol@${phone.address}>;tag=other"}))


@then(parsers.re(r"Carol receives an? (?P<method>[A-Z]+) request$"))
def she_receives(session: Session, method: str) -> None:
    session.do(SipExpect(method=method, save=method.lower()))


@then(parsers.parse('Carol receives a {method} request because of "{reason}"'))
def she_receives_because(session: Session, method: str, reason: str) -> None:
    session.do(
        SipExpect(
            method=method,
            skip=["ACK", "CANCEL"] if method == "BYE" else [],
            headers={"Reason": f'~SIP;.*text="{reason}"'},
            save=method.lower(),
        )
    )


@then("Carol receives a REGISTER request with the next number and the password")
def she_receives_the_password(session: Session) -> None:
    session.do(
        SipExpect(
            method="REGISTER",
            headers={"CSeq": "2 REGISTER", "Call-ID": "${call}", "Authorization": '~Digest username="me",.+'},
        )
    )


@then("Carol receives the ACK request again")
def she_receives_the_ack_again(session: Session) -> None:
    session.do(SipExpect(method="ACK", retransmission=True))


@then(parsers.re(r"that phone receives an? (?P<method>[A-Z]+) request$"))
def that_phone_receives(session: Session, method: str) -> None:
    session.do(SipExpect(method=method, headers={"To": "~.+;tag=other"}))


@then(parsers.parse('that phone receives a BYE request because of "{reason}"'))
def that_phone_receives_a_bye(session: Session, reason: str) -> None:
    headers: HeaderFields = {"To": "~.+;tag=other", "Reason": f'~SIP;.*text="{reason}"'}
    session.do(SipExpect(method="BYE", headers=headers, save="unwanted"))
    session.do(SipRespond(status=200, to="unwanted"))


@then("the application hears nothing of it")
def it_hears_nothing(session: Session) -> None:
    session.do(ExpectNothing(app="app", barrier=["phone", "app.ping"]))


@then("Carol's phone stops ringing")
def her_phone_stops(session: Session) -> None:
    session.do(SipRespond(status=200, to="cancel"))
    session.do(SipRespond(status=487, to="invite"))
    session.do(SipExpect(method="ACK"))


@then(parsers.re(r'Carol receives "(?P<status>\d+) (?P<reason>[^"]+)"$'))
def she_receives_a_response(session: Session, status: str, reason: str) -> None:
    session.do(SipExpect(status=int(status), start=f"SIP/2.0 {status} {reason}"))


@then(
    parsers.re(r'nothing has been sent, and the server itself answers "(?P<status>\d+) (?P<reason>[^"]+)"$')
)
def nothing_has_been_sent(session: Session, status: str, reason: str) -> None:
    unsent = "{uuid}|response|${id}|OK|application|0|unknown||0|{time}|{uuid}|Msg sent:|"
    session.do(Expect(tokens=unsent, start="~INVITE .+", within="10s"))
    the_server_answers(session, status, reason)


@then(parsers.re(r'the server itself answers "(?P<status>\d+) (?P<reason>[^"]+)"$'))
def the_server_answers(session: Session, status: str, reason: str) -> None:
    session.do(
        Expect(
            tokens="{uuid}|sip|network|0|*||0|{time}|*|${call};from-tag=t1|",
            start=f"SIP/2.0 {status} {reason}",
        )
    )
