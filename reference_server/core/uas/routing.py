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
from reference_server.core.ports import Application
from reference_server.core.server_request import ServerRequest
from reference_server.core.to_application import new_request
from reference_server.core.uas.core import UasCore
from reference_server.core.uas.give_up import give_up
from reference_server.sip.transactions.timing import BEFORE_CLIENT_GIVES_UP

SILENT = 'SIP;cause=504;text="Application timeout"'
"""The Reason of the CANCEL that tells an application that its INVITE was answered in its place (CALL-18)."""


def offer(uas: UasCore, incoming: ServerRequest) -> None:
    """Deliver ``incoming`` to the next application that routed its method."""
    context = uas.context
    if incoming.method is INVITE:
        incoming.trying()
    application = context.applications.select(incoming.method.name.lower())
    if application is None:
        observe(context, incoming)
        incoming.reject(503)
        context.event("nobody-routed", verb=incoming.method.name.lower(), source=incoming.flow.remote_host)
        return
    incoming.name()
    wait_for_application(uas, incoming)
    if incoming.method is INVITE and context.settings.screening.always_ringing:
        incoming.ringing()
    deliver(context, incoming, application)
    if context.observer is not None:
        observe(context, incoming)


def try_first(incoming: ServerRequest) -> None:
    """An INVITE gets 100 Trying before anybody is asked (CALL-1)."""
    if incoming.method is INVITE:
        incoming.trying()


def deliver(context: Context, incoming: ServerRequest, application: Application) -> None:
    """``application`` gets ``incoming``, and is to answer it."""
    incoming.give_to(application)
    application.deliver(
        new_request(
            context,
            incoming.flow,
            len(incoming.request.text),
            incoming.transaction_id,
            incoming.text_for_application(),
        )
    )


def observe(context: Context, incoming: ServerRequest) -> None:
    """An INVITE outside dialogs tries a call (CDR-1); the text of the record is that of the SIP frame."""
    observer = context.observer
    if observer is not None and incoming.method is INVITE:
        observer.attempted(incoming, Source.NETWORK, incoming.text_for_application())


def wait_for_application(uas: UasCore, incoming: ServerRequest) -> None:
    """Keep ``incoming`` until it is answered, but not for ever."""
    uas.pending.add(incoming)
    if incoming.method is INVITE:
        incoming.wait(PENDING_INVITE_SECONDS, lambda: _silent(uas.context, incoming))
    else:
        patience = uas.context.timing.t1x64 * BEFORE_CLIENT_GIVES_UP
        incoming.wait(patience, lambda: _silent(uas.context, incoming))


def let_ring(context: Context, incoming: ServerRequest) -> None:
    """The application has sent a provisional response to an INVITE: it may take its time for the next (CALL-11)."""
    patience = context.settings.patience
    seconds = patience.timer_c if incoming.in_dialog else patience.ringing
    incoming.wait(seconds, lambda: _silent(context, incoming))


def _silent(context: Context, incoming: ServerRequest) -> None:
    """The application has let it wait for too long: 504 in its place (CALL-10, CALL-11)."""
    if context.settings.defects.waits_for_ever:
        return
    application = incoming.application
    if application is not None:
        context.event(
            "application-silent",
            connection=application.number,
            method=incoming.method.name,
            transaction=incoming.transaction_id,
        )
    if incoming.method is INVITE:
        give_up(context, incoming, SILENT)
    else:
        incoming.reject(504)
