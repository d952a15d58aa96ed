"""Two telephones call each other over real sockets, each by a script; and one meets a far end that the test plays."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from drachtio_conformance.peers.recorder import Recorder, WireEvent
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import Received
from drachtio_conformance.peers.transports import TRANSPORTS
from drachtio_conformance.telephone import lines
from drachtio_conformance.telephone.acts import (
    Act,
    Answer,
    Cancel,
    Dtmf,
    EarlyBye,
    HangUp,
    Hold,
    HungUp,
    NoAck,
    Refer,
    Reinvite,
    Ring,
    Silent,
    Talk,
)
from drachtio_conformance.telephone.session_description import direction
from drachtio_conformance.telephone.telephone import Played, Telephone
from msgtrace import sip
from msgtrace.sip import SipMessage
from tests.conftest import Run


class Two:
    """A caller and a callee; what each played, and what the caller saw."""

    def __init__(self, caller: Played, callee: Played, events: list[WireEvent]) -> None:
        self.caller, self.callee = caller, callee
        self._events = events

    def requests(self, source: str, *methods: str) -> list[SipMessage]:
        """What the caller (``phone``) or the callee (``server``) has asked for."""
        parsed = [sip.parse(event.data) for event in self._events if event.source == source]
        return [message for message in parsed if message.is_request and message.method in methods]

    def responses(self, source: str, method: str) -> list[SipMessage]:
        parsed = [sip.parse(event.data) for event in self._events if event.source == source]
        return [message for message in parsed if not message.is_request and message.method == method]


async def together(caller: Sequence[Act], callee: Sequence[Act], transport: str = "udp") -> Two:
    recorder = Recorder()
    called = await lines.listening(transport, Recorder(), host="127.0.0.1")
    uri = lines.uri_of(called)
    calling = await lines.dialled(lines.destination(uri), recorder, patience=5)
    try:
        taking = asyncio.ensure_future(Telephone(called, follows=True).take(callee, within=10))
        played = await Telephone(calling, patience=10).call(uri, caller)
        taken = await taking
    finally:
        for peer in (calling, called):
            peer.close()
            await peer.endpoint.gone(5)
    assert taken is not None
    return Two(played, taken, recorder.events)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_long_story_over_each_transport(run: Run, transport: str) -> None:
    """Both sides ask for things, on the connection that the caller has made."""

    async def story() -> None:
        two = await together(
            [Dtmf("5#"), Hold(0.05), Refer("sip:carol@127.0.0.1"), HungUp(20)],
            [Ring(0.05), Answer(), Talk(0.5), Reinvite(), HangUp()],
            transport,
        )
        assert two.caller.sentence == (
            "answered 200 OK; dialled 5#; on hold for 0.05 s: 200 OK (recvonly); taken back: 200 OK (sendrecv); "
            "referred to sip:carol@127.0.0.1: 202 Accepted; the other side hung up"
        )
        assert two.callee.sentence == (
            "rang for 0.05 s; answered 200; talked for 0.5 s; re-INVITE: 200 OK (sendrecv); hung up after 0 s: 200 OK"
        )
        assert two.caller.good
        assert two.callee.good

    run(story())


def test_on_hold_and_taken_back(run: Run) -> None:
    async def story() -> None:
        two = await together([Hold(0.05), HangUp()], [HungUp()])
        first, held, back = two.requests("phone", "INVITE")
        assert [direction(each.body) for each in (first, held, back)] == ["sendrecv", "sendonly", "sendrecv"]
        origins = [each.body.split("\r\n")[1].split()[:3] for each in (first, held, back)]
        assert [origin[2] for origin in origins] == ["1", "2", "3"]
        assert len({origin[1] for origin in origins}) == 1
        assert [each.cseq[0] for each in (held, back)] == [2, 3]
        assert len({each.call_id for each in (first, held, back)}) == 1
        assert held.first("Content-Type") == "application/sdp"
        assert len(two.requests("phone", "ACK")) == 3

    run(story())


def test_a_callee_puts_on_hold(run: Run) -> None:
    async def story() -> None:
        two = await together([HungUp(10)], [Hold(0.05), HangUp()])
        held, back = two.requests("server", "INVITE")
        assert [direction(each.body) for each in (held, back)] == ["sendonly", "sendrecv"]
        answers = two.responses("phone", "INVITE")
        assert [direction(each.body) for each in answers] == ["recvonly", "sendrecv"]
        assert "on hold for 0.05 s: 200 OK (recvonly)" in two.callee.sentence

    run(story())


@pytest.mark.parametrize(
    ("caller", "callee", "told", "heard"),
    [
        ([], [Answer(486)], "INVITE was answered 486 Busy Here", "answered 486"),
        (
            [Cancel(0.1)],
            [Ring(20)],
            "cancelled after 0.1 s: INVITE was answered 487 Request Terminated",
            "rang, and was cancelled within 20 s",
        ),
        (
            [EarlyBye()],
            [Ring(20)],
            "hung up behind 180 Ringing: INVITE was answered 487 Request Terminated",
            "rang, and was hung up within 20 s",
        ),
        (
            [EarlyBye()],
            [Answer(486)],
            "INVITE was answered 486 Busy Here before it rang",
            "answered 486",
        ),
        (
            [EarlyBye()],
            [Answer(), HungUp()],
            "INVITE was answered 200 OK before it rang; hung up after 0 s: 200 OK",
            "answered 200; the other side hung up",
        ),
        (
            [Cancel(5)],
            [Answer(), HungUp()],
            "INVITE was answered 200 OK before it was to be cancelled; hung up after 0 s: 200 OK",
            "answered 200; the other side hung up",
        ),
        (
            [Talk(20), Dtmf("1")],
            [HangUp()],
            "answered 200 OK; talked; the other side hung up; dtmf was not done",
            "answered 200; hung up after 0 s: 200 OK",
        ),
        (
            [HungUp(0.2)],
            [HungUp()],
            "answered 200 OK; nobody hung up within 0.2 s",
            "answered 200; nobody hung up within 1 s",
        ),
    ],
)
def test_what_becomes_of_scripts(
    run: Run, caller: list[Act], callee: list[Act], told: str, heard: str
) -> None:
    async def story() -> None:
        taking = [HungUp(1) if isinstance(act, HungUp) else act for act in callee]
        two = await together(caller, taking)
        assert two.caller.sentence == told
        assert two.callee.sentence == heard
        expected = told.startswith(("cancelled", "hung up"))
        assert two.caller.good is expected

    run(story())


def test_rung_and_not_answered_is_told(run: Run) -> None:
    async def story() -> None:
        two = await together([Cancel(0.05)], [Ring(20), Answer()])
        assert two.callee.sentence == "rang, and was cancelled within 20 s; answer was not done"
        assert not two.callee.good

    run(story())


def test_a_telephone_without_a_script_answers_and_leaves_the_call_up(run: Run) -> None:
    async def story() -> None:
        called = await lines.listening("udp", Recorder(), host="127.0.0.1")
        calling = await lines.dialled(lines.destination(lines.uri_of(called)), Recorder(), patience=5)
        callee, caller = Telephone(called, follows=True), Telephone(calling)
        taking = asyncio.ensure_future(callee.take(within=10))
        played = await caller.call(lines.uri_of(called))
        taken = await taking
        assert played.status == 200
        assert taken is not None
        assert taken.message is not None
        assert taken.message.method == "INVITE"
        calling.request("BYE", in_dialog=True)
        came = await called.endpoint.incoming.take(5)
        assert isinstance(came, Received)
        assert came.raw.startswith("BYE ")
        calling.close()
        called.close()

    run(story())


def test_a_silent_callee_is_cancelled_when_patience_ends(run: Run) -> None:
    """Nobody may CANCEL what has had no provisional response: the caller gives up."""

    async def story() -> None:
        called = await lines.listening("udp", Recorder(), host="127.0.0.1")
        calling = await lines.dialled(lines.destination(lines.uri_of(called)), Recorder(), patience=5)
        taking = asyncio.ensure_future(Telephone(called, follows=True).take([Silent()], within=10))
        caller = Telephone(calling, patience=0.3)
        played = await caller.call(lines.uri_of(called), [Cancel(0.1)])
        assert played.sentence == "INVITE was not answered within 0.3 s"
        assert not caller.reached
        calling.cancel()
        for status in (200, 487):
            item = await calling.endpoint.incoming.take(5)
            assert isinstance(item, Received)
            calling.learn(item)
            assert sip.parse(item.raw).status == status
        calling.ack()
        taken = await taking
        assert taken is not None
        assert (taken.good, taken.sentence) == (True, "not answered; cancelled")
        calling.close()
        called.close()

    run(story())


class FarEnd:
    """A peer that the test plays, and a telephone that calls it."""

    def __init__(self, peer: SipPeer, calling: SipPeer) -> None:
        self.peer, self.calling = peer, calling
        self.uri = lines.uri_of(peer)

    async def come(self, method: str) -> SipMessage:
        """The next message, which has to be a request of that method, or a response to it."""
        item = await self.peer.endpoint.incoming.take(10)
        assert isinstance(item, Received)
        message = sip.parse(item.raw)
        assert message.method == method, message.summary()
        self.peer.learn(item, save=method if message.is_request else None)
        self.peer.endpoint.turn_to(item.reply)
        return message

    def close(self) -> None:
        self.peer.close()
        self.calling.close()


async def far_end() -> FarEnd:
    peer = await lines.listening("udp", Recorder(), host="127.0.0.1")
    return FarEnd(peer, await lines.dialled(lines.destination(lines.uri_of(peer)), Recorder(), patience=5))


def test_what_is_asked_in_a_call(run: Run) -> None:
    """INFO and OPTIONS are answered 200, a call of somebody else 486, a REFER with a NOTIFY, repetitions again."""

    async def story() -> None:
        far = await far_end()
        playing = asyncio.ensure_future(Telephone(far.calling).call(far.uri, [HungUp(20)]))
        await far.come("INVITE")
        far.peer.respond(200)
        await far.come("ACK")
        far.peer.respond(200, to="INVITE")  # as if the ACK had been lost
        await far.come("ACK")
        for method in ("INFO", "OPTIONS", "MESSAGE", "UPDATE"):
            far.peer.request(method, in_dialog=True)
            assert (await far.come(method)).status == 200
            far.peer.retransmit()
            assert (await far.come(method)).status == 200
        far.peer.request("REFER", in_dialog=True)
        assert (await far.come("REFER")).status == 202
        notify = await far.come("NOTIFY")
        assert (notify.first("Event"), notify.body) == ("refer", "SIP/2.0 200 OK\r\n")
        assert notify.first("Subscription-State").startswith("terminated")
        far.peer.respond(200)
        stranger = await lines.dialled(
            lines.destination(f"sip:x@{far.calling.address}"), Recorder(), patience=5
        )
        stranger.request("INVITE", uri=f"sip:x@{far.calling.address}")
        item = await stranger.endpoint.incoming.take(5)
        assert isinstance(item, Received)
        assert item.raw.startswith("SIP/2.0 486 ")
        stranger.close()
        far.peer.request("BYE", in_dialog=True)
        assert (await far.come("BYE")).status == 200
        assert (await playing).sentence == "answered 200 OK; the other side hung up"
        far.close()

    run(story())


def test_what_belongs_to_another_call(run: Run) -> None:
    """A BYE of a call that is long over does not end the present one, nor does its ACK answer for it."""

    async def story() -> None:
        far = await far_end()
        telephone = Telephone(far.calling)
        calling = asyncio.ensure_future(telephone.call(far.uri))
        await far.come("INVITE")
        far.peer.respond(200)
        await far.come("ACK")
        assert (await calling).good
        playing = asyncio.ensure_future(telephone.call(far.uri, [Talk(0.3), HangUp()]))
        second = await far.come("INVITE")
        far.peer.request("BYE", in_dialog=True)  # of the first call
        assert (await far.come("BYE")).status == 200
        far.peer.respond(200, to="INVITE")
        assert (await far.come("ACK")).call_id == second.call_id
        await far.come("BYE")
        far.peer.respond(200)
        assert (await playing).sentence == "answered 200 OK; talked for 0.3 s; hung up after 0 s: 200 OK"
        far.close()

    run(story())


def test_offers_that_meet(run: Run) -> None:
    """Ours is open: theirs gets 491 (RFC 3261 §14.2). Ours got 491: it is tried again."""

    async def story() -> None:
        far = await far_end()
        playing = asyncio.ensure_future(Telephone(far.calling).call(far.uri, [Reinvite(), HangUp()]))
        await far.come("INVITE")
        far.peer.respond(200)
        await far.come("ACK")
        ours = await far.come("INVITE")
        far.peer.request("INVITE", in_dialog=True)
        assert (await far.come("INVITE")).status == 491
        far.peer.ack()
        far.peer.respond(491, to="INVITE")
        await far.come("ACK")
        again = await far.come("INVITE")
        assert again.cseq[0] == (ours.cseq[0] or 0) + 1
        assert again.body == ours.body
        far.peer.respond(200)
        await far.come("ACK")
        await far.come("BYE")
        far.peer.respond(200)
        assert (await playing).good
        far.close()

    run(story())


def test_never_acknowledged(run: Run) -> None:
    async def story() -> None:
        far = await far_end()
        playing = asyncio.ensure_future(Telephone(far.calling).call(far.uri, [NoAck()]))
        await far.come("INVITE")
        far.peer.respond(200)
        far.peer.respond(200)
        far.peer.request("BYE", in_dialog=True)
        bye = await far.come("BYE")  # and no ACK before it
        assert bye.status == 200
        played = await playing
        assert (played.good, played.sentence) == (
            True,
            "answered 200 OK, not acknowledged: the other side hung up",
        )
        far.close()

    run(story())


@pytest.mark.parametrize(
    ("script", "method", "status", "told"),
    [
        (Dtmf("12"), "INFO", 500, "dialled 1: 500 Server Internal Error"),
        (Hold(), "INVITE", 488, "put on hold: 488 Not Acceptable Here"),
        (Reinvite(), "INVITE", 488, "re-INVITE: 488 Not Acceptable Here"),
        (Refer("sip:x@y"), "REFER", 603, "referred to sip:x@y: 603 Decline"),
        (HangUp(), "BYE", 481, "hung up after 0 s: 481 Call/Transaction Does Not Exist"),
    ],
)
def test_what_is_refused_in_a_call(run: Run, script: Act, method: str, status: int, told: str) -> None:
    async def story() -> None:
        far = await far_end()
        playing = asyncio.ensure_future(Telephone(far.calling).call(far.uri, [script, HangUp()][:1]))
        await far.come("INVITE")
        far.peer.respond(200)
        await far.come("ACK")
        await far.come(method)
        far.peer.respond(status)
        played = await playing
        assert (played.good, played.did[-1].told) == (False, told)
        far.close()

    run(story())


def test_a_connection_that_is_closed(run: Run) -> None:
    async def story() -> None:
        called = await lines.listening("tcp", Recorder(), host="127.0.0.1")
        calling = await lines.dialled(lines.destination(lines.uri_of(called)), Recorder(), patience=5)
        playing = asyncio.ensure_future(Telephone(calling).call(lines.uri_of(called), [HangUp()]))
        await called.endpoint.incoming.take(5)
        called.endpoint.abort()
        played = await playing
        assert (played.good, played.sentence) == (
            False,
            "the connection was closed before INVITE was answered",
        )
        calling.close()

    run(story())
