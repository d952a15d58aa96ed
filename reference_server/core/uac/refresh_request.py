"""The re-INVITE or UPDATE by which the server itself refreshes a session (RFC 4028 §7.4, §10; TIMER-3 to TIMER-6).

It repeats the application's last session description; the application sees neither it nor what comes back. When it is
sent, and what its outcome means for the session, is told in dialog/session_timer.py.
"""

from __future__ import annotations

from reference_server.core.dialog.ack_and_bye import compose_ack
from reference_server.core.dialog.next_hop import via_for
from reference_server.core.dialog.session_timer import SessionTimer
from reference_server.core.dialog.table import DialogTable
from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.ports import Flow
from reference_server.core.transactions import Sent
from reference_server.core.uac.client_request import ack_for_failure
from reference_server.sip.messages.draft import own_draft
from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.reliable import ReliableReceiver
from reference_server.sip.session_timer import Refresher, SessionExpires
from reference_server.sip.timers import TimerHandle
from reference_server.sip.transactions.client import ClientTransaction


class SessionRefresh:
    """A re-INVITE or UPDATE of the server's own. Is the user of its transaction."""

    def __init__(
        self, dialogs: DialogTable, usage: DialogUsage, timer: SessionTimer, *, sent: Sent, cseq: int
    ) -> None:
        self._dialogs = dialogs
        self._usage = usage
        self._timer = timer
        self._sent = sent
        self._cseq = cseq
        self._ack = ""
        self._transaction: ClientTransaction | None = None

    @property
    def received(self) -> ReliableReceiver | None:
        """Nothing: what it provisionally hears is of no use."""
        return None

    def begin(self) -> None:
        """Send; what crosses it is refused, and if the call ends before the answer, that is not waited for for ever."""
        self._usage.own_offers.add(self)
        self._transaction = self._dialogs.transactions.begin_client(
            self._sent, self, make_ack=lambda response: ack_for_failure(self._sent.text, self._cseq, response)
        )

    def wait_no_longer_than(self, seconds: float) -> TimerHandle:
        """Give it up if it is not answered by then."""
        return self._dialogs.context.timers.start(seconds, self._give_up)

    def _give_up(self) -> None:
        transaction = self._transaction
        if transaction is not None and transaction.unanswered:
            transaction.terminate()
            self.timed_out()

    def proceeding(self) -> None:
        """Nobody has to know (``InviteUser``)."""

    def answered(self, response: Response) -> None:
        """Nothing of it is shown to the application; a 2xx gets its ACK, whatever became of the call."""
        if response.status < 200:
            return
        usage, send = self._usage, self._dialogs.transactions.send
        usage.own_offers.discard(self)
        if response.status >= 300:
            self._timer.refused(response)
        elif self._ack:
            send(self._ack, self._sent.flow)
        else:
            if not self._dialogs.context.settings.defects.keeps_first_target:
                usage.dialog.refresh_target(response)
            if self._sent.method == "INVITE":
                self._ack = compose_ack(self._dialogs.context, usage.dialog, self._cseq, self._sent.flow)
                send(self._ack, self._sent.flow)
            self._timer.refreshed(response)

    def timed_out(self) -> None:
        """Nobody is there (§10)."""
        self._failed(408)

    def unreachable(self) -> None:
        """It has not arrived, which may pass."""
        self._failed(503)

    def _failed(self, status: int) -> None:
        self._usage.own_offers.discard(self)
        self._timer.failed(status)


class SessionRefreshes:
    """Makes them. Implements ``Refreshes`` of dialog/session_timer.py."""

    __slots__ = ("_dialogs",)

    def __init__(self, dialogs: DialogTable) -> None:
        self._dialogs = dialogs

    def refresh(self, usage: DialogUsage, timer: SessionTimer, flow: Flow) -> SessionRefresh:
        """The last session description once more, with the interval and ourselves as refresher."""
        described = parse_message(usage.description) if usage.description else None
        body = described.body if described else ""
        empty = self._dialogs.context.settings.defects.refreshes_by_empty_invite
        method = "INVITE" if body or empty else "UPDATE"
        expires = SessionExpires(timer.terms.seconds, Refresher.UAC)
        draft = own_draft(f"Session-Expires: {expires}", f"Min-SE: {timer.minimum}", body=body)
        contact = described.get("contact") if described else ""
        draft.set_default("contact", contact or f"<{flow.local.contact}>")
        if described and body:
            draft.set_default("content-type", described.get("content-type"))
        branch = self._dialogs.context.identifiers.branch()
        cseq = usage.dialog.next_cseq()
        text = usage.dialog.request(method, cseq, via_for(flow, branch), draft=draft)
        sent = Sent(method, branch, text, flow)
        return SessionRefresh(self._dialogs, usage, timer, sent=sent, cseq=cseq)
