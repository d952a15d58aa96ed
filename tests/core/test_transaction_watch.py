"""Who watches transactions hears of each step, in order; who does not, costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reference_server.core.ports import Step
from reference_server.core.transaction_watch import TransactionWatch
from tests.core.world import BY_TCP, BY_UDP, Phone, World


class Watcher:
    def __init__(self) -> None:
        self.steps: list[tuple[Step, str]] = []

    def transaction(self, step: Step, key: str, about: str) -> None:
        assert key
        self.steps.append((step, about))


@contextmanager
def watched(world: World) -> Iterator[Watcher]:
    watcher = Watcher()
    world.core.context.transaction_taps.append(watcher)
    yield watcher
    world.core.context.transaction_taps.remove(watcher)


BOB = "sip:bob@127.0.0.1:5080"


@pytest.fixture
def watcher(world: World) -> Iterator[Watcher]:
    with watched(world) as told:
        yield told


def test_a_refused_invite_from_its_beginning_to_its_end(world: World, watcher: Watcher) -> None:
    phone = Phone(world)
    phone.learn(phone.invite()[-1])  # nobody wants it
    world.receive(phone.text("INVITE", same=True))
    world.advance(0.5)
    phone.send("ACK", same=True)
    world.advance(5)
    request = "INVITE sip:bob@127.0.0.1:5060 SIP/2.0"
    assert watcher.steps == [
        (Step.BEGAN, request),
        (Step.SENT, "SIP/2.0 100 Trying"),
        (Step.SENT, "SIP/2.0 503 Service Unavailable"),
        (Step.CAME_AGAIN, ""),
        (Step.SENT_AGAIN, "SIP/2.0 503 Service Unavailable"),
        (Step.SENT_AGAIN, "SIP/2.0 503 Service Unavailable"),
        (Step.ACKNOWLEDGED, ""),
        (Step.OVER, ""),
    ]


def request_of_an_application(world: World, method: str) -> str:
    world.network.routes[BOB] = BY_UDP
    world.application().say(f"sip||\r\n{method} {BOB} SIP/2.0\r\n\r\n")
    (sent,) = world.network.take()
    return sent


def test_an_own_request_that_is_answered_late(world: World, watcher: Watcher) -> None:
    sent = request_of_an_application(world, "OPTIONS")
    world.advance(1)
    Phone(world).respond(sent)
    world.advance(5)
    request = f"OPTIONS {BOB} SIP/2.0"
    assert watcher.steps == [
        (Step.BEGAN, request),
        (Step.SENT_AGAIN, request),
        (Step.RECEIVED, "SIP/2.0 200 Whatever"),
        (Step.OVER, ""),
    ]


def test_an_own_request_that_nobody_answers(world: World, watcher: Watcher) -> None:
    request_of_an_application(world, "OPTIONS")
    world.advance(32)
    assert watcher.steps[-2:] == [(Step.UNANSWERED, ""), (Step.OVER, "")]


def test_a_failed_invite_is_acknowledged(world: World, watcher: Watcher) -> None:
    sent = request_of_an_application(world, "INVITE")
    Phone(world).respond(sent, 486)
    assert [step for step in watcher.steps if step[0] is Step.SENT] == [(Step.SENT, f"ACK {BOB} SIP/2.0")]
    world.advance(32)
    assert watcher.steps[-1] == (Step.OVER, "")
    assert Step.UNANSWERED not in [step for step, _ in watcher.steps]


def test_a_transport_that_fails_is_told_once(world: World, watcher: Watcher) -> None:
    world.core.undelivered(request_of_an_application(world, "OPTIONS"))
    assert watcher.steps[1:] == [
        (Step.TRANSPORT_FAILED, "the datagram did not arrive"),
        (Step.OVER, ""),
    ]


def test_a_connection_that_is_lost(world: World, watcher: Watcher) -> None:
    world.network.routes[BOB] = BY_TCP
    world.application().say(f"sip||\r\nOPTIONS {BOB} SIP/2.0\r\n\r\n")
    world.core.connection_lost(BY_TCP)
    assert (Step.TRANSPORT_FAILED, "the connection is lost") in watcher.steps


def test_a_merged_request(world: World, watcher: Watcher) -> None:
    application = world.application("options")
    phone = Phone(world)
    phone.send("OPTIONS")
    world.receive(phone.text("OPTIONS", cseq=phone.cseq))
    assert (Step.MERGED, "OPTIONS sip:bob@127.0.0.1:5060 SIP/2.0") in watcher.steps
    assert len(application.payloads) == 1
    world.advance(64)


def test_who_comes_later_hears_of_what_goes_on_but_not_how_it_ends_unanswered(world: World) -> None:
    request_of_an_application(world, "OPTIONS")
    with watched(world) as late:
        world.advance(32)
    assert late.steps == [(Step.OVER, "")]


def test_nothing_is_kept_of_what_is_over(world: World, watcher: Watcher) -> None:
    request_of_an_application(world, "OPTIONS")
    request_of_an_application(world, "INVITE")
    world.advance(64)
    watch = world.core.transactions._watch
    assert isinstance(watch, TransactionWatch)
    assert not watch._unanswered


def test_without_anybody_nothing_is_wrapped(world: World) -> None:
    send = world.core.transactions.sender(BY_UDP)
    watch = world.core.transactions._watch
    assert watch.sending("key", send) is not send
    request_of_an_application(world, "OPTIONS")
    (transaction,) = world.core.transactions._client.values()
    assert transaction._send is send
