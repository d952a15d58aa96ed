"""The sockets of DNS questions: datagrams, streams, time-outs, answers that are too much."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from dns.exception import Timeout

from reference_server.net.locate.dns_sockets import LARGEST_ANSWER, MOST_ANSWERED, QuerySockets
from tests.conftest import Run
from tests.serving import serving


def test_a_datagram_there_and_back(run: Run) -> None:
    async def story() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            asking = await QuerySockets().make_socket(
                socket.AF_INET, socket.SOCK_DGRAM, destination=peer.getsockname(), timeout=5
            )
            async with asking:
                await asking.sendto(b"question", None, 5)
                data, ours = peer.recvfrom(100)
                assert (data, ours) == (b"question", await asking.getsockname())
                peer.sendto(b"answer", ours)
                assert await asking.recvfrom(100, 5) == (b"answer", peer.getsockname())

    run(story())


def test_who_does_not_answer_is_not_waited_for(run: Run) -> None:
    async def story() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            sockets = QuerySockets()
            asking = await sockets.make_socket(
                socket.AF_INET, socket.SOCK_DGRAM, destination=peer.getsockname(), timeout=5
            )
            async with asking:
                with pytest.raises(Timeout):
                    await asking.recv(100, 0.05)

    run(story())


def test_where_nobody_listens(run: Run) -> None:
    async def story() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound, and not listening
            with pytest.raises(OSError, match=r"refused|cannot connect"):
                await QuerySockets().make_socket(
                    socket.AF_INET, socket.SOCK_STREAM, destination=taken.getsockname(), timeout=5
                )

    run(story())


def test_a_socket_without_a_nameserver_is_a_mistake(run: Run) -> None:
    async def story() -> None:
        with pytest.raises(ValueError, match="expected the address of a nameserver"):
            await QuerySockets().make_socket(socket.AF_INET, socket.SOCK_DGRAM)

    run(story())


_TOO_LONG = b"\0" * 12 + b"x" * LARGEST_ANSWER
_TOO_MANY = struct.pack("!6xHHH", MOST_ANSWERED, 1, 0)


@pytest.mark.parametrize("message", [_TOO_LONG, _TOO_MANY])
def test_an_answer_that_is_too_much_is_refused_before_it_is_read(run: Run, message: bytes) -> None:
    async def story() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(struct.pack("!H", len(message)) + message)
            await reader.read()

        async with serving(serve) as port:
            asking = await QuerySockets().make_socket(
                socket.AF_INET,
                socket.SOCK_STREAM,
                destination=("127.0.0.1", port),
                timeout=5,
            )

            async def read_all() -> None:
                while await asking.recv(1000, 5):
                    pass

            async with asking:
                with pytest.raises(OSError, match="expected an answer of at most"):
                    await read_all()

    run(story())
