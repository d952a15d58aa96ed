"""The ACK and the BYE that the server makes by itself, and requests of which nobody waits for the response."""

from __future__ import annotations

import pytest

from reference_server.core.dialog.ack_and_bye import compose_ack, compose_bye, send_bye, send_unwatched
from reference_server.core.transactions import Sent
from reference_server.sip.dialog import Dialog
from reference_server.sip.messages.message import Request, parse_message
from tests.core.world import BY_TCP, BY_UDP, Phone, World

REASON = 'SIP;cause=200;text="ACK timeout"'


def dialog(contact: str = "<sip:bob@127.0.0.1:5080>", remote: str = "<sip:bob@b>;tag=2") -> Dialog:
    return Dialog(
        call_id="c",
        local="<sip:alice@a>;tag=1",
        local_tag="1",
        remote=remote,
        remote_tag="2",
        local_cseq=7,
        remote_cseq=-1,
        remote_contact=contact,
        route_set=["<sip:p1;lr>", "<sip:p2;lr>"],
    )


def read(text: str) -> Request:
    request = parse_message(text)
    assert isinstance(request, Request)
    return request


def test_an_ack_has_the_number_of_its_invite_and_takes_none(world: World) -> None:
    inside = dialog()
    ack = read(compose_ack(world.core.context, inside, 3, BY_UDP))
    assert (ack.method, ack.uri, ack.get("cseq")) == ("ACK", "sip:bob@127.0.0.1:5080", "3 ACK")
    assert ack.all("route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert (ack.from_tag, ack.to_tag, ack.body) == ("1", "2", "")
    assert inside.local_cseq == 7


def test_each_ack_has_a_branch_of_its_own(world: World) -> None:
    first, second = (read(compose_ack(world.core.context, dialog(), 3, BY_UDP)) for _ in range(2))
    assert first.get("via") != second.get("via")


def test_a_bye_takes_the_next_number_and_says_why() -> None:
    inside = dialog()
    bye = read(compose_bye(inside, REASON, BY_TCP, "z9hG4bKx"))
    assert (bye.get("cseq"), bye.get("reason"), inside.local_cseq) == ("8 BYE", REASON, 8)
    assert bye.get("via") == "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKx"


@pytest.mark.parametrize(
    ("remote", "uri"),
    [("<sip:bob@b>;tag=2", "sip:bob@b"), ("tag=2", "sip:anonymous.invalid")],
)
def test_without_a_contact_the_far_end_is_named_by_what_there_is(remote: str, uri: str) -> None:
    bye = read(compose_bye(dialog("", remote), REASON, BY_UDP, "z9hG4bKx"))
    assert bye.uri == uri


def test_it_is_repeated_until_an_answer_that_nobody_sees(world: World) -> None:
    text = send_bye(world.core.context, world.core.transactions, dialog(), REASON, BY_UDP)
    world.advance(3)
    assert world.network.times("BYE") == [0, 1, 3]
    assert Phone(world).respond(text, 481) == []
    world.advance(60)
    assert len(world.network.times("BYE")) == 3


def test_who_never_answers_is_forgotten(world: World) -> None:
    sent = Sent("CANCEL", "z9hG4bKy", "CANCEL sip:x SIP/2.0\r\n\r\n", BY_UDP)
    send_unwatched(world.core.transactions, sent)
    assert world.core.occupancy()["client transactions"] == 1
    world.advance(32)
    assert world.core.occupancy()["client transactions"] == 0
