"""Calls that an application begins: their dialogs and forks (RFC 3261 §12.1.2, §13.2).

Every provisional response with a To tag is an early dialog; the first 2xx confirms one and ends the others. The
application knows them all by one id (OUT-5). A second 2xx, from another branch of a fork, is a call that nobody
wants: it gets its ACK and a BYE from the server itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from reference_server.core.call_observer import Ended, Reason, Role, Source
from reference_server.core.dialog.hang_up import Cause, acknowledge_and_hang_up
from reference_server.core.dialog.session_timer import settle_as_client
from reference_server.core.dialog.usage import DialogUsage, UsageEvent
from reference_server.core.transactions import Sent
from reference_server.core.uac import cancel_race
from reference_server.core.uac.cancel import Cancelling
from reference_server.core.uac.client_request import ClientRequest
from reference_server.core.uac.core import UacCore
from reference_server.core.uac.early_dialogs import Caller, EarlyDialogs
from reference_server.core.uac.reliable_provisional import is_next
from reference_server.sip.dialog import record_route_of
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.message import Response


class OriginatedCall(ClientRequest):
    """An INVITE outside dialogs."""

    def __init__(self, uac: UacCore, caller: Caller, sent: Sent) -> None:
        super().__init__(uac, caller.application, sent, caller.cseq)
        self._dialogs = EarlyDialogs(uac, caller)
        self._cancelling = Cancelling(uac, self, uac.context.settings.patience.ringing)
        self._confirmed: DialogUsage | None = None
        observer = uac.context.observer
        if observer is not None:
            observer.attempted(self, Source.APPLICATION, sent.text)

    @property
    def dialog_id(self) -> str:
        """That of all branches."""
        return self._dialogs.dialog_id

    @property
    def branches(self) -> Mapping[str, DialogUsage]:
        """Its early dialogs, by the tag of the far end."""
        return self._dialogs.by_tag

    # How it may be cancelled.

    @property
    def wanted(self) -> bool:
        """Not if it was cancelled."""
        return super().wanted and not self.cancelled

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
        """The far end has rung without a word for too long."""
        self._cancelling.silent()

    # What becomes of it.

    def begin(self) -> None:
        """Send; from now on the application can cancel it."""
        self.uac.invites[self.transaction_id] = self
        super().begin()

    def send_again(self, sent: Sent) -> None:
        """Send to another address; what rang at the first is over."""
        self._dialogs.begin_again()
        self.received = None
        self.uac.reliable_calls.pop(self.dialog_id, None)
        self._cancelling.client.begin_again()
        super().send_again(sent)

    def proceeding(self) -> None:
        """The first provisional response: now a CANCEL may go, and the far end's silence counts."""
        self._cancelling.client.proceeding()

    def answered(self, response: Response) -> None:
        """A response, from whatever branch."""
        status = response.status
        if status < 200:
            self._cancelling.client.heard()
            if self._rings(response):
                self.pass_on(response)
        elif status == 200 or (status < 300 and not self.uac.context.settings.defects.knows_only_200):
            usage = self._accepted(response)
            if usage is not None:
                self.pass_on(response)
                self._observe_answer(usage, response)
        else:
            self._over()
            self.pass_on(response)
            self._observe_failure(status, response.text)

    def _rings(self, response: Response) -> bool:
        """A provisional response; False if the application is not to see it."""
        if response.to_tag and self._dialogs.follows(response.to_tag):
            self._dialogs.of(response, self.flow)
            if "rseq" in response.first:
                if not is_next(self, response):
                    return False
                if self.received is not None:
                    self.uac.reliable_calls[self.dialog_id] = self
        return True

    def _accepted(self, response: Response) -> DialogUsage | None:
        """The usage that a 2xx confirms; None if the application is not to see it."""
        uac = self.uac
        confirmed = self._confirmed
        if confirmed is not None:
            if (
                confirmed.dialog.remote_tag == response.to_tag
                or uac.context.settings.defects.repeats_first_ack
            ):
                self._acknowledge_again(confirmed)
            elif self._dialogs.follows(response.to_tag):
                self._refuse_second(self._dialogs.of(response, self.flow))
            return None
        usage = self._dialogs.of(response, self.flow)
        ended_early = usage.is_over
        usage.move(UsageEvent.ACCEPTED)
        usage.dialog.follow(record_route_of(response)[::-1])
        usage.own_invite_accepted(self.cseq)
        usage.describe_unless_described(self.text)
        claimed = uac.dialogs.claim(usage)
        self._confirmed = usage
        self._forget()
        self._dialogs.end_others(usage)
        if not self.application.connected:
            self._observe_answer(usage, response)
            if uac.context.settings.defects.leaves_calls_of_the_gone:
                return None
            acknowledge_and_hang_up(uac.dialogs, usage, Cause.APPLICATION_LOST)
            return None
        if not claimed:
            self._observe_answer(usage, response)
            self.answer_locally(480, "Temporarily Unavailable")
            usage.disown()
            cause = Cause.DIALOG_GONE if ended_early else Cause.DIALOG_EXISTS
            acknowledge_and_hang_up(uac.dialogs, usage, cause)
            return None
        cancel_race.accepted(usage, self._cancelling)
        if "session-expires" in response.first:
            settle_as_client(uac.dialogs, usage, response, uac.refreshes)
        return usage

    def _acknowledge_again(self, usage: DialogUsage) -> None:
        """A 2xx came again: so does our ACK, if there was one and it has found its way."""
        if text := usage.own_ack(self.cseq):
            self.uac.transactions.send(text, self.flow)

    def _refuse_second(self, unwanted: DialogUsage) -> None:
        """A 2xx of another branch; when it comes again, so does our ACK."""
        if unwanted.own_ack(self.cseq) is not None:
            self._acknowledge_again(unwanted)
            return
        unwanted.disown()
        unwanted.own_invite_accepted(self.cseq)
        acknowledge_and_hang_up(self.uac.dialogs, unwanted, Cause.SECOND_ANSWER)

    def answer_locally(self, status: int, reason: str) -> str:
        """Nobody answered, or nobody could be asked."""
        text = super().answer_locally(status, reason)
        self._observe_failure(status, text)
        return text

    def fail(self, status: int, reason: str) -> None:
        """Nobody answered, or nobody can be asked."""
        self._over()
        super().fail(status, reason)

    def _over(self) -> None:
        """A failure: nothing is left of it."""
        self._forget()
        self._dialogs.end_all(UsageEvent.REFUSED)

    def _forget(self) -> None:
        """It has its final response: it can be neither cancelled nor acknowledged by PRACK any more."""
        self.uac.invites.pop(self.transaction_id, None)
        self._cancelling.client.stop()
        if self.received is not None and self.uac.reliable_calls.get(self.dialog_id) is self:
            del self.uac.reliable_calls[self.dialog_id]

    def _observe_answer(self, usage: DialogUsage, response: Response) -> None:
        """The call is up, and goes on as its usage does (CDR-2)."""
        observer = self.uac.context.observer
        if observer is not None:
            observer.answered(self, usage, Role.UAC, response.text)

    def _observe_failure(self, status: int, text: str) -> None:
        """Tell who watches; 487 says that it was cancelled (CDR-3)."""
        observer = self.uac.context.observer
        if observer is not None:
            reason = Reason.CALL_CANCELED if status == 487 else Reason.CALL_REJECTED
            observer.failed(self, Ended(Source.NETWORK, reason, text))
