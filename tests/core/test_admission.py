"""What is refused before anybody behind the core hears of it: faulty requests, and merged ones (RFC 3261 §8.2.2.2)."""

from __future__ import annotations

import pytest
from msgspec import structs

from reference_server.core.admission import is_new
from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.core.screening import Screening, SpamAction, SpamRule
from reference_server.core.server_request import ServerRequest, begin_request
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.messages.via import parse_top_via, transaction_key
from reference_server.sip.transport import UDP
from tests.core.world import BY_TCP, BY_UDP, Call, Phone, World, statuses_of, transaction_id_of


def arrived(world: World, text: str) -> ServerRequest:
    """The request as ``receive`` makes it."""
    request = parse_message(text)
    assert isinstance(request, Request)
    via = parse_top_via(request.first["via"])
    assert via is not None
    key = transaction_key(request, via, request.method)
    return begin_request(world.core.pending, request, via, key, BY_UDP)


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


# Screening that is configured.

SPAM = Screening(spam=(SpamRule("user-agent", ("sipcli",)),))
SIPCLI = "User-Agent: sipcli/1.8"


def screened(screening: Screening) -> World:
    return World(Settings(screening=screening))


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "REGISTER", "MESSAGE", "BYE", "CANCEL"])
@pytest.mark.parametrize("flow", [BY_UDP, BY_TCP], ids=["udp", "tcp"])
def test_a_spammer_is_declined_and_no_application_hears_of_it(method: str, flow: Flow) -> None:
    world = screened(SPAM)
    application = world.application(method.lower())
    assert statuses_of(Phone(world, flow=flow).send(method, SIPCLI)) == [603]
    assert application.take() == []
    assert [name for name, _ in world.tap.events] == ["spam"]
    world.check_empty()


def test_an_ack_of_a_spammer_is_dropped(world: World) -> None:
    world = screened(SPAM)
    world.network.routes["sip:127.0.0.1:5099;lr"] = BY_UDP
    assert Phone(world).send("ACK", SIPCLI, "Route: <sip:127.0.0.1:5060;lr>, <sip:127.0.0.1:5099;lr>") == []
    world.check_empty()


@pytest.mark.parametrize(
    ("by_udp", "by_tcp"), [(SpamAction.DISCARD, SpamAction.REJECT), (SpamAction.REJECT, SpamAction.DISCARD)]
)
def test_udp_and_connections_have_their_own_action(by_udp: SpamAction, by_tcp: SpamAction) -> None:
    world = screened(structs.replace(SPAM, action=by_udp, action_on_connections=by_tcp))
    for flow, action in ((BY_UDP, by_udp), (BY_TCP, by_tcp)):
        sent = Phone(world, action.value, flow).send("OPTIONS", SIPCLI)
        assert statuses_of(sent) == ([603] if action is SpamAction.REJECT else [])
    world.check_empty()


def test_who_is_discarded_leaves_no_trace() -> None:
    world = screened(structs.replace(SPAM, action=SpamAction.DISCARD))
    phone = Phone(world)
    text = phone.text("OPTIONS", SIPCLI)
    for spoilt in (text, text.replace("Call-ID", "X-Call"), text, text.replace("OPTIONS", "CANCEL")):
        assert world.receive(spoilt) == []
    occupancy = world.core.occupancy()
    assert occupancy == dict.fromkeys(occupancy, 0)


def test_who_became_a_spammer_in_a_call_may_end_it() -> None:
    world = World()
    application = world.application("invite")
    call = Call(world, application).establish()
    ringing = Phone(world, "call2")
    assert statuses_of(ringing.invite()) == [100]
    application.take()
    world.core.apply(Settings(screening=SPAM))
    assert statuses_of(ringing.send("CANCEL", SIPCLI, same=True)) == [200, 487]
    call.phone.send("BYE", SIPCLI)
    (bye,) = [text for text in application.take() if "BYE sip:" in text]
    application.answer(transaction_id_of(bye), "SIP/2.0 200 OK\r\n\r\n")
    assert statuses_of(world.network.take())[-1] == 200


def test_a_blacklisted_address_is_not_heard() -> None:
    world = World()
    application = world.application("options")
    world.core.blacklist(frozenset({"127.0.0.1"}))
    assert Phone(world).send("OPTIONS") == []
    assert world.tap.sips == []
    assert world.tap.events == [("blacklisted", {"source": "udp/127.0.0.1:5080"})]
    elsewhere = Flow(UDP, "127.0.0.2", 5080, BY_UDP.local)
    world.receive(Phone(world, "call2").text("OPTIONS"), elsewhere)
    assert len(application.take()) == 1
    world.core.blacklist(frozenset())
    Phone(world, "call3").send("OPTIONS")
    assert len(application.take()) == 1


def test_a_registration_at_an_address_is_forbidden() -> None:
    world = screened(Screening(reject_register_without_realm=True))
    application = world.application("register")
    phone = Phone(world)
    text = phone.text("REGISTER")
    assert statuses_of(world.receive(text.replace("sip:bob@127.0.0.1:5060 ", "sip:127.0.0.1 ", 1))) == [403]
    assert application.take() == []
    text = phone.text("REGISTER").replace("sip:bob@127.0.0.1:5060 ", "sip:example.com ", 1)
    assert world.receive(text) == []
    assert len(application.take()) == 1


def test_a_monitor_is_answered_without_an_application() -> None:
    world = screened(Screening(answered_user_agent="monitor/1"))
    assert statuses_of(Phone(world).send("OPTIONS", "User-Agent: monitor/1")) == [200]
    assert statuses_of(Phone(world, "call2").send("OPTIONS", "User-Agent: other")) == [503]
    world.check_empty()


def test_a_caller_hears_it_ring_before_the_application_says_anything() -> None:
    world = screened(Screening(always_ringing=True))
    phone = Phone(world)
    assert statuses_of(phone.invite()) == [100, 503]  # nobody is there whom it could ring for
    application = world.application("invite")
    phone = Phone(world, "call2")
    _, ringing = phone.invite()
    assert statuses_of([ringing]) == [180]
    assert "Contact" not in ringing
    tag = phone.learn(ringing).to_tag
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 486 Busy Here\r\n\r\n")
    (refused,) = world.network.take()[-1:]
    assert phone.learn(refused).to_tag == tag
    phone.send("ACK", same=True)


def test_it_does_not_ring_for_who_demands_reliable_responses() -> None:
    world = screened(Screening(always_ringing=True))
    world.application("invite")
    assert statuses_of(Phone(world).invite("Require: 100rel")) == [100]


def test_behind_a_closed_door_nothing_begins_and_calls_go_on() -> None:
    world = World()
    application = world.application("invite", "options")
    call = Call(world, application).establish()
    world.core.close_door()
    assert statuses_of(Phone(world, "call2").invite()) == [503]
    assert statuses_of(Phone(world, "call3").send("OPTIONS")) == [503]
    call.phone.send("INFO")
    assert "INFO sip:" in application.take_one()
