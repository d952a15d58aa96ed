"""One SIP connection: octets of a socket to framed messages and back, whoever opened it.

What arrives is decrypted, if the transport is secure (tls/session.py), and cut by the connection's framing
(net/stream_framing.py, net/websocket.py); all that is to be sent in one turn of the loop goes out in one write.
Neither time nor memory is without end: handshakes must be over soon, a message must come to its end, and a peer must
take what is written to it.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio.trsock import TransportSocket
from typing import Protocol, cast

from reference_server.config.model import LimitConfiguration
from reference_server.core.ports import Endpoint, Flow
from reference_server.sip.messages.stream import StreamError
from reference_server.tls.session import TlsError, TlsSession
from reference_server.turn import Turn

_KEEP_ALIVE_IDLE, _KEEP_ALIVE_INTERVAL, _KEEP_ALIVE_COUNT = 30, 10, 3  # seconds, seconds, probes


class Framing(Protocol):
    """How messages lie in the octets of one connection. Raises StreamError for what cannot be cut."""

    @property
    def unfinished(self) -> int:
        """Octets of a message that has not come to its end. Right after ``next_message`` returned None."""

    @property
    def ready(self) -> bool:
        """Messages can be sent."""

    @property
    def ended(self) -> bool:
        """Nothing more comes."""

    @property
    def origin(self) -> str:
        """What a browser says of the page that the connection is from (:rfc:`6454`); empty for others."""

    def feed(self, data: bytes) -> None:
        """Take what arrived."""

    def next_message(self) -> str | None:
        """The next whole message, one character an octet."""

    def take_replies(self) -> bytes:
        """What has to be answered below SIP; it is forgotten here."""

    def encode(self, message: str) -> bytes:
        """A message as it goes out."""

    def end(self) -> bytes:
        """What is to be said before the connection is closed."""


class ConnectionTable(Protocol):
    """Where connections are known; see net/connections.py."""

    turn: Turn
    limits: LimitConfiguration

    def joined(self, connection: SipConnection) -> None:
        """A socket is connected."""

    def established(self, connection: SipConnection, host: str, port: int) -> Flow:
        """Messages can be sent and received; returns the flow, whose number is the connection's."""

    def received(self, connection: SipConnection, message: str) -> None:
        """A message came."""

    def spoke(self, connection: SipConnection) -> None:
        """Messages came."""

    def keeps(self, connection: SipConnection, octets: int) -> None:
        """So much is kept for it now, in both directions together."""

    def gave_up(self, connection: SipConnection, reason: str, limit: str = "") -> None:
        """It is being closed, and why; ``limit`` names the limit that was met, if it was one."""

    def left(self, connection: SipConnection) -> None:
        """It is gone."""


class SipConnection(asyncio.Protocol):
    """The loop calls it; the table gives it a number and forgets it."""

    def __init__(
        self, table: ConnectionTable, endpoint: Endpoint, framing: Framing, tls: TlsSession | None = None
    ) -> None:
        self._table = table
        self._framing = framing
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._handshake_timer: asyncio.TimerHandle | None = None
        self._unfinished_timer: asyncio.TimerHandle | None = None
        self._untaken_timer: asyncio.TimerHandle | None = None
        self._written = 0
        self.kept = 0
        """octets, as the table was told last"""
        self.unanswered = 0
        """requests in a row that got no answer in time"""
        self.flow = Flow(endpoint.transport, "", 0, endpoint)
        """its number is 0 until messages can be sent"""
        self.settled: asyncio.Future[None] = self._loop.create_future()
        """done when messages can be sent, or never will"""
        self.closed: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the table; a connection of a socket to itself is aborted as what it is, a refused one."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        transport = self._transport
        peer = transport.get_extra_info("peername")
        if not peer or peer == transport.get_extra_info("sockname"):
            transport.abort()
            return
        transport.set_write_buffer_limits(high=0)
        _set_options(transport.get_extra_info("socket"), self._table.limits.sip_unread_timeout)
        self.flow = Flow(self.flow.transport, peer[0], peer[1], self.flow.local)
        self._table.joined(self)
        if self._tls is not None or not self._framing.ready:
            seconds = self._table.limits.handshake_timeout
            reason = f"the handshake is not over after {seconds:g} s"
            self._handshake_timer = self._loop.call_later(seconds, self._give_up, reason, "handshake-timeout")
        if self._tls is not None:
            self._tls.begin()
        self._go_on()

    def _go_on(self) -> None:
        """Say what has to be said below SIP, and begin with SIP if everything below stands."""
        if self._tls is None or self._tls.established:
            if replies := self._framing.take_replies():
                self._write(replies)
            if self._framing.ready and not self.flow.connection and not self.settled.done():
                if self._handshake_timer is not None:
                    self._handshake_timer.cancel()
                    self._handshake_timer = None
                self.flow = self._table.established(self, self.flow.remote_host, self.flow.remote_port)
                self.settled.set_result(None)
        self._write_records()

    @property
    def origin(self) -> str:
        """As its framing has it."""
        return self._framing.origin

    def _write_records(self) -> None:
        """What TLS itself has to say."""
        if self._tls is not None and self._transport is not None and (records := self._tls.take_output()):
            self._written += len(records)
            self._transport.write(records)

    @property
    def usable(self) -> bool:
        """Whether something can be sent."""
        return self.flow.connection > 0 and self._transport is not None and not self._transport.is_closing()

    def data_received(self, data: bytes) -> None:
        """Hand over each complete message; what cannot be framed ends the connection."""
        self._table.turn.within = True
        try:
            self._read(data)
        finally:
            self._table.turn.end()

    def _read(self, data: bytes) -> None:
        try:
            if self._tls is not None:
                data = self._tls.receive(data)
            if data:
                self._framing.feed(data)
            self._go_on()
            came = self._hand_over()
        except (StreamError, TlsError) as error:
            self._table.gave_up(self, str(error), error.limit if isinstance(error, StreamError) else "")
            self._go_on()
            self.close()
            return
        if came:
            self._table.spoke(self)
        if came or self._framing.unfinished or self.kept:
            self._watch(came)
        if self._framing.ended or (self._tls is not None and self._tls.ended):
            self.close()

    def _hand_over(self) -> bool:
        """Whether messages came."""
        came = False
        while self.usable and (message := self._framing.next_message()) is not None:
            came = True
            self._table.received(self, message)
        if not self.flow.connection:
            self._framing.next_message()  # raises if the handshake has failed
        elif replies := self._framing.take_replies():
            self._write(replies)
        return came

    def _watch(self, came: bool) -> None:
        unfinished = self._framing.unfinished
        if self._unfinished_timer is not None and (came or not unfinished):
            self._unfinished_timer.cancel()
            self._unfinished_timer = None
        if unfinished and self._unfinished_timer is None:
            seconds = self._table.limits.incomplete_message_timeout
            reason = f"a message is unfinished after {seconds:g} s"
            self._unfinished_timer = self._loop.call_later(
                seconds, self._give_up, reason, "incomplete-message-timeout"
            )
        self._account()

    def _account(self) -> None:
        waiting = self._transport.get_write_buffer_size() if self._transport is not None else 0
        self._table.keeps(self, self._framing.unfinished + waiting)

    def send(self, data: str) -> bool:
        """Queue one message for the end of this turn of the loop; False if the connection is gone."""
        if not self.usable:
            return False
        self._write(self._framing.encode(data))
        return True

    def _write(self, octets: bytes) -> None:
        if not self._pending:
            self._table.turn.at_end(self._flush)
        self._pending.append(octets)

    def _flush(self) -> None:
        if not self._pending or self._transport is None or self._transport.is_closing():
            self._pending.clear()
            return
        octets = b"".join(self._pending)
        self._pending.clear()
        if self._tls is not None:
            try:
                self._tls.send(octets)
            except TlsError as error:
                self._give_up(str(error))
                return
            octets = self._tls.take_output()
        self._written += len(octets)
        self._transport.write(octets)
        if self._untaken_timer is not None:
            self._account()
            waiting = self._transport.get_write_buffer_size()
            if waiting > self._table.limits.sip_unread:
                self._give_up(f"the peer does not read, {waiting} octets wait for it", "sip-unread-limit")

    def pause_writing(self) -> None:
        """asyncio: the peer does not take everything at once."""
        if self._untaken_timer is None:
            seconds = self._table.limits.sip_unread_timeout
            self._untaken_timer = self._loop.call_later(seconds, self._look, self._taken())
        self._account()

    def resume_writing(self) -> None:
        """asyncio: all has been taken."""
        if self._untaken_timer is not None:
            self._untaken_timer.cancel()
            self._untaken_timer = None
        self._account()

    def _taken(self) -> int:
        return self._written - (self._transport.get_write_buffer_size() if self._transport is not None else 0)

    def _look(self, before: int) -> None:
        """Has the peer taken anything since it was ``before``?"""
        taken, seconds = self._taken(), self._table.limits.sip_unread_timeout
        if taken > before:
            self._untaken_timer = self._loop.call_later(seconds, self._look, taken)
            self._account()
        else:
            self._give_up(f"the peer has read nothing for {seconds:g} s", "sip-unread-timeout")

    def _give_up(self, reason: str, limit: str = "") -> None:
        self._table.gave_up(self, reason, limit)
        self.abort()

    def eof_received(self) -> None:
        """The peer has closed: what was queued is still written, then our side closes."""
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the table."""
        for timer in (self._handshake_timer, self._unfinished_timer, self._untaken_timer):
            if timer is not None:
                timer.cancel()
        self._transport = None
        self._table.left(self)
        for outcome in (self.settled, self.closed):
            if not outcome.done():
                outcome.set_result(None)

    def close(self) -> None:
        """Write what is queued and close."""
        if self._transport is None or self._transport.is_closing():
            return
        if self.flow.connection and (goodbye := self._framing.end()):
            self._write(goodbye)
        self._flush()
        if self._tls is not None:
            self._tls.end()
            self._write_records()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def __str__(self) -> str:
        return f"{self.flow.transport}/[{self.flow.remote_host}]:{self.flow.remote_port}"


def _set_options(connected: TransportSocket, seconds: float) -> None:
    """Let the system find out that the peer has gone, in ``seconds`` if something waits for it, or else later."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEP_ALIVE_IDLE)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEP_ALIVE_INTERVAL)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEP_ALIVE_COUNT)
