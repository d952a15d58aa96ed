"""The admin connections of a server, whoever has made them, and how many of them may be strangers'."""

from __future__ import annotations

import asyncio
from typing import Protocol

from reference_server.admin.session import AdminSession
from reference_server.core.ports import Taps

STRANGERS = 1000
"""Connections that may be open without having authenticated; one more, and the oldest of them is closed."""

_GRACE = 1.0  # seconds that an application has to read its last frames when the server stops


class Connection(Protocol):
    """What carries a session."""

    @property
    def session(self) -> AdminSession:
        """Its session."""

    def close(self) -> None:
        """Write what is queued and close."""

    def abort(self) -> None:
        """Close at once, whatever is queued."""


class AdminConnections:
    """The connections: strangers', applications', and those that are about to close."""

    def __init__(self, taps: Taps, most_strangers: int = STRANGERS) -> None:
        """``most_strangers`` may be open without having authenticated."""
        self._event = taps.event
        self._most_strangers = most_strangers
        self._open: set[Connection] = set()
        self._strangers: dict[Connection, None] = {}
        """those that have not authenticated, oldest first"""
        self._leaving: set[Connection] = set()
        """refused ones whose peer has not closed yet"""

    def __len__(self) -> int:
        """How many sessions there are."""
        return sum(connection.session.connected for connection in self._open)

    @property
    def sockets(self) -> int:
        """How many sockets are open, those of sessions that have ended included."""
        return len(self._open)

    def add(self, connection: Connection) -> None:
        """A connection was made."""
        self._open.add(connection)
        self._strangers[connection] = None
        if len(self._strangers) > self._most_strangers:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            self._event("admin-crowded-out", connection=oldest.session.number, peer=oldest.session.peer)
            oldest.abort()

    def authenticated(self, connection: Connection) -> None:
        """A connection is no stranger any more."""
        self._strangers.pop(connection, None)

    def leaving(self, connection: Connection) -> None:
        """It has been refused, and its peer has yet to close."""
        self._strangers.pop(connection, None)
        self._leaving.add(connection)

    def remove(self, connection: Connection) -> None:
        """A connection is gone."""
        self._open.discard(connection)
        self._strangers.pop(connection, None)
        self._leaving.discard(connection)

    async def stop(self) -> None:
        """Close every connection; whoever does not read cannot keep the server from ending."""
        for connection in list(self._open):
            connection.close()
        clock = asyncio.get_running_loop().time
        end = clock() + _GRACE
        while self._open:
            if clock() > end:
                for connection in list(self._open):
                    connection.abort()
            await asyncio.sleep(0.001)
