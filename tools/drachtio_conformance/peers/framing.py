"""How SIP lies on a connection of a peer, by its transport.

The ``websockets`` library is loaded with the first WebSocket.
"""

from __future__ import annotations

from typing import Protocol

from drachtio_conformance.peers.stream_framing import StreamFramer

NEEDS_WEBSOCKETS = "needs the Python library websockets: pip install 'drachtio-conformance[websocket]'"


class PeerFraming(Protocol):
    """One end of a connection, without I/O."""

    ready: bool
    """messages may be sent: nothing has to be agreed upon any more"""

    def feed(self, data: bytes) -> list[str]:
        """The messages that ``data`` completes. Raises FramingFailed."""

    def take_output(self) -> bytes:
        """What has to be sent besides messages: handshakes, answers to pings, the end."""

    def encode(self, message: bytes) -> bytes:
        """The octets of a message."""


def framing(transport: str, *, server_side: bool, host: str, port: int) -> PeerFraming:
    """That of a connection by ``transport``; a client's WebSocket asks ``host``:``port``.

    Raises ImportError for a WebSocket without the library.
    """
    if transport not in ("ws", "wss"):
        return StreamFramer()
    from drachtio_conformance.peers.websocket_framing import WebSocketFramer

    return WebSocketFramer.accepted() if server_side else WebSocketFramer.connected(host, port)
