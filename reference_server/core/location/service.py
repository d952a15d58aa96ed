"""Where a URI leads: by a connection over which its phone has registered, else where the network says."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.context import Context
from reference_server.core.location.own_addresses import OwnAddresses
from reference_server.core.location.registered_flows import RegisteredFlows
from reference_server.core.ports import Flow, Way
from reference_server.sip.messages.uri import Uri, UriError, parse_uri


class LocationService:
    """What is known of places."""

    __slots__ = ("_network", "own", "registered")

    def __init__(self, context: Context) -> None:
        self._network = context.network
        self.registered = RegisteredFlows(context.timers, context.monotonic, context.settings.defects)
        """connections by which phones have registered"""
        self.own = OwnAddresses(context.network.endpoints)
        """what names this server"""

    def reach(self, next_hop: str, done: Callable[[Way], None]) -> None:
        """Give ``done`` the flow to the URI ``next_hop``, or the reason why there is none.

        A phone that has registered over a connection is reached by that, wherever its Contact leads (NET-7).
        """
        way = self.registered_flow(next_hop) or self._network.flow_to(next_hop)
        if way is not None:
            done(way)
        else:
            self._network.open(next_hop, done)

    def registered_flow(self, text: str) -> Flow | None:
        """The connection by which the phone with the URI ``text`` has registered.

        A URI without a user names a host, be it a proxy's in a Route: no registration diverts what goes there.
        """
        if not self.registered:
            return None
        try:
            uri = parse_uri(text)
        except UriError:
            return None  # the network says what is wrong with it
        return self.registered.flow_to(uri) if uri.user and "lr" not in uri.parameters else None

    def registered_flow_to(self, target: Uri) -> Flow | None:
        """The connection by which the phone that ``target`` names has registered, with or without a user."""
        return self.registered.flow_to(target) if self.registered else None
