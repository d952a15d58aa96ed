"""BYEs of the server itself: nobody acknowledged the call, or its application is gone (CALL-8, CALL-9, CONN-6).

The application, if there is one, is told with an ``unsolicited`` message that shows the BYE; it does not answer it. It
is told, too, of a BYE that finds no way, with length 0 and no address: the call is over for it all the same.
"""

from __future__ import annotations

from enum import Enum

from reference_server.core.cdr.leg import Reason, Source
from reference_server.core.context import Context
from reference_server.core.dialog.next_hop import open_flow
from reference_server.core.dialog.server_requests import compose_ack, compose_bye, send_bye
from reference_server.core.dialog.usage import DialogUsage, end_dialog
from reference_server.core.ports import NoWay, Way
from reference_server.wire.replies import NO_ADDRESS, DialogMessage

UNSOLICITED = "unsolicited"
"""The transaction id of what the server sent by itself."""


class Cause(Enum):
    """Why the server itself ends a call; each value is the Reason header (RFC 3326) that says so."""

    ACK_TIMEOUT = 'SIP;cause=200;text="ACK timeout"'
    """nobody acknowledged the application's 2xx (CALL-8)"""
    SESSION_EXPIRED = 'SIP;cause=200;text="Session timer expired"'
    """nobody refreshed the session in time, or the far end refused to (TIMER-4)"""
    CANCEL_RACE = 'SIP;cause=200;text="ACK-BYE due to cancel race condition"'
    """the application had cancelled what was answered (OUT-9)"""
    APPLICATION_LOST = 'SIP;cause=480;text="Application disconnected"'
    """nobody is there to go on with it (OUT-12, CONN-6)"""
    DIALOG_EXISTS = 'SIP;cause=480;text="Dialog already exists"'
    """the application has another call with the same Call-ID and From tag"""
    DIALOG_GONE = 'SIP;cause=481;text="Call does not exist"'
    """the far end's answer to a request of the application says so, or there was none (DLG-18)"""
    SECOND_ANSWER = 'SIP;cause=200;text="Call completed elsewhere"'
    """another branch of the forked INVITE had answered before (OUT-10)"""


def hang_up(state: Context, ended: DialogUsage, cause: Cause) -> None:
    """End a dialog with a BYE that says why, and tell the owner."""
    leg, ended.leg = ended.leg, None
    end_dialog(state, ended)

    def opened(flow: Way) -> None:
        if isinstance(flow, NoWay):
            state.event("bye-not-sent", dialog=ended.dialog_id, reason=flow.reason)
            unsent = compose_bye(ended.dialog, cause.value, ended.flow, state.identifiers.branch())
            _show(state, ended, unsent, 0, "unknown", NO_ADDRESS)
            if leg is not None:
                leg.lose()
            return
        bye = send_bye(state, ended.dialog, cause.value, flow)
        _show(state, ended, bye, len(bye), flow.transport.name, flow.local.address)
        if leg is not None:
            expired = cause is Cause.SESSION_EXPIRED
            leg.stop(Source.APPLICATION, Reason.SESSION_EXPIRED if expired else Reason.SYSTEM_INITIATED, bye)

    open_flow(state, ended, opened)


def acknowledge_and_hang_up(state: Context, unwanted: DialogUsage, cause: Cause) -> None:
    """Acknowledge a 2xx that nobody wants, and end its dialog (RFC 3261 §13.2.2.4)."""
    acknowledge(state, unwanted)
    hang_up(state, unwanted, cause)


def acknowledge(state: Context, answered: DialogUsage) -> None:
    """Acknowledge the latest 2xx of a dialog, since no application can."""
    cseq = answered.last_answered_invite
    answered.keep_own_ack(cseq, "")

    def opened(flow: Way) -> None:
        if isinstance(flow, NoWay):
            state.event("ack-not-sent", dialog=answered.dialog_id, reason=flow.reason)
            return
        text = compose_ack(state, answered.dialog, cseq, flow)
        answered.keep_own_ack(cseq, text)
        state.send(text, flow)

    open_flow(state, answered, opened)


def _show(state: Context, ended: DialogUsage, bye: str, length: int, transport: str, address: str) -> None:
    """Tell the owner that its call is over."""
    owner = ended.current_owner()
    if owner is not None:
        owner.deliver(
            DialogMessage(
                "application",
                length,
                transport,
                address,
                state.time_token(),
                UNSOLICITED,
                ended.dialog_id,
                bye,
            )
        )
