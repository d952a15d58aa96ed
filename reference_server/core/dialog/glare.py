"""Requests that change a session and cross one another (RFC 3261 §14, RFC 3311 §5.2; DLG-15, DLG-16, DLG-17).

One offer at a time: what the far end asks while the application's own offer is open gets 491, and both try again, each
after a time of its own (§14.1). What it asks while its own last question is not answered gets 500 and a Retry-After.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.server_request import ServerRequest, reject
from reference_server.sip.dialog import DialogState

_LONGEST_RETRY_AFTER = 10


def refuse_crossing(state: Context, found: DialogUsage, incoming: ServerRequest) -> bool:
    """Refuse an INVITE or UPDATE that comes at the wrong moment; False if it may be delivered."""
    if incoming.request.method == "INVITE":
        ours = bool(found.own_offers) or (found.begun_here and found.dialog.state is DialogState.EARLY)
        theirs = any(state.invites.get(invite.transaction.key) is invite for invite in found.invites)
    else:
        ours = bool(found.own_offers and incoming.request.body)
        theirs = found.update is not None and _waits(state, found.update)
    if theirs:
        seconds = state.identifiers.number(_LONGEST_RETRY_AFTER)
        reject(state, incoming, 500, extra=f"Retry-After: {seconds}\r\n")
    elif ours:
        reject(state, incoming, 491)
    return theirs or ours


def _waits(state: Context, incoming: ServerRequest) -> bool:
    return state.incoming.get(incoming.transaction_id) is incoming
