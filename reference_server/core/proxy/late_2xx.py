"""A 2xx to an INVITE whose caller has got another final response: nobody will acknowledge it.

It comes when the CANCEL crosses it. The caller's transaction is over, so passing it on would leave the far end with a
call that exists on one side only. The server acknowledges it and hangs up, in the caller's place.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.dialog.ack_and_bye import compose_ack, send_bye
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.core.proxy.core import ProxyCore
from reference_server.sip.dialog import Dialog, record_route_of, uri_of
from reference_server.sip.forwarding import ForwardedRequest
from reference_server.sip.messages.message import Response
from reference_server.sip.messages.uri import tag_of

CALLER_GONE = 'SIP;cause=487;text="Request Terminated"'
"""The Reason of the BYE."""


class LateAnswer:
    """The 2xx of one copy whose caller has another final response."""

    __slots__ = ("_ack", "_flow", "_forwarded", "_proxy")

    def __init__(self, proxy: ProxyCore, forwarded: ForwardedRequest) -> None:
        self._proxy = proxy
        self._forwarded = forwarded
        self._ack = ""
        """of the server's own"""
        self._flow: Flow | None = None

    def refuse(self, response: Response, hung_up: Callable[[str], None]) -> None:
        """Acknowledge ``response`` and hang up; when it comes again, so does the ACK.

        ``hung_up`` gets the BYE, or an empty text if that found no way.
        """
        proxy, forwarded = self._proxy, self._forwarded
        context, transactions = proxy.context, proxy.transactions
        if self._ack:
            if self._flow is not None:
                transactions.send(self._ack, self._flow)
            return
        own = proxy.location.own
        dialog = Dialog(
            call_id=forwarded.call_id,
            local=forwarded.from_,
            local_tag=tag_of(forwarded.from_),
            remote=response.get("to"),
            remote_tag=response.to_tag,
            local_cseq=forwarded.cseq,
            remote_cseq=-1,
            remote_contact=response.get("contact"),
            route_set=[value for value in record_route_of(response)[::-1] if not own.include(uri_of(value))],
        )

        def opened(flow: Way) -> None:
            if isinstance(flow, NoWay):
                context.event("bye-not-sent", dialog=forwarded.call_id, reason=flow.reason)
                hung_up("")
                return
            self._flow = flow
            self._ack = compose_ack(context, dialog, forwarded.cseq, flow)
            transactions.send(self._ack, flow)
            hung_up(send_bye(context, transactions, dialog, CALLER_GONE, flow))

        proxy.location.reach(dialog.next_hop(), opened)
