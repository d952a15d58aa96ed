"""PRACKs from the network (RFC 3262 §3): which response each acknowledges, and who answers it.

The application answers the PRACK of a response that it asked to be reliable (REL-3), the server that of a response
which the caller made reliable (REL-2). One that names nothing that was sent is refused, 481, as is one without RAck,
400 (REL-6). A PRACK where nothing was ever sent reliably is a request inside the dialog like any other.
"""

from __future__ import annotations

from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.server_request import ServerRequest
from reference_server.core.uas.core import UasCore
from reference_server.core.uas.in_dialog import receive_in_dialog
from reference_server.sip.reliable import parse_rack

NO_RACK = "Missing RAck Header"


def receive_prack(uas: UasCore, usage: DialogUsage, prack: ServerRequest) -> None:
    """Take a PRACK inside ``usage``; what waited for it goes out behind its delivery."""
    request = prack.request
    senders = {
        invite.request.cseq_number: invite.reliable
        for invite in usage.far_invites
        if invite.reliable is not None
    }
    out_of_order = request.cseq_number < usage.dialog.remote_cseq
    if not senders or out_of_order or usage.current_owner() is None:
        receive_in_dialog(uas, usage, prack)
        return
    rack = parse_rack(request.get("rack"))
    drops = uas.context.settings.defects.drops_bad_pracks
    if rack is None:
        if drops:
            return
        prack.reject(400, reason=NO_RACK)
        return
    sender = senders.get(rack.cseq) if rack.method == "INVITE" else None
    if sender is None or not sender.acknowledge(rack.number):
        if drops:
            return
        prack.reject(481)
        return
    if rack.number in sender.unasked:
        usage.dialog.accepts(request.cseq_number)
        prack.reject(200)
    else:
        receive_in_dialog(uas, usage, prack)
    sender.proceed()
