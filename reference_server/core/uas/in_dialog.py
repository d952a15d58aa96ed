"""Requests inside dialogs from the network: to the application that owns the dialog, needing no route (SIP-4, DLG-2).

While nobody owns the usage they get 481 (CONN-4). A BYE ends the usage on arrival; the application answers it, but
where it has not taken the call yet the server does (CALL-16). An ACK goes to the owner, too, and ends the repetition of
the 2xx that it acknowledges.
"""

from __future__ import annotations

from reference_server.core.call_observer import Ended, Reason, Source
from reference_server.core.context import Context
from reference_server.core.dialog.glare import glare, retry_after
from reference_server.core.dialog.hang_up import Cause, hang_up
from reference_server.core.dialog.session_timer import MIN_SE, asks_too_little
from reference_server.core.dialog.subscription import heed_notify, says_terminated
from reference_server.core.dialog.usage import DialogUsage, UsageEvent
from reference_server.core.methods import BYE, INVITE, NOTIFY, UPDATE
from reference_server.core.ports import Flow
from reference_server.core.server_request import ServerRequest
from reference_server.core.to_application import acknowledgement, from_network
from reference_server.core.uas.core import UasCore
from reference_server.core.uas.routing import wait_for_application
from reference_server.sip.messages.message import Request
from reference_server.sip.messages.via import TopVia, completed_via, with_completed_via


class InDialogDelivery:
    """Delivers requests inside dialogs. Implements ``Delivery`` of uac/subscribe.py."""

    __slots__ = ("_uas",)

    def __init__(self, uas: UasCore) -> None:
        self._uas = uas

    def receive_in_dialog(self, usage: DialogUsage, incoming: ServerRequest) -> None:
        """Give ``incoming`` to the owner of ``usage``."""
        receive_in_dialog(self._uas, usage, incoming)


def receive_in_dialog(uas: UasCore, usage: DialogUsage, incoming: ServerRequest) -> None:
    """Deliver ``incoming`` to the owner of ``usage``."""
    context = uas.context
    request = incoming.request
    method = incoming.method
    if method is INVITE:
        incoming.trying()
    owner = usage.current_owner()
    if owner is None:
        if method is BYE:
            _end_by(uas, usage, incoming)
        elif context.settings.defects.is_silent_without_owner:
            return
        incoming.reject(481)
        return
    if not (usage.dialog.accepts(request.cseq_number) or context.settings.defects.delivers_what_is_late):
        incoming.reject(500)  # out of order, RFC 3261 §12.2.2
        return
    if "session-expires" in request.first and asks_too_little(request):
        incoming.reject(422, MIN_SE)
        return
    if method.offers_session:
        status = glare(usage, request)
        if status and not _delivered_all_the_same(uas, usage, incoming):
            incoming.reject(status, _retry_after(context) if status == 500 else "")
            return
        if method is UPDATE:
            usage.take_update(incoming)
    incoming.give_to(owner, usage)
    if method is NOTIFY and usage.subscription:
        heed_notify(uas.dialogs, usage, request.get("subscription-state"))
    given_up = method is BYE and usage.is_early
    if not given_up:
        wait_for_application(uas, incoming)
    if method is INVITE:
        usage.take_invite(incoming)
    owner.deliver(
        from_network(
            context,
            incoming.flow,
            len(request.text),
            transaction_id=incoming.transaction_id,
            dialog_id=usage.dialog_id,
            text=incoming.text_for_application(),
        )
    )
    if method is BYE:
        _end_by(uas, usage, incoming)
        if given_up:  # nobody has to be asked: the application has not taken the call
            incoming.reject(200)
    elif method is NOTIFY and says_terminated(request.get("subscription-state")):
        _heed_last(uas, usage, incoming)


def _heed_last(uas: UasCore, usage: DialogUsage, notify: ServerRequest) -> None:
    """The last NOTIFY was delivered: nothing more, as it should be."""
    defects = uas.context.settings.defects
    if usage.subscription:
        if defects.ends_subscription_at_last_notify:
            notify.reject(500)
            uas.dialogs.end(usage, UsageEvent.TERMINATED)
    elif defects.forgets_owner_at_last_notify and not notify.request.get("event").startswith("refer"):
        usage.disown()


def _retry_after(context: Context) -> str:
    return "" if context.settings.defects.delivers_what_crosses else retry_after(context.identifiers)


def _delivered_all_the_same(uas: UasCore, usage: DialogUsage, incoming: ServerRequest) -> bool:
    """What crosses another offer, where nobody looks at it."""
    crosses = uas.context.settings.defects.delivers_what_crosses
    return crosses and (usage.is_confirmed or incoming.method is INVITE)


def _end_by(uas: UasCore, usage: DialogUsage, bye: ServerRequest) -> None:
    ended = None
    if uas.context.observer is not None:
        ended = Ended(Source.NETWORK, Reason.NORMAL_RELEASE, bye.text_for_application())
    uas.dialogs.end(usage, UsageEvent.BYE, ended)


def receive_ack(uas: UasCore, request: Request, via: TopVia, flow: Flow) -> bool:
    """An ACK that belongs to no failure response: stop repeating the 2xx, tell the owner. False if of no dialog."""
    usage = uas.dialogs.by_tags(request.first.get("call-id", ""), request.to_tag, request.from_tag)
    if usage is None:
        return False
    invite = usage.acknowledged(request.cseq_number)
    owner = usage.current_owner()
    if usage.hangs_up_when_acknowledged:
        hang_up(uas.dialogs, usage, Cause.APPLICATION_LOST)
    if invite is None or owner is None:
        return True  # repeated, or for nothing: an ACK is never answered (§17)
    context = uas.context
    owner.deliver(
        acknowledgement(
            context,
            flow,
            len(request.text),
            transaction_id=context.identifiers.transaction_id()
            if invite.in_dialog
            else invite.transaction_id,
            dialog_id=usage.dialog_id,
            text=with_completed_via(request, via, completed_via(via, flow.remote_host, flow.remote_port)),
        )
    )
    return True
