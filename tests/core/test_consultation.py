"""A new request about which somebody is asked: while it waits, and each decision carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from reference_server.core.context import Settings
from reference_server.core.decisions import Decision, Forward, Place, Reject, ToListening, ToTagged
from reference_server.core.ports import Abandon, Application, Flow, HandlerQuestion, NoApplication
from reference_server.sip.transport import UDP
from tests.core.world import (
    UDP_ENDPOINT,
    Phone,
    World,
    sip_of,
    status_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

HERE = Place(host="127.0.0.1", port=4000)
CALLEE = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)


class Asked:
    """A handler that keeps what it was asked; ``answer`` is given at once, if there is one."""

    def __init__(self, answer: Decision | None = None) -> None:
        self._answer = answer
        self.questions: list[HandlerQuestion] = []
        self.decided: Callable[[Decision], None] | None = None
        self.abandoned = 0

    def wants(self, method: str) -> bool:
        return method != "INFO"

    def ask(self, question: HandlerQuestion, decided: Callable[[Decision], None]) -> Abandon:
        self.questions.append(question)
        self.decided = decided
        if self._answer is not None:
            decided(self._answer)
        return self._abandon

    def _abandon(self) -> None:
        self.abandoned += 1

    def decide(self, decision: Decision) -> None:
        assert self.decided is not None
        self.decided(decision)


class Listening:
    """Applications that listen, of which the test says whether they are reached."""

    def __init__(self, found: Application | NoApplication | None = None) -> None:
        self.found = found
        self.places: list[Sequence[Place]] = []
        self.reached: Callable[[Application | NoApplication], None] | None = None
        self.abandoned = 0

    def reach(
        self, places: Sequence[Place], reached: Callable[[Application | NoApplication], None]
    ) -> Abandon:
        self.places.append(places)
        self.reached = reached
        if self.found is not None:
            reached(self.found)
        return self._abandon

    def _abandon(self) -> None:
        self.abandoned += 1


def asking(world: World, answer: Decision | None = None) -> Asked:
    handler = Asked(answer)
    world.core.context.handled_by(handler, world.core.context.listening)
    return handler


def test_100_comes_first_and_the_question_tells_all(world: World) -> None:
    handler = asking(world)
    phone = Phone(world)
    assert statuses_of(phone.invite()) == [100]
    (question,) = handler.questions
    assert question.request.method == "INVITE"
    assert f";branch={phone.branch};rport=5080" in question.text
    assert question.flow is phone.flow
    assert world.core.busy
    world.network.take()
    handler.decide(Reject(status=486, reason="Busy Here"))
    assert [text.partition("\r\n")[0] for text in world.network.take()] == ["SIP/2.0 486 Busy Here"]
    phone.send("ACK", same=True)
    assert handler.abandoned == 0


@pytest.mark.parametrize("method", ["MESSAGE", "OPTIONS", "REGISTER"])
def test_other_requests_wait_without_100(world: World, method: str) -> None:
    handler = asking(world)
    assert Phone(world).send(method) == []
    handler.decide(Reject(status=302, reason="", contacts=("<sip:a@b>", "<sip:c@d>")))
    (response,) = world.network.take()
    assert response.startswith("SIP/2.0 302 \r\n")
    assert "\r\nContact: <sip:a@b>\r\nContact: <sip:c@d>\r\n" in response


def test_who_is_not_asked_is_offered(world: World) -> None:
    handler = asking(world)
    application = world.application("info", "invite")
    Phone(world).send("INFO")
    assert handler.questions == []
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")


def test_a_cancel_ends_it_and_gives_the_question_up(world: World) -> None:
    handler = asking(world)
    phone = Phone(world)
    phone.invite()
    assert statuses_of(phone.send("CANCEL", same=True)) == [200, 487]
    phone.send("ACK", same=True)
    assert handler.abandoned == 1


@pytest.mark.parametrize(("method", "seconds"), [("INVITE", 64.0), ("OPTIONS", 31.0)])
def test_no_patience_is_without_end(world: World, method: str, seconds: float) -> None:
    handler = asking(world)
    phone = Phone(world)
    if method == "INVITE":
        phone.invite()
    else:
        phone.send(method)
    world.network.take()
    world.advance(seconds - 2)
    assert world.network.take() == []
    world.advance(2.5)
    assert statuses_of(world.network.take())[:1] == [504]
    phone.send("ACK", same=True)
    assert handler.abandoned == 1


def test_a_proxied_request(world: World) -> None:
    handler = asking(world)
    world.network.routes["sip:c@127.0.0.1:5090"] = CALLEE
    phone = Phone(world)
    phone.invite()
    world.network.take()
    handler.decide(Forward(destinations=("sip:c@127.0.0.1:5090",), provisional_timeout=5.0))
    (_, flow, sent) = world.network.sent[-1]
    assert flow is CALLEE
    assert sent.startswith("INVITE ")
    world.network.take()
    world.advance(5)
    assert statuses_of([text for text in world.network.take() if text.startswith("SIP/2.0 ")]) == [408]
    phone.send("ACK", same=True)


def test_a_proxied_request_without_a_way(world: World) -> None:
    asking(world, Forward(destinations=("garbage",)))
    phone = Phone(world)
    assert statuses_of(phone.invite()) == [100, 500]
    phone.send("ACK", same=True)


def test_the_next_of_those_with_the_tag(world: World) -> None:
    asking(world, ToTagged(tag="blue"))
    red = world.application("message", tags="red")
    blues = [world.application("message", tags="blue,green") for _ in range(2)]
    for _ in range(2):
        Phone(world, f"call{len(world.network.sent)}").send("MESSAGE")
        world.network.sent.append((0.0, CALLEE, ""))  # so that each call has another name
    assert red.take() == []
    for blue in blues:
        blue.answer(transaction_id_of(blue.take_one()), "SIP/2.0 200 OK\r\n\r\n")


def test_nobody_with_the_tag_has_routed_the_method(world: World) -> None:
    asking(world, ToTagged(tag="blue"))
    world.application("message", tags="blue")
    world.application("invite", tags="red")
    phone = Phone(world)
    trying, final = phone.invite()
    assert status_of(trying) == 100
    assert final.startswith("SIP/2.0 480 Temporarily Unavailable\r\n")
    phone.send("ACK", same=True)


def test_an_application_that_is_reached_gets_every_token(world: World) -> None:
    application = world.application()
    world.core.context.listening = listening = Listening(application)
    asking(world, ToListening(places=(HERE,)))
    phone = Phone(world)
    phone.invite()
    assert listening.places == [(HERE,)]
    payload = application.take_one()
    tokens = tokens_of(payload)
    assert tokens[1:7] == ["sip", "network", tokens[3], "udp", "127.0.0.1", "5080"]
    assert tokens[9:] == ["", "127.0.0.1", "5060", ""]
    assert sip_of(payload).startswith("INVITE ")
    echo = application.answer(transaction_id_of(payload), "SIP/2.0 486 \r\n\r\n")
    assert "|OK|" in echo
    phone.send("ACK", same=True)


@pytest.mark.parametrize(
    ("why", "line"),
    [
        (NoApplication.UNREACHABLE, "SIP/2.0 480 Temporarily Unavailable"),
        (NoApplication.NOT_AUTHENTICATED, "SIP/2.0 480 Temporarily Unavailable"),
        (NoApplication.NAME_UNKNOWN, "SIP/2.0 500 Server Internal Error"),
    ],
)
def test_an_application_that_is_not_reached(world: World, why: NoApplication, line: str) -> None:
    world.core.context.listening = Listening(why)
    asking(world, ToListening(places=(HERE,)))
    (sent,) = Phone(world).send("OPTIONS")
    assert sent.partition("\r\n")[0] == line


def test_a_cancel_while_an_application_is_sought(world: World) -> None:
    world.core.context.listening = listening = Listening()
    handler = asking(world, ToListening(places=(HERE,)))
    phone = Phone(world)
    phone.invite()
    assert statuses_of(phone.send("CANCEL", same=True)) == [200, 487]
    phone.send("ACK", same=True)
    assert (listening.abandoned, handler.abandoned) == (1, 0)


def test_an_application_that_leaves_without_an_answer(world: World) -> None:
    application = world.application()
    world.core.context.listening = Listening(application)
    asking(world, ToListening(places=(HERE,)))
    phone = Phone(world)
    phone.invite()
    world.network.take()
    application.take()
    application.leave()
    assert statuses_of(world.network.take()) == [480]
    phone.send("ACK", same=True)


def test_a_call_that_is_disposed_of_has_its_records() -> None:
    world = World(Settings(call_records=True))
    watcher = world.application("cdr:attempt", "cdr:stop", "cdr:start")
    handler = asking(world)
    phone = Phone(world)
    phone.invite()
    assert [tokens_of(one)[1] for one in watcher.take()] == ["cdr:attempt"]
    handler.decide(Reject(status=486, reason="Busy Here"))
    phone.send("ACK", same=True)
    (stop,) = watcher.take()
    assert tokens_of(stop)[1] == "cdr:stop"
    assert "call-rejected" in tokens_of(stop)
    world.check_empty()


def test_a_call_that_is_proxied_has_the_records_of_both_sides() -> None:
    world = World(Settings(call_records=True))
    watcher = world.application("cdr:attempt", "cdr:stop", "cdr:start")
    handler = asking(world)
    world.network.routes["sip:c@127.0.0.1:5090"] = CALLEE
    phone = Phone(world)
    phone.invite()
    handler.decide(Forward(destinations=("sip:c@127.0.0.1:5090",)))
    copy = world.network.sent[-1][2]
    callee = Phone(world, "callee", CALLEE)
    callee.respond(copy, 486)
    phone.send("ACK", same=True)
    records = [tokens_of(one)[1:3] for one in watcher.take()]
    assert records == [
        ["cdr:attempt", "network"],
        ["cdr:attempt", "application"],
        ["cdr:stop", "network"],
        ["cdr:stop", "application"],
    ]
    world.check_empty()


def test_who_is_engaged_is_known(world: World) -> None:
    applications = [world.application() for _ in range(3)]
    handler = asking(world)
    phone = Phone(world)
    for number, application in enumerate(applications[:2]):
        world.core.context.listening = Listening(application)
        Phone(world, f"call{number}").send("OPTIONS")
        handler.decide(ToListening(places=(HERE,)))
    assert world.core.engaged() == set(applications[:2])
    for application in applications[:2]:
        application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    assert world.core.engaged() == set()
    phone.send("OPTIONS")
    assert world.core.engaged() == set()
    handler.decide(Reject(status=404, reason=""))
