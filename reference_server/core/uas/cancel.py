"""CANCEL from the network (RFC 3261 §9.2): 200 for it, 487 for its INVITE, and a word to the application (CALL-6)."""

from __future__ import annotations

from reference_server.core.cdr.leg import Reason, Source
from reference_server.core.context import Context
from reference_server.core.dialog.usage import dialog_id_of, refuse
from reference_server.core.server_request import ServerRequest, reject
from reference_server.sip.messages.via import transaction_key
from reference_server.wire.replies import DialogMessage


def receive_cancel(state: Context, cancel: ServerRequest) -> None:
    """End the INVITE that ``cancel`` names, or answer 481 if it is unknown or already answered."""
    key = transaction_key(cancel.request, cancel.via, "INVITE")
    invite = state.invites.get(key)
    if invite is None:
        proxied = state.proxying.open.get(key)
        if proxied is not None:
            proxied.cancel(cancel)
        else:
            reject(state, cancel, 481)
        return
    to = invite.to_with_tag(state.identifiers)
    cancel.transaction.respond(200, cancel.frame.minimal(200, to))
    dialog = invite.dialog
    application = invite.application
    if application is not None:
        flow = cancel.flow
        # A 100 Trying of the application makes no dialog, but names one (SIP-6).
        dialog_id = dialog_id_of(state, invite) if invite.answered and dialog is None else ""
        application.deliver(
            DialogMessage(
                "network",
                len(cancel.request.text),
                flow.transport.name,
                flow.remote_address,
                state.time_token(),
                invite.transaction_id,
                dialog.dialog_id if dialog is not None else dialog_id,
                cancel.text_for_application(),
            )
        )
    if invite.leg is not None:
        invite.leg.stop(Source.NETWORK, Reason.CALL_CANCELED, invite.text_for_application())
    refuse(state, invite, 487)
