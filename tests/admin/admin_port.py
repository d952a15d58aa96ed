"""An admin port on a real socket with the behaviour of tests/core/world.py behind it, and clients of it.

The clock is turned by hand: nothing times out unless a test lets time pass.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from msgspec import structs

from reference_server.admin.connections import AdminConnections
from reference_server.admin.context import AdminContext
from reference_server.admin.listener import AdminListener
from reference_server.config.model import DEFAULT_LIMITS, AdminConfiguration, LimitConfiguration
from reference_server.core.context import Settings
from reference_server.core.ports import Taps
from reference_server.turn import Turn
from reference_server.wire.framing import encode_frame
from tests.core.world import World

SECRET = "cymru"
HOSTPORTS = "udp/9.9.9.9:5060,tcp/9.9.9.9:5060"
LOCAL_HOSTPORTS = "udp/127.0.0.1:5060,tcp/127.0.0.1:5060"


class WatchingTap:
    """Keeps frames and events."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, bool, str]] = []
        self.events: list[tuple[str, dict[str, str | int]]] = []

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        self.frames.append((connection, sent, payload))

    def event(self, name: str, **details: str | int) -> None:
        self.events.append((name, details))

    def names(self) -> list[str]:
        return [name for name, _ in self.events]


def admin_context(
    world: World,
    taps: Taps,
    configuration: AdminConfiguration,
    *,
    dialect_0_8: bool = False,
    limits: LimitConfiguration = DEFAULT_LIMITS,
) -> AdminContext:
    """What sessions share, with ``world`` behind it."""
    return AdminContext(
        configuration,
        version="v0.9.5-test",
        dialect_0_8=dialect_0_8,
        hostports=lambda: (HOSTPORTS, LOCAL_HOSTPORTS),
        routes=world.registry,
        core=world.core,
        timers=world.clock.timers,
        identifiers=world.core.context.identifiers,
        taps=taps,
        limits=limits,
    )


class AdminPort:
    """The listener, the world behind it, and who watches."""

    def __init__(
        self,
        configuration: AdminConfiguration,
        dialect_0_8: bool,
        watched: bool,
        limits: LimitConfiguration = DEFAULT_LIMITS,
    ) -> None:
        self.world = World(Settings(dialect_0_8=dialect_0_8))
        self.tap = WatchingTap()
        taps = Taps(self.tap) if watched else Taps()
        self.context = admin_context(self.world, taps, configuration, dialect_0_8=dialect_0_8, limits=limits)
        self.connections = AdminConnections(taps, self.context.limits.unauthenticated_connections)
        turn = Turn(asyncio.get_running_loop().call_soon)
        address = configuration.addresses[0], configuration.port or 0
        self.listener = AdminListener(self.context, self.connections, turn, address=address)
        self.clients: list[Client] = []

    async def client(self) -> Client:
        """A connection that has not authenticated."""
        reader, writer = await asyncio.open_connection(*self.listener.address)
        self.clients.append(Client(reader, writer))
        return self.clients[-1]

    async def application(self, *verbs: str, tags: str = "") -> Client:
        """A connection that has authenticated and routed ``verbs``."""
        client = await self.client()
        assert "|OK|" in await client.ask(f"authenticate|{SECRET}|{tags}")
        for verb in verbs:
            assert (await client.ask(f"route|{verb}")).endswith("|OK")
        return client


@asynccontextmanager
async def admin_port(
    *,
    dialect_0_8: bool = False,
    watched: bool = True,
    limits: LimitConfiguration = DEFAULT_LIMITS,
    **configuration: int | float | str | tuple[str, ...],
) -> AsyncIterator[AdminPort]:
    """An open admin port; in the end everything is closed and no timer is left."""
    given = structs.replace(AdminConfiguration(port=0, secret=SECRET), **configuration)
    port = AdminPort(given, dialect_0_8, watched, limits)
    await port.listener.start()
    try:
        yield port
    finally:
        for client in port.clients:
            await client.close()
        await port.listener.stop()
    assert len(port.connections) == port.connections.sockets == 0
    port.world.check_empty()


class Client:
    """One connection to an admin port, octets in and out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._asked = 0

    def write(self, data: bytes) -> None:
        """Send octets."""
        self.writer.write(data)

    def send(self, payload: str) -> str:
        """Send ``payload`` behind a fresh id as a frame; returns the id."""
        self._asked += 1
        message_id = f"id{self._asked}"
        self.write(encode_frame(f"{message_id}|{payload}"))
        return message_id

    async def receive(self) -> str:
        """The payload of the next frame."""
        digits = await self.reader.readuntil(b"#")
        assert re.fullmatch(rb"[1-9][0-9]*#", digits)
        return (await self.reader.readexactly(int(digits[:-1]))).decode("latin-1")

    async def ask(self, payload: str) -> str:
        """Send and receive; the answer is to this message."""
        message_id = self.send(payload)
        answer = await self.receive()
        assert answer.split("|")[1:3] == ["response", message_id]
        return answer

    def pause(self) -> None:
        """Read nothing from now on."""
        cast(asyncio.ReadTransport, self.writer.transport).pause_reading()  # it is both

    def resume(self) -> None:
        """Read again."""
        cast(asyncio.ReadTransport, self.writer.transport).resume_reading()

    async def rest(self) -> str:
        """All that comes until the server closes the connection."""
        return (await self.reader.read()).decode("latin-1")

    async def rest_or_reset(self) -> str:
        """The same where the server may abort the connection instead."""
        try:
            return await self.rest()
        except ConnectionResetError:
            return ""

    async def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()
