"""The way back for responses whose connection is gone (RFC 3261 §18.2.2; NET-8).

The request came from an address, and its topmost Via names the port at which its sender listens. A connection is opened
there, once; the address is where the request came from, never one that it merely names. So go all responses to the
request, whoever makes them: the application, the server itself, or the far end of a proxied one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.core.context import Context
from reference_server.core.ports import NoWay, Way
from reference_server.sip.messages.uri import DEFAULT_PORT

if TYPE_CHECKING:
    from reference_server.core.server_request import ServerRequest


def sender_back(state: Context, incoming: ServerRequest) -> Callable[[str], None]:
    """A function that sends a response to ``incoming``, which came over a connection."""

    def send(text: str) -> None:
        if state.network.alive(incoming.flow):
            state.send(text, incoming.flow)
        else:
            open_way_back(state, incoming, lambda: state.send(text, incoming.flow), lambda: lost(text))

    def lost(text: str) -> None:
        status = text.partition("\r\n")[0]
        state.event("response-not-sent", dialog=incoming.frame.call_id, reason=f"connection gone: {status}")

    return send


def open_way_back(
    state: Context, incoming: ServerRequest, opened: Callable[[], object], gone: Callable[[], None]
) -> None:
    """Connect to the sender of ``incoming``: ``opened`` is called when responses can go, ``gone`` if they cannot."""
    if incoming.reopened:
        gone()
        return
    lost = incoming.flow
    host = f"[{lost.remote_host}]" if ":" in lost.remote_host else lost.remote_host
    port = int(incoming.via.port or DEFAULT_PORT)

    def done(flow: Way) -> None:
        if isinstance(flow, NoWay):
            gone()
            return
        if incoming.flow is lost:
            incoming.reopened = True
            incoming.flow = flow
        opened()

    state.network.open(f"sip:{host}:{port};transport={lost.transport}", done)
