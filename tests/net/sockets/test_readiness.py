"""Being woken for a datagram socket: to read, for errors, and on demand for room."""

from __future__ import annotations

import asyncio
import socket

from reference_server.net.sockets.readiness import Readiness
from tests.conftest import Run


def test_it_wakes_for_data_for_room_and_for_errors(run: Run) -> None:
    async def story() -> None:
        woken = asyncio.Event()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as watched:
            watched.setblocking(False)
            watched.bind(("127.0.0.1", 0))
            readiness = Readiness(watched, woken.set)
            for _ in range(10):
                await asyncio.sleep(0)
            assert not woken.is_set(), "there is always room; nobody has asked for it"
            watched.sendto(b"to myself", watched.getsockname())
            await woken.wait()
            assert watched.recv(100) == b"to myself"
            woken.clear()
            readiness.want_room(True)
            await woken.wait()
            readiness.want_room(False)
            woken.clear()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
                gone.bind(("127.0.0.1", 0))
                nobody = gone.getsockname()
            watched.sendto(b"lost", nobody)
            await woken.wait()
            readiness.close()

    run(story())
