"""What is turned away before anything is kept of it, statelessly (RFC 3261 §8.2.7).

That are names too long to be kept (SIP-52), and what comes when too much is kept already, for its sender or in all
(SIP-51). Nobody remembers what was turned away: the same request gets the same answer again.
"""

from __future__ import annotations

from hashlib import blake2b

from reference_server.core.context import Context
from reference_server.core.ports import Flow
from reference_server.core.transactions import TransactionLayer
from reference_server.sip.messages.message import Request
from reference_server.sip.messages.response_headers import response_headers
from reference_server.sip.messages.sanity import overlong_name
from reference_server.sip.messages.via import TopVia

RETRY_AFTER = "Retry-After: 10\r\n"
"""What is kept of strangers is forgotten after 64·T1; a part of it is always nearly as old."""


class StatelessRefusal:
    """What is turned away before anything is kept of it."""

    __slots__ = ("_context", "_transactions")

    def __init__(self, context: Context, transactions: TransactionLayer) -> None:
        self._context = context
        self._transactions = transactions

    def refuses(self, request: Request, via: TopVia, flow: Flow) -> bool:
        """Whether a name of ``request`` is too long to be kept; if so, it has been answered (SIP-52)."""
        overlong = overlong_name(request, via.branch)
        if overlong:
            self._refuse(request, via, flow, status=400, reason=f"Bad {overlong} Header")
        return overlong != ""

    def turn_away(self, request: Request, via: TopVia, flow: Flow) -> None:
        """There is no room: 503, which says when to try again (SIP-51)."""
        self._refuse(request, via, flow, status=503, extra=RETRY_AFTER)
        account, source = self._context.account, flow.remote_host
        reason = f"{account.total} octets are kept for peers, {account.of(source)} of them for this one"
        self._context.event("sip-refused", reason=reason, source=source, limit="kept-for-peers")

    def _refuse(
        self, request: Request, via: TopVia, flow: Flow, *, status: int, reason: str = "", extra: str = ""
    ) -> None:
        headers = response_headers(request, via, flow.remote_host, flow.remote_port)
        to = headers.to
        if not request.to_tag:  # the same each time the request comes, though nobody remembers it
            digest = blake2b(f"{via.branch}{headers.call_id}".encode("latin-1"), digest_size=8)
            to = f"{to};tag={digest.hexdigest()}"
        self._transactions.send(headers.refusal(status, to, extra, reason=reason), flow)
