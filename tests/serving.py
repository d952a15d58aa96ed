"""A small server of a test, with nothing left of it behind the block that needs it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

Serve: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of 127.0.0.1 on which each connection is given to ``serve``.

    At the end what still runs is cancelled, all connections are aborted and waited for: Python 3.12.1 reports each
    handler that a loop finds at its own end, and each writer that nobody has closed. What a handler raises is raised.
    """
    handlers: list[asyncio.Future[None]] = []
    writers: list[asyncio.StreamWriter] = []

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        handlers.append(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for handler in handlers:
            handler.cancel()
        ended = await asyncio.gather(*handlers, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()
    for result in ended:
        if isinstance(result, Exception) and not isinstance(result, ConnectionError):
            raise result
