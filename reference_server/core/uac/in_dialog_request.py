"""What the responses to an application's requests inside a dialog do to it (DLG-7, DLG-13, DLG-18; RFC 3261 §12.2.1.2).

A 2xx to INVITE or UPDATE moves the remote target. The answer to a BYE ends the usage, whatever it is; so does a
failure that says that the far end has no such call, or cannot be reached any more (:data:`CALL_IS_GONE`). The owner
keeps no dead dialog without a word: behind such a response the server hangs up, and shows the BYE.
"""

from __future__ import annotations

from msgspec import Struct

from reference_server.core.dialog.hang_up import Cause, acknowledge, acknowledge_and_hang_up, hang_up
from reference_server.core.dialog.session_timer import settle_as_client
from reference_server.core.dialog.subscription import heed_notify, keep_subscription
from reference_server.core.dialog.usage import DialogUsage, UsageEvent
from reference_server.core.methods import NOTIFY, PRACK, SUBSCRIBE, UPDATE, Method
from reference_server.core.ports import Application
from reference_server.core.transactions import Sent
from reference_server.core.uac.cancel import Cancelling
from reference_server.core.uac.client_request import ClientRequest
from reference_server.core.uac.core import UacCore
from reference_server.core.uac.reliable_provisional import is_next
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.message import Response, parse_message

CALL_IS_GONE = frozenset({404, 408, 410, 416, 481, 482, 483, 484, 485, 502, 604})
"""Failures of an INVITE or UPDATE behind which there is no call any more (RFC 3261 §12.2.1.2, RFC 5057 §5.1)."""

SUBSCRIPTION_IS_GONE = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})
"""Failures of a SUBSCRIBE or NOTIFY behind which there is no subscription any more (RFC 6665 §4.1.2.3, §4.2.2)."""


class InDialog(Struct, frozen=True):
    """An application's request in a usage: who sends what, and in which."""

    application: Application
    usage: DialogUsage
    method: Method
    cseq: int
    ends_by: UsageEvent | None = None
    """the final response to it ends the usage, whatever it is"""


class InDialogRequest(ClientRequest):
    """One request inside a dialog."""

    def __init__(self, uac: UacCore, inside: InDialog, sent: Sent) -> None:
        super().__init__(uac, inside.application, sent, inside.cseq)
        self.usage = inside.usage
        self._kind = inside.method
        self._ends_by = inside.ends_by

    @property
    def dialog_id(self) -> str:
        """The usage's."""
        return self.usage.dialog_id

    @property
    def recipient(self) -> Application | None:
        """The sender, or who owns the usage by now."""
        return super().recipient or self.usage.current_owner()

    def begin(self) -> None:
        """Send; an offer is remembered while it is open, for what crosses it (DLG-15, DLG-17)."""
        if self._kind.offers_session:
            self.usage.own_offers.add(self)
        super().begin()

    def answered(self, response: Response) -> None:
        """Pass a response on."""
        status = response.status
        if status >= 200:
            self.usage.own_offers.discard(self)
            if self._ends_by is not None:
                if status not in (401, 407):  # the request comes again, with credentials
                    self.uac.dialogs.end(self.usage, self._ends_by)
            elif status < 300:
                self._accepted(response)
        self.pass_on(response)
        if status >= 300:
            self._failed(status)

    def _accepted(self, response: Response) -> None:
        usage, dialogs = self.usage, self.uac.dialogs
        if self._kind is UPDATE:
            usage.dialog.refresh_target(response)
            self._refreshes_session(response)
        elif self._kind is PRACK:
            if self.text.partition("\r\n\r\n")[2]:
                usage.describe(self.text)
        elif usage.subscription:
            sent = parse_message(self.text)
            if self._kind is SUBSCRIBE:
                keep_subscription(dialogs, usage, response.get("expires") or sent.get("expires"))
            elif self._kind is NOTIFY:
                heed_notify(dialogs, usage, sent.get("subscription-state"))

    def _refreshes_session(self, response: Response) -> None:
        """A 2xx to an INVITE or UPDATE: what the session is, and how long it lives (TIMER-2)."""
        usage = self.usage
        if self.text.partition("\r\n\r\n")[2]:
            usage.describe(self.text)
        if usage.session is not None or "session-expires" in response.first:
            settle_as_client(self.uac.dialogs, usage, response, self.uac.refreshes)

    def _failed(self, status: int) -> None:
        """End the usage if the failure says that it is gone."""
        usage = self.usage
        if not usage.is_confirmed or self.uac.context.settings.defects.keeps_dead_calls:
            return
        kind = self._kind
        if usage.subscription:
            if kind in (SUBSCRIBE, NOTIFY) and status in SUBSCRIPTION_IS_GONE:
                self.uac.dialogs.end(usage, UsageEvent.GONE)
        elif (status == 481 and kind.about_call) or (kind.offers_session and status in CALL_IS_GONE):
            hang_up(self.uac.dialogs, usage, Cause.DIALOG_GONE)

    def fail(self, status: int, reason: str) -> None:
        """Nobody answered; a usage that was to end is over all the same (RFC 3261 §15.1.1)."""
        self.usage.own_offers.discard(self)
        if self._ends_by is not None:
            self.uac.dialogs.end(self.usage, self._ends_by)
        super().fail(status, reason)
        self._failed(status)


class ReInvite(InDialogRequest):
    """An INVITE inside a dialog (RFC 3261 §14.1)."""

    def __init__(self, uac: UacCore, inside: InDialog, sent: Sent) -> None:
        super().__init__(uac, inside, sent)
        self._cancelling = Cancelling(uac, self, uac.context.settings.patience.timer_c)

    @property
    def cancelled(self) -> bool:
        """A CANCEL was sent, or will be."""
        return self._cancelling.client.cancelled

    @property
    def holds_cancel(self) -> bool:
        """Whether a CANCEL waits for the first provisional response."""
        return self._cancelling.client.holds_cancel

    def cancel(self, draft: Draft) -> str:
        """Cancel for the application, with the headers of ``draft``; returns the CANCEL, which may have to wait."""
        return self._cancelling.for_application(draft)

    def abandon(self) -> None:
        """The application is gone: nobody waits for the answer (CONN-3)."""
        self._cancelling.abandon()

    def silent(self) -> None:
        """The far end has said nothing for too long."""
        self._cancelling.silent()

    def begin(self) -> None:
        """Send; from now on the application can cancel it."""
        self.uac.invites[self.transaction_id] = self
        super().begin()

    def proceeding(self) -> None:
        """The first provisional response: now a CANCEL may go, and the far end's silence counts."""
        self._cancelling.client.proceeding()

    def answered(self, response: Response) -> None:
        """Pass a response on; a repeated 2xx gets its ACK again instead, and one that nobody waits for its first."""
        status = response.status
        if status < 200:
            self._cancelling.client.heard()
            if "rseq" in response.first and not is_next(self, response):
                return
        else:
            self._forget()
        if 200 <= status < 300:
            self._invite_accepted(response)
        else:
            super().answered(response)

    def _invite_accepted(self, response: Response) -> None:
        usage, uac = self.usage, self.uac
        usage.own_offers.discard(self)
        known = usage.own_ack(self.cseq)
        if known is not None:
            if known:
                uac.transactions.send(known, self.flow)
            return
        if self.cseq <= usage.last_answered_invite:
            return  # repeated before the application's ACK
        usage.own_invite_accepted(self.cseq)
        if not uac.context.settings.defects.keeps_first_target:
            usage.dialog.refresh_target(response)
        self._refreshes_session(response)
        self.pass_on(response)
        if usage.is_over:
            acknowledge(uac.dialogs, usage)
        elif self.recipient is None:
            acknowledge_and_hang_up(uac.dialogs, usage, Cause.APPLICATION_LOST)

    def fail(self, status: int, reason: str) -> None:
        """Nobody answered, or nobody can be asked."""
        self._forget()
        super().fail(status, reason)

    def _forget(self) -> None:
        """It has its final response and cannot be cancelled any more."""
        self.uac.invites.pop(self.transaction_id, None)
        self._cancelling.client.stop()
