"""How applications pass calls on, and what Bob's phones do and see."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.connections import SipPeer
from drachtio_conformance.steps.expect import Expect
from drachtio_conformance.steps.send import Send
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipRespond
from features.steps.applications import receive

_PHONE = r"Bob's (?P<phone>desk|mobile) phone"
_DESK, _MOBILE = "sip:desk@${desk.address}", "sip:mobile@${mobile.address}"
_WHERE = {
    "Bob's desk phone": ("serial", (_DESK,)),
    "Bob's desk phone, then his mobile phone": ("serial", (_DESK, _MOBILE)),
    "both phones of Bob at once": ("simultaneous", (_DESK, _MOBILE)),
}
"""How the features say where a call goes: forking and destinations."""

_HOW = {
    "": ("", "", "", ""),
    ", staying in the way": ("remainInDialog", "", "", ""),
    ", wanting to hear all": ("", "fullResponse", "", ""),
    ", following redirections": ("", "", "followRedirects", ""),
    ", giving each 2 seconds": ("", "", "", "2s"),
}
"""How they say the options: remain in the dialog, full response, follow redirections, final timeout."""


@given("Bob has a desk phone and a mobile phone")
def bob_has_two_phones(session: Session) -> None:
    session.do(SipPeer(name="desk"))
    session.do(SipPeer(name="mobile"))


@when(
    parsers.re(
        rf"the application proxies the call to (?P<where>{'|'.join(sorted(_WHERE, key=len, reverse=True))})"
        rf"(?P<how>{'|'.join(_HOW)})$"
    )
)
def it_proxies(session: Session, where: str, how: str) -> None:
    receive(session, "app", "INVITE")
    forking, destinations = _WHERE[where]
    remain, full, follow, final = _HOW[how]
    _proxy(session, "|".join((remain, full, follow, forking, "", final, *destinations)))


@when(parsers.parse('the application proxies the call to "{destination}"'))
def it_proxies_to(session: Session, destination: str) -> None:
    receive(session, "app", "INVITE")
    _proxy(session, f"|||serial|||{destination}")


def _proxy(session: Session, tokens: str) -> None:
    session.do(
        Send(tokens=f"proxy|${{app.transaction}}|{tokens}", sip="INVITE sip:bob SIP/2.0\n\n", save="proxied")
    )


@then("the application is told that the call is under way")
@then("the application is told that it is over")
def it_is_told(session: Session) -> None:
    session.do(Expect(tokens="{uuid}|response|${proxied}|OK|done"))


@then(parsers.parse('the application is told that it answered "{status}"'))
def it_is_told_of_an_answer(session: Session, status: str) -> None:
    tokens = "{uuid}|response|${proxied}|OK|network|{number}|udp|*|{number}|{time}|||continue"
    session.do(Expect(tokens=tokens, start=f"SIP/2.0 {status}"))


@then(parsers.re(rf"{_PHONE} rings$"))
def a_phone_rings(session: Session, phone: str) -> None:
    session.do(SipExpect(peer=phone, method="INVITE", save=f"{phone}-invite"))


@when(parsers.re(rf'{_PHONE} answers "(?P<status>\d+) (?P<reason>[^"]+)"$'))
def a_phone_answers(session: Session, phone: str, status: str, reason: str) -> None:
    session.do(SipRespond(status=int(status), reason=reason, peer=phone, to=f"{phone}-invite"))


@when(parsers.re(rf"{_PHONE} answers the BYE$"))
def a_phone_answers_the_bye(session: Session, phone: str) -> None:
    session.do(SipRespond(status=200, peer=phone))


@when("Bob's desk phone says that he is at his mobile phone")
def the_desk_phone_redirects(session: Session) -> None:
    contact: dict[str, str | list[str]] = {"Contact": f"<{_MOBILE}>"}
    session.do(SipRespond(status=302, peer="desk", to="desk-invite", headers=contact))


@then(parsers.re(rf"{_PHONE} receives an? (?P<method>[A-Z]+) request$"))
def a_phone_receives(session: Session, phone: str, method: str) -> None:
    session.do(SipExpect(peer=phone, method=method))


@then(parsers.re(rf"{_PHONE} stops ringing$"))
def a_phone_stops_ringing(session: Session, phone: str) -> None:
    _stop_ringing(session, phone, {})


@then(parsers.re(rf'{_PHONE} stops ringing because of "(?P<reason>[^"]+)"$'))
def a_phone_stops_ringing_because(session: Session, phone: str, reason: str) -> None:
    _stop_ringing(session, phone, {"Reason": f'~SIP;.*text="{reason}"'})


def _stop_ringing(session: Session, phone: str, headers: dict[str, str | list[str]]) -> None:
    session.do(SipExpect(peer=phone, method="CANCEL", headers=headers))
    session.do(SipRespond(status=200, peer=phone))
    session.do(SipRespond(status=487, peer=phone, to=f"{phone}-invite"))
    session.do(SipExpect(peer=phone, method="ACK"))
