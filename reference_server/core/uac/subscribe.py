"""A SUBSCRIBE of the application, until the notifier has answered it (RFC 6665 §4.1; family SUB).

The first NOTIFY may overtake the 2xx, since each takes its own way. It is kept until the 2xx has been passed on, so
that the application knows the dialog in which it comes. Should no answer come for T2, perhaps because the notifier
waits for ours first, the NOTIFY makes the dialog and is delivered (§4.1.2.4).

A fork may reach several notifiers. The application has one id for all their dialogs, so one of them has it: the one
whose 2xx comes, or whose NOTIFY made the dialog. The NOTIFYs of the others get 481, which ends their subscriptions.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.dialog.subscription import heed_notify, keep_subscription
from reference_server.core.dialog.usage import DialogUsage, end_dialog
from reference_server.core.server_request import ServerRequest, reject
from reference_server.core.uac.forming import OriginatedRequest, originated_id
from reference_server.core.uas.in_dialog import receive_in_dialog
from reference_server.sip.dialog import DialogState
from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.timers import TimerHandle

_MOST_HELD = 16
"""NOTIFYs that are kept for one SUBSCRIBE; the next one gets 500."""


class OriginatedSubscription(OriginatedRequest):
    """A SUBSCRIBE outside dialogs."""

    _patience: TimerHandle | None = None

    def begin(self) -> None:
        """Send; from now on NOTIFYs may come."""
        self._held: list[ServerRequest] = []
        self.state.subscribing[self.dialog_id] = self
        super().begin()

    def answered(self, response: Response) -> None:
        """A 2xx makes the dialog; then come the NOTIFYs that were earlier."""
        status = response.status
        if status < 200:
            self.pass_on(response)
            return
        self._forget()
        if status < 300:
            self._accepted(response)
            self.pass_on(response)
            self._deliver_held()
        else:
            self._refused()
            self.pass_on(response)

    def fail(self, status: int, reason: str) -> None:
        """Nobody answered, or nobody can be asked."""
        self._forget()
        self._refused()
        super().fail(status, reason)

    def notified(self, notify: ServerRequest) -> None:
        """A NOTIFY came before the answer, or from another branch than the one that made the dialog."""
        if self.confirmed is not None:
            reject(self.state, notify, 481)
        elif len(self._held) >= _MOST_HELD:
            reject(self.state, notify, 500)
        else:
            self._held.append(notify)
            if self._patience is None:
                self._patience = self.state.timers.start(self.state.timing.t2, self._wait_no_longer)

    def _accepted(self, response: Response) -> None:
        if self.confirmed is not None and response.to_tag not in self.early:
            return  # another branch; its NOTIFYs get 481
        made = self.dialog_of(response)
        if made.dialog.state is not DialogState.OVER:
            made.dialog.state = DialogState.CONFIRMED
            expires = response.get("expires") or parse_message(self.text).get("expires")
            keep_subscription(self.state, made, expires)
        self.confirmed = made

    def _wait_no_longer(self) -> None:
        """The NOTIFY makes the dialog."""
        first = self._held[0].request
        made = self.confirmed = self.dialog_by(first)
        made.dialog.state = DialogState.CONFIRMED
        keep_subscription(self.state, made, parse_message(self.text).get("expires"))
        heed_notify(self.state, made, first.get("subscription-state"))
        self._deliver_held()

    def _deliver_held(self) -> None:
        held, self._held = self._held, []
        for notify in held:
            made = self.early.get(notify.request.from_tag)
            if made is None or made.dialog.state is DialogState.OVER:
                reject(self.state, notify, 481)
            else:
                receive_in_dialog(self.state, made, notify)

    def _refused(self) -> None:
        for notify in self._held:
            reject(self.state, notify, 481)
        self._held = []
        for made in self.early.values():
            end_dialog(self.state, made)

    def _forget(self) -> None:
        """There is an answer, or none will come."""
        if self._patience is not None:
            self._patience.cancel()
        if self.state.subscribing.get(self.dialog_id) is self:
            del self.state.subscribing[self.dialog_id]


def receive_notify(state: Context, notify: ServerRequest) -> bool:
    """Take a NOTIFY that is in no known dialog, if it is for a subscription of an application; else False."""
    named = originated_id(state, notify.frame.call_id, notify.local_tag)
    subscribing = state.subscribing.get(named)
    if (
        subscribing is not None and subscribing.local_tag == notify.local_tag
    ):  # an id of the 0.8 dialect has no tag
        subscribing.notified(notify)
        return True
    found = state.dialogs_by_id.get(named)
    if found is None or not _is_other_branch(found, notify):
        return False
    reject(state, notify, 481)
    return True


def _is_other_branch(found: DialogUsage, notify: ServerRequest) -> bool:
    """Whether a subscription of the application has the Call-ID and To tag of ``notify``, but another notifier."""
    return found.subscription and found.begun_here and found.dialog.local_tag == notify.local_tag
