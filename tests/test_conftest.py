"""A story that leaves something open fails, and does not hang."""

from __future__ import annotations

import asyncio

import uvloop

from tests.conftest import closed


def test_what_a_failed_story_leaves_open_is_told_and_closed() -> None:
    async def story() -> None:
        await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)

    loop = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    loop.run(story())
    (left,) = closed(loop)
    assert left.startswith("unclosed resource <TCPServer")
    tidy = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    tidy.run(asyncio.sleep(0))
    assert closed(tidy) == []
