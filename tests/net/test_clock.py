"""The loop clock: one wake for all timers, and time that can be advanced."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest

from reference_server.net.clock import LoopClock


def test_a_timer_fires_on_real_time_and_not_early() -> None:
    async def run() -> float:
        clock = LoopClock()
        fired: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        begin = clock.monotonic()
        clock.timers.start(5.0, lambda: None)
        clock.timers.start(0.02, lambda: fired.set_result(clock.monotonic() - begin))
        elapsed = await fired
        clock.stop()
        return elapsed

    assert 0.02 <= asyncio.run(run()) < 2.0


def test_a_timer_started_by_a_timer_fires() -> None:
    async def run() -> None:
        clock = LoopClock()
        fired = asyncio.Event()

        def first() -> None:
            clock.timers.start(0.001, fired.set)

        clock.timers.start(0.001, first)
        async with asyncio.timeout(5):
            await fired.wait()

    asyncio.run(run())


def test_a_broken_callback_is_reported_and_the_next_timer_fires() -> None:
    async def run() -> list[str]:
        clock = LoopClock()
        reported: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: reported.append(str(context["exception"]))
        )
        fired = asyncio.Event()

        def broken() -> None:
            raise RuntimeError("broken")

        clock.timers.start(0.001, broken)
        clock.timers.start(0.001, fired.set)
        async with asyncio.timeout(5):
            await fired.wait()
        return reported

    assert asyncio.run(run()) == ["broken"]


def test_advance_runs_in_order_at_each_deadline_without_waiting() -> None:
    async def run() -> None:
        clock = LoopClock()
        begin = clock.monotonic()
        wall = clock.wall()
        real = time.monotonic()
        ran: list[int] = []

        def retransmit(interval: float) -> None:
            ran.append(round(clock.monotonic() - begin))
            clock.timers.start(min(interval * 2, 4.0), lambda: retransmit(min(interval * 2, 4.0)))

        clock.timers.start(1.0, lambda: retransmit(1.0))
        await clock.advance(32.0)
        assert ran == [1, 3, 7, 11, 15, 19, 23, 27, 31]
        assert 32.0 <= clock.monotonic() - begin < 40.0
        assert 32.0 <= clock.wall() - wall < 40.0
        assert time.monotonic() - real < 8.0
        assert len(clock.timers) == 1
        clock.stop()
        assert len(clock.timers) == 0

    asyncio.run(run())


def test_the_loop_turns_between_deadlines() -> None:
    async def run() -> list[str]:
        clock = LoopClock()
        loop = asyncio.get_running_loop()
        story: list[str] = []

        def first() -> None:
            loop.call_soon(story.append, "turn")

        clock.timers.start(1.0, first)
        clock.timers.start(1.5, lambda: story.append("second"))
        await clock.advance(2.0)
        return story

    assert asyncio.run(run()) == ["turn", "second"]


def test_a_datagram_is_answered_between_deadlines() -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.DatagramTransport, transport)  # uvloop's is no subclass of it

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(data, addr)

    class Client(asyncio.DatagramProtocol):
        def __init__(self, story: list[str]) -> None:
            self.story = story

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.story.append("answer")

    async def run() -> list[str]:
        story: list[str] = []
        loop = asyncio.get_running_loop()
        echo, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
        client, _ = await loop.create_datagram_endpoint(
            lambda: Client(story), remote_addr=echo.get_extra_info("sockname")
        )
        clock = LoopClock()
        clock.timers.start(0.5, lambda: client.sendto(b"ask"))
        clock.timers.start(1.0, lambda: story.append("second"))
        await clock.advance(1.0)
        client.close()
        echo.close()
        return story

    assert asyncio.run(run()) == ["answer", "second"]


def test_concurrent_advances_add_up() -> None:
    async def run() -> float:
        clock = LoopClock()
        begin = clock.monotonic()
        await asyncio.gather(clock.advance(10.0), clock.advance(20.0))
        return clock.monotonic() - begin

    assert asyncio.run(run()) >= 30.0


def test_time_does_not_run_backwards() -> None:
    async def run() -> None:
        with pytest.raises(ValueError, match=r"not negative, got -1"):
            await LoopClock().advance(-1)

    asyncio.run(run())
