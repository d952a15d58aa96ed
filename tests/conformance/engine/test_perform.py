"""Steps on a stage of which the test plays the server: what a check takes, passes over and leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from drachtio_conformance.engine.perform import perform
from drachtio_conformance.engine.results import StepOutcome, StepResult
from drachtio_conformance.peers.sip_transport import Received
from drachtio_conformance.steps.absence import ExpectNothing, SipNothing
from drachtio_conformance.steps.connections import Close, Connect, SipPeer
from drachtio_conformance.steps.control import Authenticate
from drachtio_conformance.steps.expect import Expect
from drachtio_conformance.steps.mutation import Mutation, MutationKind
from drachtio_conformance.steps.send import Send, SendBytes
from drachtio_conformance.steps.sip_expect import SipExpect
from drachtio_conformance.steps.sip_send import SipAck, SipRequest, SipRespond, SipSend
from drachtio_conformance.steps.stage import Pace, Stage
from drachtio_conformance.steps.step import Located, Step
from drachtio_conformance.targets.target import Endpoints
from msgtrace import frames
from msgtrace.frames import Frame
from tests.conformance.small_server import SECRET, SmallTarget, right


class Sip(asyncio.DatagramProtocol):
    """Keeps the address of whoever sent last."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        self.heard = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.source = addr
        self.heard.set()

    async def say(self, *messages: str) -> None:
        await self.heard.wait()
        for message in messages:
            self.transport.sendto(message.encode(), self.source)


class Scene:
    """A stage, and the SIP socket that stands for the server's."""

    def __init__(self, stage: Stage, sip: Sip) -> None:
        self.stage = stage
        self.sip = sip

    async def do(self, step: Step) -> StepResult:
        return await perform(self.stage, Located(step, "test"))

    async def ok(self, *several: Step) -> None:
        for step in several:
            result = await self.do(step)
            assert result.outcome is StepOutcome.OK, result

    async def fails(self, step: Step) -> str:
        result = await self.do(step)
        assert result.outcome is StepOutcome.FAILED, result
        return result.actual


def talkative(tokens: list[str]) -> list[str]:
    """Answers a ping with another frame first."""
    return [f"x|note|{tokens[0]}", *right(tokens)] if tokens[1] == "ping" else right(tokens)


@asynccontextmanager
async def a_scene() -> AsyncIterator[Scene]:
    loop = asyncio.get_running_loop()
    server = await SmallTarget(talkative).start(None)
    transport, sip = await loop.create_datagram_endpoint(Sip, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]

    class Here:
        endpoints = Endpoints(server.endpoints.admin, SECRET, (f"udp/127.0.0.1:{port}",), "")
        advance, now, occupancy, stop = server.advance, server.now, server.occupancy, server.stop
        gone = server.gone

    stage = Stage(Here(), Pace(deadline=0.1), embedded=True)
    try:
        yield Scene(stage, sip)
    finally:
        await stage.clear()
        transport.close()
        await server.stop()
        for _ in range(3):
            await asyncio.sleep(0)  # closed transports let go of their sockets in the loop's next turns


def play(story: Callable[[Scene], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10), a_scene() as scene:
            await story(scene)

    asyncio.run(bounded())


TRYING = "SIP/2.0 100 Trying\r\nCSeq: 1 INVITE\r\n\r\n"
RINGING = "SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n"
BUSY = "SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\n\r\n"
CALL = (SipPeer(), SipRequest(method="INVITE"))


def test_a_message_that_comes_before_fails_unless_it_may_be_skipped() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(*CALL)
        await scene.sip.say(TRYING, BUSY, RINGING, BUSY.replace("486", "600"))
        await scene.ok(SipExpect(status=486, skip=["100"]))
        assert (await scene.fails(SipExpect(status=600, skip=["100"]))).startswith("status: SIP/2.0 180")

    play(story)


def test_repeats_are_passed_over_unless_one_is_wanted() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(*CALL)
        await scene.sip.say(RINGING, RINGING, BUSY, BUSY, BUSY.replace("Here", "There"))
        await scene.ok(SipExpect(status=180), SipExpect(status=486))
        await scene.ok(SipExpect(status=486, retransmission=True))
        assert "message: another message" in await scene.fails(SipExpect(status=486, retransmission=True))
        assert await scene.fails(SipExpect(status=486)) == "nothing came within 0.1 s"

    play(story)


def test_anything_breaks_a_silence_even_a_repeat() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(*CALL)
        await scene.sip.say(RINGING, RINGING)
        await scene.ok(SipExpect(status=180))
        assert (await scene.fails(SipNothing(quiet="50ms"))).startswith("SIP/2.0 180")
        await scene.ok(SipNothing(quiet="10ms"))

    play(story)


def test_a_response_must_belong_to_the_transaction() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(SipPeer(), SipRequest(method="INVITE", save="call"))
        await scene.sip.say(BUSY)
        assert "transaction: branch " in await scene.fails(SipExpect(status=486, of="call"))

    play(story)


def test_a_failed_check_captures_nothing() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(*CALL)
        await scene.sip.say(RINGING)
        await scene.fails(SipExpect(start="SIP/2.0 {code} Ringing", headers={"CSeq": "2 INVITE"}))
        assert "code" not in scene.stage.variables.values

    play(story)


def test_the_next_frame_counts_unless_the_step_is_unordered() -> None:
    async def story(scene: Scene) -> None:
        ping = Send(tokens="ping", save="m")
        await scene.ok(Authenticate(), ping)
        pong = "*|response|${m}|OK|pong"
        await scene.ok(Expect(tokens=pong, unordered=True), Expect(tokens="x|note|${m}"))
        await scene.ok(ping)
        assert "token 1: note" in await scene.fails(Expect(tokens=pong))

    play(story)


def test_a_frame_before_the_barrier_breaks_the_silence() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(Authenticate())
        assert (await scene.fails(ExpectNothing())).startswith("x|note|")

    play(story)


def test_a_barrier_must_be_of_the_channel_that_is_silent() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(Authenticate(), Authenticate(app="other"), SipPeer())
        for step in (
            ExpectNothing(barrier=["other.ping"]),
            ExpectNothing(barrier=["phone"]),
            SipNothing(barrier=["app.ping"]),
        ):
            result = await scene.do(step)
            assert (result.outcome, result.actual[:21]) == (StepOutcome.ERROR, "the last barrier must")

    play(story)


def test_the_unit_of_a_length_can_be_demanded() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(Authenticate())
        app = scene.stage.application("app")
        frame = Expect(tokens="é", unit="bytes")
        wire = "é".encode().decode("latin-1")
        for text in ("2#é", "1#é"):
            for item in frames.decode(text.encode()):
                assert isinstance(item, Frame)
                assert item.payload == wire
                app.incoming.put(item)
        await scene.ok(frame)
        assert "1 counts code-points or utf-16" in await scene.fails(frame)

    play(story)


def test_a_name_has_one_bearer() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(Connect(name="app"))
        assert (await scene.do(SipPeer(name="app"))).actual == "the name 'app' is taken"
        await scene.ok(Close(of="app"), SipPeer(name="app"))

    play(story)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (SipAck(), "there is no SIP peer 'phone'; there are none"),
        (Send(), "there is no application 'app'; connected are none"),
        (
            SipPeer(transport="tcp"),
            "the server has no tcp endpoint with ipv4; it lists udp/127.0.0.1:",
        ),
    ],
)
def test_what_cannot_be_done_is_an_error_of_the_case(step: Step, message: str) -> None:
    async def story(scene: Scene) -> None:
        result = await scene.do(step)
        assert result.outcome is StepOutcome.ERROR
        assert result.actual.startswith(message)

    play(story)


def test_octets_are_given_in_one_way() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(Connect(), SipPeer())
        for step, message in (
            (SendBytes(), "expected either text or hex"),
            (SendBytes(text="a", hex="61"), "expected either text or hex"),
            (SendBytes(hex="6"), "expected octets in hexadecimal: Odd-length string"),
            (SipSend(sip="a", text="a"), "expected one of sip, text and hex"),
        ):
            assert (await scene.do(step)).actual == message

    play(story)


def test_an_injected_message_can_be_answered_into_nowhere() -> None:
    async def story(scene: Scene) -> None:
        await scene.ok(*CALL)
        scene.stage.mutation = Mutation(kind=MutationKind.INJECT)
        await scene.sip.say(BUSY)
        await scene.ok(SipExpect(method="MUTANT"), SipRespond(status=200))
        item = await scene.stage.peer("phone").endpoint.incoming.take(2)
        assert isinstance(item, Received)
        assert item.raw == BUSY

    play(story)


@pytest.mark.parametrize(
    ("pace", "within", "waits"),
    [
        (Pace(deadline=2.0), None, 2.0),
        (Pace(deadline=2.0), "8s", 8.0),
        (Pace(deadline=1.0, longest=1.5), None, 1.0),
        (Pace(deadline=1.0, longest=1.5, scale=2.0), "8s", 3.0),
        (Pace(deadline=1.0, longest=1.5), "400ms", 0.4),
    ],
)
def test_how_long_a_check_waits(pace: Pace, within: str | None, waits: float) -> None:
    assert pace.patience(within) == waits
