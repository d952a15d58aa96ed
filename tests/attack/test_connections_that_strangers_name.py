"""Who has requests passed on says where the server connects to: that must not use up what others need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reference_server.config.model import ContactConfiguration
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.net.network import Network
from tests.conftest import Run
from tests.net.hearing import Hearing

MOST = 8
OPTIONS = (
    b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n"
)


class Silent(asyncio.Protocol):
    """Takes a connection and says nothing."""


@asynccontextmanager
async def network(listeners: int) -> AsyncIterator[tuple[Network, Hearing, list[str]]]:
    """A network, and the URIs of listeners that take connections and say nothing."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Silent, "127.0.0.1", 0) for _ in range(listeners)]
    hearing = Hearing()
    made = Network(lambda line: None, most_connections=MOST)
    await made.start([ContactConfiguration(port=0, transports=("tcp",))], hearing)
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    yield made, hearing, [f"sip:127.0.0.1:{port};transport=tcp" for port in ports]
    await made.stop()
    for server in servers:
        server.close()
        await server.wait_closed()


async def connect(made: Network, uri: str) -> Way:
    outcome: asyncio.Future[Way] = asyncio.get_running_loop().create_future()
    made.open(uri, outcome.set_result)
    return await outcome


def test_only_so_many_connections_are_made_at_a_time(run: Run) -> None:
    async def story() -> None:
        async with network(MOST) as (made, _, uris):
            outcomes = await asyncio.gather(*(connect(made, uri) for uri in uris))
            assert outcomes.count(NoWay.UNREACHABLE) == MOST - MOST // 4
            assert isinstance(await connect(made, uris[-1]), Flow), "later there is room again"

    run(story())


def test_connections_of_our_own_that_stay_silent_make_room_for_callers(run: Run) -> None:
    async def story() -> None:
        async with network(MOST) as (made, hearing, uris):
            ours = [await connect(made, uri) for uri in uris]
            assert all(isinstance(flow, Flow) and made.alive(flow) for flow in ours)
            port = made.endpoints()[0].port
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(OPTIONS)
            _, flow = await hearing.messages.get()
            assert made.alive(flow)
            assert not reader.at_eof()
            lost = await hearing.lost.get()
            assert lost == ours[0], "the oldest of those that never spoke"
            writer.close()

    run(story())
