"""What arrives from the SIP network, sorted: responses to their transaction, repetitions to theirs, new requests on.

The order follows RFC 3261 §8.2, §16.3 and §18: a message that cannot be answered is dropped and told to those who
watch; a repetition goes to its transaction; an ACK and a CANCEL go to what they are for; the rest is admitted or not,
then delivered inside its dialog, sent on by its Route, or offered to an application.
"""

from __future__ import annotations

from typing import Final

from reference_server.core.admission import Doorkeeper, is_new
from reference_server.core.consultation import Consultation
from reference_server.core.context import Context
from reference_server.core.methods import ALLOW, CANCEL, INVITE, NOTIFY, PRACK
from reference_server.core.ports import Flow
from reference_server.core.proxy.core import ProxyCore
from reference_server.core.proxy.loose_routing import route_ack, route_on
from reference_server.core.proxy.stray_response import pass_stray
from reference_server.core.screening import SpamAction
from reference_server.core.server_request import PendingRequests, ServerRequest, begin_request
from reference_server.core.stateless_refusal import StatelessRefusal
from reference_server.core.transactions import TransactionLayer, weight_of
from reference_server.core.uac.core import UacCore
from reference_server.core.uac.subscribe import receive_notify
from reference_server.core.uas.cancel import receive_cancel
from reference_server.core.uas.core import UasCore
from reference_server.core.uas.in_dialog import receive_ack, receive_in_dialog
from reference_server.core.uas.prack import receive_prack
from reference_server.core.uas.routing import offer
from reference_server.sip.identifiers import LONGEST_NAME, SHORTENED
from reference_server.sip.messages.message import Request, Response, SipSyntaxError, parse_message
from reference_server.sip.messages.sanity import fault_of, is_cut_off
from reference_server.sip.messages.via import TopVia, parse_top_via, transaction_key
from reference_server.sip.transactions.server import InviteServerTransaction

_DISCARD: Final = SpamAction.DISCARD
_REJECT: Final = SpamAction.REJECT
"""Each look into an Enum is a call in Python 3.11."""


class Receiver:
    """Sorts what arrives."""

    __slots__ = (
        "_context",
        "_pending",
        "_proxy",
        "_stateless",
        "_transactions",
        "_uac",
        "_uas",
        "doorkeeper",
    )

    def __init__(self, pending: PendingRequests, uas: UasCore, uac: UacCore, proxy: ProxyCore) -> None:
        self._context: Context = pending.context
        self._transactions: TransactionLayer = pending.transactions
        self._stateless = StatelessRefusal(self._context, self._transactions)
        self._pending = pending
        self._uas = uas
        self._uac = uac
        self._proxy = proxy
        self.doorkeeper = Doorkeeper(pending, uas.dialogs, self._has_dialog)
        """who decides what may come in"""

    def receive(self, text: str, flow: Flow) -> None:
        """One SIP message from the network."""
        context = self._context
        if flow.remote_host in self.doorkeeper.unheard:
            self.doorkeeper.turn_away(flow)
            return
        for tap in context.sip_taps:
            tap.sip(False, flow, text)
        try:
            message = parse_message(text)
        except SipSyntaxError as error:
            source = f"{flow.transport}/{flow.remote_host}:{flow.remote_port}"
            context.event("sip-dropped", reason=str(error), source=source)
            return
        via = parse_top_via(message.first.get("via", ""))
        if isinstance(message, Response):
            self._receive_response(message, via, flow)
        elif via is None:
            context.event("sip-dropped", reason="request without a Via", source=flow.remote_host)
        else:
            self._receive_request(message, via, flow)

    def _receive_response(self, response: Response, via: TopVia | None, flow: Flow) -> None:
        if not flow.transport.stream and is_cut_off(response):
            self._context.event("sip-dropped", reason="response with half a body", source=flow.remote_host)
            return
        if via is not None and self._transactions.receive(response, via):
            return
        if not pass_stray(self._proxy, response):
            self._context.event(
                "sip-dropped", reason="response to no request of ours", source=flow.remote_host
            )

    def _receive_request(self, request: Request, via: TopVia, flow: Flow) -> None:
        if request.method == "ACK":
            self._receive_ack(request, via, flow)
            return
        key = transaction_key(request, via, request.method)
        known = self._transactions.server(key)
        if known is not None:
            self._transactions.receive_again(known)
            return
        long = key[0] == SHORTENED or len(request.to_tag) > LONGEST_NAME
        if long and self._stateless.refuses(request, via, flow):
            return
        context = self._context
        account = context.account
        if account.total > account.ample and not self._has_room(request, via, flow):
            self._stateless.turn_away(request, via, flow)
            return
        verdict = self._verdict(request, via, flow) if context.settings.screening.spam else None
        if verdict is _DISCARD:
            return
        incoming = begin_request(self._pending, request, via, key, flow)
        fault = fault_of(request)
        if fault is not None:
            incoming.reject(fault[0], reason=fault[1])
            return
        if verdict is _REJECT:
            incoming.reject(603)
            return
        if incoming.method is CANCEL:
            self._receive_cancel(incoming)
        else:
            self._dispatch(incoming)

    def _has_room(self, request: Request, via: TopVia, flow: Flow) -> bool:
        """Whether ``request`` may be kept; what ends or continues a call has room that is set aside for it."""
        account, weight = self._context.account, weight_of(request)
        if account.admits(flow.remote_host, weight):
            return True
        if not account.admits_expected(weight):
            return False
        if request.method == "CANCEL":
            key = transaction_key(request, via, "INVITE")
            return self._pending.cancellable(key) is not None or key in self._proxy.open
        return request.to_tag != "" and self._has_dialog(request)

    def _verdict(self, request: Request, via: TopVia, flow: Flow) -> SpamAction | None:
        """Whether a spammer sends it; a CANCEL of an INVITE that has come in comes in, too."""
        verdict = self.doorkeeper.judge(request, flow)
        if verdict is not None and request.method == "CANCEL":
            key = transaction_key(request, via, "INVITE")
            if self._transactions.server(key) is not None:
                return None
        return verdict

    def _has_dialog(self, request: Request) -> bool:
        call_id = request.get("call-id")
        return self._uas.dialogs.by_tags(call_id, request.to_tag, request.from_tag) is not None

    def _receive_ack(self, request: Request, via: TopVia, flow: Flow) -> None:
        """Of a failure: to the INVITE's transaction. Of a 2xx: to its dialog, or to where its Route leads."""
        transaction = self._transactions.server(transaction_key(request, via, "INVITE"))
        if isinstance(transaction, InviteServerTransaction) and self._transactions.receive_ack(transaction):
            return
        if receive_ack(self._uas, request, via, flow) or "route" not in request.first:
            return
        if self.doorkeeper.judge(request, flow) is not None:
            return
        if fault_of(request) is None:
            route_ack(self._proxy, request, via, flow)
        else:
            self._context.event(
                "sip-dropped", reason="faulty ACK that names a Route", source=flow.remote_host
            )

    def _receive_cancel(self, cancel: ServerRequest) -> None:
        """End the INVITE that ``cancel`` names, or answer 481 if it is unknown or already answered."""
        key = transaction_key(cancel.request, cancel.via, "INVITE")
        invite = self._pending.cancellable(key)
        if invite is not None:
            receive_cancel(self._uas, cancel, invite)
        elif not self._proxy.cancel(key, cancel):
            cancel.reject(481)

    def _dispatch(self, incoming: ServerRequest) -> None:
        """Deliver a sound request that is new."""
        method = incoming.method
        if self._delivered_in_dialog(incoming) if incoming.local_tag else self._belongs_to_dialog(incoming):
            return
        if self.doorkeeper.answers(incoming):
            return
        if method.routable:
            handler = self._context.handler
            if handler is not None and handler.wants(method.name):
                Consultation(self._uas, self._proxy, incoming).begin(handler)
            else:
                offer(self._uas, incoming)
        elif method.needs_dialog:
            incoming.reject(481)
        else:
            incoming.reject(405, ALLOW)

    def _belongs_to_dialog(self, incoming: ServerRequest) -> bool:
        """A request without a To tag: whether it has been dealt with, being a copy of another, or of a dialog.

        The dialog of its Call-ID and From tag is its own, whatever its To says (SIP-50).
        """
        usage = self._uas.dialogs.by_far_end(incoming.headers.call_id, incoming.request.from_tag)
        up = usage is not None and usage.is_confirmed
        if not is_new(self._transactions, incoming, call_is_up=up):
            return True
        if usage is None or not incoming.method.joins_dialog:
            return False
        if incoming.method is INVITE:
            if up:
                incoming.trying()
                incoming.reject(491)
            return up
        incoming.take_tag(usage.dialog.local_tag)
        receive_in_dialog(self._uas, usage, incoming)
        return True

    def _delivered_in_dialog(self, incoming: ServerRequest) -> bool:
        """A request with a To tag, to its dialog, or to where its Route leads; False if it may be outside of any."""
        method = incoming.method
        request = incoming.request
        usage = self._uas.dialogs.by_tags(incoming.headers.call_id, incoming.local_tag, request.from_tag)
        if usage is not None:
            if method is PRACK:
                receive_prack(self._uas, usage, incoming)
            else:
                receive_in_dialog(self._uas, usage, incoming)
            return True
        if "route" in request.first and route_on(self._proxy, incoming):
            return True
        if method is INVITE:
            incoming.trying()
            incoming.reject(481)
            return True
        return method is NOTIFY and receive_notify(self._uac, incoming)
