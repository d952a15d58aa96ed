"""Calls and subscriptions that an application begins: dialogs, forks, CANCEL (RFC 3261 §12.1.2, §13.2, §9.1).

Every provisional response with a To tag is an early dialog; the first 2xx confirms one and ends the others. The
application knows them all by one id (OUT-5). A second 2xx, from another branch of a fork, is a call that nobody
wants: it gets its ACK and a BYE from the server itself.
"""

from __future__ import annotations

from reference_server.calls.dialogs import ApplicationDialog, claim_id, end_dialog, keep_subscription
from reference_server.calls.hangup import Cause, acknowledge_and_hang_up
from reference_server.calls.outgoing import OutgoingRequest
from reference_server.calls.ports import Application
from reference_server.calls.state import CallState
from reference_server.sip.client_transaction import OtherClientTransaction
from reference_server.sip.dialog import Dialog, DialogState, record_route_of
from reference_server.sip.draft import Draft
from reference_server.sip.message import Response, parse_message
from reference_server.sip.timers import TimerHandle
from reference_server.sip.uri import UriError, parse_uri
from reference_server.wire.replies import NotSent, RequestSent
from reference_server.wire.requests import Sip

MOST_BRANCHES = 64
"""Forks of one INVITE that are followed; each further tag would be a dialog, and each further 2xx a BYE from us."""


class OriginatedSubscription(OutgoingRequest):
    """A SUBSCRIBE outside dialogs, and what it shares with an INVITE: the dialog that a response makes."""

    call_id = ""
    local = ""
    local_tag = ""
    confirmed: ApplicationDialog | None = None

    def identify(self, call_id: str, local: str, local_tag: str) -> None:
        """The Call-ID, the From and its tag."""
        self.call_id = call_id
        self.local = local
        self.local_tag = local_tag
        self.early: dict[str, ApplicationDialog] = {}
        """by To tag"""

    @property
    def dialog_id(self) -> str:
        """Call-ID and our tag, whatever branch of a fork answers."""
        suffix = "uac" if self.state.settings.dialect_0_8 else f"from-tag={self.local_tag}"
        return f"{self.call_id};{suffix}".replace("|", "%7C")

    def answered(self, response: Response) -> None:
        """A 2xx makes the dialog (RFC 6665 §4.1.2)."""
        if 200 <= response.status < 300:
            made = self.dialog_of(response)
            made.dialog.state = DialogState.CONFIRMED
            keep_subscription(self.state, made, response.get("expires"))
        self.pass_on(response)

    def dialog_of(self, response: Response) -> ApplicationDialog:
        """The dialog that ``response`` belongs to, made if it is the first of its branch."""
        known = self.early.get(response.to_tag)
        if known is not None:
            known.dialog.refresh_target(response)
            return known
        dialog = Dialog(
            call_id=self.call_id,
            local=self.local,
            local_tag=self.local_tag,
            remote=response.get("to"),
            remote_tag=response.to_tag,
            local_cseq=self.cseq,
            remote_cseq=-1,
            remote_contact=response.get("contact"),
            route_set=record_route_of(response)[::-1],
        )
        made = ApplicationDialog(dialog, self.dialog_id, self.application, self.flow)
        made.follows_contact = self._is_at_its_contact(dialog)
        self.early[response.to_tag] = made
        self.state.dialogs_by_key.setdefault(made.key, made)
        claim_id(self.state, made)
        return made

    def _is_at_its_contact(self, dialog: Dialog) -> bool:
        """Whether the far end's Contact names the address that we reach it by, so that no NAT is between."""
        try:
            return parse_uri(dialog.remote_target).host == self.flow.remote_host
        except UriError:
            return False


class OriginatedCall(OriginatedSubscription):
    """An INVITE outside dialogs."""

    cancelled = False
    _provisional = False
    _held_cancel: Draft | None = None
    _patience: TimerHandle | None = None

    def begin(self) -> None:
        """Send; from now on the application can cancel it."""
        self.state.outgoing_calls[self.transaction_id] = self
        super().begin()

    def answered(self, response: Response) -> None:
        """A response, from whatever branch."""
        status = response.status
        if status >= 300:
            self._over()
        elif status >= 200:
            if not self._accepted(response):
                return
        elif response.to_tag and self._follows(response):
            self.dialog_of(response)
        self.pass_on(response)

    def _follows(self, response: Response) -> bool:
        return response.to_tag in self.early or len(self.early) < MOST_BRANCHES

    def proceeding(self) -> None:
        """Now a CANCEL may go (RFC 3261 §9.1)."""
        self._provisional = True
        if self._held_cancel is not None:
            self._send_cancel(self._held_cancel)
            self._held_cancel = None

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
        made.dialog.state = DialogState.CONFIRMED
        made.dialog.route_set = record_route_of(response)[::-1]  # the 2xx's counts (§13.2.2.4)
        made.last_answered_invite = self.cseq
        claimed = claim_id(self.state, made)
        self.confirmed = made
        self._forget()
        for tag, early in list(self.early.items()):
            if early is not made:
                del self.early[tag]
                end_dialog(self.state, early)
        if not self.application.connected:
            acknowledge_and_hang_up(self.state, made, Cause.APPLICATION_LOST)
            return False
        if not claimed:
            self.answer_locally(480, "Temporarily Unavailable")
            made.owner = None
            acknowledge_and_hang_up(self.state, made, Cause.DIALOG_EXISTS)
            return False
        made.hang_up_after_ack = self.cancelled
        return True

    def _refuse_second(self, unwanted: ApplicationDialog) -> None:
        """A 2xx of another branch; when it comes again, so does our ACK."""
        if self.cseq in unwanted.own_acks:
            unwanted.acknowledge_again(self.state, self.cseq, self.flow)
            return
        unwanted.owner = None
        unwanted.last_answered_invite = self.cseq
        acknowledge_and_hang_up(self.state, unwanted, Cause.SECOND_ANSWER)

    def _over(self) -> None:
        """A failure: nothing is left of it."""
        self._forget()
        for early in self.early.values():
            end_dialog(self.state, early)

    def _forget(self) -> None:
        """It cannot be cancelled any more."""
        self.state.outgoing_calls.pop(self.transaction_id, None)
        if self._patience is not None:
            self._patience.cancel()

    def cancel(self, draft: Draft) -> str:
        """Cancel with the headers of ``draft``; returns the CANCEL, which may have to wait (§9.1)."""
        self.cancelled = True
        if not self._provisional:
            self._held_cancel = draft
            return self._compose_cancel(draft)
        return self._send_cancel(draft)

    @property
    def holds_cancel(self) -> bool:
        """Whether a CANCEL waits for the first provisional response."""
        return self._held_cancel is not None

    def _send_cancel(self, draft: Draft) -> str:
        state = self.state
        text = self._compose_cancel(draft)
        key = f"{self.branch}|CANCEL"
        transaction = OtherClientTransaction(
            key,
            text,
            state.sender(self.flow),
            self.flow.transport != "udp",
            state.timers,
            state.timing,
            _Ignored(),
            state.forget_client_transaction,
        )
        state.keep_client_transaction(transaction, self.flow)
        # A far end that answers the CANCEL but not the INVITE is not waited for any longer (§9.1).
        self._patience = self.wait_no_longer_than(state.timing.t1x64)
        return text

    def abandon(self) -> None:
        """The application is gone: nobody waits for the answer (CONN-3)."""
        if not self.cancelled:
            self.cancel(
                Draft(f"CANCEL sip:placeholder SIP/2.0\r\nReason: {Cause.APPLICATION_LOST.value}\r\n\r\n", "")
            )

    def _compose_cancel(self, draft: Draft) -> str:
        """The INVITE's Request-URI, top Via, From, To, Call-ID and CSeq number, and the application's other headers."""
        invite = parse_message(self.text)
        for name in ("from", "to", "call-id", "cseq", "contact", "max-forwards"):
            draft.take(name)
        draft.others[:] = [other for other in draft.others if not other.startswith("P-Asserted-Identity:")]
        head = "".join(f"{name}: {invite.get(name.lower())}\r\n" for name in ("From", "To", "Call-ID"))
        return (
            f"CANCEL {invite.start_line.split(' ')[1]} SIP/2.0\r\nVia: {invite.get('via')}\r\nMax-Forwards: 70\r\n"
            f"{head}CSeq: {self.cseq} CANCEL\r\n{draft.lines()}\r\n{draft.body}"
        )


class _Ignored:
    """The user of a CANCEL's transaction: its 200 says nothing that the INVITE's 487 does not (OUT-9)."""

    def answered(self, response: Response) -> None:
        """Not passed on."""

    def timed_out(self) -> None:
        """The INVITE's own end says it."""

    def unreachable(self) -> None:
        """Likewise."""


def cancel_call(state: CallState, application: Application, message: Sip) -> None:
    """An application's CANCEL for the INVITE with the transaction id of ``message`` (OUT-8)."""
    call = state.outgoing_calls.get(message.transaction_id)
    if call is None or (call.application is not application and call.application.connected) or call.cancelled:
        text = f"unable to cancel unknown transaction id: {message.transaction_id}"
        application.deliver(NotSent(message.message_id, text))
        return
    flow = call.flow
    text = call.cancel(Draft(message.text, "", state.settings.preserved_header_names))
    over_udp = flow.transport == "udp"
    application.deliver(
        RequestSent(
            message.message_id,
            flow.transport,
            flow.local.host if over_udp else flow.remote_host,
            flow.local.port if over_udp else flow.remote_port,
            state.time_token(),
            state.identifiers.uuid(),
            text,
            held=call.holds_cancel,
        )
    )
