"""Glare: requests that change a session and cross one another (RFC 3261 §14, RFC 3311 §5.2; DLG-15, DLG-16, DLG-17).

One offer at a time: what the far end asks while the application's own offer is open gets 491, and both try again, each
after a time of its own (§14.1). What it asks while its own last question is not answered gets 500 and a Retry-After.
"""

from __future__ import annotations

from reference_server.core.dialog.usage import DialogUsage
from reference_server.sip.identifiers import Identifiers
from reference_server.sip.messages.message import Request

_LONGEST_RETRY_AFTER = 10


def glare(usage: DialogUsage, request: Request) -> int:
    """The status that an INVITE or UPDATE gets which comes at the wrong moment; 0 if it may be delivered."""
    if request.method == "INVITE":
        ours = bool(usage.own_offers) or (usage.begun_here and usage.is_early)
        theirs = bool(usage.open_invites())
    else:
        ours = bool(usage.own_offers and request.body)
        theirs = usage.has_open_update
    return 500 if theirs else 491 if ours else 0


def retry_after(identifiers: Identifiers) -> str:
    """The header line of that 500: each tries again after a time of its own (§14.2)."""
    return f"Retry-After: {identifiers.number(_LONGEST_RETRY_AFTER)}\r\n"
