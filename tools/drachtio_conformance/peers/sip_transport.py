"""The sockets of a SIP peer: one datagram socket, or connections in both directions (TCP, TLS, WS, WSS).

What comes is queued as it was on the wire; a peer with connections also accepts them on its port, and uses that same
port for the connection that it opens, so that source and contact are one address.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from msgspec import Struct

from drachtio_conformance.peers import tls
from drachtio_conformance.peers.admin_peer import (
    ConnectFailed,
    Split,
    Unreachable,
    cut,
    own_segments,
    reset,
    told,
)
from drachtio_conformance.peers.channel import Bell, Channel, Closed
from drachtio_conformance.peers.framing import NEEDS_WEBSOCKETS, PeerFraming, framing
from drachtio_conformance.peers.stream_framing import FramingFailed
from drachtio_conformance.peers.transports import SECURE


class Reply(Protocol):
    """The way back to where a message came from."""

    def send(self, data: bytes, split: Split | None = None) -> None:
        """Send octets."""


class Received(Struct, frozen=True):
    """A SIP message that came."""

    raw: str
    reply: Reply


Incoming: TypeAlias = Received | Closed
Arrived: TypeAlias = Callable[[str], None]


class Endpoint(Protocol):
    """Where a SIP peer sends and listens."""

    incoming: Channel[Incoming]

    @property
    def port(self) -> int:
        """Local port."""

    def send(self, data: bytes, split: Split | None = None) -> None:
        """Send to the server."""

    def turn_to(self, reply: Reply) -> None:
        """From now on send to where this came from."""

    def close(self) -> None:
        """Close all sockets."""

    def abort(self) -> None:
        """Break connections with RST; a datagram socket just closes."""

    async def gone(self, seconds: float) -> None:
        """Wait until what was closed is so."""


class UdpEndpoint(asyncio.DatagramProtocol):
    """A datagram socket that talks to one server address."""

    def __init__(self, server: tuple[str, int], arrived: Arrived, bell: Bell | None = None) -> None:
        """``arrived`` is told each message as it comes, before it is queued."""
        self.incoming: Channel[Incoming] = Channel(bell)
        self._arrived = arrived
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None
        self._hears = False
        self.refused = False
        """whether the server's port is closed, for who wants to hear of it"""

    async def open(self, host: str, port: int = 0) -> None:
        """Bind to a port, by default one of its own. Raises :class:`ConnectFailed`."""
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=(host, port))
        except OSError as error:
            where = f"{host}:{port}" if port else host
            raise ConnectFailed(f"no UDP socket on {where}: {told(error)}") from None

    @property
    def port(self) -> int:
        """Local port."""
        return int(self._opened().get_extra_info("sockname")[1])

    def send(self, data: bytes, split: Split | None = None) -> None:
        """Send datagrams to the server, more than one if ``split`` says so."""
        for piece in cut(data, split):
            self._opened().sendto(piece, self._server)

    def turn_to(self, reply: Reply) -> None:
        """From now on send to where this came from."""
        if isinstance(reply, _Datagram):
            self._server = (str(reply.address[0]), reply.address[1])

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    abort = close

    async def gone(self, seconds: float) -> None:
        """A datagram socket is closed at once."""

    def _opened(self) -> asyncio.DatagramTransport:
        assert self._transport is not None
        return self._transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # uvloop's is no subclass of it

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Called by the loop."""
        raw = data.decode("latin-1")
        self._arrived(raw)
        self.incoming.put(Received(raw, _Datagram(self._opened(), addr)))

    def hear_of_closed_ports(self) -> None:
        """From now on a port that is closed ends what comes: ``refused`` says so.

        Linux tells a socket that is bound to no peer of ICMP errors if it asks to be told (ip(7), IP_RECVERR);
        elsewhere nothing changes.
        """
        if sys.platform == "linux":
            own = self._opened().get_extra_info("socket")
            level, option = (
                (socket.IPPROTO_IPV6, 25) if own.family == socket.AF_INET6 else (socket.IPPROTO_IP, 11)
            )
            own.setsockopt(level, option, 1)
            self._hears = True

    def error_received(self, exc: Exception) -> None:
        """Called by the loop: an ICMP error. The server is not there; who has not asked will see by its silence."""
        if self._hears and isinstance(exc, ConnectionRefusedError) and not self.refused:
            self.refused = True
            self.incoming.put(Closed(reset=True))


class _Datagram(Struct, frozen=True):
    """Answers go to the source of the request."""

    transport: asyncio.DatagramTransport
    address: tuple[str | object, int]

    def send(self, data: bytes, split: Split | None = None) -> None:
        for piece in cut(data, split):
            self.transport.sendto(piece, self.address)


class _Connection(asyncio.Protocol):
    """One connection of an endpoint."""

    def __init__(self, endpoint: StreamEndpoint, framing: PeerFraming) -> None:
        self._endpoint = endpoint
        self._framing = framing
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self.agreed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """done when messages may be sent, failed when they never may"""
        self.agreed.add_done_callback(asyncio.Future.exception)  # nobody need ask
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        own_segments(transport)
        self._endpoint.connections.append(self)
        self._go_on()

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._framing.feed(data)
        except FramingFailed as error:
            self._never(str(error))
            self._go_on()
            self.end(broken=False)
            return
        self._go_on()
        for raw in messages:
            self._endpoint.arrived(raw)
            self._endpoint.incoming.put(Received(raw, self))

    def _go_on(self) -> None:
        """Say what has to be said besides messages."""
        assert self.transport is not None
        if output := self._framing.take_output():
            self.transport.write(output)
        if self._framing.ready and not self.agreed.done():
            self.agreed.set_result(None)

    def _never(self, why: str) -> None:
        if not self.agreed.done():
            self.agreed.set_exception(ConnectionError(why))

    def connection_lost(self, exc: Exception | None) -> None:
        self._never("it was closed before the WebSocket was agreed upon")
        self.gone.set()
        if not self.closed:
            self.closed = True
            self._endpoint.incoming.put(Closed(reset=exc is not None))

    def send(self, data: bytes, split: Split | None = None) -> None:
        assert self.transport is not None
        for piece in cut(self._framing.encode(data), split):
            self.transport.write(piece)

    def end(self, *, broken: bool) -> None:
        if self.closed or self.transport is None:
            return
        self.closed = True
        if broken:
            reset(self.transport)
        else:
            self.transport.close()


class StreamEndpoint:
    """A listening socket and a connection to the server from the same port, by TCP, TLS, WS or WSS."""

    def __init__(
        self, server: tuple[str, int], arrived: Arrived, bell: Bell | None = None, *, transport: str = "tcp"
    ) -> None:
        """``arrived`` is told each message as it comes, before it is queued."""
        self.incoming: Channel[Incoming] = Channel(bell)
        self.arrived = arrived
        self.connections: list[_Connection] = []
        self._server = server
        self._transport = transport
        self._listener: asyncio.Server | None = None
        self._to_server: _Connection | None = None
        self._port = 0

    async def listen(self, host: str, port: int = 0) -> None:
        """Take connections at a port, by default one of its own. Raises ConnectFailed."""
        spoken, secure = self._transport.upper(), self._transport in SECURE
        try:
            self._connection(server_side=False)
            accepting = tls.listening() if secure else None
        except ImportError:
            raise ConnectFailed(f"{spoken} {NEEDS_WEBSOCKETS}") from None
        except tls.NoCertificate as error:
            raise ConnectFailed(str(error)) from None
        try:
            listening = _bound(_family(host), (host, port), shared=not port)
            self._port = listening.getsockname()[1]
            self._listener = await asyncio.get_running_loop().create_server(
                lambda: self._connection(server_side=True),
                sock=listening,
                ssl=accepting,
            )
        except OSError as error:
            where = f"{host}:{port}" if port else host
            raise ConnectFailed(f"no {spoken} socket on {where}: {told(error)}") from None

    async def open(self, host: str, *, seconds: float) -> None:
        """Listen, and connect to the server. Raises :class:`Unreachable`, ConnectFailed."""
        await self.listen(host)
        loop = asyncio.get_running_loop()
        spoken, secure = self._transport.upper(), self._transport in SECURE
        try:
            outgoing = _bound(_family(host), (host, self._port), shared=True)
            outgoing.setblocking(False)
            async with asyncio.timeout(seconds):
                try:
                    await loop.sock_connect(outgoing, self._server)
                except BaseException:
                    outgoing.close()
                    raise
                _, self._to_server = await loop.create_connection(
                    lambda: self._connection(server_side=False),
                    sock=outgoing,
                    ssl=tls.connecting() if secure else None,
                    server_hostname="" if secure else None,
                )
                await self._to_server.agreed
        except TimeoutError:
            self.close()
            raise Unreachable(
                f"no {spoken} connection to SIP port {self._server[1]} in {seconds:g} s"
            ) from None
        except OSError as error:
            self.close()
            raise Unreachable(
                f"no {spoken} connection to {self._server[0]}:{self._server[1]}: {told(error)}"
            ) from None

    def _connection(self, *, server_side: bool) -> _Connection:
        host, port = self._server
        return _Connection(self, framing(self._transport, server_side=server_side, host=host, port=port))

    @property
    def port(self) -> int:
        """Local port, for listening and as source."""
        return self._port

    def send(self, data: bytes, split: Split | None = None) -> None:
        """Send on the connection that this peer opened, or was turned to."""
        assert self._to_server is not None
        self._to_server.send(data, split)

    @property
    def connected(self) -> bool:
        """Whether the connection on which it sends is there."""
        return self._to_server is not None and not self._to_server.closed

    def turn_to(self, reply: Reply) -> None:
        """From now on send on the connection by which this came."""
        if isinstance(reply, _Connection):
            self._to_server = reply

    def close(self) -> None:
        """Close all sockets with FIN."""
        self._end(broken=False)

    def abort(self) -> None:
        """Break the connections with RST."""
        self._end(broken=True)

    async def gone(self, seconds: float) -> None:
        """Wait until what was closed is so: TLS has to say goodbye first, and to hear it."""
        try:
            async with asyncio.timeout(seconds):
                for connection in self.connections:
                    await connection.gone.wait()
        except TimeoutError:
            for connection in self.connections:
                if connection.transport is not None:
                    connection.transport.abort()
            await asyncio.sleep(0)

    def _end(self, *, broken: bool) -> None:
        for connection in self.connections:
            connection.end(broken=broken)
        if self._listener is not None:
            self._listener.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _bound(family: socket.AddressFamily, address: tuple[str, int], *, shared: bool) -> socket.socket:
    """A bound TCP socket; one that is ``shared`` lets a second one bind to its port."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
