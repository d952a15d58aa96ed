"""What the application's final response does to the dialog of its request (RFC 3261 §12.1.1, §13.3.1.4; RFC 4028 §9).

A 2xx to an INVITE is repeated until its ACK comes, and confirms the dialog, as one to SUBSCRIBE does; a failure ends an
early one. A 2xx moves the remote target and settles how long the session or subscription lives.
"""

from __future__ import annotations

from reference_server.core.dialog.hang_up import Cause, hang_up
from reference_server.core.dialog.session_timer import settle_as_server
from reference_server.core.dialog.subscription import keep_subscription, says_terminated
from reference_server.core.dialog.usage import OVER, DialogUsage, UsageEvent
from reference_server.core.methods import INVITE, NOTIFY, PRACK, SUBSCRIBE, UPDATE
from reference_server.core.server_request import ServerRequest
from reference_server.core.uas.core import UasCore
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.headers import HEADERS
from reference_server.sip.transactions.retransmitted_2xx import Retransmitted2xx

_SESSION_EXPIRES = HEADERS["session-expires"]


def conclude(
    uas: UasCore, incoming: ServerRequest, usage: DialogUsage, draft: Draft, *, text: str, status: int
) -> None:
    """What the final response ``text``, made of ``draft``, does to the usage, unless that has ended meanwhile."""
    if usage.state is OVER:
        return
    request = incoming.request
    method = incoming.method
    success = 200 <= status < 300
    if method is INVITE:
        if success:
            usage.move(UsageEvent.ACCEPTED)
            if incoming.in_dialog:
                usage.dialog.refresh_target(request)
            _await_ack(uas, incoming, usage, text)
            _refresh_session(uas, incoming, usage, draft, text)
        elif not incoming.in_dialog:
            uas.dialogs.end(usage, UsageEvent.REFUSED)
    elif method is NOTIFY:
        challenged = status in (401, 407)  # it comes again, with credentials
        if usage.subscription and not challenged and says_terminated(request.get("subscription-state")):
            uas.dialogs.end(usage, UsageEvent.TERMINATED)
    elif not success:
        return
    elif method is SUBSCRIBE:
        if usage.subscription or incoming in usage.far_invites:
            usage.move(UsageEvent.ACCEPTED)
            keep_subscription(uas.dialogs, usage, draft.get("expires") or request.get("expires"))
    elif method is UPDATE:
        usage.dialog.refresh_target(request)
        _refresh_session(uas, incoming, usage, draft, text)
    elif method is PRACK and draft.body:
        usage.describe(text)


def _refresh_session(
    uas: UasCore, incoming: ServerRequest, usage: DialogUsage, draft: Draft, text: str
) -> None:
    """A 2xx to INVITE or UPDATE: what the session is, and how long it lives (TIMER-1)."""
    if draft.body or not usage.description:
        usage.describe(text)
    expires = draft.fields.get(_SESSION_EXPIRES)
    if expires is not None or usage.session is not None:
        value = expires[0] if expires else ""
        settle_as_server(uas.dialogs, usage, incoming.request, value, uas.refreshes)


def _await_ack(uas: UasCore, incoming: ServerRequest, usage: DialogUsage, text: str) -> None:
    """Repeat the 2xx until its ACK; without one for 64·T1 the server hangs up (CALL-4, CALL-8)."""
    context = uas.context
    cseq = incoming.request.cseq_number

    def unacknowledged() -> None:
        usage.acknowledged(cseq)
        hang_up(uas.dialogs, usage, Cause.ACK_TIMEOUT)

    repeater = Retransmitted2xx(text, incoming.sender(), unacknowledged, context.timers, context.timing)
    usage.await_ack(incoming, repeater)
