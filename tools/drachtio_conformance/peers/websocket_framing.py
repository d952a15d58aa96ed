"""SIP in a WebSocket (RFC 7118), either end of one connection, by the sans-I/O half of the ``websockets`` library."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.client import ClientProtocol
from websockets.exceptions import NegotiationError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from drachtio_conformance.peers.stream_framing import FramingFailed

_SIP = Subprotocol("sip")


class WebSocketFramer:
    """One message is one WebSocket message; both ends insist on the subprotocol ``sip`` (RFC 7118 §4)."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._pieces: list[bytes] = []
        self.ready = False

    @classmethod
    def accepted(cls) -> WebSocketFramer:
        """The server's end."""
        return cls(ServerProtocol(select_subprotocol=_select))

    @classmethod
    def connected(cls, host: str, port: int) -> WebSocketFramer:
        """The client's end; its request is in the output at once."""
        shown = f"[{host}]" if ":" in host else host
        protocol = ClientProtocol(parse_uri(f"ws://{shown}:{port}/"), subprotocols=[_SIP])
        protocol.send_request(protocol.connect())
        return cls(protocol)

    def feed(self, data: bytes) -> list[str]:
        """The messages that ``data`` completes. Raises :class:`FramingFailed`."""
        self._protocol.receive_data(data)
        found: list[str] = []
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                assert isinstance(self._protocol, ServerProtocol)
                self._protocol.send_response(self._protocol.accept(event))
            elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._pieces.append(bytes(event.data))
                if event.fin:
                    found.append(b"".join(self._pieces).decode("latin-1"))
                    self._pieces.clear()
            else:
                assert isinstance(event, Response | Frame)
        self.ready = self.ready or self._protocol.state is State.OPEN
        self._must_be_right()
        return found

    def _must_be_right(self) -> None:
        wrong = self._protocol.handshake_exc or self._protocol.parser_exc
        if wrong is not None:
            raise FramingFailed(f"expected a WebSocket for SIP, got {wrong}")
        if self.ready and self._protocol.subprotocol != _SIP:
            raise FramingFailed(f"expected the subprotocol 'sip', got {self._protocol.subprotocol!r}")

    def take_output(self) -> bytes:
        """Handshakes, pongs, closing frames."""
        return b"".join(self._protocol.data_to_send())

    def encode(self, message: bytes) -> bytes:
        """One frame: of text if the message is UTF-8, else binary."""
        try:
            message.decode()
        except UnicodeDecodeError:
            self._protocol.send_binary(message)
        else:
            self._protocol.send_text(message)
        return self.take_output()


def _select(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    if _SIP not in offered:
        raise NegotiationError(f"expected the subprotocol 'sip', got {', '.join(offered) or 'none'}")
    return _SIP
