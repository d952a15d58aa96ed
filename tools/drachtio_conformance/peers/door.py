"""Where an application that the suite plays listens: each connection of the server becomes an admin peer."""

from __future__ import annotations

import asyncio

from drachtio_conformance.peers import tls
from drachtio_conformance.peers.admin_peer import AdminPeer, ConnectFailed, told
from drachtio_conformance.peers.channel import Bell, Channel
from drachtio_conformance.peers.recorder import Recorder


class AcceptedPeer(AdminPeer):
    """An admin connection that the server has made; it gets its name when a case takes it."""

    def __init__(self, door: Door, recorder: Recorder, bell: Bell | None, *, patience: float) -> None:
        """``patience`` bounds each wait for the server to read, in seconds."""
        super().__init__(door.name, recorder, bell, patience=patience)
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        super().connection_made(transport)
        self._recorder.note(self._door.name, "accepted a connection")
        self._door.accepted(self)


class Door:
    """One named listener."""

    def __init__(self, name: str, recorder: Recorder, bell: Bell | None = None) -> None:
        self.name = name
        self.incoming: Channel[AcceptedPeer] = Channel(bell)
        self.closed = False
        self._recorder = recorder
        self._bell = bell
        self._server: asyncio.Server | None = None
        self._accepted: list[AcceptedPeer] = []

    async def listen(self, host: str, port: int, *, patience: float, secure: bool = False) -> int:
        """Listen, ``secure`` by TLS; returns the port. Raises ConnectFailed."""
        loop = asyncio.get_running_loop()
        try:
            context = tls.listening() if secure else None
        except tls.NoCertificate as error:
            raise ConnectFailed(f"{self.name} cannot listen: {error}") from None
        try:
            self._server = await loop.create_server(
                lambda: AcceptedPeer(self, self._recorder, self._bell, patience=patience),
                host,
                port,
                reuse_address=True,
                ssl=context,
            )
        except OSError as error:
            raise ConnectFailed(f"{self.name} cannot listen on {host}:{port}: {told(error)}") from None
        return int(self._server.sockets[0].getsockname()[1])

    def accepted(self, peer: AcceptedPeer) -> None:
        """The server has connected."""
        self._accepted.append(peer)
        self.incoming.put(peer)

    def close(self) -> None:
        """Listen no more, and close what no case has taken."""
        self.closed = True
        if self._server is not None:
            self._server.close()
        for peer in self._accepted:
            peer.close()
