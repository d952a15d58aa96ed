"""How SIP lies in a WebSocket (:rfc:`7118`): one message is one WebSocket message, whole or in pieces, text or binary.

The WebSocket itself (:rfc:`6455`) is the sans-I/O half of the ``websockets`` library, which is loaded with the first
contact that needs it. No extension is negotiated, so that nothing arrives compressed. The subprotocol is ``sip``; who
offers none at all is served, as by the genuine server, and who offers only others is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import NegotiationError, PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from reference_server.sip.messages.stream import DEFAULT_BODY_LIMIT, DEFAULT_HEADER_LIMIT, StreamError

SUBPROTOCOL = Subprotocol("sip")
LARGEST = DEFAULT_HEADER_LIMIT + DEFAULT_BODY_LIMIT
"""Octets of one message, as on a stream, unless it is said otherwise."""

GOING_AWAY = 1001
_PING = re.compile(r"(?:\r\n)+")


class WebSocketFraming:
    """Implements ``Framing``; one end of one connection."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._messages: list[str] = []
        self._pieces: list[bytes] = []
        self._out: list[bytes] = []
        self._offset = 0
        self._error: StreamError | None = None
        self.unfinished = 0
        """octets of a message that has not come to its end"""
        self.ready = False
        """the handshake is over"""
        self.ended = False
        """the peer has closed, or was refused: nothing more comes"""
        self.origin = ""
        """what a browser says of the page that the connection is from"""

    @classmethod
    def accepted(cls, largest: int = LARGEST) -> WebSocketFraming:
        """The server's end; a message has ``largest`` octets at most."""
        return cls(ServerProtocol(select_subprotocol=_select, max_size=largest))

    @classmethod
    def connected(cls, host: str, port: int, largest: int = LARGEST) -> WebSocketFraming:
        """The client's end; its request is in the replies at once."""
        uri = parse_uri(f"ws://{f'[{host}]' if ':' in host else host}:{port}/")
        protocol = ClientProtocol(uri, subprotocols=[SUBPROTOCOL], max_size=largest)
        framing = cls(protocol)
        protocol.send_request(protocol.connect())
        framing._drain()
        return framing

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._offset += len(data)
        self.unfinished += len(data)
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            self._take(event)
        self._drain()
        if self._error is None:
            self._error = self._what_is_wrong()

    def next_message(self) -> str | None:
        """The next whole message. Raises StreamError when the WebSocket has failed."""
        if self._messages:
            return self._messages.pop(0)
        if self._error is not None:
            raise self._error
        return None

    def take_replies(self) -> bytes:
        """Handshakes, pongs, closing frames, answers to pings within SIP (:rfc:`5626#section-4.4.1`)."""
        replies = b"".join(self._out)
        self._out.clear()
        return replies

    def encode(self, message: str) -> bytes:
        """One frame: of text if the message is UTF-8, else binary; nothing to a peer that has said goodbye."""
        if self._protocol.state is not State.OPEN:
            return b""
        octets = message.encode("latin-1")
        try:
            octets.decode()
        except UnicodeDecodeError:
            self._protocol.send_binary(octets)
        else:
            self._protocol.send_text(octets)
        return b"".join(self._protocol.data_to_send())

    def end(self) -> bytes:
        """The frame that says that we leave."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(GOING_AWAY)
        return b"".join(self._protocol.data_to_send())

    def _take(self, event: Request | Response | Frame) -> None:
        if isinstance(event, Request):
            self._shake_hands(event)
        elif isinstance(event, Response):
            self.unfinished = 0
            self.ready = self._protocol.state is State.OPEN
        elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._pieces.append(bytes(event.data))
            if event.fin:
                self._complete(b"".join(self._pieces))
                self._pieces = []
            self.unfinished = sum(map(len, self._pieces))
        else:
            self.unfinished = sum(map(len, self._pieces))
            self.ended |= event.opcode is Opcode.CLOSE

    def _shake_hands(self, request: Request) -> None:
        assert isinstance(self._protocol, ServerProtocol)
        self.unfinished = 0
        self.origin = _header(request.headers, "Origin")
        response = self._protocol.accept(request)
        self._protocol.send_response(response)
        self.ready = self._protocol.state is State.OPEN

    def _complete(self, octets: bytes) -> None:
        message = octets.decode("latin-1")
        if not message:
            return
        if not _PING.fullmatch(message):
            self._messages.append(message)
        elif message.startswith("\r\n\r\n"):
            self._out.append(self.encode("\r\n"))

    def _drain(self) -> None:
        for octets in self._protocol.data_to_send():
            if octets:
                self._out.append(octets)
            else:
                self.ended = True

    def _what_is_wrong(self) -> StreamError | None:
        if self._protocol.handshake_exc is not None:
            return StreamError("a WebSocket handshake", _told(self._protocol.handshake_exc), 0)
        wrong = self._protocol.parser_exc
        if wrong is not None:
            limit = "body-limit" if isinstance(wrong, PayloadTooBig) else ""
            return StreamError("WebSocket frames", _told(wrong), self._offset, limit)
        return None


def _select(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    if not offered:
        return None
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    raise NegotiationError(f"expected the subprotocol 'sip', got {', '.join(offered)}")


def _header(headers: Headers, name: str) -> str:
    return ", ".join(headers.get_all(name))


def _told(error: BaseException) -> str:
    """The words of the library with their cause."""
    return f"{error} ({error.__cause__})" if error.__cause__ is not None else str(error)
