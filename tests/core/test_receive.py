"""What arrives from the network, in every form; none of it raises, none disturbs the next call."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.sip.messages.message import parse_message
from tests.core.world import (
    BY_TCP,
    BY_UDP,
    SDP,
    Call,
    Phone,
    World,
    sip_of,
    status_of,
    statuses_of,
    transaction_id_of,
)

TORTURE = Path(__file__).parents[3] / "shared" / "rfc4475"
ALL = ("invite", "register", "message", "options", "info", "notify", "subscribe", "publish")
ALL_METHODS = (*ALL, "ack", "cancel", "bye", "prack", "refer", "update")


def check_a_call_succeeds(world: World) -> None:
    """Whatever came before."""
    for application in world.applications:
        world.registry.remove(application)
    call = Call(world, world.application("invite"), "after").establish()
    call.hang_up()
    assert statuses_of(world.network.take()) == [200]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        "\r\n\r\n\r\n",
        "\0",
        "garbage\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "INVITE sip:a@b SIP/2.0\r\n\r\n",
        "INVITE sip:a@b SIP/2.0\r\nVia: \r\n\r\n",
        "INVITE sip:a@b SIP/2.0\r\nVia: nonsense\r\nCSeq: 1 INVITE\r\n\r\n",
        "SIP/2.0 200 OK\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: nonsense\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKnone\r\nCSeq: 1 BYE\r\n\r\n",
        "SIP/2.0 999999 x\r\n\r\n",
        "ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n",
        "ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        f"ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCSeq: {'9' * 5000} ACK\r\n\r\n",
    ],
)
def test_what_is_dropped(world: World, text: str) -> None:
    application = world.application(*ALL)
    assert world.receive(text) == []
    assert application.take() == []
    assert world.core.occupancy() == dict.fromkeys(world.core.occupancy(), 0)
    check_a_call_succeeds(world)


def test_what_is_dropped_is_told_to_those_who_watch(world: World) -> None:
    world.receive("garbage\r\n\r\n")
    ((name, details),) = world.tap.events
    assert name == "sip-dropped"
    assert details["source"] == "udp/127.0.0.1:5080"
    assert "garbage" in str(details["reason"])


def test_those_who_watch_see_every_message(world: World) -> None:
    phone = Phone(world)
    text = phone.text("OPTIONS")
    (sent,) = world.receive(text)
    assert world.tap.sips == [(False, text), (True, sent)]


@pytest.mark.parametrize("method", ["REFER", "FOO", "!interesting-Method0123456789_*+`.%indeed'~"])
def test_other_methods_outside_dialogs_405(world: World, method: str) -> None:
    application = world.application("refer", "foo")
    (sent,) = Phone(world).send(method)
    assert status_of(sent) == 405
    allow = parse_message(sent).get("allow")
    assert allow.split(", ") == [name.upper() for name in ALL_METHODS]
    assert application.take() == []


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "REGISTER", "MESSAGE"])
@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("Call-ID: call1@127.0.0.1\r\n", "", 400),
        ("CSeq: 1 ", "X: 1 ", 400),
        ("CSeq: 1 ", "CSeq: 4294967296 ", 400),
        ("CSeq: 1 ", f"CSeq: {'9' * 5000} ", 400),
        ("CSeq: 1 ", "CSeq: 1 X", 400),
        ("SIP/2.0\r\nVia", "SIP/3.0\r\nVia", 505),
        ("Max-Forwards: 70", "Max-Forwards: many", 400),
        ("Content-Length: 0", "Content-Length: 9999", 400),
        ("Content-Length: 0", f"Content-Length: {'9' * 5000}", 400),
        ("Content-Length: 0", "Content-Length: -1", 400),
        ("From: <", 'From: "<', 400),
        ("From: ", "Fro: ", 400),
        ("To: ", "X-To: ", 400),
        ("Max-Forwards: 70", "Contact: <<<", 400),
        ("Max-Forwards: 70", "Expires: soon", 400),
    ],
)
def test_faulty_requests_are_refused_and_seen_by_nobody(
    world: World, method: str, old: str, new: str, status: int
) -> None:
    application = world.application(*ALL)
    text = Phone(world).text(method)
    assert old in text
    (sent,) = world.receive(text.replace(old, new))
    assert status_of(sent) == status
    assert parse_message(sent).all("via") == [parse_message(text).get("via") + ";rport=5080"]
    assert application.take() == []
    check_a_call_succeeds(world)


def test_a_repeated_faulty_request_gets_the_same_response(world: World) -> None:
    text = Phone(world).text("OPTIONS").replace("Max-Forwards: 70", "Max-Forwards: x")
    first = world.receive(text)
    assert world.receive(text) == first


@pytest.mark.parametrize("change", ["lf", "compact", "folded", "cases", "merged vias", "blanks", "no length"])
def test_a_call_in_other_clothes(world: World, change: str) -> None:
    def dressed(text: str) -> str:
        match change:
            case "lf":
                return text.replace("\r\n", "\n")
            case "compact":
                for long, short in (
                    ("Via", "v"),
                    ("From", "f"),
                    ("To", "t"),
                    ("Call-ID", "i"),
                    ("Contact", "m"),
                ):
                    text = text.replace(f"\r\n{long}:", f"\r\n{short}:")
                return text.replace("\r\nContent-Length:", "\r\nl:")
            case "folded":
                return (
                    text.replace(": ", ":\r\n ")
                    .replace(";tag", "\r\n\t;tag")
                    .replace(";branch", "\r\n ;branch")
                )
            case "cases":
                return "\r\n".join(
                    name.swapcase() + colon + value if at else name + colon + value
                    for at, line in enumerate(text.split("\r\n"))
                    for name, colon, value in [line.partition(":")]
                )
            case "merged vias":
                return text.replace(
                    "\r\nMax-Forwards", ", SIP/2.0/TCP p1;branch=p\r\nVia: SIP/2.0/UDP p2\r\nMax-Forwards"
                )
            case "blanks":
                return (
                    text.replace(": ", " \t:   ")
                    .replace("\r\n", "  \r\n")
                    .replace("  \r\n  \r\n", "\r\n\r\n")
                )
            case _:
                return text.replace("Content-Length: 0\r\n", "")

    application = world.application("invite")
    phone = Phone(world)
    invite = dressed(phone.text("INVITE", "Contact: <sip:alice@127.0.0.1:5080>"))
    if change == "blanks":
        invite = invite.replace("SIP/2.0  \r\n", "SIP/2.0\r\n", 1)
    (trying,) = world.receive(invite)
    assert status_of(trying) == 100
    if change == "merged vias":
        assert parse_message(trying).all("via") == [
            f"SIP/2.0/UDP 127.0.0.1:5080;branch={phone.branch};rport=5080, SIP/2.0/TCP p1;branch=p",
            "SIP/2.0/UDP p2",
        ]
    assert world.receive(invite) == [], "a repetition is known as one"
    transaction = transaction_id_of(application.take_one())
    phone.learn(sip_of(application.answer(transaction, "SIP/2.0 200 OK\r\n\r\n")))
    ack = dressed(phone.text("ACK"))
    world.receive(ack.replace("SIP/2.0  \r\n", "SIP/2.0\r\n", 1))
    assert transaction_id_of(application.take_one()) == transaction
    bye = dressed(phone.text("BYE"))
    world.receive(bye.replace("SIP/2.0  \r\n", "SIP/2.0\r\n", 1))
    application.answer(transaction_id_of(application.take_one()), "SIP/2.0 200 OK\r\n\r\n")
    world.network.take()
    world.advance(10)
    assert world.network.take() == []


def test_a_client_of_rfc_2543(world: World) -> None:
    """Without a magic branch a transaction is known by its fields."""
    application = world.application("invite")
    phone = Phone(world)

    def old(text: str) -> str:
        return text.replace(f";branch={phone.branch}", "")

    invite = old(phone.text("INVITE", "Contact: <sip:alice@127.0.0.1:5080>"))
    world.receive(invite)
    assert world.receive(invite) == []
    transaction = transaction_id_of(application.take_one())
    phone.learn(sip_of(application.answer(transaction, "SIP/2.0 486 Busy Here\r\n\r\n")))
    ack = old(phone.text("ACK", same=True)).replace("ACK sip:127.0.0.1:5060", "ACK sip:bob@127.0.0.1:5060")
    assert world.receive(ack) == []
    world.network.take()
    world.advance(31)
    assert world.network.take() == [], "the ACK was found"


def test_requests_with_the_bare_magic_cookie_are_told_apart(world: World) -> None:
    application = world.application("options")
    for name in ("one", "two"):
        phone = Phone(world, name)
        text = phone.text("OPTIONS")
        world.receive(text.replace(phone.branch, "z9hG4bK"))
    offered = application.take()
    assert len(offered) == 2
    for payload in offered:
        application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")


def test_octets_that_are_no_utf_8_pass(world: World) -> None:
    application = world.application("message")
    text = Phone(world).text("MESSAGE", "Subject: \xff\xfe\0", body="\xff\0\xfe")
    world.receive(text)
    payload = application.take_one()
    assert "Subject: \xff\xfe\0\r\n" in payload
    assert payload.endswith("\r\n\r\n\xff\0\xfe")
    application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")


def test_a_large_message_passes(world: World) -> None:
    application = world.application("message")
    text = Phone(world).text(
        "MESSAGE", "X-Long: " + "x" * 30_000, *(f"X-{n}: {n}" for n in range(2000)), body="y" * 9000
    )
    world.receive(text)
    payload = application.take_one()
    assert payload.split("|")[3] == str(len(text))
    application.answer(transaction_id_of(payload), "SIP/2.0 200 OK\r\n\r\n")


SLOW = [
    '<sip:a@b>;x="' + '\\"' * 30_000,
    '"' + '\\"' * 30_000,
    "<sip:a@b>" + "; tag " * 10_000,
    "<" * 60_000,
    "<sip:" + "@" * 60_000,
    "a " * 30_000,
    "," * 60_000,
    "<sip:a@b;" + "a=" * 30_000 + ">",
]


@pytest.mark.parametrize("value", SLOW, ids=range(len(SLOW)))
@pytest.mark.parametrize("name", ["From", "To", "Contact", "Via", "Record-Route", "CSeq"])
def test_no_value_takes_long(world: World, name: str, value: str) -> None:
    text = Phone(world).text("OPTIONS", "Contact: <sip:a@b>", "Record-Route: <sip:a@b;lr>")
    old = next(line for line in text.split("\r\n") if line.startswith(name))
    began = time.process_time()
    world.receive(text.replace(old, f"{name}: {value}"))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("path", sorted(TORTURE.glob("*.dat")), ids=lambda path: path.stem)
def test_rfc_4475(world: World, path: Path) -> None:
    application = world.application(*ALL)
    text = path.read_bytes().decode("latin-1")
    for flow in (BY_UDP, BY_TCP):
        world.receive(text, flow)
        for payload in application.take():
            assert text[:10] in payload
            application.answer(transaction_id_of(payload), "SIP/2.0 480 \r\n\r\n")
    world.advance(1)
    world.network.take()
    check_a_call_succeeds(world)
    world.advance(64)


TEXTS = st.sampled_from(["INVITE", "OPTIONS", "ACK", "CANCEL", "BYE", "INFO", "SUBSCRIBE"])


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_requests_in_any_order(data: st.DataObject) -> None:
    world = World()
    application = world.application(*ALL)
    phone = Phone(world)
    for _ in range(data.draw(st.integers(1, 5))):
        body = data.draw(st.sampled_from(["", SDP]))
        octets = list(phone.text(data.draw(TEXTS), "Expires: 5", body=body, same=data.draw(st.booleans())))
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(octets)))
            replacement = data.draw(st.text(st.characters(max_codepoint=255), max_size=3))
            octets[at : at + data.draw(st.integers(0, 4))] = replacement
        world.receive("".join(octets))
        for payload in application.take():
            status = data.draw(st.sampled_from([None, 183, 200, 486]))
            if status is not None:
                answer = application.answer(transaction_id_of(payload), f"SIP/2.0 {status} x\r\n\r\n")
                if data.draw(st.booleans()) and "|OK|" in answer:
                    phone.learn(sip_of(answer))
        world.advance(data.draw(st.sampled_from([0, 0.5, 40])))
    for _, _, sent in world.network.sent:
        parse_message(sent)
    application.leave()
    for established in world.core.dialogs:
        dialog = established.dialog
        phone.call_id, phone.from_, phone.to = dialog.call_id, dialog.remote, dialog.local
        phone.send("BYE", cseq=dialog.remote_cseq + 1)
    world.advance(4000)
    world.check_empty()


def test_a_datagram_with_half_a_body_is_no_response(world: World) -> None:
    application = world.application()
    world.network.routes["sip:carol@127.0.0.1:5090"] = BY_UDP
    request = sip_of(application.say("sip||\r\nOPTIONS sip:carol@127.0.0.1:5090 SIP/2.0\r\n\r\n"))
    lines = [
        line for line in request.split("\r\n") if line.startswith(("Via", "From", "To", "Call-ID", "CSeq"))
    ]
    for length in ("6", "500", "9" * 5000):
        head = "\r\n".join(["SIP/2.0 200 OK", *lines, f"Content-Length: {length}"])
        world.receive(f"{head}\r\n\r\nv=0\r\n")
        assert application.take() == []
        assert world.tap.events[-1][1]["reason"] == "response with half a body"
    head = "\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 5"])
    world.receive(f"{head}\r\n\r\nv=0\r\n")
    assert application.take_one().endswith("\r\n\r\nv=0\r\n")
