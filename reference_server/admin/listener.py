"""The admin port: accepts applications, and is what all their connections share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from reference_server.admin.connection import AdminConnection
from reference_server.admin.routes import RouteTable
from reference_server.config.model import AdminConfiguration
from reference_server.core.core import Core
from reference_server.core.ports import Taps, Timers
from reference_server.sip.identifiers import Identifiers
from reference_server.turn import Turn

STRANGERS = 1000
"""Connections that may be open without having authenticated; one more, and the oldest of them is closed."""

_GRACE = 1.0  # seconds that an application has to read its last frames when the server stops


class AdminListener:
    """Listens on the admin address."""

    def __init__(
        self,
        configuration: AdminConfiguration,
        *,
        version: str,
        dialect_0_8: bool,
        hostports: Callable[[], tuple[str, str]],
        registry: RouteTable,
        calls: Core,
        timers: Timers,
        identifiers: Identifiers,
        taps: Taps,
        turn: Turn,
        strangers: int = STRANGERS,
    ) -> None:
        """``hostports`` returns the two lists of the authenticate reply: as advertised, as bound.

        ``strangers`` connections may be open without having authenticated.
        """
        self.configuration = configuration
        self.secret = configuration.secret
        self.version = version
        self.dialect_0_8 = dialect_0_8
        self.hostports = hostports
        self.registry = registry
        self.calls = calls
        self.timers = timers
        self.identifiers = identifiers
        self.turn = turn
        self.event = taps.event
        self.frame_taps = taps.frames
        self.address: tuple[str, int] = (configuration.address, configuration.port)
        self._most_strangers = strangers
        self._connections: set[AdminConnection] = set()
        self._strangers: dict[AdminConnection, None] = {}
        """those that have not authenticated, oldest first"""
        self.leaving: set[AdminConnection] = set()
        """refused ones whose peer has not closed yet"""
        self._accepted = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Bind and listen. Raises OSError."""
        self.loop = asyncio.get_running_loop()
        configuration = self.configuration
        family = socket.AF_INET6 if ":" in configuration.address else socket.AF_INET
        # With its protocol named, asyncio switches Nagle's algorithm off on the connections that it accepts.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((configuration.address, configuration.port))
        except OSError:
            listening.close()
            raise
        self._server = await self.loop.create_server(self._accept, sock=listening, backlog=1024)
        self.address = listening.getsockname()[:2]

    def _accept(self) -> AdminConnection:
        self._accepted += 1
        return AdminConnection(self, self._accepted)

    def connected(self, connection: AdminConnection) -> None:
        """A connection was made."""
        self._connections.add(connection)
        self._strangers[connection] = None
        keepalive = int(self.configuration.tcp_keepalive)
        accepted = connection.socket()
        if accepted is not None:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # uvloop leaves it as it is
            if keepalive:
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                accepted.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1
                )  # as the genuine server sets it
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, keepalive)
        self.event("admin-connected", connection=connection.number, peer=connection.peer)
        if len(self._strangers) > self._most_strangers:
            oldest = next(iter(self._strangers))
            self.event("admin-crowded-out", connection=oldest.number, peer=oldest.peer)
            oldest.abort()

    def authenticated(self, connection: AdminConnection) -> None:
        """A connection is no stranger any more."""
        self._strangers.pop(connection, None)

    def lost(self, connection: AdminConnection) -> None:
        """A connection is gone, or as good as gone."""
        self._connections.discard(connection)
        self.event("admin-disconnected", connection=connection.number, peer=connection.peer)
        if connection in self._strangers:
            del self._strangers[connection]  # it had nothing that would have to be looked for
        else:
            self.registry.remove(connection)
            self.calls.application_lost(connection)

    def saw_frame(self, connection: AdminConnection, sent: bool, payload: str) -> None:
        """Tell those who watch."""
        for tap in self.frame_taps:
            tap.frame(connection.number, sent, payload)

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def stop_accepting(self) -> None:
        """No new connections."""
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        """Close the port and every connection."""
        self.stop_accepting()
        for connection in [*self._connections, *self.leaving]:
            connection.close()
        clock = asyncio.get_running_loop().time
        end = clock() + _GRACE
        while self._connections or self.leaving:
            if clock() > end:  # whoever does not read cannot keep the server from ending
                for connection in [*self._connections, *self.leaving]:
                    connection.abort()
            await asyncio.sleep(0.001)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None
