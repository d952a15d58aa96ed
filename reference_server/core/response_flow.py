"""Where responses go whose connection is gone (RFC 3261 §18.2.2; NET-8).

The request came from an address, and its topmost Via names the port at which its sender listens. A connection is opened
there, once; the address is where the request came from, never one that it merely names. So go all responses to the
request, whoever makes them: the application, the server itself, or the far end of a proxied one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reference_server.core.context import Context
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.core.transactions import TransactionLayer
from reference_server.sip.messages.response_headers import ResponseHeaders
from reference_server.sip.messages.via import TopVia


class AnsweredRequest(Protocol):
    """A request that came over a connection, and waits for responses."""

    @property
    def flow(self) -> Flow:
        """Over which responses go."""

    @property
    def via(self) -> TopVia:
        """Its topmost Via."""

    @property
    def headers(self) -> ResponseHeaders:
        """What its responses have in common."""

    @property
    def reopened(self) -> bool:
        """``flow`` is a connection of our own making, because the one of the request is gone."""

    def answer_by(self, flow: Flow) -> None:
        """Responses go by ``flow`` from now on, a connection of our own making."""


def sender_back(
    context: Context, transactions: TransactionLayer, request: AnsweredRequest
) -> Callable[[str], None]:
    """A function that sends a response to ``request``, which came over a connection."""

    def send(text: str) -> None:
        if context.network.alive(request.flow):
            transactions.send(text, request.flow)
        else:
            open_response_flow(
                context, request, lambda: transactions.send(text, request.flow), lambda: lost(text)
            )

    def lost(text: str) -> None:
        status = text.partition("\r\n")[0]
        context.event(
            "response-not-sent", dialog=request.headers.call_id, reason=f"connection gone: {status}"
        )

    return send


def open_response_flow(
    context: Context, request: AnsweredRequest, opened: Callable[[], object], gone: Callable[[], None]
) -> None:
    """Connect to the sender of ``request``: ``opened`` is called when responses can go, ``gone`` if they cannot."""
    if request.reopened:
        gone()
        return
    lost = request.flow
    host = f"[{lost.remote_host}]" if ":" in lost.remote_host else lost.remote_host
    port = request.via.port or lost.transport.default_port

    def done(flow: Way) -> None:
        if isinstance(flow, NoWay):
            gone()
            return
        if request.flow is lost:
            request.answer_by(flow)
        opened()

    context.network.open(f"sip:{host}:{port};transport={lost.transport}", done)
