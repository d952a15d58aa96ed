"""What a server with request handlers has besides: the handlers, and the connections that it makes to applications.

Loaded where handlers are configured; the HTTP client with the first that is a callback.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from reference_server.admin.connections import AdminConnections
from reference_server.admin.context import AdminContext
from reference_server.admin.outbound import OutboundConnections
from reference_server.config.model import HandlerConfiguration, LimitConfiguration
from reference_server.handlers.answer import place_of
from reference_server.handlers.by_method import Asked, DirectHandler, HandlersByMethod
from reference_server.net.network import Network
from reference_server.turn import Turn

if TYPE_CHECKING:
    from reference_server.handlers.http_handler import HttpClient


class HandlingError(Exception):
    """What is configured cannot be done; the text says why."""


class Handling:
    """The request handlers of one server."""

    def __init__(
        self,
        *,
        admin: AdminContext,
        connections: AdminConnections,
        turn: Turn,
        network: Network,
        most_connections: int,
    ) -> None:
        """``most_connections`` to applications may be open before idle ones are closed. Inside the running loop."""
        self._admin = admin
        self._network = network
        self._client: HttpClient | None = None
        self._outbound = OutboundConnections(admin, connections, turn, names=network, most=most_connections)

    def made(self, handlers: Sequence[HandlerConfiguration]) -> HandlersByMethod | None:
        """Handlers that the core can ask; None for none. Raises HandlingError."""
        by_method = {handler.sip_method: self._made(handler) for handler in handlers}
        return HandlersByMethod(by_method) if by_method else None

    def ask(self, handlers: HandlersByMethod | None) -> None:
        """From now on the core asks these; questions that are open stay with whom they were put to."""
        self._admin.core.handled_by(handlers, self._outbound)

    def bound(self, limits: LimitConfiguration, most_connections: int) -> None:
        """From now on these limits hold."""
        self._outbound.bound(most_connections)
        if self._client is not None:
            self._client.bound(limits)

    def occupancy(self) -> dict[str, int]:
        """The size of every table."""
        return {
            "open questions": len(self._client.open) if self._client is not None else 0,
            "outbound connections being made": len(self._outbound),
        }

    async def stop(self) -> None:
        """Give up all that is under way; nobody is told."""
        await self._outbound.stop()
        if self._client is not None:
            await self._client.stop()

    def _made(self, handler: HandlerConfiguration) -> Asked:
        scheme, _, rest = handler.url.partition("://")
        if scheme in ("tcp", "tls"):
            return DirectHandler(
                place_of(f"{rest.rstrip('/')};transport={scheme}" if scheme == "tls" else rest)
            )
        if find_spec("aiohttp") is None:
            raise HandlingError("request-handler: expected the Python library aiohttp to be installed")
        from reference_server.handlers.http_handler import HttpClient, HttpHandler

        if self._client is None:
            admin = self._admin
            self._client = HttpClient(
                version=admin.version,
                names=self._network,
                timers=admin.timers,
                taps=admin.taps,
                limits=admin.limits,
            )
        return HttpHandler(
            self._client, handler.url, post=handler.http_method == "POST", verify_peer=handler.verify_peer
        )


# Tested by tests/handlers/test_http_handler.py.
