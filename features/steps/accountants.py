"""What an application learns that keeps accounts of calls."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.absence import ExpectNothing
from drachtio_conformance.steps.control import Route
from drachtio_conformance.steps.expect import Expect
from features.steps.applications import authenticate

ACCOUNTANT = "accountant"


@given("an accountant has asked for call detail records")
def an_accountant_has_asked(session: Session) -> None:
    authenticate(session, ACCOUNTANT)
    for kind in ("attempt", "start", "stop"):
        session.do(Route(verb=f"cdr:{kind}", app=ACCOUNTANT))


@then("the accountant learns that a call is tried")
def a_call_is_tried(session: Session) -> None:
    learn(session, "{uuid}|cdr:attempt|*|{time}", "~INVITE .+")


@then(parsers.parse('the accountant learns that the call has started, as "{role}"'))
def the_call_has_started(session: Session, role: str) -> None:
    learn(session, f"{{uuid}}|cdr:start|*|{{time}}|{role}", "~SIP/2\\.0 2.+")


@then(parsers.parse('the accountant learns that the call is over because of "{reason}"'))
def the_call_is_over(session: Session, reason: str) -> None:
    learn(session, f"{{uuid}}|cdr:stop|*|{{time}}|{reason}", "*")


@then("the accountant learns nothing more")
def nothing_more(session: Session) -> None:
    session.do(ExpectNothing(app=ACCOUNTANT, barrier=["phone", f"{ACCOUNTANT}.ping"]))


def learn(session: Session, tokens: str, start: str) -> None:
    """The next record, which is of this call: the only one that there is."""
    session.do(Expect(app=ACCOUNTANT, tokens=tokens, start=start))
