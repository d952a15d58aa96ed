"""The way back for a response whose connection is gone (RFC 3261 §18.2.2; NET-8).

The request came from an address, and its topmost Via names the port at which its sender listens. A connection is opened
there, once; the address is where the request came from, never one that it merely names.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.calls.incoming import IncomingRequest
from reference_server.calls.ports import Flow
from reference_server.calls.state import CallState

DEFAULT_SIP_PORT = 5060


def open_way_back(
    state: CallState, incoming: IncomingRequest, opened: Callable[[], None], gone: Callable[[], None]
) -> None:
    """Connect to the sender of ``incoming``: ``opened`` is called when responses can go, ``gone`` if they cannot."""
    if incoming.reopened:
        gone()
        return
    lost = incoming.flow
    host = f"[{lost.remote_host}]" if ":" in lost.remote_host else lost.remote_host
    port = int(incoming.via.port or DEFAULT_SIP_PORT)

    def done(flow: Flow | str) -> None:
        if isinstance(flow, str):
            gone()
            return
        if incoming.flow is lost:
            incoming.reopened = True
            incoming.flow = flow
            incoming.transaction.send_by(state.sender(flow))
        opened()

    state.network.open(f"sip:{host}:{port};transport={lost.transport}", done)
