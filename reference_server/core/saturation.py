"""How many dialogs there may be, and how many requests may wait for one application (CONN-9).

Nobody counts while there are few: the doorkeeper asks only when a table has grown to its limit. With as many dialogs as
there may be, what would begin another gets 503. An application that owes too many answers gets no more requests until
it has given some; others get them, and if there are none, callers hear 503.
"""

from __future__ import annotations

from collections import Counter

from reference_server.core.context import Context
from reference_server.core.dialog.table import DialogTable
from reference_server.core.ports import Application
from reference_server.core.server_request import PendingRequests, ServerRequest
from reference_server.core.stateless_refusal import RETRY_AFTER

BETWEEN_LOOKS = 0.1
"""Seconds from one count of who owes how many answers to the next."""


class Saturation:
    """Looks when there is much of something."""

    __slots__ = ("_context", "_dialogs", "_next_look", "_passed_over", "_pending")

    def __init__(self, context: Context, pending: PendingRequests, dialogs: DialogTable) -> None:
        self._context = context
        self._pending = pending
        self._dialogs = dialogs
        self._passed_over: frozenset[Application] = frozenset()
        self._next_look = float("-inf")

    @property
    def passes_over(self) -> bool:
        """Whether an application gets no requests because it owes too many answers."""
        return bool(self._passed_over)

    def refuses(self, incoming: ServerRequest) -> bool:
        """Whether ``incoming`` would begin a dialog more than there may be; if so, it has been answered."""
        context = self._context
        if incoming.method.forms_dialog and len(self._dialogs.known) >= context.settings.most_dialogs:
            reason = f"{len(self._dialogs.known)} dialogs are open"
            context.event("sip-refused", reason=reason, source=incoming.flow.remote_host, limit="dialogs")
            incoming.reject(503, RETRY_AFTER)
            return True
        self._look()
        return False

    def _look(self) -> None:
        """Find out who owes too many answers, unless that was done just now."""
        context = self._context
        now, most = context.monotonic(), context.settings.most_waiting
        if len(self._pending) < most:
            self._pass_over(frozenset())
        elif now >= self._next_look:
            self._next_look = now + BETWEEN_LOOKS
            owed = Counter(one.application for one in self._pending if one.application is not None)
            self._pass_over(frozenset(one for one, count in owed.items() if count >= most))

    def _pass_over(self, applications: frozenset[Application]) -> None:
        if applications == self._passed_over:
            return
        for one in applications - self._passed_over:
            self._context.event(
                "application-over-limit", connection=one.number, limit="requests-per-application"
            )
        self._passed_over = applications
        self._context.applications.pass_over(applications)
