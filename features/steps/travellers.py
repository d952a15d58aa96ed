"""Calls by any transport: TLS and WebSocket besides UDP and TCP, and applications that connect by TLS."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from pytest_bdd import given, parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.connections import Abort, Connect, SipPeer
from drachtio_conformance.steps.control import Authenticate, Route
from drachtio_conformance.steps.expect import Expect, Respond
from drachtio_conformance.steps.send import Send
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipAck, SipRequest
from features.steps.applications import receive
from features.steps.callers import expect_response, send_request

Spoken: TypeAlias = Literal["udp", "tcp", "tls", "ws", "wss"]
BY = {name.upper(): name for name in get_args(Spoken)}
_BY = "|".join(BY)


def open_phone(session: Session, by: str) -> None:
    """Alice has a phone that speaks this."""
    session.do(SipPeer(name="phone", transport=BY[by]))


@when(parsers.re(r"Alice calls over (?P<by>TLS|WSS?)$"))
def she_calls_by(session: Session, by: str) -> None:
    open_phone(session, by)
    send_request(session, "INVITE")


@given(parsers.re(rf"a call between Alice and the application over (?P<by>{_BY})$"))
def a_call_by(session: Session, by: str) -> None:
    she_calls_by(session, by)
    receive(session, "app", "INVITE")
    session.do(Respond(status=200))
    session.do(SipExpect(status=200, skip=["100"]))
    session.do(SipAck())
    receive(session, "app", "ACK")


@when(parsers.parse('Alice registers from a browser as "{binding}"'))
def she_registers_from_a_browser(session: Session, binding: str) -> None:
    open_phone(session, "WSS")
    session.do(SipRequest(method="REGISTER", headers={"Contact": f"<sip:{binding};transport=ws>"}))


@when("the application accepts her")
def it_accepts_her(session: Session) -> None:
    receive(session, "app", "REGISTER")
    session.do(Respond(status=200))
    expect_response(session, "200", "OK", {})


@when(parsers.parse('the application sends a MESSAGE request to "{binding}"'))
def it_sends_a_message(session: Session, binding: str) -> None:
    text = f"MESSAGE sip:{binding};transport=ws SIP/2.0\nContent-Type: text/plain\n\nhello"
    session.do(Send(tokens="sip||", sip=text))
    session.do(Expect(tokens="{uuid}|response|${id}|OK|**", start="~MESSAGE .+"))


@when(parsers.re(rf"the application sends an OPTIONS request to Alice over (?P<by>{_BY})$"))
def it_asks_alice(session: Session, by: str) -> None:
    open_phone(session, by)
    uri = f"sip:alice@${{phone.address}};transport={BY[by]}"
    session.do(Send(tokens="sip||", sip=f"OPTIONS {uri} SIP/2.0\n\n"))
    session.do(SipExpect(method="OPTIONS"))
    session.do(Expect(tokens="{uuid}|response|${id}|OK|**", start="~OPTIONS .+"))


@when("Alice's connection breaks")
def it_breaks(session: Session) -> None:
    session.do(Abort(of="phone"))


@then(parsers.re(r"the application receives the (?P<method>[A-Z]+) request, by (?P<token>\w+)$"))
def it_receives_by(session: Session, method: str, token: str) -> None:
    session.do(Expect(tokens=f"{{uuid}}|sip|network|{{number}}|{token}|**", start=f"~{method} .+", app="app"))
    session.set("pending", "")


@then(parsers.re(r'the application receives the answer "(?P<status>\d+) (?P<reason>[^"]+)"$'))
def it_receives_the_answer(session: Session, status: str, reason: str) -> None:
    session.do(Expect(tokens="{uuid}|sip|network|**", start=f"=SIP/2.0 {status} {reason}"))


@then(parsers.re(rf'Alice receives "200 OK" with a Contact that leads back over (?P<by>{_BY})$'))
def she_receives_a_way_back(session: Session, by: str) -> None:
    parameter = "" if by == "UDP" else f";transport={BY[by]}"
    scheme = "sips?" if by in ("TLS", "WSS") else "sip"
    expect_response(session, "200", "OK", {"Contact": f"~<{scheme}:${{phone.server}}{parameter}>"})


@then(parsers.re(rf"Alice receives an? (?P<method>BYE) request over (?P<by>{_BY})$"))
@then(parsers.re(rf"Alice receives the (?P<method>MESSAGE) request over (?P<by>{_BY})$"))
def she_receives_by(session: Session, method: str, by: str) -> None:
    via = f"~SIP/2.0/{by} ${{phone.server}};.*branch=.+"
    session.do(SipExpect(method=method, headers={"Via": [via]}))


@given("a second application has connected by TLS and handles INVITE requests")
def a_secure_application(session: Session) -> None:
    session.do(Connect(name="second", tls=True))
    session.do(Authenticate(app="second"))
    session.do(Route(app="second", verb=["invite"]))
