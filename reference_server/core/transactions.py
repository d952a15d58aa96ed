"""The transaction layer (RFC 3261 §17): which transaction a message belongs to, and what becomes of all of them.

A request from the network finds its server transaction by :func:`~reference_server.sip.messages.via.transaction_key`;
a request that was here before by another way is *merged* (§8.2.2.2). A response finds its client transaction by its
topmost branch and the method of its CSeq. Where a transport fails (§18.4) the transactions that depend on it end at
once instead of after 64·T1: of a connection that is lost, and of a datagram whose port is closed (ICMP).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from reference_server.core.context import Context
from reference_server.core.ports import Flow
from reference_server.memo import Memo
from reference_server.sip.messages.message import Request, Response
from reference_server.sip.messages.via import TopVia
from reference_server.sip.transactions.client import (
    ClientMeans,
    ClientTransaction,
    InviteClientTransaction,
    InviteUser,
    NonInviteClientTransaction,
)
from reference_server.sip.transactions.server import (
    InviteServerTransaction,
    NonInviteServerTransaction,
    ServerMeans,
    ServerTransaction,
)
from reference_server.sip.transactions.timing import ForwardedTiming, Timing

_QUOTED_BRANCH = re.compile(
    r"([A-Z]+) [^\r\n]+\r\nVia: [^\r\n;]++(?>(?:;(?!branch=)[^\r\n;]*+)*);branch=([^;\r\n]++)[;\r]"
)
"""ICMP quotes the beginning of a datagram; a quotation that ends before the branch proves nothing."""


class Sent(Struct, frozen=True):
    """A request as it goes out."""

    method: str
    branch: str
    text: str
    flow: Flow


def make_no_ack(response: Response) -> str:
    """Of a request that gets none, being no INVITE."""
    raise AssertionError("only an INVITE is acknowledged")


class TransactionLayer:
    """All transactions, and what they send by."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._server: dict[str, ServerTransaction] = {}
        self._first_arrivals: dict[str, ServerTransaction] = {}
        """those of them whose request is outside dialogs, by what it has in common with its copies (CALL-17)"""
        self._client: dict[str, ClientTransaction] = {}
        self._by_connection: dict[int, dict[str, ClientTransaction]] = {}
        """those of them whose request went over a connection, by its number"""
        self._senders = Memo[int, Callable[[str], bool]](entries=10_000)  # as many as a transport keeps flows
        """by the identity of the flow, which each of them keeps"""
        self.apply(context.timing)

    def apply(self, timing: Timing) -> None:
        """The times of transactions that begin from now on."""
        timers, over, unanswered = self._context.timers, self._forget_client, self._unanswered
        self._server_means = ServerMeans(timers, timing, self._forget_server)
        self._client_means = ClientMeans(timers, timing, over, unanswered)
        forwarded = ForwardedTiming(timing.t1, timing.t2, timing.t4, timing.t1x64)
        self.proxied_means = ClientMeans(timers, forwarded, over, unanswered)
        """of requests that are passed on"""

    def occupancy(self) -> dict[str, int]:
        """The size of every table."""
        return {
            "server transactions": len(self._server),
            "first arrivals": len(self._first_arrivals),
            "client transactions": len(self._client),
            "connections with requests": len(self._by_connection),
        }

    # What they send by.

    def send(self, text: str, flow: Flow) -> bool:
        """Put one SIP message on the wire; False if the flow is gone, or the message fits into no datagram."""
        context = self._context
        if not context.network.send(text, flow):
            return False
        for tap in context.sip_taps:
            tap.sip(True, flow, text)
        return True

    def sender(self, flow: Flow) -> Callable[[str], bool]:
        """A function that sends by ``flow``, for a transaction: the same one as long as the flow is the same object."""
        known = self._senders.known.get(id(flow))
        if known is not None:
            return known
        send = self.send

        def sender(text: str) -> bool:
            return send(text, flow)

        return self._senders.keep(id(flow), sender)

    # Server transactions.

    def server(self, key: str) -> ServerTransaction | None:
        """The transaction that a request with this key belongs to."""
        return self._server.get(key)

    def begin_server(
        self, request: Request, key: str, send: Callable[[str], object], *, reliable: bool
    ) -> ServerTransaction:
        """A new request has come; ``send`` puts its responses on the wire, ``reliable`` as its transport is."""
        transaction: ServerTransaction
        if request.method == "INVITE":
            transaction = InviteServerTransaction(key, send, self._server_means, reliable=reliable)
        else:
            transaction = NonInviteServerTransaction(key, send, self._server_means, reliable=reliable)
        self._server[key] = transaction
        return transaction

    def is_merged(self, request: Request, transaction: ServerTransaction, *, call_is_up: bool) -> bool:
        """Whether the same request is here already, by another way of a fork or in a loop (RFC 3261 §8.2.2.2, §16.3).

        What spirals has another Request-URI or Route each time. What has its final response is not here any more: it
        comes again because somebody tries again (RFC 3263 §4.3). Of an INVITE that was answered 2xx, ``call_is_up``
        says whether the call goes on.
        """
        first = request.first
        identity = (
            f"{request.start_line}\n{first.get('call-id', '')}\n{request.from_tag}\n"
            f"{first.get('cseq', '')}\n{first.get('route', '')}"
        )
        arrived = self._first_arrivals.setdefault(identity, transaction)
        if arrived is not transaction:
            accepted = isinstance(arrived, InviteServerTransaction) and arrived.accepted
            if arrived.awaits_final or (accepted and call_is_up):
                return True
            self._first_arrivals[identity] = transaction
        transaction.identify(identity)
        return False

    def _forget_server(self, transaction: ServerTransaction) -> None:
        self._server.pop(transaction.key, None)
        if transaction.identity and self._first_arrivals.get(transaction.identity) is transaction:
            del self._first_arrivals[transaction.identity]

    # Client transactions.

    def begin_client(
        self,
        sent: Sent,
        user: InviteUser,
        *,
        make_ack: Callable[[Response], str] = make_no_ack,
        means: ClientMeans | None = None,
    ) -> ClientTransaction:
        """Send a request; ``user`` hears of its responses, ``make_ack`` composes the ACK for an INVITE's failure."""
        context = self._context
        key = f"{sent.branch}|{sent.method}"
        flow = sent.flow
        send, reliable = self.sender(flow), flow.transport.reliable
        means = means or self._client_means
        transaction: ClientTransaction
        if sent.method == "INVITE":
            transaction = InviteClientTransaction(
                key, sent.text, means, send=send, reliable=reliable, user=user, make_ack=make_ack
            )
        else:
            transaction = NonInviteClientTransaction(
                key, sent.text, means, send=send, reliable=reliable, user=user
            )
        self._client[key] = transaction
        if flow.connection:
            transaction.depend_on(flow.connection)
            self._by_connection.setdefault(flow.connection, {})[key] = transaction
            if not context.network.alive(flow):  # it may have been lost while the way was sought
                context.timers.start(0.0, transaction.fail)
        return transaction

    def receive(self, response: Response, via: TopVia) -> bool:
        """Give ``response``, with the topmost ``via``, to its transaction; False if there is none."""
        transaction = self._client.get(f"{via.branch}|{response.cseq_method}")
        if transaction is None:
            return False
        transaction.receive(response)
        return True

    def undelivered(self, beginning: str) -> None:
        """A datagram that begins so has not arrived; a response that is lost is repeated until its own timer ends it.

        The topmost Via is right behind the request line, and whoever cannot have seen the request cannot name its
        branch.
        """
        matched = _QUOTED_BRANCH.match(beginning)
        transaction = self._client.get(f"{matched[2]}|{matched[1]}") if matched else None
        if transaction is not None:
            transaction.fail()

    def connection_lost(self, flow: Flow) -> None:
        """Nothing comes over the connection of ``flow`` any more: all requests that wait on it fail."""
        for transaction in list(self._by_connection.get(flow.connection, {}).values()):
            transaction.fail()

    def _unanswered(self, transaction: ClientTransaction) -> None:
        """A connection over which nobody answers may be dead."""
        if transaction.connection:
            self._context.network.unanswered(transaction.connection)

    def _forget_client(self, transaction: ClientTransaction) -> None:
        self._client.pop(transaction.key, None)
        if transaction.connection:
            fellows = self._by_connection.get(transaction.connection, {})
            fellows.pop(transaction.key, None)
            if not fellows:
                self._by_connection.pop(transaction.connection, None)
