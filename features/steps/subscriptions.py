"""Subscriptions and registrations: who asks whom, and who tells whom."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.expect import Expect
from drachtio_conformance.steps.send import Send
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipRequest, SipRespond, SipSend
from drachtio_conformance.steps.terms import HeaderFields
from features.steps.callees import echoed

_ALICES = "${phone.call_id};from-tag=${phone.from_tag}"
_APPLICATIONS = "${call};from-tag=t1"
_PASSWORD = 'Digest username="alice", realm="r", nonce="n", uri="sip:x", response="0"'


@when(parsers.parse("Alice subscribes for {seconds:d} seconds"))
def she_subscribes(session: Session, seconds: int) -> None:
    session.do(SipPeer(name="phone"))
    headers: HeaderFields = {"Event": "presence", "Expires": str(seconds)}
    session.do(SipRequest(method="SUBSCRIBE", headers=headers))
    session.set("pending", "SUBSCRIBE")


@when(parsers.parse("Alice subscribes for another {seconds:d} seconds"))
def she_subscribes_again(session: Session, seconds: int) -> None:
    headers: HeaderFields = {"Event": "presence", "Expires": str(seconds)}
    session.do(SipRequest(method="SUBSCRIBE", in_dialog=True, headers=headers))
    session.set("pending", "SUBSCRIBE")


@when(parsers.parse('the application notifies that it is "{state}"'))
def it_notifies(session: Session, state: str) -> None:
    _notify(session, state)
    session.do(Expect(tokens="{uuid}|response|${id}|OK|application|**", start="~NOTIFY .+"))


@then(parsers.parse('Alice receives a NOTIFY request that says "{state}"'))
def she_is_notified(session: Session, state: str) -> None:
    session.do(SipExpect(method="NOTIFY", headers={"Subscription-State": state}, save="notify"))
    session.do(SipRespond(status=200, to="notify"))
    session.do(Expect(tokens="{uuid}|sip|network|**", start="SIP/2.0 200 OK"))


@then("the application cannot notify any more")
def it_cannot_notify(session: Session) -> None:
    _notify(session, "active")
    reason = "Server error: unable to find dialog for dialog id provided"
    session.do(Expect(tokens=f"{{uuid}}|response|${{id}}|NOK|{reason}"))


def _notify(session: Session, state: str) -> None:
    text = f"NOTIFY sip:placeholder SIP/2.0\nEvent: presence\nSubscription-State: {state}\n\n"
    session.do(Send(tokens=f"sip||{_ALICES}", sip=text))


@when(parsers.parse("the application subscribes for {seconds:d} seconds"))
def it_subscribes(session: Session, seconds: int) -> None:
    fields = f"From: <sip:me@example.com>;tag=t1\nCall-ID: ${{call}}\nEvent: presence\nExpires: {seconds}\n\n"
    session.do(Send(tokens="sip||", sip=f"SUBSCRIBE sip:carol@${{phone.address}} SIP/2.0\n{fields}"))
    echoed(session, "SUBSCRIBE")


@when("the application ends its subscription")
def it_unsubscribes(session: Session) -> None:
    text = "SUBSCRIBE sip:placeholder SIP/2.0\nEvent: presence\nExpires: 0\n\n"
    session.do(Send(tokens=f"sip||{_APPLICATIONS}", sip=text))
    echoed(session, "SUBSCRIBE")


@when("Carol accepts the subscription")
def she_accepts(session: Session) -> None:
    headers: HeaderFields = {"To": "<sip:carol@${phone.address}>;tag=c4r0l", "Expires": "60"}
    session.do(SipRespond(status=202, to="subscribe", headers=headers))


@when(parsers.parse('Carol notifies that it is "{state}"'))
def she_notifies(session: Session, state: str) -> None:
    number = int(session.captures.get("notifies", "0")) + 1
    session.set("notifies", str(number))
    fields = (
        "NOTIFY sip:${phone.server} SIP/2.0",
        "Via: SIP/2.0/UDP ${phone.address};branch=${new.branch}",
        "Max-Forwards: 70",
        "From: <sip:carol@${phone.address}>;tag=c4r0l",
        "To: <sip:me@example.com>;tag=t1",
        "Call-ID: ${call}",
        f"CSeq: {number} NOTIFY",
        "Contact: <sip:carol@${phone.address}>",
        "Event: presence",
        f"Subscription-State: {state}",
        "Content-Length: 0",
    )
    session.do(SipSend(sip="\n".join(fields) + "\n\n"))


@when("Alice registers")
def she_registers(session: Session) -> None:
    _register(session, {"Contact": "<sip:alice@${phone.address}>;expires=60"})
    session.set("pending", "REGISTER")


@when("Alice registers with her password")
def she_registers_with_her_password(session: Session) -> None:
    _register(session, {"Contact": "<sip:alice@${phone.address}>;expires=60", "Authorization": _PASSWORD})


@when("Alice removes all her registrations")
def she_goes(session: Session) -> None:
    _register(session, {"Contact": "*", "Expires": "0"})


@when(parsers.parse('Alice registers "{contact}" for {seconds:d} seconds'))
def she_registers_oddly(session: Session, contact: str, seconds: int) -> None:
    _register(session, {"Contact": contact, "Expires": str(seconds)})


def _register(session: Session, headers: HeaderFields) -> None:
    if not session.has_peer("phone"):
        session.do(SipPeer(name="phone"))
    session.do(SipRequest(method="REGISTER", headers=headers))
