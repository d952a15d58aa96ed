"""CANCEL from the network (RFC 3261 §9.2): 200 for it, 487 for its INVITE, and a word to the application (CALL-6)."""

from __future__ import annotations

from reference_server.core.server_request import ServerRequest
from reference_server.core.to_application import from_network
from reference_server.core.uas.core import UasCore


def receive_cancel(uas: UasCore, cancel: ServerRequest, invite: ServerRequest) -> None:
    """End ``invite``, which ``cancel`` names and nobody has answered yet."""
    cancel.transaction.respond(200, cancel.headers.minimal(200, invite.to_with_tag()))
    usage = invite.usage
    application = invite.application
    invite.cancel()
    hidden = invite.in_dialog and uas.context.settings.defects.hides_cancels_of_reinvites
    if application is not None and not hidden:
        dialog_id = ""
        if usage is not None:
            dialog_id = usage.dialog_id
        elif invite.answered:  # a 100 Trying of the application makes no dialog, but names one (SIP-6)
            dialog_id = uas.dialogs.id_of_uas(invite.headers.call_id, invite.request.from_tag)
        application.deliver(
            from_network(
                uas.context,
                cancel.flow,
                len(cancel.request.text),
                transaction_id=invite.transaction_id,
                dialog_id=dialog_id,
                text=cancel.text_for_application(),
            )
        )
    invite.refuse(487)
