"""SIP over TCP: connections that framed messages come from and go to, whoever opened them.

A connection is known by its number (so that a response leaves on the connection of its request) and by the
remote address (so that a request to that address reuses it; the latest connection counts). All that is
written in one turn of the loop goes out in one write.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from itertools import count
from typing import cast

from reference_server.core.ports import Endpoint, Flow, NoWay, Way
from reference_server.sip.messages.stream import StreamError, StreamFramer
from reference_server.sip.transport import Transport
from reference_server.turn import Turn

MOST_CONNECTIONS = 10_000
"""That may be open at a time; one more, and the oldest that has never sent a message is closed, or else itself."""

UNFINISHED_SECONDS = 60.0
"""How long a message may stay unfinished, as a frame on an admin connection may."""

_UNFINISHED_LIMIT = 256 * 1024 * 1024  # octets of unfinished messages of all connections
_UNWRITTEN_LIMIT = 8 * 1024 * 1024
CONNECT_SECONDS = 32.0
"""How long a connection may take to be made."""


_Peer = tuple[Transport, str, int]


class TcpConnection(asyncio.Protocol):
    """One connection. The loop calls it; the table below gives it a number and forgets it."""

    def __init__(self, table: TcpConnections, endpoint: Endpoint) -> None:
        self._table = table
        self._framer = StreamFramer()
        self._pending: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None
        self.unfinished = 0
        """octets of a message that has not come to its end"""
        self.flow = Flow(endpoint.transport, "", 0, endpoint)
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the table; a connection of a socket to itself is aborted as what it is, a refused one."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        transport = self._transport
        peer = transport.get_extra_info("peername")
        if not peer or peer == transport.get_extra_info("sockname"):
            transport.abort()
            return
        self.flow = self._table.add(self, peer[0], peer[1])

    @property
    def usable(self) -> bool:
        """Whether something can be sent."""
        return self.flow.connection > 0 and self._transport is not None and not self._transport.is_closing()

    def data_received(self, data: bytes) -> None:
        """Hand over each complete message; a stream that cannot be framed is closed."""
        self._table.turn.begin()
        try:
            self._read(data)
        finally:
            self._table.turn.end()

    def _read(self, data: bytes) -> None:
        framer = self._framer
        framer.feed(data)
        came = False
        try:
            while self.usable and (message := framer.next_message()) is not None:
                came = True
                self._table.receive(message, self.flow)
        except StreamError as error:
            self._table.warn(f"closing {self}: {error}")
            self.close()
        if came:
            self._table.spoke(self)
        if came or framer.unfinished or self.unfinished:
            self._watch(came)
        if framer.pings:
            self._write(b"\r\n" * framer.pings)
            framer.pings = 0

    def _watch(self, came: bool) -> None:
        """Neither time nor memory without end for a message that does not come to its end."""
        unfinished = self._framer.unfinished
        if self._patience is not None and (came or not unfinished):
            self._patience.cancel()
            self._patience = None
        if unfinished and self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(UNFINISHED_SECONDS, self._give_up)
        self._table.hold(self, unfinished)

    def _give_up(self) -> None:
        self._table.warn(f"closing {self}: a message is unfinished after {UNFINISHED_SECONDS:g} s")
        self.abort()

    def send(self, data: str) -> bool:
        """Queue one message for the end of this turn of the loop; False if the connection is gone."""
        if not self.usable:
            return False
        self._write(data.encode("latin-1"))
        return True

    def _write(self, octets: bytes) -> None:
        if not self._pending:
            self._table.turn.at_end(self._flush)
        self._pending.append(octets)

    def _flush(self) -> None:
        if not self._pending or self._transport is None or self._transport.is_closing():
            self._pending.clear()
            return
        self._transport.write(b"".join(self._pending))
        self._pending.clear()
        waiting = self._transport.get_write_buffer_size()
        if waiting > _UNWRITTEN_LIMIT:
            self._table.warn(f"closing {self}: the peer does not read, {waiting} octets wait for it")
            self.abort()

    def eof_received(self) -> None:
        """The peer has closed: what was queued is still written, then our side closes."""
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the table."""
        if self._patience is not None:
            self._patience.cancel()
        self._table.remove(self)
        if not self.closed.done():
            self.closed.set_result(None)

    def close(self) -> None:
        """Write what is queued and close."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def __str__(self) -> str:
        return f"{self.flow.transport}/[{self.flow.remote_host}]:{self.flow.remote_port}"


class TcpConnections:
    """All connections of a server, and the listeners that accept them."""

    def __init__(
        self,
        receive: Callable[[str, Flow], None],
        warn: Callable[[str], None],
        most: int = MOST_CONNECTIONS,
        lost: Callable[[Flow], None] = lambda flow: None,
        turn: Turn | None = None,
    ) -> None:
        """``receive`` gets each message, ``warn`` a line for each connection that is given up.

        At ``most`` connections are open at a time. ``lost`` gets the flow of each that was open and is not any more.
        ``turn`` is that of all who write on this loop.
        """
        self.receive = receive
        self.warn = warn
        self.turn = turn or Turn(asyncio.get_running_loop().call_soon)
        self._lost = lost
        self._most = most
        self._silent: dict[TcpConnection, None] = {}
        """those that have not sent a message yet, oldest first"""
        self._unfinished = 0
        self._numbers = count(1)
        self._by_number: dict[int, TcpConnection] = {}
        self._by_peer: dict[_Peer, TcpConnection] = {}
        self._waiting: dict[_Peer, list[Callable[[Way], None]]] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []

    async def listen(self, sock: socket.socket, endpoint: Endpoint) -> None:
        """Accept on a listening socket, for ever."""
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(lambda: TcpConnection(self, endpoint), sock=sock))

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._by_number)

    def add(self, connection: TcpConnection, host: str, port: int) -> Flow:
        """Number an established connection; returns its flow."""
        number = next(self._numbers)
        self._by_number[number] = connection
        self._by_peer[connection.flow.transport, host, port] = connection
        self._silent[connection] = None
        if len(self._by_number) > self._most:
            refused = next(iter(self._silent), connection)
            self.warn(f"closing {refused}: there are {self._most} connections already")
            refused.abort()
        return Flow(connection.flow.transport, host, port, connection.flow.local, number)

    def spoke(self, connection: TcpConnection) -> None:
        """A message came from it."""
        self._silent.pop(connection, None)

    def hold(self, connection: TcpConnection, unfinished: int) -> None:
        """It keeps so many octets; if all keep too many, the one that keeps most is closed."""
        self._unfinished += unfinished - connection.unfinished
        connection.unfinished = unfinished
        if self._unfinished > _UNFINISHED_LIMIT:
            greatest = max(self._by_number.values(), key=lambda one: one.unfinished)
            self.warn(f"closing {greatest}: {self._unfinished} octets of unfinished messages are kept")
            greatest.abort()

    def remove(self, connection: TcpConnection) -> None:
        """Forget a connection that was lost."""
        flow = connection.flow
        self._silent.pop(connection, None)
        self._unfinished -= connection.unfinished
        connection.unfinished = 0
        self._by_number.pop(flow.connection, None)
        peer = (flow.transport, flow.remote_host, flow.remote_port)
        if self._by_peer.get(peer) is connection:
            del self._by_peer[peer]
        if flow.connection:
            self._lost(flow)

    def alive(self, flow: Flow) -> bool:
        """Whether something can be sent on the connection of ``flow``."""
        connection = self._by_number.get(flow.connection)
        return connection is not None and connection.usable

    def send(self, data: str, flow: Flow) -> bool:
        """Send on the connection of ``flow``; False if it is gone."""
        connection = self._by_number.get(flow.connection)
        return connection is not None and connection.send(data)

    def connected_to(self, endpoint: Endpoint, host: str, port: int) -> Flow | None:
        """The flow of a connection to that literal address that exists already, by the transport of ``endpoint``."""
        connection = self._by_peer.get((endpoint.transport, host, port))
        return connection.flow if connection is not None and connection.usable else None

    def open(
        self,
        host: str,
        port: int,
        endpoint: Endpoint,
        done: Callable[[Way], None],
        seconds: float = CONNECT_SECONDS,
    ) -> None:
        """Reuse the connection to a literal address or make one; ``done`` gets its flow, or why there is none.

        An existing connection is given at once. Connections being made are shared by all who wait for them; they are
        a quarter of ``most`` at most, since strangers can name where we are to connect.
        """
        peer = (endpoint.transport, host, port)
        connected = self.connected_to(endpoint, host, port)
        if connected is not None:
            done(connected)
        elif (waiting := self._waiting.get(peer)) is not None:
            waiting.append(done)
        elif len(self._waiting) >= max(self._most // 4, 1):
            being_made = f"{len(self._waiting)} connections are being made already"
            self.warn(f"cannot connect to {endpoint.transport}/[{host}]:{port}: {being_made}")
            done(NoWay.UNREACHABLE)
        else:
            self._waiting[peer] = [done]
            task = asyncio.get_running_loop().create_task(self._connect(host, port, endpoint, seconds))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self, host: str, port: int, endpoint: Endpoint, seconds: float) -> None:
        outcome: Way
        try:
            async with asyncio.timeout(seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: TcpConnection(self, endpoint), host, port, local_addr=(endpoint.host, 0)
                )
            outcome = connection.flow if connection.usable else NoWay.UNREACHABLE
        except TimeoutError:
            outcome = NoWay.CONNECT_TIMEOUT
        except OSError as error:
            self.warn(f"cannot connect to {endpoint.transport}/[{host}]:{port}: {error.strerror or error}")
            outcome = NoWay.UNREACHABLE
        finally:
            waiting = self._waiting.pop((endpoint.transport, host, port))
        for done in waiting:
            done(outcome)

    async def stop(self, seconds: float = 1.0) -> None:
        """Stop listening and close every connection; those that have not closed after ``seconds`` are
        aborted.
        """
        for server in self._servers:
            server.close()
        tasks = list(self._connecting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        connections = list(self._by_number.values())
        for connection in connections:
            connection.close()
        if connections:
            closed = [connection.closed for connection in connections]
            _, late = await asyncio.wait(closed, timeout=seconds)
            if late:
                for connection in connections:
                    connection.abort()
                await asyncio.wait(closed)
        self._servers.clear()
