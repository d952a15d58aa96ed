"""The re-INVITE or UPDATE by which the server itself refreshes a session (RFC 4028 §7.4, §10; TIMER-3 to TIMER-6).

It repeats the application's last session description; the application sees neither it nor what comes back. When it is
sent, and what its outcome means for the session, is told in session_timers.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.core.context import Context
from reference_server.core.dialog.next_hop import via_for
from reference_server.core.dialog.server_requests import compose_ack
from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.ports import Application, Flow
from reference_server.core.uac.client_request import ClientRequest
from reference_server.sip.messages.draft import own_draft
from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.session_timer import Refresher, SessionExpires

if TYPE_CHECKING:
    from reference_server.core.dialog.session_timer import SessionTimer


class Refresh(ClientRequest):
    """A re-INVITE or UPDATE of the server's own."""

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
        timer: SessionTimer,
    ) -> None:
        super().__init__(state, application, method, cseq, text, flow, branch)
        self._found = found
        self._timer = timer
        self._ack = ""

    def begin(self) -> None:
        """Send; what crosses it is refused, and if the call ends before the answer, that is not waited for for ever."""
        self._found.own_offers.add(self)
        super().begin()

    def answered(self, response: Response) -> None:
        """Nothing of it is shown to the application; a 2xx gets its ACK, whatever became of the call."""
        if response.status < 200:
            return
        self._found.own_offers.discard(self)
        if response.status >= 300:
            self._timer.refused(response)
        elif self._ack:
            self.state.send(self._ack, self.flow)
        else:
            self._found.dialog.refresh_target(response)
            if self.method == "INVITE":
                self._ack = compose_ack(self.state, self._found.dialog, self.cseq, self.flow)
                self.state.send(self._ack, self.flow)
            self._timer.refreshed(response)

    def fail(self, status: int, reason: str) -> None:
        """No response will come."""
        self._found.own_offers.discard(self)
        self._timer.failed(status)


def refresh_of(
    state: Context, found: DialogUsage, timer: SessionTimer, owner: Application, flow: Flow
) -> Refresh:
    """The refresh to be sent: the last session description once more, with the interval and ourselves as refresher."""
    described = parse_message(found.description) if found.description else None
    body = described.body if described else ""
    method = "INVITE" if body else "UPDATE"
    expires = SessionExpires(timer.terms.seconds, Refresher.UAC)
    draft = own_draft(f"Session-Expires: {expires}", f"Min-SE: {timer.minimum}", body=body)
    contact = described.get("contact") if described else ""
    draft.set_default("contact", contact or f"<{flow.local.contact}>")
    if described and body:
        draft.set_default("content-type", described.get("content-type"))
    dialog = found.dialog
    dialog.local_cseq += 1
    branch = state.identifiers.branch()
    text = dialog.request(method, dialog.local_cseq, via_for(flow, branch), draft=draft)
    return Refresh(state, owner, method, dialog.local_cseq, text, flow, branch, found, timer)
