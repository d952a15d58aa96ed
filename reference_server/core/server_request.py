"""A request from the network from its arrival to its final response, and the table of those that wait for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from reference_server.core.call_observer import Ended, Reason, Source
from reference_server.core.context import Context
from reference_server.core.dialog.table import DialogTable
from reference_server.core.dialog.usage import DialogUsage, UsageEvent
from reference_server.core.methods import INVITE, METHODS, Method, method_named
from reference_server.core.ports import Abandon, Application, Flow
from reference_server.core.response_flow import sender_back
from reference_server.core.transactions import TransactionLayer
from reference_server.sip.messages.message import Request
from reference_server.sip.messages.response_headers import ResponseHeaders, response_headers
from reference_server.sip.messages.via import TopVia, with_completed_via
from reference_server.sip.reliable import ReliableSender
from reference_server.sip.timers import TimerHandle
from reference_server.sip.transactions.server import ServerTransaction


class ServerRequest(Struct, eq=False):
    """One request, its transaction, and who is to answer it. Made by :func:`begin_request`."""

    _pending: PendingRequests
    request: Request
    method: Method
    via: TopVia
    flow: Flow
    headers: ResponseHeaders
    transaction: ServerTransaction
    local_tag: str
    in_dialog: bool
    """the request came with a To tag"""
    transaction_id: str = ""
    """as the application knows it; empty until one is asked"""
    application: Application | None = None
    usage: DialogUsage | None = None
    """in which it came, or which it has begun"""
    reopened: bool = False
    """``flow`` is a connection of our own making, because the one of the request is gone"""
    answered: bool = False
    """an application has sent a response, be it a provisional one"""
    reliable: ReliableSender | None = None
    """its reliable provisional responses, from the first one on"""
    awaits_final: bool = False
    """it is an INVITE that has no final response on the wire yet, or another request that nobody has answered"""
    _cancelled: bool = False
    _deadline: TimerHandle | None = None
    """the end of our patience with the application"""
    _question: Abandon | None = None
    """gives up finding out who is to answer it"""

    # What it says.

    def text_for_application(self) -> str:
        """The request as received, with its topmost Via completed (SIP-2)."""
        return with_completed_via(self.request, self.via, self.headers.completed_via)

    def completed_via_line(self) -> str:
        """The value of the first Via line, completed."""
        vias = self.headers.vias
        return vias[5 : vias.index("\r\n")]

    def to_with_tag(self) -> str:
        """The To of our responses; the tag is made once (RFC 3261 §8.2.6.2)."""
        to = self.headers.to
        if self.in_dialog:
            return to
        if not self.local_tag:
            self.local_tag = self._pending.context.identifiers.tag()
        return f"{to};tag={self.local_tag}"

    def take_tag(self, tag: str) -> None:
        """The application has chosen our tag, unless there was one already."""
        if tag and not self.local_tag:
            self.local_tag = tag

    def sender(self) -> Callable[[str], object]:
        """A function that puts a response on the wire.

        Of a request that came over a connection it keeps the request, which must not keep it in turn.
        """
        pending, flow = self._pending, self.flow
        if flow.transport.stream:
            return sender_back(pending.context, pending.transactions, self)
        return pending.transactions.sender(flow)

    # Who answers it.

    def give_to(self, application: Application, usage: DialogUsage | None = None) -> None:
        """``application`` is to answer it, by a transaction id of its own; ``usage`` is that in which it came."""
        self.application = application
        if not self.transaction_id:
            self.name()
        if usage is not None:
            self.usage = usage

    def name(self) -> None:
        """It gets the transaction id by which it waits; whichever application it is given to will know it by that."""
        if not self.transaction_id:
            self.transaction_id = self._pending.context.identifiers.transaction_id()

    def asked(self, abandon: Abandon) -> None:
        """Somebody is asked what to do with it; ``abandon`` is called if it is over before there is an answer."""
        self._question = abandon

    def decided(self) -> None:
        """There is an answer."""
        self._question = None

    def may_be_answered_by(self, application: Application) -> bool:
        """An id belongs to the connection that got it, as long as that is there (RSP-12, CONN-5)."""
        owner = self.application
        return (
            owner is application
            or owner is None
            or not owner.connected
            or self._pending.context.settings.defects.shares_everything
        )

    def answered_by(self, application: Application) -> None:
        """``application`` has sent a response to it."""
        self.application = application
        self.answered = True

    def begins(self, usage: DialogUsage) -> None:
        """It has begun ``usage``."""
        self.usage = usage

    def answer_by(self, flow: Flow) -> None:
        """Responses go by ``flow`` from now on, a connection of our own making."""
        self.flow = flow
        self.reopened = True

    def answer_reliably(self, sender: ReliableSender) -> None:
        """From now on provisional responses are sent so that they arrive."""
        self.reliable = sender

    # How long.

    def wait(self, seconds: float, then: Callable[[], None]) -> None:
        """It waits for its answer, but no longer than ``seconds``, whatever was said before."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._pending.context.timers.start(seconds, then)

    def wait_for(self, then: Callable[[], None], seconds: float) -> None:
        """Somebody else has taken it over: ``then`` happens when the time is over that it had, or ``seconds``."""
        if self._deadline is not None:
            self._deadline.becomes(then)
        else:
            self.wait(seconds, then)

    def stop_waiting(self) -> None:
        """The application has answered, or need not any more."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # Its end.

    def trying(self) -> None:
        """100 Trying: whoever is to answer may take a while (CALL-1)."""
        self.transaction.respond(100, self.headers.minimal(100, self.headers.to))

    def ringing(self) -> None:
        """180 Ringing before the application says anything, unless it would have to arrive (RFC 3262 §3)."""
        if "100rel" not in ",".join(self.request.all("require")).lower():
            self.transaction.respond(180, self.headers.minimal(180, self.to_with_tag()))

    def reject(self, status: int, extra: str = "", reason: str | None = None) -> None:
        """Answer it with a final response of the server's own, and forget it; ``extra`` are complete header lines."""
        self.close()
        text = self.headers.refusal(status, self.to_with_tag(), extra, reason=reason)
        self.transaction.respond(status, text)
        self.failed(status, text)

    def refuse(self, status: int) -> None:
        """Reject it; the early usage that it began, if it did, is over."""
        self.reject(status)
        usage = self.usage
        if usage is not None and not self.in_dialog and usage.is_early:
            event = UsageEvent.CANCELLED if self._cancelled else UsageEvent.REFUSED
            self._pending.dialogs.end(usage, event)

    def cancel(self) -> None:
        """The far end has cancelled it; what follows is 487."""
        self._cancelled = True
        self.failed(487, "")

    def failed(self, status: int, text: str) -> None:
        """The failure ``text`` has left: tell who watches, if this tried a call (CDR-3)."""
        observer = self._pending.context.observer
        if observer is None or self.method is not INVITE or self.in_dialog:
            return
        if self._cancelled:
            ended = Ended(Source.NETWORK, Reason.CALL_CANCELED, self.text_for_application())
        else:
            ended = Ended(Source.APPLICATION, Reason.CALL_REJECTED, text)
        observer.failed(self, ended)

    def close(self) -> None:
        """Take it out of the tables of requests that wait for a final response."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._question is not None:
            self._question()
            self._question = None
        self._pending.remove(self)


def begin_request(
    pending: PendingRequests, request: Request, via: TopVia, key: str, flow: Flow
) -> ServerRequest:
    """``request`` has come by ``flow``: begin its server transaction under ``key``."""
    transactions = pending.transactions
    tag = request.to_tag
    incoming = ServerRequest(
        pending,
        request,
        METHODS.get(request.method) or method_named(request.method),
        via,
        flow,
        response_headers(request, via, flow.remote_host, flow.remote_port),
        transactions.begin_server(request, key, flow),
        tag,
        tag != "",
    )
    if flow.transport.stream:
        transactions.answer_by(incoming.transaction, incoming.sender())
    return incoming


class PendingRequests:
    """Requests from the network without a final response."""

    __slots__ = ("_held", "_invites", "_waiting", "context", "dialogs", "get", "transactions", "waiting")

    def __init__(self, context: Context, transactions: TransactionLayer, dialogs: DialogTable) -> None:
        self.context = context
        self.transactions = transactions
        self.dialogs = dialogs
        self._waiting: dict[str, ServerRequest] = {}
        """those that an application may answer, by transaction id"""
        self.waiting = self._waiting
        """the same; others only look how many there are"""
        self.get: Callable[[str], ServerRequest | None] = self._waiting.get
        """the request that an application names by its id, if it may still be answered; without a step between"""
        self._held: dict[str, ServerRequest] = {}
        """INVITEs that the application has answered 2xx and that wait for a PRACK first, by transaction id"""
        self._invites: dict[str, ServerRequest] = {}
        """INVITEs without a final response on the wire, which a CANCEL may end, by the key of their transaction"""

    def occupancy(self) -> dict[str, int]:
        """The size of every table."""
        return {
            "pending requests": len(self._waiting),
            "held answers": len(self._held),
            "cancellable INVITEs": len(self._invites),
        }

    def __len__(self) -> int:
        """How many wait for an application."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[ServerRequest]:
        """Those that wait, and those whose answer is held."""
        return iter([*self._waiting.values(), *self._held.values()])

    def cancellable(self, key: str) -> ServerRequest | None:
        """The INVITE whose transaction has this key, if a CANCEL can still end it."""
        return self._invites.get(key)

    def of(self, application: Application) -> Iterator[ServerRequest]:
        """Those that ``application`` is to answer, or whose answer is held."""
        waiting = (*self._waiting.values(), *self._held.values())
        return iter([one for one in waiting if one.application is application])

    def asked(self, call_id: str, from_tag: str) -> Application | None:
        """The connected application that is to answer a request of the far end with that Call-ID and From tag."""
        for one in self._waiting.values():
            if one.headers.call_id == call_id and one.request.from_tag == from_tag:
                application = one.application
                return application if application is not None and application.connected else None
        return None

    def add(self, incoming: ServerRequest, *, waits: bool = True) -> None:
        """An application is asked; ``waits`` is False if the server itself answers at once."""
        if waits:
            self._waiting[incoming.transaction_id] = incoming
            incoming.awaits_final = True
        if incoming.method is INVITE:
            self._invites[incoming.transaction.key] = incoming
            incoming.awaits_final = True

    def hold(self, incoming: ServerRequest) -> None:
        """It has its answer, which waits for a PRACK: no other may be given."""
        self._held[incoming.transaction_id] = self._waiting.pop(incoming.transaction_id)

    def take_over(self, incoming: ServerRequest) -> None:
        """Somebody else answers it from now on, and hears of its CANCEL: the proxy."""
        self._waiting.pop(incoming.transaction_id, None)
        self._invites.pop(incoming.transaction.key, None)
        incoming.awaits_final = False

    def remove(self, incoming: ServerRequest) -> None:
        """It has its final response."""
        self._waiting.pop(incoming.transaction_id, None)
        incoming.awaits_final = False
        if incoming.method is INVITE:
            self._invites.pop(incoming.transaction.key, None)
        if incoming.reliable is not None:
            self._held.pop(incoming.transaction_id, None)
            incoming.reliable.stop()
