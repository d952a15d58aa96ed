"""The four timers of the configuration, with values that nobody has by default, and the two times beside them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from reference_server.core.context import Settings
from reference_server.core.patience import Patience
from reference_server.core.ports import Flow
from reference_server.sip.messages.message import parse_message
from reference_server.sip.session_timer import Refresher
from reference_server.sip.transactions.timing import Timing
from reference_server.sip.transport import UDP
from tests.core.proxy.stage import Stage
from tests.core.world import SDP, UDP_ENDPOINT, Call, Phone, World, sip_of, statuses_of, transaction_id_of

ODD = Timing(t1=1.3, t2=3.1, t4=1.7, t1x64=20.0)
CAROL = "sip:carol@127.0.0.1:5090"
TO_CAROL = Flow(UDP, "127.0.0.1", 5090, UDP_ENDPOINT)

Worlds = Callable[[Settings], World]


@pytest.fixture
def world(worlds: Worlds) -> World:
    world = worlds(Settings(timing=ODD))
    world.network.routes[CAROL] = TO_CAROL
    return world


def times(world: World, start: str) -> list[float]:
    return [round(moment, 6) for moment in world.network.times(start)]


def doubled(first: float, end: float, longest: float = 1e9) -> list[float]:
    moments, interval = [0.0], first
    while moments[-1] + interval < end:
        moments.append(round(moments[-1] + interval, 6))
        interval = min(2 * interval, longest)
    return moments


def test_an_invite_of_an_application(world: World) -> None:
    application = world.application()
    application.say(f"sip|||\r\nINVITE {CAROL} SIP/2.0\r\n\r\n{SDP}")
    world.advance(19.9)
    assert times(world, "INVITE ") == doubled(1.3, 20)  # T1, doubled without a bound (timer A)
    assert application.take() == []
    world.advance(0.2)
    assert "SIP/2.0 408" in application.take_one()  # 64·T1 (timer B)


def test_another_request_of_an_application(world: World) -> None:
    application = world.application()
    application.say(f"sip|||\r\nOPTIONS {CAROL} SIP/2.0\r\n\r\n")
    world.advance(19.9)
    assert times(world, "OPTIONS ") == doubled(1.3, 20, 3.1)  # bounded by T2 (timer E)
    world.advance(0.2)
    assert "SIP/2.0 408" in application.take_one()  # timer F


def test_a_client_keeps_its_transaction_for_t4(world: World) -> None:
    application = world.application()
    application.say(f"sip|||\r\nOPTIONS {CAROL} SIP/2.0\r\n\r\n")
    Phone(world, flow=TO_CAROL).respond(world.network.take()[0])
    world.advance(1.6)
    assert world.core.occupancy()["client transactions"] == 1
    world.advance(0.2)
    assert world.core.occupancy()["client transactions"] == 0  # timer K


def test_a_refusal_of_an_invite(world: World) -> None:
    call = Call(world, world.application("invite"))
    world.network.take()
    call.answer("SIP/2.0 486 Busy Here\r\n\r\n")
    world.advance(19.9)
    assert times(world, "SIP/2.0 486") == doubled(1.3, 20, 3.1)  # timer G
    call.phone.send("ACK", same=True)
    world.advance(1.6)
    assert world.core.occupancy()["server transactions"] == 1
    world.advance(0.2)
    assert world.core.occupancy()["server transactions"] == 0  # timer I


def test_a_2xx_without_an_ack(world: World) -> None:
    call = Call(world, world.application("invite"))
    world.network.take()
    call.answer()
    world.advance(19.9)
    assert times(world, "SIP/2.0 200") == doubled(0.5, 20, 3.1)  # begins at 500 ms whatever T1 is (RSP-24)
    world.advance(0.2)
    (bye,) = [text for text in world.network.take() if text.startswith("BYE ")]
    call.phone.respond(bye)


def test_a_request_that_the_application_does_not_answer(world: World) -> None:
    application = world.application("options")
    Phone(world).send("OPTIONS")
    world.advance(19.6)
    assert world.network.take() == []
    world.advance(0.2)
    assert statuses_of(world.network.take()) == [504]  # before its client gives up at 64·T1
    application.take()


def test_a_server_keeps_its_transaction_for_64_t1(world: World) -> None:
    Phone(world).send("OPTIONS")
    world.advance(19.9)
    assert world.core.occupancy()["server transactions"] == 1
    world.advance(0.2)
    assert world.core.occupancy()["server transactions"] == 0  # timer J


def test_a_reliable_provisional_response(world: World) -> None:
    application = world.application("invite")
    phone = Phone(world)
    phone.invite("Supported: 100rel")
    world.network.take()
    text = "SIP/2.0 183 Session Progress\r\nRequire: 100rel\r\n\r\n"
    application.answer(transaction_id_of(application.take_one()), text)
    world.advance(19.9)
    assert times(world, "SIP/2.0 183") == doubled(1.3, 20)
    world.advance(0.2)
    assert statuses_of(world.network.take())[-1] == 504


def test_a_proxied_request(worlds: Worlds) -> None:
    stage = Stage(worlds(Settings(timing=structs.replace(ODD, t1=0.3))))
    stage.start(stage.carol.uri)
    stage.world.advance(19.9)
    assert times(stage.world, "INVITE sip:carol") == doubled(0.3, 20)  # a proxy waits no second (PROXY-27)
    assert stage.statuses == []
    stage.world.advance(0.2)
    assert stage.statuses[:1] == [408]


def test_new_times_are_for_what_begins_from_now_on(world: World) -> None:
    application = world.application()
    application.say(f"sip|||\r\nOPTIONS {CAROL} SIP/2.0\r\n\r\n")
    world.core.apply(Settings(timing=Timing(t1=2.0, t2=2.0, t4=1.0, t1x64=5.0)))
    application.say(f"sip|||\r\nMESSAGE {CAROL} SIP/2.0\r\n\r\n")
    world.advance(19.9)
    assert times(world, "OPTIONS ") == doubled(1.3, 20, 3.1)
    assert times(world, "MESSAGE ") == [0, 2, 4]
    world.advance(0.2)


PATIENT = Settings(patience=Patience(ringing=70.0, timer_c=40.0))


def test_a_call_of_the_network_may_ring_so_long(worlds: Worlds) -> None:
    world = worlds(PATIENT)
    call = Call(world, world.application("invite")).ring()
    world.network.take()
    world.advance(69.9)
    assert world.network.take() == []
    world.advance(0.2)
    assert statuses_of(world.network.take()) == [504]
    call.application.take()


def test_a_call_of_an_application_may_ring_so_long(worlds: Worlds) -> None:
    world = worlds(PATIENT)
    world.network.routes[CAROL] = TO_CAROL
    application = world.application()
    application.say(f"sip|||\r\nINVITE {CAROL} SIP/2.0\r\n\r\n{SDP}")
    phone = Phone(world, flow=TO_CAROL)
    (invite,) = world.network.take()
    phone.respond(invite, 180)
    world.advance(69.9)
    assert world.network.take() == []
    world.advance(0.2)
    assert world.network.take()[0].startswith("CANCEL ")
    phone.respond(invite, 487)
    application.take()


def test_timer_c_of_a_proxied_call(worlds: Worlds) -> None:
    stage = Stage(worlds(PATIENT))
    stage.start(stage.carol.uri)
    invite = stage.carol.take()
    stage.carol.answer(invite, 180)
    stage.world.advance(39.9)
    assert stage.statuses == [180]
    stage.world.advance(0.2)
    assert stage.statuses == [180, 408]
    assert stage.carol.take().method == "CANCEL"
    stage.carol.answer(invite, 487)
    stage.phone.send("ACK", same=True)


def test_timer_c_of_a_re_invite_in_either_direction(worlds: Worlds) -> None:
    world = worlds(PATIENT)
    call = Call(world, world.application("invite")).establish()
    call.phone.invite()
    call.application.answer(transaction_id_of(call.application.take_one()), "SIP/2.0 180 Ringing\r\n\r\n")
    world.network.take()
    world.advance(39.9)
    assert world.network.take() == []
    world.advance(0.2)
    assert 504 in statuses_of(world.network.take())
    call.phone.send("ACK", same=True)
    call.application.take()
    invite = sip_of(call.application.request(call.dialog_id, f"INVITE sip:x SIP/2.0\r\n\r\n{SDP}"))
    world.network.take()
    call.phone.respond(invite, 180)
    world.advance(39.9)
    assert world.network.take() == []
    world.advance(0.2)
    assert world.network.take()[0].startswith("CANCEL ")
    call.phone.respond(invite, 487)
    call.application.take()
    call.hang_up()


@pytest.mark.parametrize(
    ("refresher", "answered"),
    [(None, ""), (Refresher.UAC, "1800;refresher=uac"), (Refresher.UAS, "1800;refresher=uas")],
)
def test_who_refreshes_where_the_caller_leaves_it_open(
    worlds: Worlds, refresher: Refresher | None, answered: str
) -> None:
    world = worlds(Settings(default_refresher=refresher))
    application = world.application("invite")
    phone = Phone(world)
    phone.invite("Supported: timer", "Session-Expires: 1800")
    echo = sip_of(
        application.answer(transaction_id_of(application.take_one()), f"SIP/2.0 200 OK\r\n\r\n{SDP}")
    )
    assert phone.learn(echo).get("session-expires") == answered
    phone.send("ACK")
    application.take()
    world.network.take()
    world.advance(910)
    refreshes = [text for text in world.network.take() if text.startswith("INVITE ")]
    assert bool(refreshes) is (refresher is Refresher.UAS)
    if refreshes:
        assert parse_message(refreshes[0]).get("session-expires") == "1800;refresher=uac"
        phone.respond(refreshes[0])
        world.network.take()
    else:
        world.advance(1000)
    ended = [text for text in world.network.take() if text.startswith("BYE ")]
    assert bool(ended) is (refresher is Refresher.UAC)
    application.take()
    if ended:
        phone.respond(ended[0])
    else:
        phone.send("BYE")
        application.answer(transaction_id_of(application.take()[-1]), "SIP/2.0 200 OK\r\n\r\n")


@pytest.mark.parametrize("default", Refresher)
def test_what_the_caller_or_the_application_says_comes_first(worlds: Worlds, default: Refresher) -> None:
    other = "uas" if default is Refresher.UAC else "uac"
    world = worlds(Settings(default_refresher=default))
    application = world.application("invite")
    for name, theirs, ours, expected in (
        ("call1", f"1800;refresher={other}", "", f"1800;refresher={other}"),
        ("call2", "1800", f"Session-Expires: 900;refresher={other}\r\n", f"900;refresher={other}"),
    ):
        phone = Phone(world, name)
        phone.invite("Supported: timer", f"Session-Expires: {theirs}")
        text = f"SIP/2.0 200 OK\r\n{ours}\r\n{SDP}"
        echo = sip_of(application.answer(transaction_id_of(application.take_one()), text))
        assert phone.learn(echo).get("session-expires") == expected
        phone.send("ACK")
        application.take()
        phone.send("BYE")
        application.answer(transaction_id_of(application.take()[-1]), "SIP/2.0 200 OK\r\n\r\n")
