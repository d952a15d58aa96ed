"""What arrives from the SIP network, sorted: responses to their transaction, repetitions to theirs, new requests on.

The order follows RFC 3261 §8.2 and §18: a message that cannot be answered is dropped and told to those who watch; a
repetition goes to its transaction; an ACK and a CANCEL go to what they are for; the rest is checked, then delivered
inside its dialog or offered to an application.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.ports import Flow
from reference_server.core.proxy.loose_routing import route_ack, route_on
from reference_server.core.proxy.stray_response import pass_stray
from reference_server.core.server_request import ServerRequest, reject
from reference_server.core.uac.subscribe import receive_notify
from reference_server.core.uas.cancel import receive_cancel
from reference_server.core.uas.in_dialog import receive_ack, receive_in_dialog
from reference_server.core.uas.prack import receive_prack
from reference_server.core.uas.routing import offer
from reference_server.sip.dialog import dialog_key
from reference_server.sip.messages.message import Request, Response, SipSyntaxError, parse_message
from reference_server.sip.messages.sanity import fault_of
from reference_server.sip.messages.via import parse_top_via, transaction_key
from reference_server.sip.transactions.server import InviteServerTransaction

ROUTABLE_METHODS = ("INVITE", "REGISTER", "MESSAGE", "OPTIONS", "INFO", "NOTIFY", "SUBSCRIBE", "PUBLISH")
"""What is offered to applications outside dialogs (SIP-3)."""

_ALLOW = f"Allow: {', '.join((*ROUTABLE_METHODS, 'ACK', 'CANCEL', 'BYE', 'PRACK', 'REFER', 'UPDATE'))}\r\n"
_NEEDS_DIALOG = frozenset({"BYE", "UPDATE", "PRACK"})


def receive(state: Context, text: str, flow: Flow) -> None:
    """One SIP message from the network."""
    for tap in state.sip_taps:
        tap.sip(False, flow, text)
    try:
        message = parse_message(text)
    except SipSyntaxError as error:
        state.event(
            "sip-dropped", reason=str(error), source=f"{flow.transport}/{flow.remote_host}:{flow.remote_port}"
        )
        return
    if isinstance(message, Request):
        _receive_request(state, message, flow)
    else:
        _receive_response(state, message, flow)


def _receive_response(state: Context, response: Response, flow: Flow) -> None:
    via = parse_top_via(response.first.get("via", ""))
    transaction = state.client_transactions.get(f"{via.branch}|{response.cseq_method}") if via else None
    if transaction is None:
        if pass_stray(state, response):
            return
        state.event("sip-dropped", reason="response to no request of ours", source=flow.remote_host)
        return
    transaction.receive(response)


def _receive_request(state: Context, request: Request, flow: Flow) -> None:
    via = parse_top_via(request.first.get("via", ""))
    if via is None:
        state.event("sip-dropped", reason="request without a Via", source=flow.remote_host)
        return
    method = request.method
    if method == "ACK":
        transaction = state.server_transactions.get(transaction_key(request, via, "INVITE"))
        if isinstance(transaction, InviteServerTransaction) and transaction.receive_ack():
            return
        if not receive_ack(state, request, via, flow) and "route" in request.first:
            if fault_of(request) is None:
                route_ack(state, request, via, flow)
            else:
                state.event("sip-dropped", reason="faulty ACK that names a Route", source=flow.remote_host)
        return
    key = transaction_key(request, via, method)
    known = state.server_transactions.get(key)
    if known is not None:
        known.receive_repeated_request()
        return
    incoming = ServerRequest(state, request, via, key, flow)
    fault = fault_of(request)
    if fault is not None:
        reject(state, incoming, fault[0], reason=fault[1])
    elif method == "CANCEL":
        receive_cancel(state, incoming)
    else:
        _dispatch(state, incoming)


def _dispatch(state: Context, incoming: ServerRequest) -> None:
    """Deliver a sound request that is new."""
    method = incoming.request.method
    frame = incoming.frame
    if incoming.local_tag:
        dialog = state.dialogs_by_key.get(
            dialog_key(frame.call_id, incoming.local_tag, incoming.request.from_tag)
        )
        if dialog is not None:
            if method == "PRACK":
                receive_prack(state, dialog, incoming)
            else:
                receive_in_dialog(state, dialog, incoming)
            return
        if "route" in incoming.request.first and route_on(state, incoming):
            return
        if method == "INVITE":
            incoming.transaction.respond(100, frame.minimal(100, frame.to))
            reject(state, incoming, 481)
            return
        if method == "NOTIFY" and receive_notify(state, incoming):
            return
    elif _came_before(state, incoming):
        if method == "INVITE":
            incoming.transaction.respond(100, frame.minimal(100, frame.to))
        reject(state, incoming, 482)
        return
    if method in ROUTABLE_METHODS:
        offer(state, incoming)
    elif method in _NEEDS_DIALOG:
        reject(state, incoming, 481)
    else:
        reject(state, incoming, 405, extra=_ALLOW)


def _came_before(state: Context, incoming: ServerRequest) -> bool:
    """Whether the same request is here already, by another way of a fork or in a loop (RFC 3261 §8.2.2.2, §16.3).

    What spirals has another Request-URI or Route each time.
    """
    request, frame = incoming.request, incoming.frame
    route = request.first.get("route", "")
    identity = f"{request.start_line}\n{frame.call_id}\n{request.from_tag}\n{frame.cseq}\n{route}"
    first = state.first_arrivals.setdefault(identity, incoming.transaction)
    if first is not incoming.transaction:
        return True
    first.identity = identity
    return False
