"""What Alice, who has a SIP phone, does and sees; and the passing of time."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.absence import SipNothing
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.expect import Respond
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import (
    SipAck,
    SipCancel,
    SipRequest,
    SipRespond,
    SipRetransmit,
    SipSend,
)
from drachtio_conformance.steps.stories import Advance
from drachtio_conformance.steps.terms import HeaderFields
from features.steps.applications import receive

_CONTENT: dict[str, tuple[dict[str, str | list[str]], str | None]] = {
    "MESSAGE": ({"Content-Type": "text/plain;charset=utf-8"}, "hello"),
    "INFO": ({"Content-Type": "application/dtmf-relay"}, "Signal=1"),
    "NOTIFY": ({"Event": "presence", "Subscription-State": "active"}, None),
    "SUBSCRIBE": ({"Event": "presence", "Expires": "0"}, None),
    "PUBLISH": ({"Event": "presence"}, None),
}
"""What a request of that method needs besides what every request has: headers and a body."""


def send_request(session: Session, method: str, transport: str = "udp", body: str | None = None) -> None:
    """Alice sends a request that begins something new; the application has not received it yet."""
    if not session.has_peer("phone"):
        session.do(SipPeer(name="phone", transport="tcp" if transport == "tcp" else "udp"))
    headers, default = _CONTENT.get(method, ({}, None))
    session.do(SipRequest(method=method, headers=headers, body=default if body is None else body))
    session.set("pending", method)


@given("a call between Alice and the application")
def a_call(session: Session) -> None:
    send_request(session, "INVITE")
    receive(session, "app", "INVITE")
    session.do(Respond(status=200))
    session.do(SipExpect(status=200, skip=["100"]))
    session.do(SipAck())
    receive(session, "app", "ACK")


@when(parsers.re(r"Alice sends an? (?P<method>[A-Z]+) request$"))
def she_sends_a_request(session: Session, method: str) -> None:
    send_request(session, method)


@when(parsers.re(r"Alice sends an? (?P<method>[A-Z]+) request over (?P<transport>UDP|TCP)$"))
def she_sends_a_request_over(session: Session, method: str, transport: str) -> None:
    send_request(session, method, transport.lower())


@when(parsers.parse("Alice sends two {method} requests"))
def she_sends_two_requests(session: Session, method: str) -> None:
    send_request(session, method)
    send_request(session, method)


@when(parsers.parse('Alice sends the message "{text}"'))
def she_sends_a_message(session: Session, text: str) -> None:
    send_request(session, "MESSAGE", body=text)


@when("Alice calls")
def she_calls(session: Session) -> None:
    send_request(session, "INVITE")


@when(parsers.re(r"Alice calls over (?P<transport>UDP|TCP)$"))
def she_calls_over(session: Session, transport: str) -> None:
    send_request(session, "INVITE", transport.lower())


@when("Alice's request is repeated by the network")
def her_request_is_repeated(session: Session) -> None:
    session.do(SipRetransmit())


@when("Alice hangs up a call that never was")
def she_hangs_up_nothing(session: Session) -> None:
    session.do(SipPeer())
    session.do(SipRequest(method="BYE", headers={"To": "<sip:bob@${phone.server}>;tag=none"}))


@when("Alice sends noise")
def she_sends_noise(session: Session) -> None:
    session.do(SipPeer())
    session.do(SipSend(text="this is no SIP\r\n\r\n"))
    session.do(SipSend(hex="00 01 02 ff fe"))


@when("Alice acknowledges")
@then("Alice acknowledges")
def she_acknowledges(session: Session) -> None:
    session.do(SipAck())


@when("Alice cancels")
def she_cancels(session: Session) -> None:
    session.do(SipCancel())


@when("Alice hangs up")
def she_hangs_up(session: Session) -> None:
    session.do(SipRequest(method="BYE", in_dialog=True))
    session.set("pending", "BYE")


@when(parsers.parse("Alice answers {status:d}"))
def she_answers(session: Session, status: int) -> None:
    session.do(SipRespond(status=status))


@when(parsers.parse("{count:d} seconds pass"))
def seconds_pass(session: Session, count: int) -> None:
    session.do(Advance(duration=f"{count}s"))


@when(parsers.parse("{count:d} minutes pass"))
def minutes_pass(session: Session, count: int) -> None:
    session.do(Advance(duration=f"{60 * count}s"))


@then(parsers.re(r'Alice receives "(?P<status>\d+) (?P<reason>[^"]+)"$'))
def she_receives(session: Session, status: str, reason: str) -> None:
    expect_response(session, status, reason, {})


@then(
    parsers.re(
        r'Alice receives "(?P<status>\d+) (?P<reason>[^"]+)" with the header "(?P<header>[^:]+): (?P<value>[^"]+)"$'
    )
)
def she_receives_with_a_header(session: Session, status: str, reason: str, header: str, value: str) -> None:
    expect_response(session, status, reason, {header: value})


@then(
    parsers.re(r'Alice receives "(?P<status>\d+) (?P<reason>[^"]+)" with a Contact at the server\'s address$')
)
def she_receives_a_contact(session: Session, status: str, reason: str) -> None:
    expect_response(session, status, reason, {"Contact": "<sip:me@${phone.server}>"})


@then(parsers.re(r'her CANCEL receives "(?P<status>\d+) (?P<reason>[^"]+)"$'))
def her_cancel_receives(session: Session, status: str, reason: str) -> None:
    session.do(
        SipExpect(
            status=int(status), method="CANCEL", start=f"SIP/2.0 {status} {reason}", skip=["100", "200"]
        )
    )


@then("Alice receives a BYE request")
def she_receives_a_bye(session: Session) -> None:
    session.do(SipExpect(method="BYE", skip=["100", "200", "481"]))


@then(parsers.parse('Alice receives a BYE request because of "{reason}"'))
def she_receives_a_bye_because(session: Session, reason: str) -> None:
    session.do(SipExpect(method="BYE", skip=["100", "200"], headers={"Reason": f'~SIP;.*text="{reason}"'}))


@then("Alice receives nothing")
def she_receives_nothing(session: Session) -> None:
    session.do(SipNothing(peer="phone"))


def expect_response(session: Session, status: str, reason: str, headers: dict[str, str]) -> None:
    """The next response, 100 Trying and the answer to a CANCEL passed over."""
    skip = [code for code in ("100", "200", "180") if code != status]
    wanted: HeaderFields = dict(headers)
    session.do(SipExpect(status=int(status), start=f"SIP/2.0 {status} {reason}", skip=skip, headers=wanted))
