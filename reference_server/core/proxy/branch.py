"""One copy of a proxied request: its client transaction, its timers, its CANCEL (RFC 3261 §16.6, §16.8, §9.1).

A copy is given up when it has no provisional response, or no final one, in the time that the application set, or rings
for longer than timer C. It is then cancelled, and whatever it still answers changes nothing, a 2xx excepted. A CANCEL
waits for the first provisional response; a far end that answers the CANCEL but not the INVITE is not waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reference_server.core.dialog.large_request import by_tcp, is_large
from reference_server.core.dialog.next_hop import via_for
from reference_server.core.invite_client import InviteClient
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.core.proxy.core import ProxyCore
from reference_server.core.proxy.late_2xx import LateAnswer
from reference_server.core.proxy.options import ProxyOptions
from reference_server.core.transactions import Sent
from reference_server.sip.forwarding import ForwardedRequest
from reference_server.sip.messages.message import Response
from reference_server.sip.target_set import Target
from reference_server.sip.timers import TimerHandle
from reference_server.sip.transactions.client import ClientState, ClientTransaction
from reference_server.sip.transport import LARGEST_DATAGRAM, TCP

TOO_LARGE = "too large for a datagram"


class BranchOwner(Protocol):
    """The response context that a copy belongs to: what it tells of the request, and what it hears of the copy."""

    @property
    def method(self) -> str:
        """Of the request."""

    @property
    def answered(self) -> bool:
        """The caller has a 2xx."""

    @property
    def stays_in_dialog(self) -> bool:
        """Requests of its dialog pass through us."""

    @property
    def call(self) -> object:
        """What those who watch know the call by."""

    @property
    def options(self) -> ProxyOptions:
        """How long a copy may take."""

    @property
    def forwarded(self) -> ForwardedRequest:
        """What all copies have in common."""

    def new_branch(self) -> str:
        """A branch for one more copy."""

    def forwarded_by(self, flow: Flow) -> ForwardedRequest:
        """The request as it goes by ``flow``."""

    def record_routes_by(self, flow: Flow) -> str:
        """The Record-Route lines of a copy that goes by ``flow``."""

    def under_way(self, branch: Branch) -> None:
        """A copy was sent."""

    def unreachable(self, branch: Branch, reason: str) -> None:
        """A copy could not be sent, or did not arrive."""

    def provisional(self, branch: Branch, response: Response) -> None:
        """A copy proceeds."""

    def final(self, branch: Branch, response: Response) -> None:
        """A copy has its final response."""

    def answered_again(self, branch: Branch, response: Response) -> None:
        """A 2xx came again, or once more from behind another proxy that forked."""

    def gave_up(self, branch: Branch) -> None:
        """A copy took too long."""

    def lost(self, branch: Branch) -> None:
        """A copy will never have a final response."""


class Branch:
    """One copy, from the search for its way to its last response. Is the user of its client transaction."""

    __slots__ = (
        "_cancelled",
        "_final",
        "_invite",
        "_late",
        "_over",
        "_provisional",
        "_proxy",
        "_sent",
        "_transaction",
        "_tried",
        "_via",
        "given_up",
        "proxied",
        "target",
    )

    def __init__(self, proxy: ProxyCore, proxied: BranchOwner, target: Target) -> None:
        self._proxy = proxy
        self.proxied = proxied
        self.target = target
        self.given_up = False
        """nobody waits for it any more"""
        self._sent: Sent | None = None
        """None if it never went out"""
        self._via = ""
        self._over = False
        """it has a final response, or will never have one"""
        self._transaction: ClientTransaction | None = None
        self._invite: InviteClient | None = None
        """of an INVITE that was sent"""
        self._cancelled = False
        self._late: LateAnswer | None = None
        """a 2xx came when the caller had given up"""
        self._tried: list[Flow] = []
        """addresses of the target's name that were of no use"""
        self._provisional: TimerHandle | None = None
        self._final: TimerHandle | None = None

    @property
    def text(self) -> str:
        """As it went out; empty if it never did."""
        return "" if self._sent is None else self._sent.text

    @property
    def flow(self) -> Flow | None:
        """By which it went out."""
        return None if self._sent is None else self._sent.flow

    def open(self) -> None:
        """Find the way to the target, and send; by TCP, where we have no UDP and the target does not ask for it."""
        location, next_hop = self._proxy.location, self.target.next_hop

        def found(flow: Way) -> None:
            if flow is NoWay.NOT_AVAILABLE and ";transport=" not in next_hop.lower():
                location.reach(f"{next_hop}{TCP.uri_parameter}", self._opened)
            else:
                self._opened(flow)

        if self._proxy.context.settings.defects.proxies_to_nowhere:
            self._proxy.context.network.open(next_hop, found)  # whoever has registered (DEV-211)
        else:
            location.reach(next_hop, found)

    def _opened(self, flow: Way, *, however_large: bool = False) -> None:
        proxied = self.proxied
        if self._cancelled:
            self._over = True
            proxied.lost(self)
            return
        if isinstance(flow, NoWay):
            self._over = True
            proxied.unreachable(self, flow.reason)
            return
        sent = self._composed(flow)
        if not however_large and is_large(self._proxy.context, flow, len(sent.text)):
            by_tcp(self._proxy.context, flow, lambda other: self._opened(other, however_large=True))
            return
        if not flow.transport.stream and len(sent.text) > LARGEST_DATAGRAM:
            self._over = True
            proxied.unreachable(self, TOO_LARGE)
            return
        self._begin(sent)
        options, timers = proxied.options, self._proxy.context.timers
        if options.provisional_timeout:
            self._provisional = timers.start(options.provisional_timeout, self._no_provisional)
        if options.final_timeout:
            self._final = timers.start(options.final_timeout, self._give_up)
        proxied.under_way(self)

    def _composed(self, flow: Flow) -> Sent:
        """The copy as it goes by ``flow``, with a branch of its own."""
        proxied = self.proxied
        branch = proxied.new_branch()
        self._via = via_for(flow, branch)
        text = proxied.forwarded_by(flow).copy(self.target.uri, self._via, proxied.record_routes_by(flow))
        return Sent(proxied.method, branch, text, flow)

    def _begin(self, sent: Sent) -> None:
        proxy, context = self._proxy, self._proxy.context
        self._sent = sent
        if sent.method == "INVITE":
            self._invite = InviteClient(
                context,
                proxy.transactions,
                self,
                longest_silence=context.settings.patience.timer_c,
                means=proxy.transactions.proxied_means,
            )
        forwarded, uri, via = self.proxied.forwarded, self.target.uri, self._via
        self._transaction = proxy.transactions.begin_client(
            sent,
            self,
            make_ack=lambda response: forwarded.ack(uri, via, response),
            means=proxy.transactions.proxied_means,
        )

    def _go_on(self, end: Callable[[], None]) -> None:
        """Send to the next address of the target's name (RFC 3263 §4.3), or let the copy end as it has."""
        if self._sent is None or self._over or self._cancelled:
            end()
            return
        self._tried.append(self._sent.flow)
        if self._invite is not None:
            self._invite.stop()
            self._invite = None

        def opened(flow: Way) -> None:
            if isinstance(flow, NoWay) or self._over or self._cancelled:
                end()
                return
            sent = self._composed(flow)
            if not flow.transport.stream and len(sent.text) > LARGEST_DATAGRAM:
                end()
            else:
                self._begin(sent)

        self._proxy.context.network.open(self.target.next_hop, opened, self._tried)

    # What its transaction tells.

    def proceeding(self) -> None:
        """The first provisional response to an INVITE: from now on it can be cancelled (``InviteUser``)."""
        if self._invite is not None:
            self._invite.proceeding()

    def answered(self, response: Response) -> None:
        """A response that must be seen (``ClientUser``)."""
        if response.status < 200:
            if self._invite is not None:
                self._invite.heard()
            self.proxied.provisional(self, response)
        elif self._over:
            self.proxied.answered_again(self, response)
        elif response.status == 503:
            self._go_on(lambda: self._concluded(response))
        else:
            self._concluded(response)

    def _concluded(self, response: Response) -> None:
        self._end()
        self.proxied.final(self, response)

    def timed_out(self) -> None:
        """No response came in time (``ClientUser``)."""
        self._go_on(self._never_answered)

    def _never_answered(self) -> None:
        self._end()
        self.proxied.lost(self)

    def unreachable(self) -> None:
        """It did not arrive, or no response to it can (``ClientUser``)."""
        self._go_on(self._not_delivered)

    def _not_delivered(self) -> None:
        self._end()
        self.proxied.unreachable(self, "the network did not deliver it")

    def _end(self) -> None:
        self._over = True
        self._stop_timers()
        if self._invite is not None:
            self._invite.stop()

    # How it is given up.

    def _no_provisional(self) -> None:
        transaction = self._transaction
        if transaction is None or transaction.state is not ClientState.PROCEEDING:
            self._give_up()

    def silent(self) -> None:
        """It rings for longer than timer C (``InviteOwner``)."""
        self._give_up()

    def _give_up(self) -> None:
        self.given_up = True
        if not self._forgotten():
            self.cancel()
        self.proxied.gave_up(self)

    def _forgotten(self) -> bool:
        """Whether nobody will cancel it when it rings at last (DEV-220)."""
        rings = self._transaction is not None and self._transaction.state is ClientState.PROCEEDING
        return self._proxy.context.settings.defects.forgets_who_rings and not rings

    def cancel(self, *reasons: str) -> None:
        """Nobody wants an answer any more; ``reasons`` are Reason values for the CANCEL. Idempotent."""
        if self._over or self._cancelled:
            return
        self._cancelled = True
        self._stop_timers()
        if self._invite is not None and self._sent is not None:
            text = self.proxied.forwarded.cancel(self.target.uri, self._via, reasons)
            self._invite.cancel(self._sent, text)
            if self._transaction is not None:
                self._transaction.repeat_no_more()

    def give_up(self) -> None:
        """The INVITE's far end said nothing since the CANCEL (``InviteOwner``; §9.1)."""
        transaction = self._transaction
        if transaction is not None and transaction.unanswered:
            transaction.terminate()
            self.timed_out()

    def _stop_timers(self) -> None:
        for timer in (self._provisional, self._final):
            if timer is not None:
                timer.cancel()

    # A 2xx that nobody waits for.

    def refuse_late(self, response: Response) -> None:
        """Acknowledge a 2xx whose caller has another final response, and hang up in its place."""
        if self._late is None:
            self._late = LateAnswer(self._proxy, self.proxied.forwarded)
        self._late.refuse(response, self._hung_up)

    def _hung_up(self, bye: str) -> None:
        observer = self._proxy.context.observer
        if observer is not None:
            observer.branch_refused(self, bye)
