"""A 2xx to an INVITE whose caller has got another final response: nobody will acknowledge it.

It comes when the CANCEL crosses it. The caller's transaction is over, so passing it on would leave the far end with a
call that exists on one side only. The server acknowledges it and hangs up, in the caller's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.core.context import Context
from reference_server.core.dialog.next_hop import reach
from reference_server.core.dialog.server_requests import compose_ack, send_bye
from reference_server.core.ports import NoWay, Way
from reference_server.sip.dialog import Dialog, record_route_of, uri_of
from reference_server.sip.messages.message import Response
from reference_server.sip.messages.uri import tag_of

if TYPE_CHECKING:
    from reference_server.core.proxy.branch import Branch

CALLER_GONE = 'SIP;cause=487;text="Request Terminated"'
"""The Reason of the BYE."""


def refuse_call(state: Context, branch: Branch, response: Response) -> None:
    """Acknowledge ``response``, a 2xx to ``branch``, and hang up; when it comes again, so does the ACK."""
    if branch.refusal_ack:
        if branch.flow is not None:
            state.send(branch.refusal_ack, branch.flow)
        return
    forwarded = branch.proxied.forwarded
    routes = [
        value for value in record_route_of(response)[::-1] if not state.own_addresses.include(uri_of(value))
    ]
    dialog = Dialog(
        call_id=forwarded.call_id,
        local=forwarded.from_,
        local_tag=tag_of(forwarded.from_),
        remote=response.get("to"),
        remote_tag=response.to_tag,
        local_cseq=forwarded.cseq,
        remote_cseq=-1,
        remote_contact=response.get("contact"),
        route_set=routes,
    )

    observer = branch.proxied.observer

    def opened(flow: Way) -> None:
        if isinstance(flow, NoWay):
            state.event("bye-not-sent", dialog=forwarded.call_id, reason=flow.reason)
            if observer is not None:
                observer.branch_refused(branch, "")
            return
        branch.flow = flow
        branch.refusal_ack = compose_ack(state, dialog, forwarded.cseq, flow)
        state.send(branch.refusal_ack, flow)
        bye = send_bye(state, dialog, CALLER_GONE, flow)
        if observer is not None:
            observer.branch_refused(branch, bye)

    reach(state, dialog.next_hop(), opened)
