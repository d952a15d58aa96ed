"""What the responses to an application's requests inside a dialog do to it (DLG-7, DLG-13, DLG-18; RFC 3261 §12.2.1.2).

A 2xx to INVITE or UPDATE moves the remote target. The answer to a BYE ends the dialog, whatever it is; so does a
failure that says that the far end has no such call, or cannot be reached any more (:data:`CALL_IS_GONE`). The owner
keeps no dead dialog without a word: behind such a response the server hangs up, and shows the BYE.
"""

from __future__ import annotations

from reference_server.core.context import TIMER_C_SECONDS, Context
from reference_server.core.dialog.hang_up import Cause, acknowledge, acknowledge_and_hang_up, hang_up
from reference_server.core.dialog.session_timer import settle_as_client
from reference_server.core.dialog.subscription import heed_notify, keep_subscription
from reference_server.core.dialog.usage import DialogUsage, end_dialog
from reference_server.core.invite_client import Invitation
from reference_server.core.ports import Application, Flow
from reference_server.core.uac.client_request import ClientRequest
from reference_server.core.uac.reliable_provisional import is_next
from reference_server.sip.dialog import DialogState
from reference_server.sip.messages.message import Response, parse_message

CALL_IS_GONE = frozenset({404, 408, 410, 416, 481, 482, 483, 484, 485, 502, 604})
"""Failures of an INVITE or UPDATE behind which there is no call any more (RFC 3261 §12.2.1.2, RFC 5057 §5.1)."""

SUBSCRIPTION_IS_GONE = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})
"""Failures of a SUBSCRIBE or NOTIFY behind which there is no subscription any more (RFC 6665 §4.1.2.3, §4.2.2)."""

_NOT_ABOUT_THE_CALL = frozenset({"SUBSCRIBE", "NOTIFY", "PRACK", "CANCEL"})
"""What 481 to one of these says is about a subscription, a response or a transaction."""


class RequestInDialog(ClientRequest):
    """One request inside a dialog."""

    def __init__(
        self,
        state: Context,
        application: Application,
        method: str,
        cseq: int,
        text: str,
        flow: Flow,
        branch: str,
        found: DialogUsage,
    ) -> None:
        super().__init__(state, application, method, cseq, text, flow, branch)
        self.found = found
        self.ends_dialog = False

    @property
    def dialog_id(self) -> str:
        """The dialog's."""
        return self.found.dialog_id

    @property
    def recipient(self) -> Application | None:
        """The sender, or who owns the dialog by now."""
        return super().recipient or self.found.current_owner()

    def begin(self) -> None:
        """Send; an offer is remembered while it is open, for what crosses it (DLG-15, DLG-17)."""
        if self.method in ("INVITE", "UPDATE"):
            self.found.own_offers.add(self)
        super().begin()

    def answered(self, response: Response) -> None:
        """Pass a response on."""
        found = self.found
        status = response.status
        if status >= 200:
            found.own_offers.discard(self)
            if self.ends_dialog:
                if status not in (401, 407):
                    end_dialog(self.state, found)
            elif status < 300:
                self._accepted(response)
        self.pass_on(response)
        if status >= 300:
            self._failed(status)

    def _accepted(self, response: Response) -> None:
        if self.method == "UPDATE":
            self.found.dialog.refresh_target(response)
            self._refreshes_session(response)
        elif self.method == "PRACK":
            if self.text.partition("\r\n\r\n")[2]:
                self.found.describe(self.text)
        elif self.found.subscription:
            sent = parse_message(self.text)
            if self.method == "SUBSCRIBE":
                keep_subscription(self.state, self.found, response.get("expires") or sent.get("expires"))
            elif self.method == "NOTIFY":
                heed_notify(self.state, self.found, sent.get("subscription-state"))

    def _refreshes_session(self, response: Response) -> None:
        """A 2xx to an INVITE or UPDATE: what the session is, and how long it lives (TIMER-2)."""
        found = self.found
        if self.text.partition("\r\n\r\n")[2]:
            found.describe(self.text)
        if found.session is not None or "session-expires" in response.first:
            settle_as_client(self.state, found, response)

    def _failed(self, status: int) -> None:
        """End the dialog if the failure says that it is gone."""
        found = self.found
        if found.dialog.state is not DialogState.CONFIRMED:
            return
        if found.subscription:
            if self.method in ("SUBSCRIBE", "NOTIFY") and status in SUBSCRIPTION_IS_GONE:
                end_dialog(self.state, found)
        elif (status == 481 and self.method not in _NOT_ABOUT_THE_CALL) or (
            self.method in ("INVITE", "UPDATE") and status in CALL_IS_GONE
        ):
            hang_up(self.state, found, Cause.DIALOG_GONE)

    def fail(self, status: int, reason: str) -> None:
        """Nobody answered; a dialog that was to end is over all the same (RFC 3261 §15.1.1)."""
        self.found.own_offers.discard(self)
        if self.ends_dialog:
            end_dialog(self.state, self.found)
        super().fail(status, reason)
        self._failed(status)


class ReInvite(Invitation, RequestInDialog):
    """An INVITE inside a dialog (RFC 3261 §14.1)."""

    longest_silence = TIMER_C_SECONDS

    def answered(self, response: Response) -> None:
        """Pass a response on; a repeated 2xx gets its ACK again instead, and one that nobody waits for its first."""
        found = self.found
        status = response.status
        if status < 200:
            self.heard()
            if "rseq" in response.first and not is_next(self, response):
                return
        else:
            self.forget()
        if not 200 <= status < 300:
            super().answered(response)
            return
        found.own_offers.discard(self)
        if self.cseq in found.own_acks:
            found.acknowledge_again(self.state, self.cseq, self.flow)
            return
        if self.cseq <= found.last_answered_invite:
            return  # repeated before the application's ACK
        found.last_answered_invite = self.cseq
        found.dialog.refresh_target(response)
        self._refreshes_session(response)
        self.pass_on(response)
        if found.dialog.state is DialogState.OVER:
            acknowledge(self.state, found)
        elif self.recipient is None:
            acknowledge_and_hang_up(self.state, found, Cause.APPLICATION_LOST)
