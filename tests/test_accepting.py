"""Many connections may wait to be accepted; few are taken at a time."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from reference_server.accepting import AT_ONCE, accept


def test_a_crowd_is_let_in_by_and_by() -> None:
    async def story() -> list[int]:
        loop = asyncio.get_running_loop()
        accepted = 0
        by_turn: list[int] = []

        class Counted(asyncio.Protocol):
            def __init__(self) -> None:
                nonlocal accepted
                accepted += 1

        with socket.create_server(("127.0.0.1", 0)) as bound:
            server = await accept(bound, Counted)
            crowd = [socket.create_connection(bound.getsockname(), 10) for _ in range(10 * AT_ONCE)]
            while accepted < len(crowd):
                before = accepted
                turn = loop.create_future()
                loop.call_soon(turn.set_result, None)
                await turn
                by_turn.append(accepted - before)
            for one in crowd:
                one.close()
            server.close()
            await server.wait_closed()
        return by_turn

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        by_turn = runner.run(asyncio.wait_for(story(), 10))
    assert 0 < max(by_turn) <= 2 * AT_ONCE, by_turn


def test_more_may_wait_than_are_taken_at_a_time() -> None:
    """A crowd is connected while the loop does not turn: nobody of it is left to repeat its SYN."""

    async def story() -> int:
        with socket.create_server(("127.0.0.1", 0), backlog=1) as bound, contextlib.ExitStack() as crowd:
            server = await accept(bound, asyncio.Protocol)
            for _ in range(
                120
            ):  # more than the 100 of asyncio, fewer than any system allows; the loop has no turn
                one = crowd.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex(bound.getsockname())
                sockets.append(one)
            connected = sum(is_connected(one) for one in sockets)
            server.close()
        return connected

    sockets: list[socket.socket] = []
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert runner.run(asyncio.wait_for(story(), 10)) == 120


def is_connected(one: socket.socket) -> bool:
    """Over loopback the kernel answers a SYN at once, or not at all if nobody may wait any more."""
    try:
        one.getpeername()
    except OSError:
        return False
    return True
