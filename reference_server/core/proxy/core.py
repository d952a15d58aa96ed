"""What the functions of this folder share: the layers below, and what is remembered of proxied requests."""

from __future__ import annotations

from typing import Protocol

from reference_server.core.context import Context
from reference_server.core.location.service import LocationService
from reference_server.core.ports import Application
from reference_server.core.server_request import PendingRequests, ServerRequest
from reference_server.core.transactions import TransactionLayer
from reference_server.sip.messages.message import Request
from reference_server.sip.proxy_branch import ProxyBranches
from reference_server.sip.route_token import RouteTokens
from reference_server.sip.target_set import Target
from reference_server.sparingly import Sparingly


class Cancellable(Protocol):
    """A proxied request whose caller has no final response."""

    @property
    def application(self) -> Application | None:
        """Who hears how it goes, if anybody does."""

    def cancel(self, cancel: ServerRequest) -> None:
        """The caller's CANCEL came."""


class ProxyCore:
    """The proxy core (RFC 3261 §16)."""

    __slots__ = (
        "branches",
        "challengers",
        "context",
        "location",
        "open",
        "pending",
        "say_refused",
        "tokens",
        "transactions",
    )

    def __init__(self, pending: PendingRequests) -> None:
        self.context: Context = pending.context
        self.transactions: TransactionLayer = pending.transactions
        self.location: LocationService = pending.dialogs.location
        self.pending = pending
        self.branches = ProxyBranches(self.context.identifiers)
        settings = self.context.settings
        key = settings.relay_key.encode("utf-8") or self.context.identifiers.uuid().encode("ascii")
        self.tokens = RouteTokens(key)
        self.say_refused = Sparingly(
            lambda line: self.context.event("sip-refused", reason=line), self.context.monotonic
        )
        self.open: dict[str, Cancellable] = {}
        """by the key of their server transaction: a CANCEL may end them"""
        self.challengers: dict[str, Target] = {}
        """who asked for credentials a moment ago, by realm and nonce"""

    def occupancy(self) -> dict[str, int]:
        """The size of every table."""
        return {"proxied requests": len(self.open), "proxy challengers": len(self.challengers)}

    def route_token(self, call_id: str, caller_tag: str) -> str:
        """The parameter of a Record-Route by which requests of that call may come back."""
        return "" if self.context.settings.open_relay else self.tokens.parameter(call_id, caller_tag)

    def may_relay(self, route: str, request: Request, source: str) -> bool:
        """Whether ``request`` came back by a ``route`` that was made for its call, or is one that anybody may send.

        If not, it is told where ``source`` wanted to go.
        """
        if self.context.settings.open_relay:
            return True
        if self.tokens.proves(route, request.get("call-id"), request.from_tag, request.to_tag):
            return True
        self.say_refused(f"{request.method} of {source} names our Route, which was not made for its call")
        return False

    def cancel(self, key: str, cancel: ServerRequest) -> bool:
        """Cancel the request whose server transaction has this key; False if there is none."""
        proxied = self.open.get(key)
        if proxied is None:
            return False
        proxied.cancel(cancel)
        return True


# Tested by tests/core/test_core.py.
