"""What the functions of this folder share: the layers below, and what is remembered of proxied requests."""

from __future__ import annotations

from typing import Protocol

from reference_server.core.context import Context
from reference_server.core.location.service import LocationService
from reference_server.core.ports import Application
from reference_server.core.server_request import PendingRequests, ServerRequest
from reference_server.core.transactions import TransactionLayer
from reference_server.sip.proxy_branch import ProxyBranches
from reference_server.sip.target_set import Target


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
        "transactions",
    )

    def __init__(self, pending: PendingRequests) -> None:
        self.context: Context = pending.context
        self.transactions: TransactionLayer = pending.transactions
        self.location: LocationService = pending.dialogs.location
        self.pending = pending
        self.branches = ProxyBranches(self.context.identifiers)
        self.open: dict[str, Cancellable] = {}
        """by the key of their server transaction: a CANCEL may end them"""
        self.challengers: dict[str, Target] = {}
        """who asked for credentials a moment ago, by realm and nonce"""

    def occupancy(self) -> dict[str, int]:
        """The size of every table."""
        return {"proxied requests": len(self.open), "proxy challengers": len(self.challengers)}

    def cancel(self, key: str, cancel: ServerRequest) -> bool:
        """Cancel the request whose server transaction has this key; False if there is none."""
        proxied = self.open.get(key)
        if proxied is None:
            return False
        proxied.cancel(cancel)
        return True


# Tested by tests/core/test_core.py.
