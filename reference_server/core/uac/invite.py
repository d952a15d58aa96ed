"""Core that an application begins: their dialogs and forks (RFC 3261 §12.1.2, §13.2).

Every provisional response with a To tag is an early dialog; the first 2xx confirms one and ends the others. The
application knows them all by one id (OUT-5). A second 2xx, from another branch of a fork, is a call that nobody
wants: it gets its ACK and a BYE from the server itself.
"""

from __future__ import annotations

from reference_server.core.cdr.leg import CallLeg, Role, Source
from reference_server.core.dialog.hang_up import Cause, acknowledge_and_hang_up
from reference_server.core.dialog.session_timer import settle_as_client
from reference_server.core.dialog.usage import DialogUsage, claim_id, end_dialog
from reference_server.core.invite_client import Invitation
from reference_server.core.ports import Flow
from reference_server.core.uac.forming import OriginatedRequest
from reference_server.core.uac.reliable_provisional import is_next
from reference_server.sip.dialog import DialogState, record_route_of
from reference_server.sip.messages.message import Response

MOST_BRANCHES = 64
"""Forks of one INVITE that are followed; each further tag would be a dialog, and each further 2xx a BYE from us."""


class OriginatedCall(Invitation, OriginatedRequest):
    """An INVITE outside dialogs."""

    leg: CallLeg | None = None
    """if there are call detail records"""

    def answered(self, response: Response) -> None:
        """A response, from whatever branch."""
        status = response.status
        if status >= 300:
            self._over()
        elif status >= 200:
            if not self._accepted(response):
                return
        else:
            self.heard()
            if response.to_tag and self._follows(response):
                self.dialog_of(response)
                if "rseq" in response.first:
                    if not is_next(self, response):
                        return
                    if self.received is not None:
                        self.state.reliable_calls[self.dialog_id] = self
        self.pass_on(response)
        if self.leg is not None and status >= 200:
            if status >= 300:
                self.leg.fail(Source.NETWORK, status, response.text)
            elif self.confirmed is not None:
                self._start_leg(self.confirmed, response)

    def answer_locally(self, status: int, reason: str) -> str:
        """Nobody answered, or nobody could be asked."""
        text = super().answer_locally(status, reason)
        if self.leg is not None:
            self.leg.fail(Source.NETWORK, status, text)
        return text

    def send_again(self, text: str, flow: Flow, branch: str) -> None:
        """Send to another address; what rang at the first is over."""
        for early in self.early.values():
            end_dialog(self.state, early)
        self.early.clear()
        self.received = None
        self.state.reliable_calls.pop(self.dialog_id, None)
        super().send_again(text, flow, branch)

    def _start_leg(self, made: DialogUsage, response: Response) -> None:
        """The call is up, and goes on as its dialog does (CDR-2)."""
        if self.leg is not None:
            self.leg.start(Source.NETWORK, Role.UAC, response.text)
            made.leg, self.leg = self.leg, None

    def _follows(self, response: Response) -> bool:
        return response.to_tag in self.early or len(self.early) < MOST_BRANCHES

    def fail(self, status: int, reason: str) -> None:
        """Nobody answered, or nobody can be asked."""
        self._over()
        super().fail(status, reason)

    def _accepted(self, response: Response) -> bool:
        """A 2xx; False if the application is not to see it."""
        confirmed = self.confirmed
        if confirmed is not None:
            if confirmed.dialog.remote_tag == response.to_tag:
                confirmed.acknowledge_again(self.state, self.cseq, self.flow)
            elif self._follows(response):
                self._refuse_second(self.dialog_of(response))
            return False
        made = self.dialog_of(response)
        ended_early = made.dialog.state is DialogState.OVER
        made.dialog.state = DialogState.CONFIRMED
        made.dialog.route_set = record_route_of(response)[::-1]  # the 2xx's counts (§13.2.2.4)
        made.last_answered_invite = self.cseq
        made.description = made.description or self.text
        claimed = claim_id(self.state, made)
        self.confirmed = made
        self.forget()
        for tag, early in list(self.early.items()):
            if early is not made:
                del self.early[tag]
                end_dialog(self.state, early)
        if not self.application.connected:
            self._start_leg(made, response)
            acknowledge_and_hang_up(self.state, made, Cause.APPLICATION_LOST)
            return False
        if not claimed:
            self._start_leg(made, response)
            self.answer_locally(480, "Temporarily Unavailable")
            made.owner = None
            cause = Cause.DIALOG_GONE if ended_early else Cause.DIALOG_EXISTS
            acknowledge_and_hang_up(self.state, made, cause)
            return False
        made.hang_up_after_ack = self.unwanted
        if "session-expires" in response.first:
            settle_as_client(self.state, made, response)
        return True

    def _refuse_second(self, unwanted: DialogUsage) -> None:
        """A 2xx of another branch; when it comes again, so does our ACK."""
        if self.cseq in unwanted.own_acks:
            unwanted.acknowledge_again(self.state, self.cseq, self.flow)
            return
        unwanted.owner = None
        unwanted.last_answered_invite = self.cseq
        acknowledge_and_hang_up(self.state, unwanted, Cause.SECOND_ANSWER)

    def forget(self) -> None:
        """It can be neither cancelled nor acknowledged by PRACK any more."""
        super().forget()
        if self.received is not None and self.state.reliable_calls.get(self.dialog_id) is self:
            del self.state.reliable_calls[self.dialog_id]

    def _over(self) -> None:
        """A failure: nothing is left of it."""
        self.forget()
        for early in self.early.values():
            end_dialog(self.state, early)
