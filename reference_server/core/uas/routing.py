"""Requests outside dialogs: 100 Trying, the choice of an application, and what happens if it stays silent.

An INVITE gets 100 Trying before anybody is asked (CALL-1). Without an application for the method the answer is 503
(CALL-2). A silent application's request ends with 504: an INVITE's after 64 s without any response, another's just
before its client would give up (CALL-10, CALL-11).
"""

from __future__ import annotations

from reference_server.core.cdr.leg import Source
from reference_server.core.context import (
    LONGEST_RINGING_SECONDS,
    PENDING_INVITE_SECONDS,
    TIMER_C_SECONDS,
    Context,
)
from reference_server.core.dialog.usage import refuse
from reference_server.core.server_request import ServerRequest, reject
from reference_server.sip.transactions.timing import BEFORE_CLIENT_GIVES_UP
from reference_server.wire.replies import NewRequest


def offer(state: Context, incoming: ServerRequest) -> None:
    """Deliver ``incoming`` to the next application that routed its method."""
    request = incoming.request
    method = request.method
    if method == "INVITE":
        incoming.transaction.respond(100, incoming.frame.minimal(100, incoming.frame.to))
    application = state.applications.select(method.lower())
    if application is None:
        _record(state, incoming)
        reject(state, incoming, 503)
        return
    flow = incoming.flow
    incoming.application = application
    incoming.transaction_id = state.identifiers.transaction_id()
    wait_for_application(state, incoming)
    if method == "INVITE":
        state.invites[incoming.transaction.key] = incoming
    application.deliver(
        NewRequest(
            len(request.text),
            flow.transport.name,
            flow.remote_address,
            state.time_token(),
            incoming.transaction_id,
            "" if state.settings.dialect_0_8 else flow.local.address,
            incoming.text_for_application(),
        )
    )
    if state.records is not None:
        _record(state, incoming)


def _record(state: Context, incoming: ServerRequest) -> None:
    """An INVITE outside dialogs tries a call (CDR-1); the text of the record is that of the SIP frame."""
    if state.records is not None and incoming.request.method == "INVITE":
        incoming.leg = state.records.attempt(Source.NETWORK, incoming.text_for_application())


def wait_for_application(state: Context, incoming: ServerRequest) -> None:
    """Keep ``incoming`` until it is answered, but not for ever."""
    state.incoming[incoming.transaction_id] = incoming
    patience = (
        PENDING_INVITE_SECONDS
        if incoming.request.method == "INVITE"
        else state.timing.t1x64 * BEFORE_CLIENT_GIVES_UP
    )
    incoming.deadline = state.timers.start(patience, lambda: reject(state, incoming, 504))


def let_ring(state: Context, incoming: ServerRequest) -> None:
    """The application has sent a provisional response to an INVITE: it may take its time for the next (CALL-11)."""
    incoming.stop_waiting()
    seconds = TIMER_C_SECONDS if incoming.in_dialog else LONGEST_RINGING_SECONDS
    incoming.deadline = state.timers.start(seconds, lambda: refuse(state, incoming, 504))
