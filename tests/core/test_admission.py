"""What is refused before anybody behind the core hears of it: faulty requests, and merged ones (RFC 3261 §8.2.2.2)."""

from __future__ import annotations

import pytest

from reference_server.core.admission import is_new, is_sound
from reference_server.core.server_request import ServerRequest
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.messages.via import parse_top_via, transaction_key
from tests.core.world import BY_UDP, Phone, World, statuses_of


def arrived(world: World, text: str) -> ServerRequest:
    """The request as ``receive`` makes it."""
    request = parse_message(text)
    assert isinstance(request, Request)
    via = parse_top_via(request.first["via"])
    assert via is not None
    key = transaction_key(request, via, request.method)
    return ServerRequest(world.core.pending, request, via, key, BY_UDP)


def test_a_sound_request_may_come_in_and_hears_nothing_yet(world: World) -> None:
    incoming = arrived(world, Phone(world).text("OPTIONS"))
    assert is_sound(incoming)
    assert world.network.take() == []
    incoming.reject(480)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("CSeq: 1 OPTIONS", "CSeq: 1 INFO", 400),
        ("Call-ID: call1@127.0.0.1", "X: y", 400),
        ("SIP/2.0\r\nVia", "SIP/3.0\r\nVia", 505),
    ],
)
def test_a_faulty_one_hears_why(world: World, old: str, new: str, status: int) -> None:
    text = Phone(world).text("OPTIONS")
    assert old in text
    assert not is_sound(arrived(world, text.replace(old, new, 1)))
    (sent,) = world.network.take()
    assert statuses_of([sent]) == [status]


@pytest.mark.parametrize(("method", "statuses"), [("OPTIONS", [482]), ("INVITE", [100, 482])])
def test_the_same_by_another_way_is_merged(world: World, method: str, statuses: list[int]) -> None:
    phone = Phone(world)
    text = phone.text(method)
    first = arrived(world, text)
    assert is_new(world.core.transactions, first, call_is_up=False)
    second = arrived(world, text.replace(phone.branch, "z9hG4bKother"))
    assert not is_new(world.core.transactions, second, call_is_up=False)
    assert statuses_of(world.network.take()) == statuses
    first.reject(480)
    world.advance(64)


def test_another_request_of_the_same_caller_is_new(world: World) -> None:
    phone = Phone(world)
    both = [arrived(world, phone.text("OPTIONS")) for _ in range(2)]
    assert [is_new(world.core.transactions, one, call_is_up=False) for one in both] == [True, True]
    for one in both:
        one.reject(480)


def test_nothing_of_either_reaches_an_application(world: World) -> None:
    application = world.application("options")
    phone = Phone(world)
    world.receive(phone.text("OPTIONS").replace("CSeq: 1 OPTIONS", "CSeq: 1 INFO"))
    assert application.take() == []
