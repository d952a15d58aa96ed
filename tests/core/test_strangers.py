"""What telephones of strangers and public applications ran into: each fault a test, on the injected clock."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Flow, NoWay
from reference_server.sip.transport import UDP
from tests.core.proxy.stage import Stage
from tests.core.uac.originated import CONTACT, Originated
from tests.core.world import (
    BY_UDP,
    UDP_ENDPOINT,
    Call,
    Phone,
    World,
    sip_of,
    statuses_of,
    tokens_of,
    transaction_id_of,
)

ELSEWHERE = Flow(UDP, "127.0.0.1", 5192, UDP_ENDPOINT)
OK = "SIP/2.0 200 OK\r\n\r\n"


def same_via(phone: Phone, other: Phone, text: str) -> str:
    """``text`` of ``other`` with the Via of ``phone``: two telephones of one private address that count branches."""
    return text.replace(other.branch, phone.branch)


def test_a_strangers_invite_with_the_same_branch_is_a_call_of_its_own(world: World) -> None:
    application = world.application("invite")
    first = Call(world, application, "one").ring()
    application.take()
    world.network.take()
    second = Phone(world, "two", ELSEWHERE)
    invite = same_via(first.phone, second, second.text("INVITE", "Contact: <sip:two@127.0.0.1:5192>"))
    sent = world.receive(invite, ELSEWHERE)
    assert statuses_of(sent) == [100]
    offered = application.take_one()
    cancel = same_via(first.phone, second, second.text("CANCEL", same=True))
    assert statuses_of(world.receive(cancel, ELSEWHERE)) == [200, 487]
    assert transaction_id_of(application.take_one()) == transaction_id_of(offered), "not the other's call"
    first.answer()
    first.phone.send("ACK")
    application.take()
    first.hang_up()


@pytest.mark.parametrize(
    ("old", "new"),
    [("Call-ID: ", "Call-ID: x"), ("CSeq: 1 ", "CSeq: 2 "), ("tag=from-call1", "tag=other")],
)
def test_nobody_is_answered_from_memory_by_a_branch_alone(world: World, old: str, new: str) -> None:
    application = world.application("options")
    phone = Phone(world)
    text = phone.text("OPTIONS")
    world.receive(text)
    application.answer(transaction_id_of(application.take_one()), OK)
    world.network.take()
    assert world.receive(text.replace(old, new), ELSEWHERE) == []
    application.answer(transaction_id_of(application.take_one()), OK)
    assert world.network.sent[-1][1] is ELSEWHERE


def test_the_ack_of_a_refusal_still_finds_it(world: World) -> None:
    call = Call(world, world.application("invite"))
    call.answer("SIP/2.0 486 Busy Here\r\n\r\n")
    call.phone.send("ACK", same=True)
    world.network.take()
    world.advance(3)
    assert world.network.take() == [], "it is not repeated any more"


@pytest.mark.parametrize("method", ["INFO", "MESSAGE", "OPTIONS", "UPDATE", "BYE"])
def test_a_request_without_a_to_tag_is_of_the_dialog_of_its_call_id_and_from_tag(
    world: World, method: str
) -> None:
    application = world.application("invite", "info", "message", "options")
    call = Call(world, application).establish()
    tagged = call.phone.to
    call.phone.to = "<sip:bob@127.0.0.1:5060>"
    call.phone.send(method)
    payload = application.take_one()
    assert tokens_of(payload)[9] == call.dialog_id
    echo = application.answer(transaction_id_of(payload), OK)
    assert f"\r\nTo: {tagged}\r\n" in sip_of(echo), "the answer says which dialog it was"
    if method != "BYE":
        call.phone.to = tagged
        call.hang_up()


def test_an_invite_without_a_to_tag_in_a_call_that_is_up_gets_491(world: World) -> None:
    call = Call(world, world.application("invite")).establish()
    tagged, call.phone.to = call.phone.to, "<sip:bob@127.0.0.1:5060>"
    assert statuses_of(call.phone.invite()) == [100, 491]
    call.phone.send("ACK", same=True)
    assert call.application.take() == []
    call.phone.to = tagged
    call.hang_up()


def test_a_subscription_is_refreshed_without_a_to_tag(world: World) -> None:
    application = world.application("subscribe")
    phone = Phone(world)
    for _ in range(2):
        phone.send("SUBSCRIBE", "Contact: <sip:alice@127.0.0.1:5080>", "Event: presence", "Expires: 60")
        assert "|OK|" in application.answer(transaction_id_of(application.take_one()), OK)
        phone.to = "<sip:bob@127.0.0.1:5060>"
    assert world.core.occupancy()["dialogs by id"] == 1
    world.advance(120)


def test_the_far_end_of_an_applications_call_may_leave_the_to_tag_out(world: World) -> None:
    call = Originated(world).establish()
    tagged = call.request.get("from")
    bye = (
        "BYE sip:127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKbye1\r\n"
        f"From: {call.request.get('to')};tag={call.tag}\r\nTo: {tagged.partition(';tag=')[0]}\r\n"
        f"Call-ID: {call.request.get('call-id')}\r\nCSeq: 9 BYE\r\nContent-Length: 0\r\n\r\n"
    )
    world.receive(bye, BY_UDP)
    payload = call.application.take()[-1]
    assert tokens_of(payload)[9] == call.dialog_id
    echo = call.application.answer(transaction_id_of(payload), OK)
    assert f"\r\nTo: {tagged}\r\n" in sip_of(echo)
    assert world.core.occupancy()["dialogs by id"] == 0


@pytest.mark.parametrize("method", ["REGISTER", "PUBLISH"])
def test_a_registration_is_of_no_call(world: World, method: str) -> None:
    application = world.application("invite", "register", "publish")
    call = Call(world, application).establish()
    tagged, call.phone.to = call.phone.to, "<sip:alice@127.0.0.1:5060>"
    call.phone.send(method)
    payload = application.take_one()
    assert len(tokens_of(payload)) == 13, "as any new request"
    application.answer(transaction_id_of(payload), OK)
    call.phone.to = tagged
    call.hang_up()


@pytest.mark.parametrize("method", ["OPTIONS", "MESSAGE", "REGISTER", "INVITE"])
def test_what_was_refused_may_be_tried_again_with_a_new_branch(world: World, method: str) -> None:
    phone = Phone(world)
    text = phone.text(method)
    *_, refused = world.receive(text)
    assert refused.startswith("SIP/2.0 503 ")
    if method == "INVITE":
        phone.send("ACK", same=True)
    application = world.application(method.lower())
    world.receive(text.replace(phone.branch, "z9hG4bKagain"))
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 486 Busy Here\r\n\r\n")


@pytest.mark.parametrize("method", ["SUBSCRIBE", "PUBLISH", "INFO"])
def test_what_an_application_refused_may_be_tried_again_at_another_address(world: World, method: str) -> None:
    """As a proxy does that knows two addresses of one name (RFC 3263 §4.3)."""
    application = world.application(method.lower())
    phone = Phone(world)
    text = phone.text(method, "Event: presence", "Contact: <sip:alice@127.0.0.1:5080>")
    world.receive(text)
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 503 Full\r\n\r\n")
    world.receive(text.replace(phone.branch, "z9hG4bKagain"), ELSEWHERE)
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 404 Not Found\r\n\r\n")
    assert statuses_of([world.network.sent[-1][2]]) == [404]


def test_what_was_cancelled_may_be_tried_again_but_not_while_it_rings(world: World) -> None:
    application = world.application("invite")
    phone = Phone(world)
    invite = phone.text("INVITE", "Contact: <sip:alice@127.0.0.1:5080>")
    world.receive(invite)
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 180 Ringing\r\n\r\n")
    again = invite.replace("branch=", "branch=z9hG4bKagain")
    assert statuses_of(world.receive(again))[-1] == 482, "a copy of what is under way"
    assert statuses_of(phone.send("CANCEL", same=True)) == [200, 487]
    phone.send("ACK", same=True)
    application.take()
    assert statuses_of(world.receive(again.replace("again", "later"))) == [100]
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 486 Busy\r\n\r\n")


COMPACT = (
    "f: <sip:mallory@h>;tag=z\r\ni: other\r\nm: <sip:m@192.0.2.66>\r\nk: timer\r\nk: 100rel\r\ns: hello\r\n"
)


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
def test_compact_names_of_an_application_are_in_its_requests_what_they_stand_for(
    world: World, method: str
) -> None:
    call = Originated(world, method, *COMPACT.removesuffix("\r\n").split("\r\n"))
    names = [line.partition(":")[0] for line in call.request.text.partition("\r\n\r\n")[0].split("\r\n")[1:]]
    assert not [name for name in names if len(name) == 1]
    assert len(names) == len(set(names)), names
    assert call.request.get("from") == "<sip:mallory@h>;tag=z"
    assert call.request.get("call-id") == "other"
    assert call.request.get("supported") == "timer, 100rel"
    call.answer(486)


def test_compact_names_inside_a_dialog_do_not_give_a_second_identity(world: World) -> None:
    call = Originated(world).establish()
    info = call.say("INFO", "i: other", "v: SIP/2.0/UDP h", "l: 7", "o: presence", "X-a: 1")
    assert (info.get("call-id"), info.all("via"), info.get("content-length")) == (
        "other",
        [info.get("via")],
        "0",
    )
    assert info.get("event") == "presence"
    call.answer(200, to=info)
    call.hang_up()


@pytest.mark.parametrize("rack", ["{} 1 INVITE INVITE", "{} 1 INVITE  x=y", "{}  1\tINVITE"])
def test_a_prack_with_more_behind_its_method_or_other_blanks_acknowledges(world: World, rack: str) -> None:
    application = world.application("invite", "prack")
    phone = Phone(world)
    phone.invite("Supported: 100rel")
    transaction = transaction_id_of(application.take_one())
    ringing = application.answer(transaction, "SIP/2.0 180 Ringing\r\nRequire: 100rel\r\n\r\n")
    number = phone.learn(sip_of(ringing)).get("rseq")
    world.network.take()
    phone.send("PRACK", f"RAck: {rack.format(number)}")
    payload = application.take_one()
    assert sip_of(payload).startswith("PRACK ")
    application.answer(transaction_id_of(payload), OK)
    world.network.take()
    world.advance(3)
    assert world.network.take() == [], "the 180 is not repeated any more"
    application.answer(transaction, "SIP/2.0 486 Busy\r\n\r\n")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("sip:foo@bar?Replaces%3D21a6", "<sip:foo@bar?Replaces%3D21a6>"),
        ("sip:foo@bar?Replaces=21a6", "<sip:foo@bar?Replaces=21a6>"),
        ("foo@bar", "<sip:foo@bar>"),
        ("<tel:+15551234567>", "<tel:+15551234567>"),
        ('"Foo, B." <sip:foo@bar?a=b&c=d>', '"Foo, B." <sip:foo@bar?a=b&c=d>'),
    ],
)
def test_a_refer_goes_where_the_application_said(world: World, given: str, sent: str) -> None:
    call = Originated(world).establish()
    refer = call.say("REFER", f"Refer-To: {given}", CONTACT)
    assert refer.get("refer-to") == sent
    call.answer(603, to=refer)
    call.hang_up()


@pytest.mark.parametrize("line", ["Contact: undefined", "Refer-To: null", "Path: undefined", "m: bob"])
def test_a_mere_word_for_an_address_is_told_and_the_request_stays_open(world: World, line: str) -> None:
    application = world.application("options")
    phone = Phone(world)
    phone.send("OPTIONS")
    transaction = transaction_id_of(application.take_one())
    assert "|NOK|invalid " in application.answer(transaction, f"SIP/2.0 200 OK\r\n{line}\r\n\r\n")
    assert "|OK|" in application.answer(transaction, OK)
    asked = application.say(f"sip||\r\nOPTIONS sip:carol@127.0.0.1:5080 SIP/2.0\r\n{line}\r\n\r\n")
    assert "|NOK|invalid " in asked


def test_an_invite_may_come_again_when_its_call_is_over_but_not_while_it_is_up(world: World) -> None:
    application = world.application("invite")
    phone = Phone(world)
    invite = phone.text("INVITE", "Contact: <sip:alice@127.0.0.1:5080>")
    world.receive(invite)
    phone.learn(sip_of(application.answer(transaction_id_of(application.take_one()), OK)))
    phone.send("ACK")
    application.take()
    again = invite.replace("branch=", "branch=z9hG4bKagain")
    assert statuses_of(world.receive(again))[-1] == 482
    assert application.take() == []
    phone.send("BYE")
    application.answer(transaction_id_of(application.take_one()), OK)
    assert statuses_of(world.receive(again.replace("again", "later"))) == [100]
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 486 Busy\r\n\r\n")


def test_a_last_notify_that_is_challenged_does_not_end_the_subscription(world: World) -> None:
    subscription = Originated(world, "SUBSCRIBE", "Event: presence", "Expires: 60")
    subscription.answer(200, "Contact: <sip:carol@127.0.0.1:5080>", "Expires: 60")
    application = subscription.application
    application.take()

    for cseq, answer in ((1, "SIP/2.0 401 Unauthorized\r\n\r\n"), (2, OK)):
        subscription.ask("NOTIFY", "Event: presence", "Subscription-State: terminated", cseq=cseq)
        payload = application.take_one()
        assert tokens_of(payload)[9] == subscription.dialog_id
        application.answer(transaction_id_of(payload), answer)
    assert world.core.occupancy()["dialogs by id"] == 0


@pytest.mark.parametrize(("uri", "goes"), [("sip:carol@127.0.0.1:5080", True), ("sip:placeholder", False)])
def test_a_reliable_180_without_a_contact_can_be_acknowledged(world: World, uri: str, goes: bool) -> None:
    call = Originated(world)
    call.answer(180, "Require: 100rel", "RSeq: 1")
    call.application.take()
    rack = f"RAck: 1 {call.request.cseq_number} INVITE"
    answer = call.application.request(call.dialog_id, f"PRACK {uri} SIP/2.0\r\n{rack}\r\n\r\n")
    assert ("|OK|" in answer) is goes
    if goes:
        assert sip_of(answer).startswith("PRACK sip:carol@127.0.0.1:5080 SIP/2.0\r\n")
    call.answer(486)


def test_a_server_with_tcp_alone_proxies_to_an_address_without_a_transport(stage: Stage) -> None:
    world = stage.world
    world.network.routes[f"{stage.carol.uri};transport=tcp"] = world.network.routes[stage.carol.uri]
    world.network.routes[stage.carol.uri] = NoWay.NOT_AVAILABLE
    stage.start(stage.carol.uri)
    stage.carol.answer(stage.carol.take(), 486)


def test_a_copy_that_is_cancelled_before_anything_was_heard_is_not_repeated(stage: Stage) -> None:
    stage.start(stage.carol.uri)
    stage.carol.take()
    stage.phone.send("CANCEL", same=True)
    stage.world.network.take()
    stage.world.advance(8)
    assert [text for text in stage.world.network.take() if text.startswith("INVITE")] == []
