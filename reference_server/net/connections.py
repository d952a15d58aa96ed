"""All SIP connections of a server, and the listeners that accept them.

A connection is known by its number (so that a response leaves on the connection of its request) and by the remote
address (so that a request to that address reuses it; the latest connection counts).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from reference_server.accepting import accept
from reference_server.account import Account
from reference_server.config.model import DEFAULT_LIMITS, LimitConfiguration
from reference_server.core.ports import Endpoint, Flow, NoWay, Way
from reference_server.crowd import Crowd
from reference_server.net.connection import Framing, SipConnection
from reference_server.net.stream_framing import StreamFraming
from reference_server.sip.transport import WS, WSS, Transport
from reference_server.tls.certificates import Certificates
from reference_server.turn import Turn

if TYPE_CHECKING:
    from reference_server.net.websocket import WebSocketFraming

OF_ALL_KEPT = 2
"""A half of what is kept for peers may be unfinished messages and what peers have not read."""

CONNECT_SECONDS = 32.0
"""How long a connection may take to be made."""

_Peer = tuple[Transport, str, int]


class SipConnections:
    """Implements ``ConnectionTable`` of net/connection.py."""

    def __init__(
        self,
        receive: Callable[[str, Flow], None],
        warn: Callable[[str], None],
        *,
        most: int | None = None,
        limits: LimitConfiguration = DEFAULT_LIMITS,
        met: Callable[[str, str], None] | None = None,
        lost: Callable[[Flow], None] = lambda flow: None,
        turn: Turn | None = None,
        account: Account | None = None,
        certificates: Certificates | None = None,
        most_unanswered: int = 0,
        opened: Callable[[str, str], None] = lambda connection, origin: None,
        stream: Callable[[int, int], Framing] = StreamFraming,
    ) -> None:
        """``receive`` gets each message, ``warn`` a line for each connection that is given up.

        At ``most`` connections are open at a time, if the system grants fewer than ``limits``; one more, and one makes
        room as crowd.py says. ``met`` gets the name of each limit that is met, with a line; by default ``warn`` does.
        ``lost`` gets the flow of each that was open and is not any more.
        ``turn`` is that of all who write on this loop. What is kept for peers stands in ``account``.
        ``certificates`` are for the secure transports.
        ``most_unanswered`` requests in a row without an answer close a connection; 0: never for that. ``opened`` is
        told each connection that a browser has made, and the page it is from. ``stream`` frames TCP.
        """
        self._loop = asyncio.get_running_loop()
        self.receive = receive
        self._stream = stream
        self.turn = turn or Turn(self._loop.call_soon)
        self._warn = warn
        self._certificates = certificates
        self.most_unanswered = most_unanswered
        self._met = met if met is not None else lambda limit, line: warn(line)
        self.limits = limits
        self._lost = lost
        self._opened = opened
        most = limits.sip_connections if most is None else most
        self._crowd: Crowd[SipConnection] = Crowd(most, limits.sip_connections_per_address)
        self._kept = 0
        self._account = account if account is not None else Account()
        self._numbers = count(1)
        self._by_number: dict[int, SipConnection] = {}
        self._by_peer: dict[_Peer, SipConnection] = {}
        self._waiting: dict[_Peer, list[Callable[[Way], None]]] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []

    async def listen(self, sock: socket.socket, endpoint: Endpoint) -> None:
        """Accept on a bound socket, for ever."""
        self._servers.append(await accept(sock, lambda: self._accepted(endpoint)))

    def _accepted(self, endpoint: Endpoint) -> SipConnection:
        headers, body = self.limits.headers, self.limits.body
        framing = (
            _websocket().accepted(headers + body)
            if _in_frames(endpoint.transport)
            else self._stream(headers, body)
        )
        tls = self._known_certificates().accepted() if endpoint.transport.secure else None
        return SipConnection(self, endpoint, framing, tls)

    def _made(self, endpoint: Endpoint, host: str, port: int, name: str | None) -> SipConnection:
        headers, body = self.limits.headers, self.limits.body
        framing = (
            _websocket().connected(name or host, port, headers + body)
            if _in_frames(endpoint.transport)
            else self._stream(headers, body)
        )
        tls = self._known_certificates().connected(name) if endpoint.transport.secure else None
        return SipConnection(self, endpoint, framing, tls)

    def _known_certificates(self) -> Certificates:
        if self._certificates is None:
            raise ValueError("expected certificates for a secure transport, there are none")
        return self._certificates

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._crowd)

    def joined(self, connection: SipConnection) -> None:
        """A socket is connected; somebody may have to make room."""
        leaves = self._crowd.add(connection, connection.flow.remote_host)
        if leaves is not None:
            crowd = self._crowd
            if len(crowd) >= crowd.most:
                self._met("sip-connections", f"closing {leaves}: there are {crowd.most} connections already")
            else:
                line = f"closing {leaves}: there are {crowd.most_of_one} connections with its address already"
                self._met("sip-connections-per-address", line)
            leaves.abort()

    def established(self, connection: SipConnection, host: str, port: int) -> Flow:
        """Messages can be sent and received; returns the flow, whose number is the connection's."""
        number = next(self._numbers)
        self._by_number[number] = connection
        self._by_peer[connection.flow.transport, host, port] = connection
        if connection.origin:
            self._opened(str(connection), connection.origin)
        return Flow(connection.flow.transport, host, port, connection.flow.local, number)

    def received(self, connection: SipConnection, message: str) -> None:
        """A message came; a response shows that the connection is alive."""
        if connection.unanswered and message.startswith("SIP/"):
            connection.unanswered = 0
        self.receive(message, connection.flow)

    def spoke(self, connection: SipConnection) -> None:
        """Messages came from it."""
        self._crowd.heard(connection)

    def keeps(self, connection: SipConnection, octets: int) -> None:
        """It keeps so many octets; if all keep too many, the one that keeps most is closed."""
        self._change(connection, octets)
        if self._kept > self._account.most // OF_ALL_KEPT:
            # One that is being closed is not gone at once, least of all on a busy loop, and must not be chosen again.
            open_ = [one for one in self._by_number.values() if one.usable]
            greatest = max(open_, key=lambda one: one.kept, default=None)
            if greatest is not None and greatest.kept:
                reason = f"{self._kept} octets of unfinished and unread messages are kept"
                self.gave_up(greatest, reason, "kept-for-peers")
                greatest.abort()

    def _change(self, connection: SipConnection, octets: int) -> None:
        more = octets - connection.kept
        self._kept += more
        connection.kept = octets
        if more:
            self._account.change(connection.flow.remote_host, more)

    def gave_up(self, connection: SipConnection, reason: str, limit: str = "") -> None:
        """It is being closed, and why; ``limit`` names the limit that was met, if it was one."""
        line = f"closing {connection}: {reason}"
        if limit:
            self._met(limit, line)
        else:
            self._warn(line)

    def bound(self, limits: LimitConfiguration, most: int) -> None:
        """From now on these limits hold; ``most`` connections may be open."""
        self.limits = limits
        self._crowd.bound(most, limits.sip_connections_per_address)

    def left(self, connection: SipConnection) -> None:
        """Forget a connection that was lost."""
        flow = connection.flow
        self._crowd.remove(connection)
        self._change(connection, 0)
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

    def unanswered(self, number: int) -> None:
        """A request over that connection got no answer in time: after so many in a row the next request makes another.

        No packet may ever say that the far end is gone: a firewall forgets a connection in silence.
        """
        connection = self._by_number.get(number)
        if connection is None or not self.most_unanswered:
            return
        connection.unanswered += 1
        if connection.unanswered >= self.most_unanswered:
            self.gave_up(connection, f"{connection.unanswered} requests in a row were not answered")
            connection.abort()

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
        *,
        seconds: float = CONNECT_SECONDS,
        name: str | None = None,
    ) -> None:
        """Reuse the connection to a literal address or make one; ``done`` gets its flow, or why there is none.

        ``name`` is what led to the address; a server of several names shows the certificate of that one (SNI).
        An existing connection is given at once. Connections being made are shared by all who wait for them; they are
        a quarter of ``most`` at most, since strangers can name where we are to connect.
        """
        peer = (endpoint.transport, host, port)
        connected = self.connected_to(endpoint, host, port)
        if connected is not None:
            done(connected)
        elif (waiting := self._waiting.get(peer)) is not None:
            waiting.append(done)
        elif len(self._waiting) >= max(self._crowd.most // 4, 1):
            being_made = f"{len(self._waiting)} connections are being made already"
            line = f"cannot connect to {endpoint.transport}/[{host}]:{port}: {being_made}"
            self._met("sip-connections", line)
            done(NoWay.UNREACHABLE)
        else:
            self._waiting[peer] = [done]
            task = self._loop.create_task(self._connect(peer, endpoint, seconds, name))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self, peer: _Peer, endpoint: Endpoint, seconds: float, name: str | None) -> None:
        outcome: Way
        transport, host, port = peer
        try:
            async with asyncio.timeout(seconds):
                _, connection = await self._loop.create_connection(
                    lambda: self._made(endpoint, host, port, name),
                    host,
                    port,
                    local_addr=(endpoint.host, 0),
                )
                await connection.settled
            outcome = connection.flow if connection.usable else NoWay.UNREACHABLE
        except TimeoutError:
            outcome = NoWay.CONNECT_TIMEOUT
        except OSError as error:
            self._warn(f"cannot connect to {transport}/[{host}]:{port}: {error.strerror or error}")
            outcome = NoWay.UNREACHABLE
        finally:
            waiting = self._waiting.pop(peer)
        for done in waiting:
            done(outcome)

    def stop_accepting(self) -> None:
        """No new connections."""
        for server in self._servers:
            server.close()

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
        connections = list(self._crowd)
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


def _in_frames(transport: Transport) -> bool:
    return transport in (WS, WSS)


def _websocket() -> type[WebSocketFraming]:
    """The library behind it is loaded with the first connection that needs it."""
    from reference_server.net.websocket import WebSocketFraming

    return WebSocketFraming
