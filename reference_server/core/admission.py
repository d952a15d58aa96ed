"""May it come in? What is refused before anybody behind the core hears of a request (RFC 3261 §8.2, §16.3).

A request that nobody could answer properly gets the status that says why. One that is here already by another way is
merged, 482.
"""

from __future__ import annotations

from reference_server.core.methods import INVITE
from reference_server.core.server_request import ServerRequest
from reference_server.core.transactions import TransactionLayer
from reference_server.sip.messages.sanity import fault_of


def is_sound(incoming: ServerRequest) -> bool:
    """Whether ``incoming`` has what a request must have; if not, it has been rejected."""
    fault = fault_of(incoming.request)
    if fault is None:
        return True
    incoming.reject(fault[0], reason=fault[1])
    return False


def is_new(transactions: TransactionLayer, incoming: ServerRequest, *, call_is_up: bool) -> bool:
    """Whether a request without a To tag is not merged with one that is under way; if it is, it has been rejected.

    ``call_is_up``: its Call-ID and From tag are those of a call that was answered.
    """
    if not transactions.is_merged(incoming.request, incoming.transaction, call_is_up=call_is_up):
        return True
    if incoming.method is INVITE:
        incoming.trying()
    incoming.reject(482)
    return False
