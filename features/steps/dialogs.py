"""What happens inside a call that stands, or rings: changes of the session, transfers, early media."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.expect import Expect, Respond
from drachtio_conformance.steps.send import Send
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipRequest, SipRespond
from drachtio_conformance.steps.terms import HeaderFields
from features.steps.applications import receive, receive_pending
from features.steps.callees import echoed

_OFFER = "v=0\n"
_SDP: HeaderFields = {"Content-Type": "application/sdp"}
_REQUESTS: dict[str, tuple[HeaderFields, str | None]] = {
    "INVITE": (_SDP, _OFFER),
    "UPDATE": (_SDP, _OFFER),
    "INFO": ({"Content-Type": "application/dtmf-relay"}, "Signal=1"),
    "REFER": ({"Refer-To": "<sip:dave@example.com>"}, None),
    "MESSAGE": ({"Content-Type": "text/plain"}, "hello"),
}
"""What a request of that method brings along inside a call."""


@when(parsers.re(r"Alice sends an? (?P<method>[A-Z]+) request in the call$"))
def she_sends(session: Session, method: str) -> None:
    headers, body = _REQUESTS.get(method, ({}, None))
    session.do(SipRequest(method=method, in_dialog=True, headers=headers, body=body, save=method.lower()))
    if method == "INVITE":
        session.do(SipExpect(status=100))


@when("Alice changes the call")
def she_changes_the_call(session: Session) -> None:
    she_sends(session, "INVITE")


@then(parsers.re(r"Alice receives an? (?P<method>(?!BYE)[A-Z]+) request$"))
def she_receives(session: Session, method: str) -> None:
    session.do(SipExpect(method=method, save=method.lower()))


@then(parsers.parse('Alice is told that the transfer is at "{text}"'))
def she_is_notified(session: Session, text: str) -> None:
    session.do(SipExpect(method="NOTIFY", headers={"Event": "refer"}, body=f"{text}\r\n"))


@when(parsers.re(r'Alice answers "(?P<status>\d+) (?P<reason>[^"]+)" to the (?P<method>[A-Z]+) request$'))
def she_answers(session: Session, status: str, reason: str, method: str) -> None:
    session.do(SipRespond(status=int(status), reason=reason, to=method.lower()))


@when('Alice notifies the application that the transfer is at "SIP/2.0 200 OK", which ends it')
def she_notifies(session: Session) -> None:
    headers: HeaderFields = {
        "Event": "refer",
        "Subscription-State": "terminated;reason=noresource",
        "Content-Type": "message/sipfrag",
    }
    session.do(SipRequest(method="NOTIFY", in_dialog=True, headers=headers, body="SIP/2.0 200 OK\n"))


@then("Alice can hang up")
def she_can_hang_up(session: Session) -> None:
    session.do(SipRequest(method="BYE", in_dialog=True))
    receive(session, "app", "BYE")
    session.do(Respond(status=200))
    session.do(SipExpect(method="BYE", status=200))


@then("the application can hang up")
def it_can_hang_up(session: Session) -> None:
    say(session, "BYE sip:placeholder SIP/2.0\n\n", "BYE")
    session.do(SipExpect(method="BYE"))
    session.do(SipRespond(status=200))
    session.do(Expect(tokens="{uuid}|sip|network|**", start="SIP/2.0 200 OK"))


@when(parsers.re(r"the application sends an? (?P<method>[A-Z]+) request in the call$"))
def it_sends(session: Session, method: str) -> None:
    headers, body = _REQUESTS.get(method, ({}, None))
    lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
    say(session, f"{method} sip:placeholder SIP/2.0\n{lines}\n{body or ''}", method)


@when("the application changes the call")
def it_changes_the_call(session: Session) -> None:
    it_sends(session, "INVITE")


@when(
    parsers.re(
        r'the application notifies Alice that the transfer is at "(?P<text>[^"]+)"(?P<last>, which ends it)?$'
    )
)
def it_notifies(session: Session, text: str, last: str | None) -> None:
    state = "terminated;reason=noresource" if last else "active;expires=60"
    head = f"Event: refer\nSubscription-State: {state}\nContent-Type: message/sipfrag\n"
    say(session, f"NOTIFY sip:placeholder SIP/2.0\n{head}\n{text}\n", "NOTIFY")


def say(session: Session, sip: str, method: str) -> None:
    """The application sends a request inside the dialog; its transaction id is what a cancelling names."""
    session.do(Send(tokens="sip||${app.dialog}", sip=sip))
    echoed(session, method)


@when("the application lets Alice hear something")
def it_lets_her_hear(session: Session) -> None:
    receive_pending(session, "app")
    session.do(Respond(status=183, reason="Session Progress", headers=_SDP, body=_OFFER))


@then('Alice receives a "183 Session Progress" that lets her hear something')
def she_hears(session: Session) -> None:
    session.do(SipExpect(status=183, skip=["100"], headers=_SDP, body="v=0\r\n"))


@when("Carol lets the application hear something")
def carol_lets_it_hear(session: Session) -> None:
    session.do(SipRespond(status=183, headers=_SDP, body=_OFFER))


@then("the application hears something")
def it_hears(session: Session) -> None:
    session.do(Expect(tokens="{uuid}|sip|network|**", start="~SIP/2.0 183 .+", body="v=0\r\n"))
