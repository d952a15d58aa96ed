"""What a web callback is asked and answers, and an application that listens for the server."""

from __future__ import annotations

import json

from pytest_bdd import given, parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.control import Authenticate, Route
from drachtio_conformance.steps.http import Callback, HttpAnswer, HttpExpect
from drachtio_conformance.steps.listening import Accepts, Listen
from drachtio_conformance.steps.send import Send
from features.steps.applications import APPLICATIONS, step_pattern


@given("a callback that the server asks")
def a_callback(session: Session) -> None:
    session.do(Callback())


@given(parsers.parse('a second application with the tag "{tag}" handles {method} requests'))
def a_tagged_application(session: Session, tag: str, method: str) -> None:
    session.do(Authenticate(app="second", tags=tag))
    session.do(Route(verb=method.lower(), app="second"))


@then(
    parsers.re(
        r'the callback is asked about an? (?P<method>[A-Z]+) request of "(?P<of>\w+)" to "(?P<to>\w+)"$'
    )
)
def it_is_asked(session: Session, method: str, of: str, to: str) -> None:
    arguments = f"method={method}&domain=[^&]+&protocol=udp&source_address=[^&]+&fromUser={of}&toUser={to}"
    session.do(HttpExpect(start=f"~GET /\\?{arguments}&uriUser={to}&contentType=[^&]*&uri=[^&]+ HTTP/1\\.1"))
    session.set("asked", "yes")


@when(parsers.parse('the callback answers that it rejects it with "{status:d} {reason}"'))
def it_rejects(session: Session, status: int, reason: str) -> None:
    _decide(session, "reject", {"status": status, "reason": reason})


@when(parsers.parse('the callback answers that it redirects it to "{uri}"'))
def it_redirects(session: Session, uri: str) -> None:
    _decide(session, "redirect", {"contact": uri})


@when("the callback answers that it goes on to Bob's desk phone")
def it_passes_on(session: Session) -> None:
    _decide(session, "proxy", {"destination": "sip:desk@${desk.address}"})


@when(parsers.parse('the callback answers that an application with the tag "{tag}" gets it'))
def it_names_a_tag(session: Session, tag: str) -> None:
    _decide(session, "route", {"tag": tag})


@when(parsers.parse('the callback answers "{text}"'))
def it_answers(session: Session, text: str) -> None:
    _answer(session, text)


def _decide(session: Session, action: str, data: dict[str, object]) -> None:
    _answer(session, json.dumps({"action": action, "data": data}))


def _answer(session: Session, body: str) -> None:
    """Answer the question that is open, and read it first if no sentence has."""
    if session.captures.get("asked") != "yes":
        session.do(HttpExpect(start="~GET /\\?method=.+"))
    session.do(HttpAnswer(body=body))
    session.set("asked", "")


@given("the application listens")
def it_listens(session: Session) -> None:
    session.do(Listen(handler=True))


@then("the server connects to the application")
def the_server_connects(session: Session) -> None:
    session.do(Accepts())


@then("the server connects to the application once more")
def the_server_connects_again(session: Session) -> None:
    session.do(Accepts(app="second"))


@when(step_pattern("WHO shows the right secret"))
def it_shows_the_secret(session: Session, who: str) -> None:
    session.do(Authenticate(app=APPLICATIONS[who]))


@when("the application shows a wrong secret")
def it_shows_another_secret(session: Session) -> None:
    session.do(Send(tokens="authenticate|not-the-secret|"))
