"""A request from the network from its arrival to its final response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.core.cdr.leg import CallLeg, Source
from reference_server.core.context import Context
from reference_server.core.ports import Application, Flow
from reference_server.core.response_flow import sender_back
from reference_server.sip.identifiers import Identifiers
from reference_server.sip.messages.message import Request
from reference_server.sip.messages.response_frame import ResponseFrame
from reference_server.sip.messages.via import TopVia, with_completed_via
from reference_server.sip.reliable import ReliableSender
from reference_server.sip.timers import TimerHandle
from reference_server.sip.transactions.server import (
    InviteServerTransaction,
    NonInviteServerTransaction,
    ServerTransaction,
)

if TYPE_CHECKING:
    from reference_server.core.dialog.usage import DialogUsage


class ServerRequest:
    """One request, its transaction, and who is to answer it."""

    __slots__ = (
        "answered",
        "application",
        "deadline",
        "dialog",
        "flow",
        "frame",
        "in_dialog",
        "leg",
        "local_tag",
        "reliable",
        "reopened",
        "request",
        "send",
        "transaction",
        "transaction_id",
        "via",
    )

    def __init__(self, state: Context, request: Request, via: TopVia, key: str, flow: Flow) -> None:
        """Begin the server transaction under ``key``."""
        self.request = request
        self.via = via
        self.flow = flow
        self.frame = ResponseFrame(request, via, source_host=flow.remote_host, source_port=flow.remote_port)
        self.transaction_id = ""
        self.application: Application | None = None
        self.dialog: DialogUsage | None = None
        self.local_tag = request.to_tag
        self.in_dialog = bool(self.local_tag)
        """the request came with a To tag"""
        self.reopened = False
        """``flow`` is a connection of our own making, because the one of the request is gone"""
        self.answered = False
        """an application has sent a response, be it a provisional one"""
        self.leg: CallLeg | None = None
        """of an INVITE that tries a call, if there are call detail records"""
        self.deadline: TimerHandle | None = None
        """the end of our patience with the application"""
        self.reliable: ReliableSender | None = None
        """its reliable provisional responses, from the first one on"""
        by_connection = flow.transport != "udp"
        self.send = sender_back(state, self) if by_connection else state.sender(flow)
        """puts a response on the wire"""
        means = state.server_means
        self.transaction: ServerTransaction
        if request.method == "INVITE":
            self.transaction = InviteServerTransaction(key, self.send, means, reliable=by_connection)
        else:
            self.transaction = NonInviteServerTransaction(key, self.send, means, reliable=by_connection)
        state.server_transactions[key] = self.transaction

    def text_for_application(self) -> str:
        """The request as received, with its topmost Via completed (SIP-2)."""
        return with_completed_via(self.request, self.via, self.frame.completed_via)

    def completed_via_line(self) -> str:
        """The value of the first Via line, completed."""
        vias = self.frame.vias
        return vias[5 : vias.index("\r\n")]

    def to_with_tag(self, identifiers: Identifiers) -> str:
        """The To of our responses; the tag is made once (RFC 3261 §8.2.6.2)."""
        to = self.frame.to
        if self.in_dialog:
            return to
        if not self.local_tag:
            self.local_tag = identifiers.tag()
        return f"{to};tag={self.local_tag}"

    def stop_waiting(self) -> None:
        """The application has answered, or need not any more."""
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None


def reject(state: Context, incoming: ServerRequest, status: int, extra: str = "", reason: str = "") -> None:
    """Answer ``incoming`` with a final response of the server's own, and forget it."""
    close(state, incoming)
    text = incoming.frame.refusal(status, incoming.to_with_tag(state.identifiers), extra, reason=reason)
    incoming.transaction.respond(status, text)
    if incoming.leg is not None:
        incoming.leg.fail(Source.APPLICATION, status, text)


def close(state: Context, incoming: ServerRequest) -> None:
    """Take ``incoming`` out of the tables of requests that wait for a final response."""
    incoming.stop_waiting()
    state.incoming.pop(incoming.transaction_id, None)
    if incoming.request.method == "INVITE":
        state.invites.pop(incoming.transaction.key, None)
    if incoming.reliable is not None:
        state.held_answers.pop(incoming.transaction_id, None)
        incoming.reliable.stop()
