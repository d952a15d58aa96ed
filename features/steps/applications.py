"""What applications do and see."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from drachtio_conformance.engine.session import Session
from drachtio_conformance.steps.absence import ExpectClose, ExpectNothing
from drachtio_conformance.steps.connections import Close, Connect
from drachtio_conformance.steps.control import Authenticate, Ping, RemoveRoute, Route
from drachtio_conformance.steps.expect import Expect, Respond
from drachtio_conformance.steps.send import Send
from drachtio_conformance.steps.stories import Alive, CallSucceeds

APPLICATIONS = {"the application": "app", "it": "app", "the second application": "second"}
"""How the features call the applications, and their names on the stage."""

_WHO = r"(?P<who>the application|the second application|it)"


def step_pattern(text: str) -> parsers.re:
    """A sentence; WHO stands for an application."""
    return parsers.re(text.replace("WHO", _WHO) + "$")


def authenticate(session: Session, name: str) -> None:
    """Connect and authenticate the application unless it is already there."""
    if not session.has_application(name):
        session.do(Authenticate(app=name))


@given("the application has authenticated")
def the_application_has_authenticated(session: Session) -> None:
    authenticate(session, "app")


@given("a second application has authenticated")
def a_second_application_has_authenticated(session: Session) -> None:
    authenticate(session, "second")


@given("the application is connected, but has not authenticated")
def the_application_is_connected(session: Session) -> None:
    session.do(Connect(name="app"))


@given(parsers.re(r"(?P<who>the application|a second application) handles (?P<method>[A-Z]+) requests$"))
def an_application_handles(session: Session, who: str, method: str) -> None:
    name = "app" if who == "the application" else "second"
    authenticate(session, name)
    session.do(Route(verb=method.lower(), app=name))


@when("the application connects and gives the right secret")
def it_gives_the_right_secret(session: Session) -> None:
    session.do(Connect(name="app"))
    session.do(Send(tokens="authenticate|${admin.secret}|"))


@when("the application connects and gives a wrong secret")
def it_gives_a_wrong_secret(session: Session) -> None:
    session.do(Connect(name="app"))
    session.do(Send(tokens="authenticate|not-the-secret|"))


@when(parsers.parse('it authenticates again with the tags "{tags}"'))
def it_authenticates_again(session: Session, tags: str) -> None:
    session.do(Send(tokens=f"authenticate|${{admin.secret}}|{tags}"))


@when("it sends a ping")
def it_sends_a_ping(session: Session) -> None:
    session.do(Send(tokens="ping"))


@when(parsers.parse("it sends a route for {method}"))
def it_sends_a_route(session: Session, method: str) -> None:
    session.do(Send(tokens=f"route|{method.lower()}"))


@when("it sends an answer to no request")
def it_answers_nothing(session: Session) -> None:
    session.do(Send(tokens="sip|none|", sip="SIP/2.0 200 OK\n\n"))


@when(step_pattern("WHO sends something that nobody understands"))
def it_sends_nonsense(session: Session, who: str) -> None:
    session.do(Send(app=APPLICATIONS[who], tokens="gibberish"))


@when(parsers.parse("the application gives up {method} requests"))
def it_gives_up(session: Session, method: str) -> None:
    session.do(RemoveRoute(verb=method.lower()))


@when("the application disconnects")
def it_disconnects(session: Session) -> None:
    session.do(Close(of="app"))
    session.do(Alive())  # several round trips: the server has read the end of the connection


@when(parsers.re(r"WHO answers \"(?P<status>\d+) (?P<reason>[^\"]+)\"$".replace("WHO", _WHO)))
def it_answers(session: Session, who: str, status: str, reason: str) -> None:
    name = APPLICATIONS[who]
    receive_pending(session, name)
    session.do(Respond(app=name, status=int(status), reason=reason))


@when(
    parsers.re(
        r'the application answers "(?P<status>\d+) (?P<reason>[^"]+)"'
        r' with the header "(?P<header>[^:]+): (?P<value>[^"]+)"$'
    )
)
def it_answers_with_a_header(session: Session, status: str, reason: str, header: str, value: str) -> None:
    receive_pending(session, "app")
    session.do(Respond(status=int(status), reason=reason, headers={header: value}))


@when(parsers.parse('the application answers "{status:d} {reason}" once more'))
def it_answers_once_more(session: Session, status: int, reason: str) -> None:
    session.do(Send(tokens="sip|${app.transaction}|", sip=f"SIP/2.0 {status} {reason}\n\n"))


@when(parsers.parse('the second application answers "{status:d} {reason}" in its place'))
def another_answers(session: Session, status: int, reason: str) -> None:
    receive_pending(session, "app")
    session.do(Send(app="second", tokens="sip|${app.transaction}|", sip=f"SIP/2.0 {status} {reason}\n\n"))


@when(parsers.parse('the application answers with the status line "{line}"'))
def it_answers_with_a_line(session: Session, line: str) -> None:
    receive_pending(session, "app")
    session.do(Send(tokens="sip|${app.transaction}|", sip=f"{line}\n\n"))


@when(step_pattern("WHO hangs up"))
def it_hangs_up(session: Session, who: str) -> None:
    name = APPLICATIONS[who]
    session.do(Send(app=name, tokens="sip||${app.dialog}", sip="BYE sip:placeholder SIP/2.0\n\n"))
    session.do(Expect(app=name, tokens="{uuid}|response|${id}|OK|application|**", start="~BYE sip:.+"))


@then("it learns where the server takes SIP, and the server's version")
def it_learns_the_server(session: Session) -> None:
    hostports = "~(udp|tcp|tls|ws|wss)/.+:[0-9]+"
    session.do(Expect(tokens=["{uuid}", "response", "${id}", "OK", hostports, "~v[0-9]+\\..+", hostports]))


@then(step_pattern('WHO is refused because of "(?P<reason>[^"]+)"'))
def it_is_refused(session: Session, who: str, reason: str) -> None:
    session.do(Expect(app=APPLICATIONS[who], tokens=["{uuid}", "response", "${id}", "NO", f"={reason}"]))


@then(step_pattern('WHO is told "(?P<reason>[^"]+)"'))
def it_is_told(session: Session, who: str, reason: str) -> None:
    session.do(Expect(app=APPLICATIONS[who], tokens=["{uuid}", "response", "${id}", "NOK", f"={reason}"]))


@then("its connection is closed")
def it_is_closed(session: Session) -> None:
    session.do(ExpectClose(of="app"))


@then("the application's ping is answered")
def its_ping_is_answered(session: Session) -> None:
    session.do(Ping())


@then("the application receives nothing")
def it_receives_nothing(session: Session) -> None:
    barrier = ["phone", "app.ping"] if session.has_peer("phone") else None
    session.do(ExpectNothing(app="app", barrier=barrier))


@then(step_pattern(r"WHO receives (the|one) (?P<method>[A-Z]+) request"))
def it_receives_a_request(session: Session, who: str, method: str) -> None:
    receive(session, APPLICATIONS[who], method)


@then(step_pattern(r"WHO receives two (?P<method>[A-Z]+) requests"))
def it_receives_two_requests(session: Session, who: str, method: str) -> None:
    receive(session, APPLICATIONS[who], method)
    receive(session, APPLICATIONS[who], method)


@then(parsers.parse('the application reads the message "{text}"'))
def it_reads_the_message(session: Session, text: str) -> None:
    session.do(Expect(tokens="{uuid}|sip|network|**", start="~MESSAGE .+", body=text))


@then(step_pattern(r"WHO receives her answer (?P<status>\d+)"))
def it_receives_her_answer(session: Session, who: str, status: str) -> None:
    session.do(Expect(app=APPLICATIONS[who], tokens="{uuid}|sip|network|**", start=f"~SIP/2\\.0 {status} .+"))


@then(parsers.parse('the application learns that the server has hung up because of "{reason}"'))
def it_learns_of_the_bye(session: Session, reason: str) -> None:
    session.do(
        Expect(
            tokens="{uuid}|sip|application|{number}|*|*|*|{time}|unsolicited|*|",
            start="~BYE .+",
            headers={"Reason": f'~.*text="{reason}"'},
        )
    )


@then("calls to the application succeed")
def calls_succeed(session: Session) -> None:
    session.do(CallSucceeds(app="app"))


def receive(session: Session, name: str, method: str) -> None:
    """The next frame must be a request of that method; it is what the application answers next."""
    session.do(Expect(app=name, tokens="{uuid}|sip|network|**", start=f"~{method} .+"))
    session.set("pending", "")


def receive_pending(session: Session, name: str) -> None:
    """Take the request that Alice sent, if no sentence before said that the application received it."""
    method = session.captures.get("pending", "")
    if method:
        receive(session, name, method)
