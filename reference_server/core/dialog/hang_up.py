"""BYEs of the server itself: nobody acknowledged the call, or its application is gone (CALL-8, CALL-9, CONN-6).

The application, if there is one, is told with an ``unsolicited`` message that shows the BYE; it does not answer it. It
is told, too, of a BYE that finds no way, with length 0 and no address: the call is over for it all the same.
"""

from __future__ import annotations

from enum import Enum

from reference_server.core.call_observer import Ended, Reason, Source
from reference_server.core.dialog.ack_and_bye import compose_ack, compose_bye, send_bye
from reference_server.core.dialog.next_hop import open_flow
from reference_server.core.dialog.table import DialogTable
from reference_server.core.dialog.usage import DialogUsage, UsageEvent
from reference_server.core.ports import Endpoint, Flow, NoWay, Way
from reference_server.core.to_application import unsolicited, unsolicited_unsent
from reference_server.sip.messages.uri import UriError, parse_uri


class Cause(Enum):
    """Why the server itself ends a call; each value is the Reason header (RFC 3326) that says so."""

    ACK_TIMEOUT = 'SIP;cause=200;text="ACK timeout"'
    """nobody acknowledged the application's 2xx (CALL-8)"""
    SESSION_EXPIRED = 'SIP;cause=200;text="Session timer expired"'
    """nobody refreshed the session in time, or the far end refused to (TIMER-4)"""
    CANCEL_RACE = 'SIP;cause=200;text="ACK-BYE due to cancel race condition"'
    """the application had cancelled what was answered (OUT-11)"""
    APPLICATION_LOST = 'SIP;cause=480;text="Application disconnected"'
    """nobody is there to go on with it (OUT-12, CONN-6)"""
    DIALOG_EXISTS = 'SIP;cause=480;text="Dialog already exists"'
    """the application has another call with the same Call-ID and From tag"""
    DIALOG_GONE = 'SIP;cause=481;text="Call does not exist"'
    """the far end's answer to a request of the application says so, or there was none (DLG-18)"""
    SECOND_ANSWER = 'SIP;cause=200;text="Call completed elsewhere"'
    """another branch of the forked INVITE had answered before (OUT-10)"""


def hang_up(dialogs: DialogTable, usage: DialogUsage, cause: Cause) -> None:
    """End a usage with a BYE that says why, and tell the owner."""
    context = dialogs.context
    observer = context.observer
    tell = observer.detach(usage) if observer is not None else None
    dialogs.end(usage, UsageEvent.BYE)

    def opened(flow: Way) -> None:
        owner = usage.current_owner()
        if isinstance(flow, NoWay):
            context.event("bye-not-sent", dialog=usage.dialog_id, reason=flow.reason)
            if owner is not None:
                unsent = compose_bye(usage.dialog, cause.value, usage.flow, context.identifiers.branch())
                if context.settings.defects.echoes_what_was_not_sent:
                    owner.deliver(unsolicited(context, unsent, _where_it_would_go(usage), usage.dialog_id))
                else:
                    owner.deliver(unsolicited_unsent(context, unsent, usage.dialog_id))
            if tell is not None:
                tell(None)
            return
        bye = send_bye(context, dialogs.transactions, usage.dialog, cause.value, flow)
        if owner is not None:
            owner.deliver(unsolicited(context, bye, flow, usage.dialog_id))
        if tell is not None:
            expired = cause is Cause.SESSION_EXPIRED
            reason = Reason.SESSION_EXPIRED if expired else Reason.SYSTEM_INITIATED
            tell(Ended(Source.APPLICATION, reason, bye))

    open_flow(dialogs, usage, opened)


def _where_it_would_go(usage: DialogUsage) -> Flow:
    """To the far end's Contact, if that could be reached (DEV-233)."""
    flow = usage.flow
    try:
        uri = parse_uri(usage.dialog.remote_target)
    except UriError:
        return flow
    port = uri.port or flow.transport.default_port
    return Flow(flow.transport, uri.host, port, Endpoint(flow.transport, uri.host, port, uri.host, ""))


def acknowledge_and_hang_up(dialogs: DialogTable, usage: DialogUsage, cause: Cause) -> None:
    """Acknowledge a 2xx that nobody wants, and end its usage (RFC 3261 §13.2.2.4)."""
    acknowledge(dialogs, usage)
    hang_up(dialogs, usage, cause)


def acknowledge(dialogs: DialogTable, usage: DialogUsage) -> None:
    """Acknowledge the latest 2xx in a usage, since no application can."""
    cseq = usage.last_answered_invite
    usage.keep_own_ack(cseq, "")

    def opened(flow: Way) -> None:
        if isinstance(flow, NoWay):
            dialogs.context.event("ack-not-sent", dialog=usage.dialog_id, reason=flow.reason)
            return
        text = compose_ack(dialogs.context, usage.dialog, cseq, flow)
        usage.keep_own_ack(cseq, text)
        dialogs.transactions.send(text, flow)

    open_flow(dialogs, usage, opened)
