"""A SUBSCRIBE of the application, until the notifier has answered it (RFC 6665 §4.1; family SUB).

The first NOTIFY may overtake the 2xx, since each takes its own way. It is kept until the 2xx has been passed on, so
that the application knows the dialog in which it comes. Should no answer come for T2, perhaps because the notifier
waits for ours first, the NOTIFY makes the dialog and is delivered (§4.1.2.4).

A fork may reach several notifiers. The application has one id for all their dialogs, so one of them has it: the one
whose 2xx comes, or whose NOTIFY made the dialog. The NOTIFYs of the others get 481, which ends their subscriptions.
"""

from __future__ import annotations

from typing import Protocol

from reference_server.core.dialog.subscription import heed_notify, keep_subscription
from reference_server.core.dialog.usage import DialogUsage, UsageEvent
from reference_server.core.server_request import ServerRequest
from reference_server.core.transactions import Sent
from reference_server.core.uac.client_request import ClientRequest
from reference_server.core.uac.core import UacCore
from reference_server.core.uac.early_dialogs import Caller, EarlyDialogs
from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.timers import TimerHandle

_MOST_HELD = 16
"""NOTIFYs that are kept for one SUBSCRIBE; the next one gets 500."""


class Delivery(Protocol):
    """Who delivers requests inside dialogs: the UAS core."""

    def receive_in_dialog(self, usage: DialogUsage, incoming: ServerRequest) -> None:
        """Give ``incoming`` to the owner of ``usage``."""


class OriginatedSubscription(ClientRequest):
    """A SUBSCRIBE outside dialogs."""

    def __init__(self, uac: UacCore, caller: Caller, sent: Sent, delivery: Delivery) -> None:
        super().__init__(uac, caller.application, sent, caller.cseq)
        self._dialogs = EarlyDialogs(uac, caller)
        self._delivery = delivery
        self._confirmed: DialogUsage | None = None
        self._held: list[ServerRequest] = []
        self._patience: TimerHandle | None = None

    @property
    def dialog_id(self) -> str:
        """That of all branches."""
        return self._dialogs.dialog_id

    @property
    def local_tag(self) -> str:
        """Of its From."""
        return self._dialogs.local_tag

    def begin(self) -> None:
        """Send; from now on NOTIFYs may come."""
        self.uac.subscribing[self.dialog_id] = self
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
        if self._confirmed is not None:
            notify.reject(481)
        elif len(self._held) >= _MOST_HELD:
            notify.reject(500)
        else:
            self._held.append(notify)
            if self._patience is None:
                context = self.uac.context
                self._patience = context.timers.start(context.timing.t2, self._wait_no_longer)

    def _accepted(self, response: Response) -> None:
        if self._confirmed is not None and response.to_tag not in self._dialogs.by_tag:
            return  # another branch; its NOTIFYs get 481
        usage = self._dialogs.of(response, self.flow)
        if not usage.is_over:
            usage.move(UsageEvent.ACCEPTED)
            expires = response.get("expires") or parse_message(self.text).get("expires")
            keep_subscription(self.uac.dialogs, usage, expires)
        self._confirmed = usage

    def _wait_no_longer(self) -> None:
        """The NOTIFY makes the dialog."""
        first = self._held[0].request
        usage = self._confirmed = self._dialogs.of_notify(first, self.flow)
        usage.move(UsageEvent.ACCEPTED)
        dialogs = self.uac.dialogs
        keep_subscription(dialogs, usage, parse_message(self.text).get("expires"))
        heed_notify(dialogs, usage, first.get("subscription-state"))
        self._deliver_held()

    def _deliver_held(self) -> None:
        held, self._held = self._held, []
        for notify in held:
            usage = self._dialogs.by_tag.get(notify.request.from_tag)
            if usage is None or usage.is_over:
                notify.reject(481)
            else:
                self._delivery.receive_in_dialog(usage, notify)

    def _refused(self) -> None:
        held, self._held = self._held, []
        for notify in held:
            notify.reject(481)
        self._dialogs.end_all(UsageEvent.REFUSED)

    def _forget(self) -> None:
        """There is an answer, or none will come."""
        if self._patience is not None:
            self._patience.cancel()
        if self.uac.subscribing.get(self.dialog_id) is self:
            del self.uac.subscribing[self.dialog_id]


def receive_notify(uac: UacCore, notify: ServerRequest) -> bool:
    """Take a NOTIFY that is in no known dialog, if it is for a subscription of an application; else False."""
    named = uac.dialogs.id_of_uac(notify.headers.call_id, notify.local_tag)
    awaited = uac.subscribing.get(named)
    if awaited is not None and awaited.local_tag == notify.local_tag:  # an id of the 0.8 dialect has no tag
        if uac.context.settings.defects.refuses_early_notify:
            notify.reject(503)
        else:
            awaited.notified(notify)
        return True
    usage = uac.dialogs.by_id(named)
    if usage is None or not _is_other_branch(usage, notify):
        return False
    notify.reject(481)
    return True


def _is_other_branch(usage: DialogUsage, notify: ServerRequest) -> bool:
    """Whether a subscription of the application has the Call-ID and To tag of ``notify``, but another notifier."""
    return usage.subscription and usage.begun_here and usage.dialog.local_tag == notify.local_tag
