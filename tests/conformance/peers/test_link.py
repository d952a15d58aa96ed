"""The link between an application under test and its server, where the application listens."""

from __future__ import annotations

import asyncio

from drachtio_conformance.peers.channel import Bell
from drachtio_conformance.peers.link import Link
from drachtio_conformance.peers.recorder import Recorder
from tests.serving import serving


def frame(payload: str) -> bytes:
    return f"{len(payload)}#{payload}".encode()


async def taken(reader: asyncio.StreamReader) -> list[str]:
    """The tokens of the next frame."""
    count = await reader.readuntil(b"#")
    return (await reader.readexactly(int(count[:-1]))).decode().split("|")


def test_it_is_ready_when_the_server_has_answered_its_routes() -> None:
    """Not sooner: an INVITE by UDP might overtake them."""

    async def story() -> None:
        routed = asyncio.Event()
        answered = asyncio.Event()

        async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(frame(f"u|response|{(await taken(reader))[0]}|OK|udp/127.0.0.1:5060"))
            asked = [await taken(reader) for _ in range(3)]
            routed.set()
            await answered.wait()
            for each in asked:
                writer.write(frame(f"u|response|{each[0]}|OK"))
            await reader.read()

        async def application(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(frame("a|authenticate|secret|"))
            await reader.read()

        async with serving(server) as behind, serving(application) as listening:
            bell = Bell()
            link = Link(("127.0.0.1", behind), Recorder(), bell)
            await link.connect(listening)
            await routed.wait()
            assert link.answered == {"a": "OK"}
            assert link.is_asking
            answered.set()
            await bell.until(lambda: True if not link.is_asking else None, 20)
            await link.close()

    asyncio.run(asyncio.wait_for(story(), 20))
