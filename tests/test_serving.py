"""The small server of tests leaves nothing behind, and hides no fault of its own."""

from __future__ import annotations

import asyncio

import pytest

from tests.conftest import Run
from tests.serving import serving


async def come(port: int) -> None:
    """Connect, and wait for the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


def test_what_still_waits_is_ended(run: Run) -> None:
    async def story() -> None:
        told: list[str] = []
        begun = asyncio.Event()

        async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            begun.set()
            try:
                await reader.read()
            finally:
                told.append("ended")

        async with serving(wait) as port:
            coming = asyncio.ensure_future(come(port))
            await begun.wait()
        await coming
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        assert told == ["ended"]

    run(story())


def test_a_fault_of_the_server_is_one_of_the_test(run: Run) -> None:
    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        raise ValueError("mine")

    async def story() -> None:
        async with serving(fail) as port:
            await come(port)

    with pytest.raises(ValueError, match="mine"):
        run(story())
