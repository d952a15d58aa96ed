"""The HTTP server: what it answers, and whom it does not let in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest

from reference_server.observe.scrape_door import LONGEST_REQUEST, MOST, Page, ScrapeDoor

PAGES = {
    "/metrics": lambda: Page(b"x 1\n", content_type="text/x"),
    "/readyz": lambda: Page(b"no\n", HTTPStatus(503)),
}


@pytest.mark.parametrize(
    ("request_line", "status", "body"),
    [
        ("GET /metrics HTTP/1.1", "200 OK", b"x 1\n"),
        ("GET /metrics?name[]=x HTTP/1.0", "200 OK", b"x 1\n"),
        ("HEAD /metrics HTTP/1.1", "200 OK", b""),
        ("GET /readyz HTTP/1.1", "503 Service Unavailable", b"no\n"),
        ("GET / HTTP/1.1", "404 Not Found", b"expected one of /metrics /readyz\n"),
        ("POST /metrics HTTP/1.1", "405 Method Not Allowed", b"expected GET\n"),
        ("OPTIONS sip:x SIP/2.0", "400 Bad Request", b"expected an HTTP request\n"),
        ("\x80", "400 Bad Request", b"expected an HTTP request\n"),
    ],
)
def test_answers(request_line: str, status: str, body: bytes) -> None:
    answer = ScrapeDoor(PAGES).answer(f"{request_line}\r\nHost: h\r\n\r\n".encode("latin-1"))
    head, _, rest = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == f"HTTP/1.1 {status}"
    assert rest == body
    assert "Connection: close" in lines
    if not request_line.startswith("HEAD"):
        assert f"Content-Length: {len(body)}" in lines
    else:
        assert "Content-Length: 4" in lines
    assert ("Allow: GET, HEAD" in lines) is status.startswith("405")


def with_door(do: Callable[[ScrapeDoor, str, int], Awaitable[None]], patience: float = 10.0) -> None:
    async def run() -> None:
        door = ScrapeDoor(PAGES, patience=patience)
        host, port = await door.start("127.0.0.1", 0)
        try:
            async with asyncio.timeout(20):
                await do(door, host, port)
        finally:
            await door.stop()

    asyncio.run(run())


async def ask(host: str, port: int, octets: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(octets)
        return await reader.read()
    except ConnectionError:  # it was not let in
        return b""
    finally:
        writer.close()


def test_a_request_over_a_socket_in_pieces() -> None:
    async def do(_: ScrapeDoor, host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for piece in (b"GET /met", b"rics HTTP/1.1\r\nHost", b": h\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
        assert (await reader.read()).endswith(b"\r\n\r\nx 1\n")
        writer.close()

    with_door(do)


def test_too_much_is_refused() -> None:
    async def do(_: ScrapeDoor, host: str, port: int) -> None:
        answer = await ask(host, port, b"GET / HTTP/1.1\r\nX: " + b"x" * 2 * LONGEST_REQUEST)
        assert answer.startswith(b"HTTP/1.1 431 ")

    with_door(do)


def test_who_says_nothing_is_closed() -> None:
    async def do(_: ScrapeDoor, host: str, port: int) -> None:
        assert await ask(host, port, b"GET / ") == b""

    with_door(do, patience=0.05)


def test_there_is_room_for_a_hundred_and_again_when_they_are_gone() -> None:
    async def do(door: ScrapeDoor, host: str, port: int) -> None:
        silent = [await asyncio.open_connection(host, port) for _ in range(MOST)]
        assert await ask(host, port, b"GET /metrics HTTP/1.1\r\n\r\n") == b""
        for _, writer in silent:
            writer.close()
        for reader, _ in silent:
            assert await reader.read() == b""
        while not (await ask(host, port, b"GET /metrics HTTP/1.1\r\n\r\n")).endswith(b"x 1\n"):
            pass

    with_door(do)


def test_a_port_that_is_taken() -> None:
    async def do(_: ScrapeDoor, host: str, port: int) -> None:
        with pytest.raises(OSError, match="address already in use"):
            await ScrapeDoor(PAGES).start(host, port)

    with_door(do)
