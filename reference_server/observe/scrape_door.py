"""A small HTTP server on the loop: GET and HEAD of a few pages, one request a connection. For Prometheus and probes.

Who connects and says nothing, or too much, is closed; more than a hundred at a time are not let in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from msgspec import Struct

LONGEST_REQUEST: Final = 8 * 1024
"""Octets of request line and headers."""

PATIENCE: Final = 10.0
"""Seconds that a request may take to come, and its answer to go."""

MOST: Final = 100
"""Connections at a time."""


class Page(Struct, frozen=True):
    """What is answered."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "text/plain; charset=utf-8"


class ScrapeDoor:
    """Serves pages, made anew for each request."""

    def __init__(self, pages: Mapping[str, Callable[[], Page]], *, patience: float = PATIENCE) -> None:
        """``pages`` by their path; ``patience`` in seconds."""
        self._pages = pages
        self._patience = patience
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; the address and port that it came to. Raises OSError."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=LONGEST_REQUEST)
        address = self._server.sockets[0].getsockname()
        return str(address[0]), int(address[1])

    async def stop(self) -> None:
        """Close everything."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= MOST:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            async with asyncio.timeout(self._patience):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self.answer(head))
                await writer.drain()
        except asyncio.LimitOverrunError:
            writer.write(_answer(Page(b"request too large\n", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)))
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(self._patience):
                    await writer.wait_closed()

    def answer(self, head: bytes) -> bytes:
        """The whole answer to a request, of which ``head`` is all up to the empty line."""
        words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return _answer(Page(b"expected an HTTP request\n", HTTPStatus.BAD_REQUEST))
        method, target, _ = words
        if method not in ("GET", "HEAD"):
            return _answer(
                Page(b"expected GET\n", HTTPStatus.METHOD_NOT_ALLOWED), more="Allow: GET, HEAD\r\n"
            )
        make = self._pages.get(target.partition("?")[0])
        if make is None:
            there = f"expected one of {' '.join(self._pages)}\n".encode()
            return _answer(Page(there, HTTPStatus.NOT_FOUND), without_body=method == "HEAD")
        return _answer(make(), without_body=method == "HEAD")


def _answer(page: Page, *, more: str = "", without_body: bool = False) -> bytes:
    head = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\nContent-Type: {page.content_type}\r\n"
        f"Content-Length: {len(page.body)}\r\nConnection: close\r\n{more}\r\n"
    )
    return head.encode() + (b"" if without_body else page.body)
