"""Subscriptions of the application whose notifications and answers cross."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.context import Settings
from reference_server.core.ports import Flow
from reference_server.sip.messages.message import parse_message
from reference_server.sip.transport import UDP
from tests.core.uac.originated import CONTACT, Originated
from tests.core.world import (
    UDP_ENDPOINT,
    Phone,
    RecordingApplication,
    World,
    sip_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

TARGET = "sip:carol@127.0.0.1:5090"
DIALOG = "s1;from-tag=t1"
OK = "SIP/2.0 200 OK\r\n\r\n"


class Notifier(Phone):
    """One of those that the SUBSCRIBE has reached."""

    def __init__(self, world: World, tag: str = "c4r0l") -> None:
        super().__init__(world, tag)
        self.tag = tag
        self.call_id = "s1"
        self.from_ = f"<{TARGET}>;tag={tag}"
        self.to = "<sip:me@example.com>;tag=t1"

    def notify(self, state: str = "active;expires=60", *lines: str) -> list[str]:
        return self.send(
            "NOTIFY", f"Contact: <{TARGET}>", "Event: presence", f"Subscription-State: {state}", *lines
        )

    def answer(self, subscribe: str, status: int = 202, *lines: str) -> list[str]:
        """Answer with our own tag."""
        to = parse_message(subscribe).get("to")
        sent = subscribe.replace(f"To: {to}", f"To: {to.partition(';tag=')[0]};tag={self.tag}")
        return self.respond(sent, status, f"Contact: <{TARGET}>", *lines)


def subscribed(world: World, *lines: str) -> tuple[RecordingApplication, str]:
    """The application has sent a SUBSCRIBE; returns that."""
    application = world.application("notify")
    world.network.routes[TARGET] = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
    fields = "".join(f"{line}\r\n" for line in ("Call-ID: s1", "From: <sip:me@example.com>;tag=t1", *lines))
    subscribe = sip_of(application.say(f"sip||\r\nSUBSCRIBE {TARGET} SIP/2.0\r\n{fields}\r\n"))
    world.network.take()
    return application, subscribe


def accept(application: RecordingApplication) -> list[str]:
    """The application answers each NOTIFY that has come; returns all that has come."""
    told = application.take()
    for payload in told:
        if sip_of(payload).startswith("NOTIFY"):
            application.answer(transaction_id_of(payload), OK)
    return told


def last_notify(application: RecordingApplication, notifier: Notifier) -> None:
    """End the subscription."""
    notifier.notify("terminated")
    payload = application.take()[-1]
    assert tokens_of(payload)[9] == DIALOG
    application.answer(transaction_id_of(payload), OK)
    assert application.request(DIALOG, "NOTIFY\r\n\r\n").endswith(
        "unable to find dialog for dialog id provided"
    )


def test_what_overtakes_the_answer_comes_behind_it_in_order(world: World) -> None:
    application, subscribe = subscribed(world)
    notifier = Notifier(world)
    for state in ("pending", "active"):
        assert notifier.notify(state) == []
    assert application.take() == []
    notifier.answer(subscribe)
    told = application.take()
    assert [sip_of(payload).split("\r\n", 1)[0].split(" ")[0] for payload in told] == [
        "SIP/2.0",
        "NOTIFY",
        "NOTIFY",
    ]
    assert {tokens_of(payload)[9] for payload in told} == {DIALOG}
    assert [parse_message(sip_of(payload)).cseq_number for payload in told[1:]] == [1, 2]
    for payload in told[1:]:
        application.answer(transaction_id_of(payload), OK)
    last_notify(application, notifier)


def test_a_repeated_notify_is_held_once(world: World) -> None:
    application, subscribe = subscribed(world)
    notifier = Notifier(world)
    text = notifier.text("NOTIFY", "Subscription-State: active")
    world.receive(text)
    world.receive(text)
    notifier.answer(subscribe)
    assert len(accept(application)) == 2
    last_notify(application, notifier)


def test_only_so_many_are_held(world: World) -> None:
    application, subscribe = subscribed(world)
    notifier = Notifier(world)
    for _ in range(16):
        assert notifier.notify() == []
    assert statuses_of(notifier.notify()) == [500]
    notifier.answer(subscribe)
    assert len(accept(application)) == 17
    last_notify(application, notifier)


def test_the_notify_has_waited_long_enough_after_t2(world: World) -> None:
    application, subscribe = subscribed(world)
    notifier = Notifier(world)
    notifier.notify()
    world.advance(3.9)
    assert application.take() == []
    world.advance(0.1)
    (payload,) = application.take()
    assert tokens_of(payload)[9] == DIALOG
    application.answer(transaction_id_of(payload), OK)
    notifier.notify()
    (payload,) = accept(application)
    assert tokens_of(payload)[9] == DIALOG
    notifier.answer(subscribe, 202, "Expires: 60")
    assert tokens_of(application.take_one())[9] == DIALOG
    last_notify(application, notifier)


def test_the_dialog_that_a_notify_made_is_addressed_by_its_contact_and_route_set(world: World) -> None:
    application, _ = subscribed(world)
    notifier = Notifier(world)
    world.network.routes["sip:127.0.0.1:5093;lr"] = Flow(UDP, "127.0.0.1", 5093, UDP_ENDPOINT)
    notifier.notify(
        "active", "Record-Route: <sip:127.0.0.1:5093;lr>", "Record-Route: <sip:127.0.0.1:5094;lr>"
    )
    world.advance(4)
    accept(application)
    sent = parse_message(sip_of(application.request(DIALOG, "SUBSCRIBE\r\nExpires: 0\r\n\r\n")))
    assert sent.start_line == f"SUBSCRIBE {TARGET} SIP/2.0"
    assert sent.all("route") == ["<sip:127.0.0.1:5093;lr>", "<sip:127.0.0.1:5094;lr>"]
    assert sent.get("to") == f"<{TARGET}>;tag=c4r0l"
    last_notify(application, notifier)


def test_a_subscription_that_ended_before_it_was_answered_stays_over(world: World) -> None:
    application, subscribe = subscribed(world)
    notifier = Notifier(world)
    notifier.notify("terminated")
    world.advance(4)
    application.answer(transaction_id_of(application.take_one()), OK)
    notifier.answer(subscribe)
    assert sip_of(application.take_one()).startswith("SIP/2.0 202")
    assert "|NOK|" in application.request(DIALOG, "SUBSCRIBE\r\n\r\n")


@pytest.mark.parametrize("status", [489, 302, 603])
def test_a_refusal_refuses_what_waits(world: World, status: int) -> None:
    application, subscribe = subscribed(world)
    notifier = Notifier(world)
    notifier.notify()
    assert statuses_of(notifier.answer(subscribe, status)) == [481]
    assert len(application.take()) == 1


def test_a_refusal_ends_the_dialog_that_a_notify_made(world: World) -> None:
    application, subscribe = subscribed(world)
    notifier = Notifier(world)
    notifier.notify()
    world.advance(4)
    application.answer(transaction_id_of(application.take_one()), OK)
    notifier.answer(subscribe, 489)
    application.take()
    assert "|NOK|" in application.request(DIALOG, "SUBSCRIBE\r\n\r\n")


def test_no_answer_is_a_refusal(world: World) -> None:
    application, _ = subscribed(world)
    notifier = Notifier(world)
    notifier.notify()
    world.advance(4)
    application.answer(transaction_id_of(application.take_one()), OK)
    world.advance(28)
    assert sip_of(application.take_one()).startswith("SIP/2.0 408")
    notifier.notify()
    assert tokens_of(application.payloads[-1])[9] == ""
    application.answer(transaction_id_of(application.take_one()), OK)


def test_an_application_that_is_gone_hears_of_none(world: World) -> None:
    application, subscribe = subscribed(world)
    notifier = Notifier(world)
    notifier.notify()
    application.leave()
    assert statuses_of(notifier.answer(subscribe)) == [481]
    world.advance(3600)


@pytest.mark.parametrize("first", ["answer", "notify"])
def test_other_branches_get_481(world: World, first: str) -> None:
    application, subscribe = subscribed(world, "Expires: 60")
    carol, dave = Notifier(world), Notifier(world, "d4v3")
    if first == "answer":
        dave.notify()
        assert statuses_of(carol.answer(subscribe)) == [481]
    else:
        carol.notify()
        dave.notify()
        world.advance(4)
        assert statuses_of(world.network.take()[-1:]) == [481]
        assert statuses_of(dave.notify()) == [481]
        dave.answer(subscribe)
    assert statuses_of(dave.notify()) == [481]
    accept(application)
    last_notify(application, carol)


def test_a_notify_for_a_call_of_the_application_with_a_strange_tag_is_offered(world: World) -> None:
    application = world.application("notify")
    world.network.routes[TARGET] = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)
    fields = "Call-ID: s1\r\nFrom: <sip:me@example.com>;tag=t1\r\n"
    invite = sip_of(application.say(f"sip||\r\nINVITE {TARGET} SIP/2.0\r\n{fields}\r\n"))
    notifier = Notifier(world)
    notifier.answer(invite, 200)
    application.request(DIALOG, "ACK\r\n\r\n")
    application.take()
    Notifier(world, "0th3r").notify()
    payload = application.take_one()
    assert tokens_of(payload)[9] == ""
    application.answer(transaction_id_of(payload), OK)
    notifier.respond(sip_of(application.request(DIALOG, "BYE\r\n\r\n")))


@pytest.mark.parametrize(
    ("lines", "answer", "state", "seconds"),
    [
        (("Expires: 20",), (), "", 20),
        (("Expires: 20",), ("Expires: 10",), "", 10),
        ((), (), "", 3600),
        (("Expires: 20",), ("Expires: 10",), "active;expires=30", 30),
        (("Expires: 20",), ("Expires: 10",), "Pending ; reason=x; Expires = 5", 5),
        (("Expires: 20",), ("Expires: 10",), "active;expires=soon", 10),
        (("Expires: 20",), ("Expires: 10",), "active", 10),
        (("Expires: 20",), ("Expires: 10",), f"active;expires={'9' * 5000}", 10**6),
    ],
)
def test_how_long_it_lasts(
    world: World, lines: tuple[str, ...], answer: tuple[str, ...], state: str, seconds: int
) -> None:
    application, subscribe = subscribed(world, *lines)
    notifier = Notifier(world)
    notifier.answer(subscribe, 202, *answer)
    application.take()
    if state:
        notifier.notify(state)
        application.answer(transaction_id_of(application.take_one()), OK)
    world.advance(seconds + 31)
    assert world.core.occupancy()["dialogs by id"] == 1
    world.advance(1)
    assert world.core.occupancy()["dialogs by id"] == 0


def test_in_the_0_8_dialect(worlds: Callable[[Settings], World]) -> None:
    world = worlds(Settings(dialect_0_8=True))
    application, subscribe = subscribed(world)
    notifier = Notifier(world)
    notifier.notify()
    notifier.answer(subscribe)
    told = application.take()
    assert [tokens_of(payload)[9] for payload in told] == ["s1;uac", "s1;uac"]
    application.answer(transaction_id_of(told[1]), OK)
    notifier.notify("terminated")
    application.answer(transaction_id_of(application.take_one()), OK)


def test_a_notify_for_another_subscription_of_the_call_id_is_not_taken(
    worlds: Callable[[Settings], World],
) -> None:
    world = worlds(Settings(dialect_0_8=True))
    application, subscribe = subscribed(world)
    other = Notifier(world)
    other.to = "<sip:me@example.com>;tag=another"
    other.notify()
    told = application.take_one()  # as any NOTIFY, which the application has routed
    assert "s1;uac" not in tokens_of(told)
    application.answer(transaction_id_of(told), "SIP/2.0 481 Whatever\r\n\r\n")
    Notifier(world).answer(subscribe, 403)


@pytest.fixture
def call(world: World) -> Originated:
    return Originated(world)


@pytest.fixture
def subscription(world: World) -> Originated:
    return Originated(world, "SUBSCRIBE", "Event: presence", "Expires: 60")


def notify(
    subscription: Originated, state: str, status: int = 200, event: str = "presence"
) -> tuple[str, str]:
    """NOTIFY and its answer: the frame that was delivered, the application's echo."""
    subscription.ask("NOTIFY", f"Event: {event}", f"Subscription-State: {state}", CONTACT)
    frame = subscription.application.take_one()
    return frame, subscription.application.answer(transaction_id_of(frame), f"SIP/2.0 {status} x\r\n\r\n")


def test_a_subscription(world: World, subscription: Originated) -> None:
    assert subscription.request.get("contact") == "<sip:127.0.0.1:5060>"
    subscription.answer(202, CONTACT, "Expires: 60")
    frame = subscription.application.take_one()
    assert tokens_of(frame)[8:] == [subscription.transaction_id, subscription.dialog_id, ""]
    frame, echo = notify(subscription, "active;expires=60")
    assert tokens_of(frame)[9] == tokens_of(echo)[11] == subscription.dialog_id
    frame, echo = notify(subscription, "Terminated;reason=timeout")
    assert tokens_of(frame)[9] == tokens_of(echo)[11] == subscription.dialog_id
    assert "|OK|" in echo
    refused = subscription.application.request(subscription.dialog_id, "SUBSCRIBE sip:x SIP/2.0\r\n\r\n")
    assert refused.endswith("|NOK|Server error: unable to find dialog for dialog id provided")
    world.network.take()
    assert statuses_of(subscription.ask("NOTIFY", "Event: presence")) == [503]


def test_a_subscription_that_is_refused(world: World, subscription: Originated) -> None:
    assert subscription.answer(489) == []
    frame = subscription.application.take_one()
    assert tokens_of(frame)[8:] == [subscription.transaction_id, subscription.dialog_id, ""]
    assert world.core.occupancy()["dialogs by key"] == 0


def test_a_subscription_is_refreshed(world: World, subscription: Originated) -> None:
    subscription.answer(200, CONTACT, "Expires: 60")
    world.advance(50)
    again = subscription.say("SUBSCRIBE", "Event: presence", "Expires: 60")
    assert again.get("contact") == "<sip:127.0.0.1:5060>"
    subscription.answer(200, CONTACT, "Expires: 60", to=again)
    subscription.application.take()
    world.advance(80)
    _, echo = notify(subscription, "active")
    assert tokens_of(echo)[11] == subscription.dialog_id
    world.advance(13)
    assert world.core.occupancy()["dialogs by key"] == 0


def test_a_subscription_is_ended_by_the_application(world: World, subscription: Originated) -> None:
    subscription.answer(200, CONTACT, "Expires: 3600")
    end = subscription.say("SUBSCRIBE", "Event: presence", "Expires: 0")
    subscription.answer(200, CONTACT, "Expires: 0", to=end)
    subscription.application.take()
    _, echo = notify(subscription, "terminated;reason=timeout")
    assert "|OK|" in echo
    assert world.core.occupancy()["dialogs by key"] == 0


def test_a_notify_ends_no_call(world: World, call: Originated) -> None:
    call.establish()
    refer = call.say("REFER", "Refer-To: <sip:dave@127.0.0.1>")
    call.answer(202, to=refer)
    call.application.take()
    notify(call, "terminated;reason=noresource", event="refer")
    world.network.take()
    call.hang_up()


def test_a_subscription_in_a_call_does_not_end_it(world: World, call: Originated) -> None:
    call.establish()
    call.ask("SUBSCRIBE", "Event: refer", "Expires: 1", CONTACT)
    call.application.answer(
        transaction_id_of(call.application.take_one()), "SIP/2.0 200 OK\r\nExpires: 1\r\n\r\n"
    )
    world.advance(120)
    call.hang_up()
