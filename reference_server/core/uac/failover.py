"""The next address of a name when the first is of no use (RFC 3263 §4.3; NET-9).

For requests outside dialogs whose next hop is a name. It stands between the request and its transaction: a 503, a
transport that fails and silence for 64·T1 are not the request's end as long as the name leads elsewhere. Then the same
request, under a new branch, is sent there; the application hears only of the last attempt.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.dialog.large_request import by_tcp, is_large
from reference_server.core.dialog.next_hop import via_for
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.core.transactions import Sent
from reference_server.core.uac.client_request import ClientRequest
from reference_server.sip.messages.message import Response

_LINE_END = "\r\n"


class Failover:
    """The user of a request's transactions (``InviteUser``), one after the other."""

    def __init__(self, outgoing: ClientRequest, next_hop: str) -> None:
        """``next_hop`` is the URI that was opened for ``outgoing``."""
        self._outgoing = outgoing
        self._next_hop = next_hop
        self._tried: list[Flow] = []

    def proceeding(self) -> None:
        """``InviteUser``"""
        self._outgoing.proceeding()

    def answered(self, response: Response) -> None:
        """``ClientUser``; 503 says that another server may do better (RFC 3261 §21.5.4)."""
        if response.status == 503:
            self._go_on(lambda: self._outgoing.answered(response))
        else:
            self._outgoing.answered(response)

    def timed_out(self) -> None:
        """``ClientUser``"""
        self._go_on(self._outgoing.timed_out)

    def unreachable(self) -> None:
        """``ClientUser``"""
        self._go_on(self._outgoing.unreachable)

    def _go_on(self, end: Callable[[], None]) -> None:
        """Send to the next address, or let the request end as it has."""
        outgoing = self._outgoing
        self._tried.append(outgoing.flow)
        context = outgoing.uac.context

        def opened(flow: Way) -> None:
            if isinstance(flow, NoWay) or not outgoing.wanted:
                end()
            elif is_large(context, flow, len(outgoing.text)):
                by_tcp(context, flow, send)
            else:
                send(flow)

        def send(flow: Flow) -> None:
            branch = context.identifiers.branch()
            head, _, rest = outgoing.text.partition("\r\nVia: ")
            text = f"{head}\r\nVia: {via_for(flow, branch)}\r\n{rest.partition(_LINE_END)[2]}"
            outgoing.send_again(Sent(outgoing.method, branch, text, flow))

        if outgoing.wanted:
            context.network.open(self._next_hop, opened, self._tried)
        else:
            end()
