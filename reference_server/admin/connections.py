"""The admin connections of a server, whoever has made them, and how many of them may be strangers'."""

from __future__ import annotations

import asyncio
from typing import Protocol

from reference_server.admin.session import AdminSession
from reference_server.core.ports import Taps
from reference_server.crowd import Crowd
from reference_server.wire.frames_to_application import ServerMessage

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

    def reset(self) -> None:
        """The same, with RST."""

    def go_deaf(self) -> None:
        """Read nothing more."""

    def hear(self) -> None:
        """Read again."""


class AdminConnections:
    """The connections: strangers', applications', and those that are about to close."""

    def __init__(self, taps: Taps, most_strangers: int, most_of_one: int = 0) -> None:
        """``most_strangers`` may be open without having authenticated; refused ones that still close count, too.

        One more, and one makes room as crowd.py says. ``most_of_one`` may be of one address; 0: as many as there are.
        """
        self._event = taps.event
        self._stopped = False
        self._open: set[Connection] = set()
        self._none = asyncio.Event()
        """set while there is none"""
        self._none.set()
        self._strangers: Crowd[Connection] = Crowd(most_strangers, most_of_one)

    def __len__(self) -> int:
        """How many sessions there are."""
        return sum(connection.session.connected for connection in self._open)

    @property
    def applications(self) -> int:
        """How many sessions have authenticated."""
        return sum(one.session.connected and one.session.authenticated for one in self._open)

    @property
    def sockets(self) -> int:
        """How many sockets are open, those of sessions that have ended included."""
        return len(self._open)

    def add(self, connection: Connection, host: str) -> None:
        """A connection was made, from the literal address ``host``; somebody may have to make room."""
        self._open.add(connection)
        self._none.clear()
        self._make_room(self._strangers.add(connection, host))
        if self._stopped:
            connection.abort()

    def authenticated(self, connection: Connection) -> None:
        """A connection is no stranger any more."""
        self._strangers.remove(connection)

    def leaving(self, connection: Connection, host: str) -> None:
        """It has been refused, and its peer has yet to close: a stranger again, if it was none."""
        if connection in self._open and connection not in self._strangers:
            self._make_room(self._strangers.add(connection, host))

    def remove(self, connection: Connection) -> None:
        """A connection is gone."""
        self._open.discard(connection)
        if not self._open:
            self._none.set()
        self._strangers.remove(connection)

    def break_off(self, number: int, *, reset: bool) -> None:
        """End the connection of that number, if it is there: orderly, or with RST."""
        for connection in self._of(number):
            if reset:
                connection.reset()
            else:
                connection.close()

    def answer(self, number: int, message: ServerMessage) -> None:
        """Send this on the connection of that number."""
        for connection in self._of(number):
            connection.session.deliver(message)

    def go_deaf(self, number: int) -> None:
        """Read nothing more of the connection of that number."""
        for connection in self._of(number):
            connection.go_deaf()

    def hear(self, number: int) -> None:
        """Read the connection of that number again."""
        for connection in self._of(number):
            connection.hear()

    def _of(self, number: int) -> list[Connection]:
        return [connection for connection in self._open if connection.session.number == number]

    def bound(self, most_strangers: int, most_of_one: int) -> None:
        """From now on so many strangers may be open; those that are stay."""
        self._strangers.bound(most_strangers, most_of_one)

    def _make_room(self, leaves: Connection | None) -> None:
        if leaves is not None:
            crowd = self._strangers
            everywhere = len(crowd) >= crowd.most
            limit = "unauthenticated-connections" + ("" if everywhere else "-per-address")
            session = leaves.session
            self._event("admin-crowded-out", connection=session.number, peer=session.peer, limit=limit)
            leaves.abort()

    async def stop(self) -> None:
        """Close every connection; whoever does not read, or comes late, cannot keep the server from ending."""
        self._stopped = True
        for connection in list(self._open):
            connection.close()
        try:
            async with asyncio.timeout(_GRACE):  # Python 3.11's wait_for may lose a cancellation
                await self._none.wait()
        except TimeoutError:
            for connection in list(self._open):
                connection.abort()
            await self._none.wait()
