"""The admin port: accepts applications."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from reference_server.accepting import accept
from reference_server.admin.connection import AdminConnection
from reference_server.admin.connections import AdminConnections
from reference_server.admin.context import AdminContext
from reference_server.tls.certificates import Certificates
from reference_server.turn import Turn


class AdminListener:
    """Listens on one port of one address, with TLS or without."""

    def __init__(
        self,
        context: AdminContext,
        connections: AdminConnections,
        turn: Turn,
        *,
        address: tuple[str, int],
        certificates: Certificates | None = None,
        door: Callable[[AdminConnection], asyncio.Protocol] | None = None,
    ) -> None:
        """``connections`` is the table that what is accepted joins; all write at the end of ``turn``.

        With ``certificates`` it is TLS that is spoken there. ``door`` is what stands before each connection, if
        anything does.
        """
        self._context = context
        self._connections = connections
        self._turn = turn
        self.address = address
        self._certificates = certificates
        self._door = door
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Bind and listen. Raises OSError."""
        family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        # With its protocol named, asyncio switches Nagle's algorithm off on the connections that it accepts.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(self.address)
        except OSError:
            listening.close()
            raise
        self._server = await accept(listening, self._accept)
        self.address = listening.getsockname()[:2]

    def _accept(self) -> asyncio.Protocol:
        tls = None if self._certificates is None else self._certificates.accepted()
        connection = AdminConnection(self._context, self._connections, self._turn, tls)
        return connection if self._door is None else self._door(connection)

    def stop_accepting(self) -> None:
        """No new connections."""
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        """Close the port and every connection."""
        self.stop_accepting()
        await self._connections.stop()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None
