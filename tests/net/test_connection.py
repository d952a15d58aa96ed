"""One SIP connection on a real socket: peers that do not read, that are silent, that are gone."""

from __future__ import annotations

import asyncio
import re
import socket

import pytest
from msgspec import structs

from reference_server.account import Account
from reference_server.config.model import LimitConfiguration
from reference_server.core.ports import Endpoint, Flow
from reference_server.net.connections import SipConnections
from reference_server.net.sockets.listening import bind_sockets
from reference_server.sip.transport import TCP
from tests.conftest import Run

REQUEST = b"OPTIONS sip:a@h SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"


class Stage:
    """A table that listens, and what it says."""

    def __init__(self, *, account: Account | None = None, **limits: float) -> None:
        self.met: list[str] = []
        """the limits that were met"""
        self.flows: asyncio.Queue[Flow] = asyncio.Queue()
        self.warnings: asyncio.Queue[str] = asyncio.Queue()
        self.lost: asyncio.Queue[Flow] = asyncio.Queue()
        self.table = SipConnections(
            lambda text, flow: self.flows.put_nowait(flow),
            self.warnings.put_nowait,
            limits=structs.replace(LimitConfiguration(), **limits),
            met=self._meet,
            account=account,
            lost=self.lost.put_nowait,
        )

    def _meet(self, limit: str, line: str) -> None:
        self.met.append(limit)
        self.warnings.put_nowait(line)

    async def __aenter__(self) -> Stage:
        bound = bind_sockets(["127.0.0.1"], [TCP], 0)[0]
        self.port = bound.port
        await self.table.listen(bound.socket, Endpoint(TCP, "127.0.0.1", bound.port, "127.0.0.1", ""))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.table.stop()
        assert len(self.table) == 0

    async def peer(self) -> tuple[socket.socket, Flow]:
        """Somebody who has sent a message and reads nothing."""
        peer = socket.create_connection(("127.0.0.1", self.port))
        peer.sendall(REQUEST)
        return peer, await self.flows.get()


def test_a_peer_that_reads_nothing_is_closed_after_a_time(run: Run) -> None:
    async def story() -> None:
        async with Stage(sip_unread_timeout=0.3) as stage:
            peer, flow = await stage.peer()
            for _ in range(6):
                assert stage.table.send("x" * 1_000_000, flow)
                await asyncio.sleep(0)
            warning = await stage.warnings.get()
            assert warning.startswith("closing tcp/[127.0.0.1]:")
            assert warning.endswith("the peer has read nothing for 0.3 s")
            assert stage.met == ["sip-unread-timeout"]
            assert await stage.lost.get() == flow
            peer.close()

    run(story())


def test_a_slow_peer_is_not_closed(run: Run) -> None:
    async def story() -> None:
        async with Stage(sip_unread_timeout=0.2) as stage:
            peer, flow = await stage.peer()
            peer.setblocking(False)
            for _ in range(6):
                assert stage.table.send("x" * 1_000_000, flow)
            read = 0
            while read < 6_000_000:
                await asyncio.sleep(0.02)
                read += len(peer.recv(400_000))
            assert stage.table.alive(flow)
            assert stage.warnings.empty()
            peer.close()
            await stage.lost.get()

    run(story())


@pytest.mark.parametrize("most", [8 * 1024 * 1024, 2_000_000])
def test_a_peer_that_too_much_waits_for_is_closed_at_once(run: Run, most: int) -> None:
    async def story() -> None:
        async with Stage(sip_unread=most) as stage:
            peer, flow = await stage.peer()
            while stage.table.send("x" * 100_000, flow):
                await asyncio.sleep(0)
            warning = re.search(
                r"the peer does not read, (\d+) octets wait for it", await stage.warnings.get()
            )
            assert warning is not None
            assert most < int(warning[1]) < most + 200_000
            assert stage.met == ["sip-unread-limit"]
            peer.close()

    run(story())


def test_what_all_have_not_read_has_a_limit_together(run: Run) -> None:
    async def story() -> None:
        async with Stage(account=Account(18_000_000), sip_unread=50_000_000) as stage:
            greedy, most = await stage.peer()
            modest, less = await stage.peer()
            for flow, rounds in ((less, 6), (most, 12)):
                for _ in range(rounds):
                    stage.table.send("x" * 1_000_000, flow)
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
            assert "octets of unfinished and unread messages are kept" in await stage.warnings.get()
            assert stage.met == ["kept-for-peers"]
            assert await stage.lost.get() == most
            assert stage.table.alive(less)
            greedy.close()
            modest.close()

    run(story())


def test_the_system_finds_out_who_has_gone(run: Run) -> None:
    async def story() -> None:
        async with Stage() as stage:
            peer, _ = await stage.peer()
            (connection,) = stage.table._crowd
            assert connection._transport is not None
            connected = connection._transport.get_extra_info("socket")
            assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
            assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
            peer.close()

    run(story())
