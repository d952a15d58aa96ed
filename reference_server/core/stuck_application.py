"""What becomes of the requests that wait for an application which has stopped reading (CONN-7).

Those that it has not answered in any way, and that come in no dialog, go to another application, or get 503 if there
is none; what a request handler has given to it is for nobody else. An INVITE is taken back from it by a CANCEL, which
it finds when it reads again; an answer that it gives all the same is refused.
"""

from __future__ import annotations

from reference_server.core.application_loss import AT_ONCE, PORTION_SECONDS
from reference_server.core.methods import INVITE
from reference_server.core.ports import Application
from reference_server.core.server_request import ServerRequest
from reference_server.core.uas.core import UasCore
from reference_server.core.uas.give_up import take_back
from reference_server.core.uas.routing import deliver

UNREAD = 'SIP;cause=503;text="Application does not read"'
"""The Reason of the CANCEL that takes an INVITE back."""


def pass_over(uas: UasCore, application: Application) -> None:
    """``application`` takes nothing of what waits for it."""
    _pass_on(uas, application, list(uas.pending.of(application)))


def _pass_on(uas: UasCore, application: Application, waiting: list[ServerRequest]) -> None:
    """Find each somebody else: many in portions, between which others come in."""
    for incoming in waiting[:AT_ONCE]:
        untouched = incoming.awaits_final and not (incoming.in_dialog or incoming.answered)
        if untouched and incoming.application is application:
            if incoming.method is INVITE:
                take_back(uas.context, incoming, UNREAD)
            _give_to_another(uas, incoming)
    left = waiting[AT_ONCE:]
    if left:
        uas.context.timers.start(PORTION_SECONDS, lambda: _pass_on(uas, application, left))


def _give_to_another(uas: UasCore, incoming: ServerRequest) -> None:
    context, method = uas.context, incoming.method.name
    chosen = context.handler is not None and context.handler.wants(method)
    other = None if chosen else context.applications.select(method.lower())
    if other is None:
        incoming.reject(503)
    else:
        deliver(context, incoming, other)
