"""What the functions of this folder share: the layers below them."""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.dialog.session_timer import Refreshes
from reference_server.core.dialog.table import DialogTable
from reference_server.core.location.service import LocationService
from reference_server.core.server_request import PendingRequests


class UasCore:
    """The user agent server core (RFC 3261 §6)."""

    __slots__ = ("context", "dialogs", "location", "pending", "refreshes")

    def __init__(self, pending: PendingRequests, refreshes: Refreshes) -> None:
        self.context: Context = pending.context
        self.dialogs: DialogTable = pending.dialogs
        self.location: LocationService = pending.dialogs.location
        self.pending = pending
        self.refreshes = refreshes


# Tested by tests/core/test_core.py.
