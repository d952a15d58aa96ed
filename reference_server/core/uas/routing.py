"""Requests outside dialogs: 100 Trying, the choice of an application, and what happens if it stays silent.

An INVITE gets 100 Trying before anybody is asked (CALL-1). Without an application for the method the answer is 503
(CALL-2). A silent application's request ends with 504: an INVITE's after 64 s without any response, another's just
before its client would give up (CALL-10, CALL-11).
"""

from __future__ import annotations

from reference_server.core.call_observer import Source
from reference_server.core.context import Context
from reference_server.core.methods import INVITE
from reference_server.core.patience import PENDING_INVITE_SECONDS
from reference_server.core.server_request import ServerRequest
from reference_server.core.to_application import new_request
from reference_server.core.uas.core import UasCore
from reference_server.sip.transactions.timing import BEFORE_CLIENT_GIVES_UP


def offer(uas: UasCore, incoming: ServerRequest) -> None:
    """Deliver ``incoming`` to the next application that routed its method."""
    context = uas.context
    method = incoming.method
    if method is INVITE:
        incoming.trying()
    application = context.applications.select(method.name.lower())
    if application is None:
        _observe(context, incoming)
        incoming.reject(503)
        return
    incoming.give_to(application)
    wait_for_application(uas, incoming)
    if method is INVITE and context.settings.screening.always_ringing:
        incoming.ringing()
    application.deliver(
        new_request(
            context,
            incoming.flow,
            len(incoming.request.text),
            transaction_id=incoming.transaction_id,
            text=incoming.text_for_application(),
        )
    )
    _observe(context, incoming)


def _observe(context: Context, incoming: ServerRequest) -> None:
    """An INVITE outside dialogs tries a call (CDR-1); the text of the record is that of the SIP frame."""
    observer = context.observer
    if observer is not None and incoming.method is INVITE:
        observer.attempted(incoming, Source.NETWORK, incoming.text_for_application())


def wait_for_application(uas: UasCore, incoming: ServerRequest) -> None:
    """Keep ``incoming`` until it is answered, but not for ever."""
    uas.pending.add(incoming)
    if incoming.method is INVITE:
        patience = PENDING_INVITE_SECONDS
    else:
        patience = uas.context.timing.t1x64 * BEFORE_CLIENT_GIVES_UP
    incoming.wait(patience, lambda: incoming.reject(504))


def let_ring(uas: UasCore, incoming: ServerRequest) -> None:
    """The application has sent a provisional response to an INVITE: it may take its time for the next (CALL-11)."""
    patience = uas.context.settings.patience
    seconds = patience.timer_c if incoming.in_dialog else patience.ringing
    incoming.wait(seconds, lambda: incoming.refuse(504))
