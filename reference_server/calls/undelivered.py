"""Requests whose transport failed (RFC 3261 §18.4): their transactions end at once instead of after 64·T1.

A connection takes all requests with it that wait for a response on it. Of a datagram the network says (ICMP) that
its port is closed, and quotes its beginning; the topmost Via, which is right behind the request line, has the branch,
and whoever cannot have seen the request cannot name it. A quotation that ends before the branch proves nothing.
"""

from __future__ import annotations

import re

from reference_server.calls.ports import Flow
from reference_server.calls.state import CallState

_BRANCH = re.compile(
    r"([A-Z]+) [^\r\n]+\r\nVia: [^\r\n;]++(?>(?:;(?!branch=)[^\r\n;]*+)*);branch=([^;\r\n]++)[;\r]"
)


def undelivered(state: CallState, beginning: str) -> None:
    """A datagram that begins so has not arrived; a response that is lost is repeated until its own timer ends it."""
    matched = _BRANCH.match(beginning)
    transaction = state.client_transactions.get(f"{matched[2]}|{matched[1]}") if matched else None
    if transaction is not None:
        transaction.fail()


def connection_lost(state: CallState, flow: Flow) -> None:
    """Nothing comes over the connection of ``flow`` any more."""
    state.bindings.connection_lost(flow)
    for transaction in list(state.by_connection.get(flow.connection, {}).values()):
        transaction.fail()
