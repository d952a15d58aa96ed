"""Requests inside dialogs from the network: to the application that owns the dialog, needing no route (SIP-4, DLG-2).

While nobody owns the dialog they get 481 (CONN-4). A BYE ends the dialog on arrival; the application answers it, but
where it has not taken the call yet the server does (CALL-16). An ACK goes to the owner, too, and ends the repetition of
the 2xx that it acknowledges.
"""

from __future__ import annotations

from reference_server.core.cdr.leg import Source
from reference_server.core.context import Context
from reference_server.core.dialog.glare import refuse_crossing
from reference_server.core.dialog.session_timer import MIN_SE, asks_too_little
from reference_server.core.dialog.subscription import heed_notify
from reference_server.core.dialog.usage import DialogUsage, end_dialog, record_bye
from reference_server.core.ports import Flow
from reference_server.core.server_request import ServerRequest, reject
from reference_server.core.uas.routing import wait_for_application
from reference_server.sip.dialog import DialogState, dialog_key
from reference_server.sip.messages.message import Request
from reference_server.sip.messages.via import TopVia, completed_via, with_completed_via
from reference_server.wire.replies import DialogMessage


def receive_in_dialog(state: Context, found: DialogUsage, incoming: ServerRequest) -> None:
    """Deliver ``incoming`` to the owner of the dialog ``found``."""
    request = incoming.request
    method = request.method
    dialog = found.dialog
    if method == "INVITE":
        incoming.transaction.respond(100, incoming.frame.minimal(100, incoming.frame.to))
    owner = found.current_owner()
    if owner is None:
        if method == "BYE":
            if state.records is not None:
                record_bye(found, Source.NETWORK, incoming.text_for_application())
            end_dialog(state, found)
        reject(state, incoming, 481)
        return
    if request.cseq_number < dialog.remote_cseq:  # out of order, RFC 3261 §12.2.2
        reject(state, incoming, 500)
        return
    dialog.remote_cseq = request.cseq_number
    if "session-expires" in request.first and asks_too_little(request):
        reject(state, incoming, 422, extra=MIN_SE)
        return
    if method in ("INVITE", "UPDATE"):
        if refuse_crossing(state, found, incoming):
            return
        if method == "UPDATE":
            found.update = incoming
    incoming.dialog = found
    incoming.application = owner
    incoming.transaction_id = state.identifiers.transaction_id()
    if method == "NOTIFY" and found.subscription:
        heed_notify(state, found, request.get("subscription-state"))
    given_up = method == "BYE" and dialog.state is DialogState.EARLY
    if not given_up:
        wait_for_application(state, incoming)
    if method == "INVITE":
        state.invites[incoming.transaction.key] = incoming
        found.invites = [
            *(invite for invite in found.invites if invite.transaction.key in state.invites),
            incoming,
        ]
    flow = incoming.flow
    owner.deliver(
        DialogMessage(
            "network",
            len(request.text),
            flow.transport.name,
            flow.remote_address,
            state.time_token(),
            incoming.transaction_id,
            found.dialog_id,
            incoming.text_for_application(),
        )
    )
    if method == "BYE":
        if state.records is not None:
            record_bye(found, Source.NETWORK, incoming.text_for_application())
        end_dialog(state, found)
        if given_up:  # nobody has to be asked: the application has not taken the call
            reject(state, incoming, 200)


def receive_ack(state: Context, request: Request, via: TopVia, flow: Flow) -> bool:
    """An ACK that belongs to no failure response: stop repeating the 2xx, tell the owner. False if of no dialog."""
    key = dialog_key(request.first.get("call-id", ""), request.to_tag, request.from_tag)
    found = state.dialogs_by_key.get(key)
    acknowledged = found.acknowledgements.pop(request.cseq_number, None) if found else None
    if found is None or acknowledged is None:
        return found is not None  # repeated, or for nothing: an ACK is never answered (§17)
    invite, repeater = acknowledged
    repeater.stop()
    owner = found.current_owner()
    if owner is None:
        return True
    first = not invite.in_dialog
    owner.deliver(
        DialogMessage(
            "network",
            len(request.text),
            "",
            flow.remote_address,
            state.time_token(),
            invite.transaction_id if first else state.identifiers.transaction_id(),
            found.dialog_id,
            with_completed_via(request, via, completed_via(via, flow.remote_host, flow.remote_port)),
        )
    )
    return True
