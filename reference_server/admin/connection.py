"""One admin connection: bytes in, frames, the authentication gate, messages to core/; messages out in one write.

All that is delivered in one turn of the loop leaves in one write, so that a burst of SIP costs one system call. A
connection that is refused gets its answer before the FIN; frames queued behind the refused one are dropped (CONN-1).
An application that does not read is cut off when too much waits for it, instead of swallowing its share of calls.
"""

from __future__ import annotations

import asyncio
import hmac
from asyncio.trsock import TransportSocket
from typing import TYPE_CHECKING, cast

from reference_server.wire.framing import FrameDecoder, FramingError, encode_frame
from reference_server.wire.replies import (
    Accepted,
    Authenticated,
    CallDetailRecord,
    DialogMessage,
    FinalResponseReceived,
    NewRequest,
    NotSent,
    Refused,
    RequestSent,
    ResponseSent,
    ServerMessage,
)
from reference_server.wire.requests import (
    Authenticate,
    ClientMessage,
    Ping,
    Proxy,
    RemoveRoute,
    RequestError,
    Route,
    Sip,
    parse_request,
)

if TYPE_CHECKING:
    from reference_server.admin.listener import AdminListener
    from reference_server.sip.timers import TimerHandle

AUTHENTICATION_REQUIRED = "authentication required"
INCORRECT_SECRET = "incorrect secret"
UNREAD_LIMIT = 64 * 1024 * 1024
"""Octets that may wait for an application that does not read."""

PATIENCE_WITH_THE_REFUSED = 2.0
"""Seconds that a refused application has to close its side."""

_IN_CODE_POINTS_BEFORE_0_9 = (
    NewRequest,
    DialogMessage,
    ResponseSent,
    RequestSent,
    FinalResponseReceived,
    NotSent,
    CallDetailRecord,
)


class AdminConnection(asyncio.Protocol):
    """One application; implements ``Application`` of core/ports.py."""

    def __init__(self, listener: AdminListener, number: int) -> None:
        self._listener = listener
        self._frame_taps = listener.frame_taps
        self._dialect_0_8 = listener.dialect_0_8
        self._number = number
        self._decoder = FrameDecoder(listener.configuration.frame_limit_before_authentication)
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._flush_scheduled = False
        self._authenticated = False
        self._connected = False
        self._refused = False
        self._incomplete: TimerHandle | None = None
        self._goodbye: TimerHandle | None = None
        self._next_id = listener.identifiers.message_ids()
        self.tags: frozenset[str] = frozenset()
        self.peer = ""

    @property
    def number(self) -> int:
        """Counts connections from 1."""
        return self._number

    @property
    def connected(self) -> bool:
        """False for ever once the connection is lost or refused."""
        return self._connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the application has connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._connected = True
        peer = self._transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if peer else "gone"
        self._listener.connected(self)

    def socket(self) -> TransportSocket | None:
        """The socket, to set its options."""
        found: TransportSocket | None = self._transport.get_extra_info("socket") if self._transport else None
        return found

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._stop_incomplete_timer()
        if self._goodbye is not None:
            self._goodbye.cancel()
            self._listener.leaving.discard(self)
        self._transport = None
        self._leave()

    def data_received(self, data: bytes) -> None:
        """asyncio: handle every frame that is complete."""
        if self._refused:
            return
        turn = self._listener.turn
        turn.begin()
        try:
            self._decoder.feed(data)
            self._take_frames()
        finally:
            turn.end()

    def _take_frames(self) -> None:
        decoder = self._decoder
        try:
            while (payload := decoder.next_frame()) is not None:
                self._stop_incomplete_timer()
                if self._frame_taps:
                    self._listener.saw_frame(self, False, payload)
                if not self._handle(payload):
                    return
        except FramingError as error:
            self._refuse("", str(error))
            return
        if not decoder.incomplete:
            self._stop_incomplete_timer()  # a piece of an empty frame may have started it
        elif self._incomplete is None:
            configuration = self._listener.configuration
            self._incomplete = self._listener.timers.start(
                configuration.incomplete_frame_timeout
                if self._authenticated
                else configuration.incomplete_frame_timeout_before_authentication,
                self._give_up_on_frame,
            )

    def _handle(self, payload: str) -> bool:
        """Do what one frame says; False if the connection ends."""
        try:
            message = parse_request(payload)
        except RequestError as error:
            known = self._authenticated or error.is_authenticate
            self._refuse(error.message_id, error.text if known else AUTHENTICATION_REQUIRED)
            return False
        if self._authenticated or isinstance(message, Authenticate):
            self._obey(message)
        else:
            self._refuse(message.message_id, AUTHENTICATION_REQUIRED)
        return not self._refused

    def _obey(self, message: ClientMessage) -> None:
        listener = self._listener
        match message:
            case Sip():
                if not listener.calls.sip(self, message):
                    self._end()
            case Proxy():
                listener.calls.proxy(self, message)
            case Ping(message_id):
                self.deliver(Accepted(message_id, "pong"))
            case Route(message_id, verb):
                listener.registry.add_route(self, verb)
                self.deliver(Accepted(message_id))
            case RemoveRoute(message_id, verb):
                listener.registry.remove_route(self, verb)
                self.deliver(Accepted(message_id))
            case Authenticate():
                self._authenticate(message)

    def _authenticate(self, message: Authenticate) -> None:
        listener = self._listener
        expected = listener.secret.encode()
        if not hmac.compare_digest(message.secret.encode("latin-1"), expected):
            self._refuse(message.message_id, INCORRECT_SECRET)
            return
        self._authenticated = True
        listener.authenticated(self)
        self._decoder.limit = listener.configuration.frame_limit
        self.tags |= {tag for tag in message.tags.split(",") if tag}
        advertised, local = listener.hostports()
        self.deliver(
            Authenticated(message.message_id, advertised, listener.version, local, listener.dialect_0_8)
        )

    def deliver(self, message: ServerMessage) -> None:
        """Queue ``message``; it leaves at the end of this turn of the loop."""
        if not self._connected:
            return
        payload = message.format(self._next_id())
        if self._dialect_0_8 and isinstance(message, _IN_CODE_POINTS_BEFORE_0_9):
            try:
                length = len(payload.encode("latin-1").decode("utf-8"))
            except UnicodeDecodeError:
                self._listener.event(
                    "frame-not-sent", connection=self._number, reason="not UTF-8 (dialect 0.8)"
                )
                return
            self._out.append(f"{length}#{payload}".encode("latin-1"))
        else:
            self._out.append(encode_frame(payload))
        if self._frame_taps:
            self._listener.saw_frame(self, True, payload)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._listener.turn.at_end(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        transport = self._transport
        if transport is None:
            self._out.clear()
            return
        if self._out:
            transport.write(self._out[0] if len(self._out) == 1 else b"".join(self._out))
            self._out.clear()
            if transport.get_write_buffer_size() > UNREAD_LIMIT:
                self._listener.event("application-does-not-read", connection=self._number, peer=self.peer)
                transport.abort()
        if self._refused:
            self._say_goodbye(transport)

    def _say_goodbye(self, transport: asyncio.Transport) -> None:
        """Send the FIN and drop what still comes until the peer closes: closing at once, with octets unread, would be a
        RST, which can overtake the answer (CONN-1).
        """
        if transport.is_closing() or self._goodbye is not None:
            return
        try:
            transport.write_eof()
        except OSError:  # the peer is gone already
            transport.abort()
            return
        self._goodbye = self._listener.timers.start(PATIENCE_WITH_THE_REFUSED, transport.abort)
        self._listener.leaving.add(self)

    def _refuse(self, message_id: str, text: str) -> None:
        """Answer ``NO`` and end the connection."""
        self._listener.event("admin-refused", connection=self._number, peer=self.peer, reason=text)
        self.deliver(Refused(message_id, text.encode().decode("latin-1")))
        self._end()

    def _end(self) -> None:
        """Close behind what is queued; from here on this application has lost the connection."""
        self._refused = True
        self._stop_incomplete_timer()
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._listener.turn.at_end(self._flush)
        self._leave()

    def _leave(self) -> None:
        if self._connected:
            self._connected = False
            self._listener.lost(self)

    def _give_up_on_frame(self) -> None:
        self._incomplete = None
        self._listener.event("admin-incomplete-frame", connection=self._number, peer=self.peer)
        self._end()

    def _stop_incomplete_timer(self) -> None:
        if self._incomplete is not None:
            self._incomplete.cancel()
            self._incomplete = None

    def abort(self) -> None:
        """Close at once, whatever is queued."""
        if self._transport is not None:
            self._transport.abort()
        self._leave()

    def close(self) -> None:
        """The server stops."""
        if self._transport is not None:
            self._flush()
            if self._transport is not None:
                self._transport.close()
