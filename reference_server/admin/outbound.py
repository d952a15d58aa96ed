"""Connections that the server makes to applications: each for one request, which is delivered when the application has
authenticated (OUTB-1 to OUTB-6).

The server connects and says nothing. The application shows the secret, as on a connection of its own making, and right
behind the answer comes the request. From then on the connection is like any other; it is the application's to close.
Many never do. So that they do not use up all descriptors, the oldest that nothing goes on upon, and that has no route,
are closed when there are too many (OUTB-4).

Places are tried in their order, of a place all addresses that its name has, or where its SRV records lead if it has no
port. One that refuses, does not take the connection in time, or is no application that knows the secret, makes room for
the next.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Final

from reference_server.admin.connection import AdminConnection
from reference_server.admin.connections import AdminConnections
from reference_server.admin.context import AdminContext
from reference_server.core.decisions import Place
from reference_server.core.ports import Abandon, Application, Names, NoApplication
from reference_server.sip.timers import TimerHandle
from reference_server.tls.trusting import TrustingClients
from reference_server.turn import Turn

CONNECT_SECONDS: Final = 2.0
"""How long one address may take to accept a connection."""

AUTHENTICATION_SECONDS: Final = 10.0
"""How long an application may take to show the secret, a TLS handshake included."""

SERVICE: Final = "_drachtio._tcp"
SECURE_SERVICE: Final = "_drachtios._tcp"
"""Of which SRV records say where the applications of a name listen (:rfc:`2782`)."""

Reached = Callable[[Application | NoApplication], None]


class OutboundConnections:
    """Makes them; implements ``ListeningApplications`` of core/ports.py."""

    def __init__(
        self,
        context: AdminContext,
        connections: AdminConnections,
        turn: Turn,
        *,
        names: Names,
        most: int,
    ) -> None:
        """Inside the running loop. ``connections`` is the table that all admin connections share.

        ``most`` may be open before idle ones are closed.
        """
        self._most = most
        self._reached: dict[AdminConnection, None] = {}
        """the oldest first"""
        self.context = context
        self.connections = connections
        self.turn = turn
        self.names = names
        self.tls = TrustingClients()
        self.searches: set[_Search] = set()

    def bound(self, most: int) -> None:
        """From now on so many may be open before idle ones are closed."""
        self._most = most

    def __len__(self) -> int:
        """How many are being made."""
        return len(self.searches)

    def reach(self, places: Sequence[Place], reached: Reached) -> Abandon:
        """See ``ListeningApplications``."""
        search = _Search(self, places, reached)
        most = self.context.limits.outbound_attempts
        if len(self.searches) >= most:
            search.tell(places[0], f"{most} connections are being made already", "outbound-attempts")
            reached(NoApplication.UNREACHABLE)
        else:
            self.searches.add(search)
            search.next_place()
        return search.abandon

    def keep(self, connection: AdminConnection) -> None:
        """It has led to an application; idle ones may have to make room."""
        self._reached[connection] = None
        if len(self._reached) > self._most:
            self._make_room()

    def gone(self, connection: AdminConnection) -> None:
        """It is closed."""
        self._reached.pop(connection, None)

    def _make_room(self) -> None:
        """Close the oldest idle ones, so many that this is not done for each connection."""
        context = self.context
        busy = {*context.core.engaged(), *context.routes.applications()}
        # The newest is about to get its request.
        idle = [one for one in list(self._reached)[:-1] if one.session not in busy]
        leaving = idle[: max(1, self._most // 4)]
        context.taps.event(
            "applications-crowded-out",
            connections=len(leaving),
            open=len(self._reached),
            limit="outbound-connections",
        )
        for connection in leaving:
            self.gone(connection)
            connection.close()

    async def stop(self) -> None:
        """Give up what is being made; nobody is told."""
        tasks = [search.abandon() for search in list(self.searches)]
        await asyncio.gather(*[task for task in tasks if task is not None], return_exceptions=True)


class _Search:
    """An application for one request is being sought."""

    __slots__ = (
        "_addresses",
        "_attempt",
        "_outbound",
        "_over",
        "_place",
        "_places",
        "_reached",
        "_task",
        "_why",
    )

    def __init__(self, outbound: OutboundConnections, places: Sequence[Place], reached: Reached) -> None:
        self._outbound = outbound
        self._places = list(places)
        self._place = self._places[0]
        self._addresses: list[tuple[str, int]] = []
        self._reached = reached
        self._task: asyncio.Task[None] | None = None
        self._attempt: _Attempt | None = None
        self._over = False
        self._why = NoApplication.NAME_UNKNOWN

    def next_place(self) -> None:
        """Try the next place; without one it is over."""
        if not self._places:
            self._finish(self._why)
            return
        self._place = self._places.pop(0)
        place, names = self._place, self._outbound.names
        if place.port:
            names.addresses(place.host, lambda found: self._found([(host, place.port) for host in found]))
        else:
            names.servers(SECURE_SERVICE if place.secure else SERVICE, place.host, self._found)

    def _found(self, addresses: Sequence[tuple[str, int]]) -> None:
        if self._over:
            return
        if not addresses:
            self._why = NoApplication.NAME_UNKNOWN
            self.tell(
                self._place, "the name leads nowhere" if self._place.port else "the name has no SRV records"
            )
        self._addresses = list(addresses)
        self._next_address()

    def _next_address(self) -> None:
        if not self._addresses:
            self.next_place()
            return
        self._task = asyncio.get_running_loop().create_task(self._connect(*self._addresses.pop(0)))

    async def _connect(self, address: str, port: int) -> None:
        outbound, place = self._outbound, self._place
        tls = None
        if place.secure:
            tls = outbound.tls.connected(place.host if place.host != address else None)
        attempt = self._attempt = _Attempt(self)
        connection = attempt.connection = AdminConnection(
            outbound.context, outbound.connections, outbound.turn, tls, user=attempt
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(lambda: connection, address, port)
        except TimeoutError:
            self._failed(NoApplication.UNREACHABLE, f"{address} has not answered in {CONNECT_SECONDS:g} s")
            return
        except OSError as error:
            self._failed(
                NoApplication.UNREACHABLE,
                f"{address}: {os.strerror(error.errno) if error.errno else error}",
            )
            return
        if not attempt.over:
            attempt.wait(outbound.context.timers.start(AUTHENTICATION_SECONDS, attempt.give_up))

    def not_authenticated(self, reason: str) -> None:
        """The attempt has led to nobody who knows the secret."""
        self._failed(NoApplication.NOT_AUTHENTICATED, reason)

    def authenticated(self, connection: AdminConnection) -> None:
        """There it is."""
        self._outbound.keep(connection)
        self._finish(connection.session)

    def gone(self, connection: AdminConnection) -> None:
        """A connection is closed, whenever that is."""
        self._outbound.gone(connection)

    def _failed(self, why: NoApplication, reason: str) -> None:
        if self._over:
            return
        self._attempt = None
        self._why = why
        self.tell(self._place, reason)
        self._next_address()

    def _finish(self, found: Application | NoApplication) -> None:
        self._over = True
        self._outbound.searches.discard(self)
        self._reached(found)

    def abandon(self) -> asyncio.Task[None] | None:
        """Nobody waits for it any more; returns what is still to be cancelled."""
        if self._over:
            return None
        self._over = True
        self._outbound.searches.discard(self)
        if self._attempt is not None:
            self._attempt.abandon()
        if self._task is not None:
            self._task.cancel()
        return self._task

    def tell(self, place: Place, reason: str, limit: str = "") -> None:
        """One line for those who watch; ``limit`` names the limit that was met, if it was one."""
        details = {"limit": limit} if limit else {}
        self._outbound.context.taps.event(
            "application-not-reached", place=str(place), reason=reason, **details
        )


class _Attempt:
    """One connection until its application has authenticated; implements ``SessionUser`` of session.py."""

    __slots__ = ("_search", "_timer", "connection", "over")

    def __init__(self, search: _Search) -> None:
        self._search = search
        self._timer: TimerHandle | None = None
        self.connection: AdminConnection | None = None
        self.over = False
        """it is decided whether there is an application"""

    def wait(self, timer: TimerHandle) -> None:
        """The connection stands; ``timer`` ends the patience with its application."""
        self._timer = timer

    def authenticated(self) -> None:
        """See SessionUser."""
        if self._end() and self.connection is not None:
            self._search.authenticated(self.connection)

    def left(self) -> None:
        """See SessionUser."""
        if self.connection is not None:
            self._search.gone(self.connection)
        if self._end():
            self._search.not_authenticated("it ended the connection, or did not know the secret")

    def give_up(self) -> None:
        """It takes too long."""
        if self._end():
            self.abort()
            self._search.not_authenticated(f"it has not authenticated in {AUTHENTICATION_SECONDS:g} s")

    def abandon(self) -> None:
        """Nobody waits any more."""
        if self._end():
            self.abort()

    def abort(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.abort()

    def _end(self) -> bool:
        """False if it has been decided before."""
        if self.over:
            return False
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        return True
