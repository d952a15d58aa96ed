"""A session on a stream of asyncio: what arrives goes to it, what it has to say leaves in one write a turn.

All that is delivered in one turn of the loop leaves in one write, so that a burst of SIP costs one system call. A
connection that is refused gets its answer before the FIN (CONN-1).

An application that takes nothing of what waits for it gets no new requests after some seconds, until it takes something
again, what waits for it is somebody else's, and after a longer time it is closed (CONN-7): it shall not swallow its
share of calls.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio.trsock import TransportSocket
from functools import partial
from typing import cast

from reference_server.admin.connections import AdminConnections
from reference_server.admin.context import AdminContext
from reference_server.admin.session import AdminSession, SessionUser
from reference_server.sip.timers import TimerHandle
from reference_server.tls.session import TlsError, TlsSession
from reference_server.turn import Turn

STUCK_SECONDS = 2.0
"""How long an application may take nothing before others get the requests that were its."""

_UNSENT_IN_KERNEL = 128 * 1024  # octets; more would hide for longer that the application does not read

PATIENCE_WITH_THE_REFUSED = 2.0
"""Seconds that a refused application has to close its side."""


class AdminConnection(asyncio.Protocol):
    """One connection that the loop calls; implements ``Connection`` of connections.py."""

    def __init__(
        self,
        context: AdminContext,
        connections: AdminConnections,
        turn: Turn,
        tls: TlsSession | None = None,
        *,
        user: SessionUser | None = None,
    ) -> None:
        """``connections`` is the table that it joins, ``turn`` that of all who write on this loop.

        ``user`` hears what becomes of its session, if the server has made the connection.
        """
        self._context = context
        self._connections = connections
        self._turn = turn
        self._tls = tls
        self._handshake_timer: TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._stranger = True
        self._paused = False
        self._host = ""
        self._goodbye: TimerHandle | None = None
        self._written = 0
        self._taken = 0  # octets, when it was looked at last
        self._untaken_for = 0.0
        self._untaken_timer: TimerHandle | None = None
        self.session = AdminSession(context, context.new_number(), partial(turn.at_end, self._flush), user)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the application has connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._transport.set_write_buffer_limits(high=0)
        self._set_options(self._transport.get_extra_info("socket"))
        peer = self._transport.get_extra_info("peername")
        self._host = peer[0] if peer else ""
        self.session.begin(f"{peer[0]}:{peer[1]}" if peer else "gone")
        self._connections.add(self, self._host)
        if self._tls is not None:
            seconds = self._context.limits.handshake_timeout
            self._handshake_timer = self._context.timers.start(seconds, self._give_up_on_handshake)
            self._tls.begin()
            if records := self._tls.take_output():  # a client speaks first
                self._written += len(records)
                self._transport.write(records)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        for timer in (self._handshake_timer, self._goodbye, self._untaken_timer):
            if timer is not None:
                timer.cancel()
        self._transport = None
        self.session.lost()
        self._connections.remove(self)

    def data_received(self, data: bytes) -> None:
        """asyncio: octets have come."""
        if self._goodbye is not None:
            return  # to TLS, too, there is nothing left to say
        turn = self._turn
        turn.within = True
        try:
            if self._tls is not None:
                data = self._decrypted(self._tls, data)
            if data:
                self.session.receive(data)
        finally:
            turn.end()

    def _decrypted(self, tls: TlsSession, data: bytes) -> bytes:
        """The plain octets; nothing if there are none or TLS has failed."""
        plain = b""
        try:
            plain = tls.receive(data)
        except TlsError as error:
            self._fail(str(error))
        if tls.established and self._handshake_timer is not None:
            self._handshake_timer.cancel()
            self._handshake_timer = None
        transport = self._transport
        if transport is not None and (records := tls.take_output()):
            self._written += len(records)
            transport.write(records)
        if tls.ended and transport is not None:
            self.close()
        return plain

    def _give_up_on_handshake(self) -> None:
        self._handshake_timer = None
        seconds = self._context.limits.handshake_timeout
        self._fail(f"the TLS handshake is not over after {seconds:g} s", "handshake-timeout")

    def _fail(self, reason: str, limit: str = "") -> None:
        """Close without a word: there is nothing that could carry it. ``limit`` names the limit that was met."""
        session = self.session
        details = {"reason": reason, **({"limit": limit} if limit else {})}
        self._context.taps.event("admin-refused", connection=session.number, peer=session.peer, **details)
        session.lost()
        if self._transport is not None:
            if self._tls is not None and (alert := self._tls.take_output()):
                self._transport.write(alert)
            self._transport.close()

    def pause_writing(self) -> None:
        """asyncio: the application does not take everything at once."""
        if self._untaken_timer is None and self._transport is not None:
            self._taken = self._written - self._transport.get_write_buffer_size()
            self._untaken_for = 0.0
            self._untaken_timer = self._context.timers.start(STUCK_SECONDS, self._look)

    def resume_writing(self) -> None:
        """asyncio: all has been taken."""
        if self._untaken_timer is not None:
            self._untaken_timer.cancel()
            self._untaken_timer = None
        self._reads(True)

    def _look(self) -> None:
        """Has the application taken anything since the last look?"""
        transport = self._transport
        if transport is None:
            return
        taken = self._written - transport.get_write_buffer_size()
        self._untaken_for = 0.0 if taken > self._taken else self._untaken_for + STUCK_SECONDS
        self._taken = taken
        self._reads(not self._untaken_for)
        if self._untaken_for >= self._context.configuration.unread_timeout:
            self._cut_off(transport, "unread-timeout")
        else:
            self._untaken_timer = self._context.timers.start(STUCK_SECONDS, self._look)

    def _reads(self, reads: bool) -> None:
        session = self.session
        if reads != session.reads:
            session.reads = reads
            name = "application-reads-again" if reads else "application-stuck"
            self._context.taps.event(name, connection=session.number, peer=session.peer)
            if not reads:
                self._context.core.application_stuck(session)

    def _cut_off(self, transport: asyncio.Transport, limit: str) -> None:
        session = self.session
        waiting = transport.get_write_buffer_size()
        self._context.taps.event(
            "application-does-not-read",
            connection=session.number,
            peer=session.peer,
            waiting=waiting,
            limit=limit,
        )
        self.abort()

    def abort(self) -> None:
        """Close at once, whatever is queued."""
        if self._transport is not None:
            self._transport.abort()
        self.session.lost()

    def reset(self) -> None:
        """Close at once, with RST: harm done on purpose."""
        if self._transport is not None:
            connected = self._transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    def go_deaf(self) -> None:
        """Read nothing more: harm done on purpose."""
        if self._transport is not None:
            self._transport.pause_reading()

    def hear(self) -> None:
        """Read again: the harm is taken away."""
        if self._transport is not None and not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """Write what is queued and close: the server stops."""
        self._flush()
        transport = self._transport
        if transport is not None:
            said = transport.is_closing() or self._goodbye is not None
            if self._tls is not None and self._tls.established and not said:
                self._tls.end()
                transport.write(self._tls.take_output())
            transport.close()

    def _set_options(self, connected: TransportSocket) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # uvloop leaves it as it is
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_IN_KERNEL)
        interval = int(self._context.configuration.tcp_keepalive)
        if interval:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)  # as the genuine server sets it
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)

    def _flush(self) -> None:
        session = self.session
        octets = session.take_output()
        transport = self._transport
        if transport is None:
            return
        if octets:
            if self._tls is not None:
                try:
                    self._tls.send(octets)
                except TlsError as error:
                    self._fail(str(error))
                    return
                octets = self._tls.take_output()
            self._written += len(octets)
            transport.write(octets)
            unread_timer = self._untaken_timer
            if unread_timer is not None and transport.get_write_buffer_size() > self._context.limits.unread:
                self._cut_off(transport, "unread-limit")
        if self._stranger:
            if session.authenticated:
                self._stranger = False
                self._connections.authenticated(self)
            if session.deaf != self._paused:
                self._pause(transport)
        if session.ended:
            self._say_goodbye(transport)

    def _pause(self, transport: asyncio.Transport) -> None:
        """Read nothing while an attempt to authenticate waits, and again when it has been looked at."""
        self._paused = self.session.deaf
        if self._paused:
            transport.pause_reading()
        elif not transport.is_closing():
            transport.resume_reading()

    def _say_goodbye(self, transport: asyncio.Transport) -> None:
        """Send the FIN and drop what still comes until the peer closes: closing at once, with octets unread, would be a
        RST, which can overtake the answer (CONN-1).
        """
        if transport.is_closing() or self._goodbye is not None:
            return
        try:
            if self._tls is not None:
                self._tls.end()
                transport.write(self._tls.take_output())
            transport.write_eof()
        except OSError:  # the peer is gone already
            transport.abort()
            return
        self._goodbye = self._context.timers.start(PATIENCE_WITH_THE_REFUSED, transport.abort)
        self._connections.leaving(self, self._host)
