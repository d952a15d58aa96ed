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
from reference_server.core.ports import Flow, Step
from reference_server.core.transaction_watch import TransactionWatch
from reference_server.memo import Memo
from reference_server.sip.identifiers import LONGEST_NAME, shortened
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


PENDING = 2048
"""What a request weighs that waits for its final response, beside three times its length, in octets: it is kept as it
came, in lines, and in what its responses repeat."""

REMEMBERED = 400
"""What a transaction weighs beside the response that it may have to repeat."""

LARGE = PENDING + 3 * 4096
"""What weighs more and has been answered 2xx is kept in full by the call until the transaction ends."""


def weight_of(request: Request) -> int:
    """What ``request`` weighs while it waits, in octets."""
    return PENDING + 3 * len(request.text)


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
        self._watched = context.transaction_taps
        """empty unless somebody watches; then, and only then, :class:`TransactionWatch` is told"""
        self._watch = TransactionWatch(context.transaction_taps)
        self._server: dict[str, ServerTransaction] = {}
        self.server: Callable[[str], ServerTransaction | None] = self._server.get
        """the transaction that a request with this key belongs to; without a step between"""
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
        self._server_means = ServerMeans(timers, timing, self._forget_server, self._answered)
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
        return self.sender(flow)(text)

    def sender(self, flow: Flow) -> Callable[[str], bool]:
        """A function that sends by ``flow``, for a transaction: the same one as long as the flow is the same object."""
        known = self._senders.known.get(id(flow))
        if known is not None:
            return known
        context = self._context
        put = context.network.send

        def sender(text: str) -> bool:
            if not put(text, flow):
                return False
            for tap in context.sip_taps:
                tap.sip(True, flow, text)
            return True

        return self._senders.keep(id(flow), sender)

    # Server transactions.

    def begin_server(self, request: Request, key: str, flow: Flow) -> ServerTransaction:
        """A new request has come by ``flow``, by which its responses go unless :meth:`answer_by` says otherwise."""
        send: Callable[[str], object] = self.sender(flow)
        if self._watched:
            self._watch.tell(Step.BEGAN, key, request.start_line)
            send = self._watch.sending(key, send)
        peer, weight = flow.remote_host, weight_of(request)
        reliable, means = flow.transport.stream, self._server_means
        transaction: ServerTransaction
        if request.method == "INVITE":
            transaction = InviteServerTransaction(key, send, means, reliable, peer, weight)
        else:
            transaction = NonInviteServerTransaction(key, send, means, reliable, peer, weight)
        self._server[key] = transaction
        self._context.account.change(peer, weight)
        return transaction

    def answer_by(self, transaction: ServerTransaction, send: Callable[[str], object]) -> None:
        """The responses of ``transaction``, which has sent none, are put on the wire by ``send``."""
        transaction.send_by(self._watch.sending(transaction.key, send) if self._watched else send)

    @property
    def offers_copies(self) -> bool:
        """Whether what is merged is offered all the same (DEV-78)."""
        return self._context.settings.defects.offers_copies

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
        if len(identity) > LONGEST_NAME:
            identity = shortened(identity)
        arrived = self._first_arrivals.setdefault(identity, transaction)
        if arrived is not transaction:
            accepted = isinstance(arrived, InviteServerTransaction) and arrived.accepted
            if arrived.awaits_final or (accepted and call_is_up):
                if self._watched:
                    self._watch.tell(Step.MERGED, transaction.key, request.start_line)
                return True
            self._first_arrivals[identity] = transaction
        transaction.identify(identity)
        return False

    def receive_again(self, transaction: ServerTransaction) -> None:
        """Its request has come again."""
        if self._watched:
            self._watch.tell(Step.CAME_AGAIN, transaction.key)
        transaction.receive_repeated_request()

    def receive_ack(self, transaction: InviteServerTransaction) -> bool:
        """An ACK with the branch of ``transaction`` came; False if it is not for its final response."""
        taken = transaction.receive_ack()
        if taken and self._watched:
            self._watch.tell(Step.ACKNOWLEDGED, transaction.key)
        return taken

    def _answered(self, transaction: ServerTransaction, status: int, kept: int) -> int:
        """It has its final response, of which so many octets are kept: its request need not be, unless it is a call."""
        account, peer, weight = self._context.account, transaction.peer, transaction.weight
        left = REMEMBERED + kept
        if status < 300:
            account.meet(peer)
            if not kept and weight > LARGE:
                return weight
        account.change(peer, left - weight)
        return left

    def _forget_server(self, transaction: ServerTransaction) -> None:
        if self._watched:
            self._watch.tell(Step.OVER, transaction.key)
        if self._server.pop(transaction.key, None) is not None:
            self._context.account.change(transaction.peer, -transaction.weight)
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
        send: Callable[[str], object] = self.sender(flow)
        reliable = flow.transport.reliable
        if self._watched:
            self._watch.begin_client(key, sent.text)
            send = self._watch.sending(key, send, begun_by=sent.text)
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
        if self._watched:
            self._watch.receive(transaction.key, response)
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
            self._fail(transaction, "the datagram did not arrive")

    def connection_lost(self, flow: Flow) -> None:
        """Nothing comes over the connection of ``flow`` any more: all requests that wait on it fail."""
        ignores = self._context.settings.defects.ignores_lost_connections
        for transaction in list(self._by_connection.get(flow.connection, {}).values()):
            if ignores and not isinstance(transaction, InviteClientTransaction):
                continue
            self._fail(transaction, "the connection is lost")

    def _fail(self, transaction: ClientTransaction, reason: str) -> None:
        if self._watched and transaction.unanswered:
            self._watch.fail(transaction.key, reason)
        transaction.fail()

    def _unanswered(self, transaction: ClientTransaction) -> None:
        """A connection over which nobody answers may be dead."""
        if transaction.connection:
            self._context.network.unanswered(transaction.connection)

    def _forget_client(self, transaction: ClientTransaction) -> None:
        if self._watched:
            self._watch.end_client(transaction.key)
        self._client.pop(transaction.key, None)
        if transaction.connection:
            fellows = self._by_connection.get(transaction.connection, {})
            fellows.pop(transaction.key, None)
            if not fellows:
                self._by_connection.pop(transaction.connection, None)
