"""PRACKs of the application (RFC 3262 §4): in which dialog each goes.

The server makes no PRACK of its own: the application sends it by the dialog id, with the RAck of the response. All
branches of a fork share that id, so the RAck says in which early dialog the PRACK goes (REL-9).
"""

from __future__ import annotations

from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.uac.core import UacCore
from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.reliable import ReliableReceiver, parse_rack

NO_INVITE = "Server error: unable to find IIP when sending PRACK"
NO_RACK = "Server error: Error creating sip transaction for request"


def branch_of(uac: UacCore, usage: DialogUsage, text: str) -> DialogUsage | str:
    """The usage in which the application's PRACK ``text`` goes, given by the id of ``usage``; or why it cannot go."""
    call = uac.reliable_calls.get(usage.dialog_id)
    received = call.received if call is not None else _received_inside(usage)
    if received is None:
        return NO_INVITE
    rack = parse_rack(parse_draft(text, "").get("rack"))
    if rack is None:
        return NO_RACK
    tag = received.acknowledged(rack.number)
    return call.branches.get(tag, usage) if call is not None else usage


def _received_inside(usage: DialogUsage) -> ReliableReceiver | None:
    """What a re-INVITE of the application has received reliably."""
    return next((own.received for own in usage.own_offers if own.received is not None), None)
