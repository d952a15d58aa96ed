"""What the application's final response does to the dialog of its request (RFC 3261 §12.1.1, §13.3.1.4; RFC 4028 §9).

A 2xx to an INVITE is repeated until its ACK comes, and confirms the dialog, as one to SUBSCRIBE does; a failure ends an
early one. A 2xx moves the remote target and settles how long the session or subscription lives.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.dialog.hang_up import Cause, hang_up
from reference_server.core.dialog.session_timer import settle_as_server
from reference_server.core.dialog.subscription import keep_subscription, says_terminated
from reference_server.core.dialog.usage import DialogUsage, end_dialog
from reference_server.core.server_request import ServerRequest
from reference_server.sip.dialog import DialogState
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.headers import HEADERS
from reference_server.sip.transactions.accepted_2xx import SuccessRepeater

_SESSION_EXPIRES = HEADERS["session-expires"]


def conclude(
    state: Context,
    incoming: ServerRequest,
    dialog: DialogUsage | None,
    text: str,
    status: int,
    draft: Draft,
) -> None:
    """What a final response does to the dialog, unless that has ended meanwhile."""
    if dialog is None or dialog.dialog.state is DialogState.OVER:
        return
    request = incoming.request
    if request.method == "INVITE":
        if status < 300:
            dialog.dialog.state = DialogState.CONFIRMED
            if incoming.in_dialog:
                dialog.dialog.refresh_target(request)
            _await_ack(state, incoming, dialog, text)
            _refresh_session(state, incoming, dialog, text, draft)
        elif not incoming.in_dialog:
            end_dialog(state, dialog)
    elif request.method == "NOTIFY" and dialog.subscription:
        if says_terminated(request.get("subscription-state")):
            end_dialog(state, dialog)
    elif (
        request.method == "SUBSCRIBE" and status < 300 and (dialog.subscription or incoming in dialog.invites)
    ):
        dialog.dialog.state = DialogState.CONFIRMED
        keep_subscription(state, dialog, draft.get("expires") or request.get("expires"))
    elif request.method == "UPDATE" and status < 300:
        dialog.dialog.refresh_target(request)
        _refresh_session(state, incoming, dialog, text, draft)
    elif request.method == "PRACK" and status < 300 and draft.body:
        dialog.describe(text)


def _refresh_session(
    state: Context, incoming: ServerRequest, dialog: DialogUsage, text: str, draft: Draft
) -> None:
    """A 2xx to INVITE or UPDATE: what the session is, and how long it lives (TIMER-1)."""
    if draft.body or not dialog.description:
        dialog.describe(text)
    expires = draft.fields.get(_SESSION_EXPIRES)
    if expires is not None or dialog.session is not None:
        settle_as_server(state, dialog, incoming, expires[0] if expires else "")


def _await_ack(state: Context, incoming: ServerRequest, dialog: DialogUsage, text: str) -> None:
    """Repeat the 2xx until its ACK; without one for 64·T1 the server hangs up (CALL-4, CALL-8)."""
    cseq = incoming.request.cseq_number

    def unacknowledged() -> None:
        dialog.acknowledgements.pop(cseq, None)
        hang_up(state, dialog, Cause.ACK_TIMEOUT)

    repeater = SuccessRepeater(
        text,
        incoming.send,
        unacknowledged,
        reliable=incoming.transaction.reliable,
        timers=state.timers,
        timing=state.timing,
    )
    former = dialog.acknowledgements.pop(cseq, None)
    if former is not None:  # another INVITE with the same number: one ACK is for both
        former[1].stop()
    dialog.acknowledgements[cseq] = (incoming, repeater)
