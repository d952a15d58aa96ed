"""An application's INVITE, outside a dialog or inside one, from its first provisional response to its end.

While it has no final response the application can cancel it by its transaction id (OUT-8); before any provisional
response the CANCEL has to wait (RFC 3261 §9.1). A far end that promised an answer and then says nothing more is not
waited for without end (OUT-21): the server cancels, and when no answer comes to that either, the application gets 408.
"""

from __future__ import annotations

from reference_server.core.context import LONGEST_RINGING_SECONDS, Context
from reference_server.core.dialog.hang_up import Cause
from reference_server.core.dialog.server_requests import send_unwatched
from reference_server.core.ports import Application, Flow
from reference_server.core.uac.client_request import ClientRequest
from reference_server.sip.deadline import Deadline
from reference_server.sip.messages.draft import Draft, own_draft
from reference_server.sip.messages.message import parse_message
from reference_server.sip.timers import TimerHandle
from reference_server.wire.replies import NotSent, RequestSent
from reference_server.wire.requests import Sip

SILENCE = 'SIP;cause=408;text="Request Timeout"'
"""Why the server itself cancels."""


class Invitation(ClientRequest):
    """An INVITE. The classes that it is mixed with say what its responses do to dialogs."""

    cancelled = False
    """a CANCEL was sent, or will be"""
    unwanted = False
    """because the application asked for it, or is gone"""
    longest_silence = LONGEST_RINGING_SECONDS
    _provisional = False
    _held_cancel: Draft | None = None
    _silence: Deadline | None = None
    """when the far end has said nothing for too long; None before its first provisional response"""
    _patience: TimerHandle | None = None
    """with a far end that has been sent a CANCEL"""

    def begin(self) -> None:
        """Send; from now on the application can cancel it."""
        self.state.outgoing_invites[self.transaction_id] = self
        super().begin()

    @property
    def wanted(self) -> bool:
        """Not if it was cancelled."""
        return super().wanted and not self.cancelled

    def send_again(self, text: str, flow: Flow, branch: str) -> None:
        """Send to another address; no provisional response has come from there yet."""
        self._provisional = False
        self._stop_waiting()
        super().send_again(text, flow, branch)

    def proceeding(self) -> None:
        """The first provisional response: now a CANCEL may go, and the far end's silence counts."""
        self._provisional = True
        if self._held_cancel is not None:
            self._send_cancel(self._held_cancel)
            self._held_cancel = None
        else:
            self._silence = Deadline(self.state.timers, self.state.monotonic, self._cancel_silent)
            self._silence.move(self.longest_silence)

    def heard(self) -> None:
        """Another provisional response: the silence begins anew."""
        if self._silence is not None:
            self._silence.move(self.longest_silence)

    def _cancel_silent(self) -> None:
        self.cancelled = True
        self._send_cancel(own_draft(f"Reason: {SILENCE}"))

    def fail(self, status: int, reason: str) -> None:
        """Nobody answered, or nobody can be asked."""
        self.forget()
        super().fail(status, reason)

    def forget(self) -> None:
        """It has its final response and cannot be cancelled any more."""
        self.state.outgoing_invites.pop(self.transaction_id, None)
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._silence is not None:
            self._silence.stop()
            self._silence = None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def cancel(self, draft: Draft) -> str:
        """Cancel for the application, with the headers of ``draft``; returns the CANCEL, which may have to wait."""
        self.cancelled = self.unwanted = True
        if not self._provisional:
            self._held_cancel = draft
            return self._compose_cancel(draft)
        return self._send_cancel(draft)

    @property
    def holds_cancel(self) -> bool:
        """Whether a CANCEL waits for the first provisional response."""
        return self._held_cancel is not None

    def abandon(self) -> None:
        """The application is gone: nobody waits for the answer (CONN-3)."""
        if not self.cancelled:
            self.cancel(own_draft(f"Reason: {Cause.APPLICATION_LOST.value}"))

    def _send_cancel(self, draft: Draft) -> str:
        state = self.state
        text = self._compose_cancel(draft)
        send_unwatched(state, "CANCEL", self.branch, text, self.flow)
        self._stop_waiting()
        # A far end that answers the CANCEL but not the INVITE is not waited for any longer (§9.1).
        self._patience = self.wait_no_longer_than(state.timing.t1x64)
        return text

    def _compose_cancel(self, draft: Draft) -> str:
        """The INVITE's Request-URI, top Via, Route, From, To, Call-ID and CSeq number; the other headers are given."""
        invite = parse_message(self.text)
        for name in ("from", "to", "call-id", "cseq", "contact", "max-forwards"):
            draft.take(name)
        draft.others[:] = [other for other in draft.others if not other.startswith("P-Asserted-Identity:")]
        routes = "".join([f"Route: {value}\r\n" for value in invite.all("route")])
        head = "".join([f"{name}: {invite.get(name.lower())}\r\n" for name in ("From", "To", "Call-ID")])
        return (
            f"CANCEL {invite.start_line.split(' ')[1]} SIP/2.0\r\nVia: {invite.get('via')}\r\n{routes}"
            f"Max-Forwards: 70\r\n{head}CSeq: {self.cseq} CANCEL\r\n{draft.lines()}\r\n{draft.body}"
        )


def cancel_invitation(state: Context, application: Application, message: Sip) -> None:
    """An application's CANCEL for the INVITE with the transaction id of ``message`` (OUT-8)."""
    invitation = state.outgoing_invites.get(message.transaction_id)
    if (
        invitation is None
        or (invitation.application is not application and invitation.application.connected)
        or invitation.cancelled
    ):
        text = f"unable to cancel unknown transaction id: {message.transaction_id}"
        application.deliver(NotSent(message.message_id, text))
        return
    flow = invitation.flow
    text = invitation.cancel(Draft(message.text, "", state.settings.preserved_header_names))

    application.deliver(
        RequestSent(
            message.message_id,
            flow.transport.name,
            flow.local.address if flow.transport.echo_shows_local else flow.remote_address,
            state.time_token(),
            state.identifiers.transaction_id(),
            text,
            held=invitation.holds_cancel,
        )
    )
