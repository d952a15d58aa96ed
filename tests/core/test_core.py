"""The entry points: what an application may send, and that every table stands in the occupancy."""

from __future__ import annotations

import pytest

from tests.core.proxy.stage import Stage
from tests.core.uac.originated import CONTACT, Originated
from tests.core.world import (
    Call,
    World,
    sip_of,
)


def test_occupancy_counts_what_is_there(world: World) -> None:
    empty = world.core.occupancy()
    assert set(empty.values()) == {0}
    call = Call(world, world.application("invite"))
    assert {name: count for name, count in world.core.occupancy().items() if count} == {
        "server transactions": 1,
        "first arrivals": 1,
        "pending requests": 1,
        "cancellable INVITEs": 1,
    }
    call.establish()
    assert {name: count for name, count in world.core.occupancy().items() if count} == {
        "server transactions": 1,
        "first arrivals": 1,
        "dialogs by id": 1,
        "dialogs by key": 1,
    }
    sent = sip_of(call.application.request(call.dialog_id, "INFO\r\n\r\n"))
    assert world.core.occupancy()["client transactions"] == 1
    call.phone.respond(sent)
    call.hang_up()


def test_occupancy_counts_the_applications_own_requests_and_what_is_proxied(world: World) -> None:
    call = Originated(world, "INVITE", "Supported: 100rel")
    call.answer(183, CONTACT, "Require: 100rel", "RSeq: 1")
    subscription = Originated(world, "SUBSCRIBE", "Event: presence")
    stage = Stage(world)
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    counted = world.core.occupancy()
    names = ("outgoing INVITEs", "reliable calls", "outgoing SUBSCRIBEs", "proxied requests")
    assert [counted[name] for name in names] == [1, 1, 1, 1]
    assert world.core.busy
    call.answer(486)
    subscription.answer(489)
    stage.carol.answer(invite, 407, 'Proxy-Authenticate: Digest realm="r", nonce="n"')
    counted = world.core.occupancy()
    assert [counted[name] for name in names] == [0, 0, 0, 0]
    assert counted["proxy challengers"] == 1
    assert not world.core.busy


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (
            "sip|nonesuch|\r\nCANCEL sip:x SIP/2.0\r\n\r\n",
            "unable to cancel unknown transaction id: nonesuch",
        ),
        (
            "sip|nonesuch|\r\nsip/2.0 200 OK\r\n\r\n",
            "Server error: invalid or missing method supplied on start line: sip/2.0 200 OK",
        ),
        (
            "sip|nonesuch|\r\n SIP/2.0 200 OK\r\n\r\n",
            "Server error: invalid or missing method supplied on start line:  SIP/2.0 200 OK",
        ),
        ("sip|nonesuch", "Server error: invalid or missing method supplied on start line: "),
        ("sip||\r\nOPTIONS tel:+1234 SIP/2.0\r\n\r\n", "invalid request-uri: OPTIONS tel:+1234 SIP/2.0"),
        ("sip||\r\nOPTIONS * SIP/2.0\r\n\r\n", "invalid request-uri: OPTIONS * SIP/2.0"),
        ("sip||\r\noptions sip:a@b SIP/2.0\r\n\r\n", "invalid request-uri: options sip:a@b SIP/2.0"),
        ("sip||\r\nOPTIONS sip:a@b\r\n\r\n", "invalid request-uri: OPTIONS sip:a@b"),
        ("sip||\r\n", "invalid request-uri: "),
        ("proxy|nonesuch||||||||sip:a@b", "Unknown transaction id: nonesuch"),
    ],
)
def test_what_cannot_be_sent(world: World, payload: str, text: str) -> None:
    application = world.application()
    assert application.say(payload) == f"uuid|response|m1|NOK|{text}"
    assert not application.ended_by_server
    assert world.network.take() == []
