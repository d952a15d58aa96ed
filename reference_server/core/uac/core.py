"""What the functions of this folder share: the layers below, and the tables of the application's own requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reference_server.core.context import Context
from reference_server.core.dialog.session_timer import Refreshes
from reference_server.core.dialog.table import DialogTable
from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.location.service import LocationService
from reference_server.core.ports import Application, Flow
from reference_server.core.server_request import PendingRequests, ServerRequest
from reference_server.core.transactions import TransactionLayer
from reference_server.sip.messages.draft import Draft
from reference_server.sip.reliable import ReliableReceiver


class ApplicationInvite(Protocol):
    """An INVITE of an application, in a dialog or outside, without a final response."""

    @property
    def application(self) -> Application:
        """Who sent it."""

    @property
    def dialog_id(self) -> str:
        """Of the dialog that it makes, or in which it is."""

    @property
    def flow(self) -> Flow:
        """By which it went."""

    @property
    def cancelled(self) -> bool:
        """A CANCEL was sent, or will be."""

    @property
    def holds_cancel(self) -> bool:
        """Whether a CANCEL waits for the first provisional response."""

    def cancel(self, draft: Draft) -> str:
        """Cancel for the application, with the headers of ``draft``; returns the CANCEL, which may have to wait."""

    def abandon(self) -> None:
        """The application is gone: nobody waits for the answer (CONN-3)."""


class ReliableCall(Protocol):
    """An INVITE outside dialogs that got a reliable provisional response."""

    @property
    def received(self) -> ReliableReceiver | None:
        """Its reliable provisional responses."""

    @property
    def branches(self) -> Mapping[str, DialogUsage]:
        """Its early dialogs, by the tag of the far end."""


class AwaitedSubscription(Protocol):
    """A SUBSCRIBE outside dialogs without a final response."""

    @property
    def local_tag(self) -> str:
        """Of its From."""

    def notified(self, notify: ServerRequest) -> None:
        """A NOTIFY came before the answer, or from another branch than the one that made the dialog."""


class UacCore:
    """The user agent client core (RFC 3261 §6)."""

    __slots__ = (
        "context",
        "dialogs",
        "invites",
        "location",
        "pending",
        "refreshes",
        "reliable_calls",
        "subscribing",
        "transactions",
    )

    def __init__(self, pending: PendingRequests, refreshes: Refreshes) -> None:
        dialogs = pending.dialogs
        self.pending = pending
        self.context: Context = dialogs.context
        self.transactions: TransactionLayer = dialogs.transactions
        self.location: LocationService = dialogs.location
        self.dialogs: DialogTable = dialogs
        self.refreshes = refreshes
        self.invites: dict[str, ApplicationInvite] = {}
        """INVITEs of applications without a final response, by transaction id"""
        self.reliable_calls: dict[str, ReliableCall] = {}
        """those of them outside dialogs that got a reliable provisional response, by dialog id"""
        self.subscribing: dict[str, AwaitedSubscription] = {}
        """SUBSCRIBEs of applications, outside dialogs, without a final response, by the id of their dialogs"""

    def invite_named(self, transaction_id: str, dialog_id: str) -> ApplicationInvite | None:
        """The INVITE that an application names to cancel it: by its own id, or as the only one of a dialog (OUT-8)."""
        if transaction_id:
            return self.invites.get(transaction_id)
        named = [invite for invite in self.invites.values() if invite.dialog_id == dialog_id]
        return named[0] if len(named) == 1 else None

    def occupancy(self) -> dict[str, int]:
        """The size of every table."""
        return {
            "outgoing INVITEs": len(self.invites),
            "reliable calls": len(self.reliable_calls),
            "outgoing SUBSCRIBEs": len(self.subscribing),
        }


# Tested by tests/core/test_core.py.
