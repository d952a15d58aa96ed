"""One copy of a proxied request: its client transaction, its timers, its CANCEL (RFC 3261 §16.6, §16.8, §9.1).

A copy is given up when it has no provisional response, or no final one, in the time that the application set, or rings
for longer than timer C. It is then cancelled, and whatever it still answers changes nothing, a 2xx excepted. A CANCEL
waits for the first provisional response; a far end that answers the CANCEL but not the INVITE is not waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.core.context import TIMER_C_SECONDS
from reference_server.core.dialog.next_hop import reach, via_for
from reference_server.core.dialog.server_requests import send_unwatched
from reference_server.core.ports import Flow
from reference_server.core.uas.respond import LARGEST_DATAGRAM
from reference_server.sip.messages.message import Response
from reference_server.sip.target_set import Target
from reference_server.sip.timers import TimerHandle
from reference_server.sip.transactions.client import (
    ClientState,
    ClientTransaction,
    InviteClientTransaction,
    NonInviteClientTransaction,
)

if TYPE_CHECKING:
    from reference_server.core.proxy.response_context import ResponseContext

TOO_LARGE = "too large for a datagram"


class Branch:
    """One copy, from the search for its way to its last response. Is the user of its client transaction."""

    __slots__ = (
        "_cancel_reasons",
        "_cancelled",
        "_final",
        "_proceeded",
        "_provisional",
        "_ring",
        "_transaction",
        "branch",
        "flow",
        "given_up",
        "over",
        "proxied",
        "refusal_ack",
        "target",
        "text",
        "via",
    )

    def __init__(self, proxied: ResponseContext, target: Target) -> None:
        self.proxied = proxied
        self.target = target
        self.flow: Flow | None = None
        self.text = ""
        """as it went out; empty if it never did"""
        self.via = ""
        self.branch = ""
        self.over = False
        """it has a final response, or will never have one"""
        self.given_up = False
        """nobody waits for it any more"""
        self.refusal_ack = ""
        """the server's own ACK for a 2xx that came when the caller had given up"""
        self._transaction: ClientTransaction | None = None
        self._proceeded = False
        self._cancelled = False
        self._cancel_reasons: tuple[str, ...] = ()
        self._provisional: TimerHandle | None = None
        self._final: TimerHandle | None = None
        self._ring: TimerHandle | None = None

    def open(self) -> None:
        """Find the way to the target, and send."""
        reach(self.proxied.state, self.target.next_hop, self._opened)

    def _opened(self, flow: Flow | str) -> None:
        proxied = self.proxied
        if self._cancelled:
            self.over = True
            proxied.lost(self)
            return
        if isinstance(flow, str):
            self.over = True
            proxied.unreachable(self, flow)
            return
        state = proxied.state
        self.flow = flow
        self.branch = state.proxying.branches.make(proxied.signature, proxied.via_below)
        self.via = via_for(flow, self.branch)
        forwarded = proxied.forwarded_by(flow)
        self.text = forwarded.copy(self.target.uri, self.via, proxied.record_routes_by(flow))
        if flow.transport == "udp" and len(self.text) > LARGEST_DATAGRAM:
            self.text = ""
            self.over = True
            proxied.unreachable(self, TOO_LARGE)
            return
        self._begin(flow)
        timers, directions = state.timers, proxied.directions
        if directions.provisional_timeout:
            self._provisional = timers.start(directions.provisional_timeout, self._no_provisional)
        if directions.final_timeout:
            self._final = timers.start(directions.final_timeout, self._give_up)
        proxied.under_way(self)

    def _begin(self, flow: Flow) -> None:
        state = self.proxied.state
        method = self.proxied.method
        key = f"{self.branch}|{method}"
        send, reliable = state.sender(flow), flow.transport != "udp"
        if method == "INVITE":
            self._transaction = InviteClientTransaction(
                key,
                self.text,
                state.proxied_means,
                send=send,
                reliable=reliable,
                user=self,
                make_ack=self._ack_for_failure,
            )
        else:
            self._transaction = NonInviteClientTransaction(
                key, self.text, state.proxied_means, send=send, reliable=reliable, user=self
            )
        state.keep_client_transaction(self._transaction, flow)

    def _ack_for_failure(self, response: Response) -> str:
        return self.proxied.forwarded.ack(self.target.uri, self.via, response)

    def proceeding(self) -> None:
        """The first provisional response to an INVITE: from now on it can be cancelled (``InviteUser``)."""
        self._proceeded = True
        if self._cancelled:
            self._send_cancel()
        else:
            self._ring = self.proxied.state.timers.start(TIMER_C_SECONDS, self._give_up)

    def answered(self, response: Response) -> None:
        """A response that must be seen (``ClientUser``)."""
        if response.status < 200:
            if self._ring is not None and not self._cancelled:
                self._ring.cancel()
                self._ring = self.proxied.state.timers.start(TIMER_C_SECONDS, self._give_up)
            self.proxied.provisional(self, response)
        elif self.over:
            self.proxied.answered_again(self, response)
        else:
            self.over = True
            self._stop_timers()
            self.proxied.final(self, response)

    def timed_out(self) -> None:
        """No response came in time (``ClientUser``)."""
        self.over = True
        self._stop_timers()
        self.proxied.lost(self)

    def unreachable(self) -> None:
        """It did not arrive, or no response to it can (``ClientUser``)."""
        self.over = True
        self._stop_timers()
        self.proxied.unreachable(self, "the network did not deliver it")

    def _no_provisional(self) -> None:
        transaction = self._transaction
        if transaction is None or transaction.state is not ClientState.PROCEEDING:
            self._give_up()

    def _give_up(self) -> None:
        self.given_up = True
        self.cancel()
        self.proxied.gave_up(self)

    def cancel(self, *reasons: str) -> None:
        """Nobody wants an answer any more; ``reasons`` are Reason values for the CANCEL. Idempotent."""
        if self.over or self._cancelled:
            return
        self._cancelled = True
        self._cancel_reasons = reasons
        self._stop_timers()
        if self._proceeded:
            self._send_cancel()

    def _send_cancel(self) -> None:
        flow = self.flow
        assert flow is not None  # a copy that has a provisional response was sent
        state = self.proxied.state
        text = self.proxied.forwarded.cancel(self.target.uri, self.via, self._cancel_reasons)
        send_unwatched(state, "CANCEL", self.branch, text, flow, state.proxied_means)
        self._ring = state.timers.start(state.timing.t1x64, self._forget)

    def _forget(self) -> None:
        """The INVITE's far end said nothing since the CANCEL (§9.1)."""
        transaction = self._transaction
        if transaction is not None and transaction.unanswered:
            transaction.terminate()
            self.timed_out()

    def _stop_timers(self) -> None:
        for timer in (self._provisional, self._final, self._ring):
            if timer is not None:
                timer.cancel()
