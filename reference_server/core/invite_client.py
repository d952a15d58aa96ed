"""Our side of an INVITE from its first provisional response to its end, be it an application's or a proxied copy.

A CANCEL has to wait for the first provisional response (RFC 3261 §9.1). A far end that promised an answer and then says
nothing more is not waited for without end (OUT-21; timer C, §16.8), nor is one that answers the CANCEL, but not the
INVITE.
"""

from __future__ import annotations

from typing import Protocol

from reference_server.core.context import Context
from reference_server.core.dialog.ack_and_bye import send_unwatched
from reference_server.core.transactions import Sent, TransactionLayer
from reference_server.sip.deadline import Deadline
from reference_server.sip.timers import TimerHandle
from reference_server.sip.transactions.client import ClientMeans


class InviteOwner(Protocol):
    """Who sent the INVITE."""

    def silent(self) -> None:
        """The far end has said nothing for too long."""

    def give_up(self) -> None:
        """It does not answer although it was sent a CANCEL: end the transaction, as if the time were over."""


class InviteClient:
    """What of an INVITE of ours is under way beside its transaction."""

    __slots__ = (
        "_context",
        "_held",
        "_longest_silence",
        "_means",
        "_owner",
        "_patience",
        "_proceeding",
        "_silence",
        "_transactions",
        "cancelled",
    )

    def __init__(
        self,
        context: Context,
        transactions: TransactionLayer,
        owner: InviteOwner,
        *,
        longest_silence: float,
        means: ClientMeans | None = None,
    ) -> None:
        """``longest_silence`` is in seconds; ``means`` those of its CANCEL."""
        self._context = context
        self._transactions = transactions
        self._owner = owner
        self._longest_silence = longest_silence
        self._means = means
        self._proceeding = False
        self._held: Sent | None = None
        self._silence: Deadline | None = None
        """when the far end has said nothing for too long; None before its first provisional response"""
        self._patience: TimerHandle | None = None
        """with a far end that has been sent a CANCEL"""
        self.cancelled = False
        """a CANCEL was sent, or will be"""

    @property
    def holds_cancel(self) -> bool:
        """Whether a CANCEL waits for the first provisional response."""
        return self._held is not None

    def begin_again(self) -> None:
        """It was sent to another address; no provisional response has come from there yet."""
        self._proceeding = False
        self.stop()

    def proceeding(self) -> None:
        """The first provisional response: now a CANCEL may go, and the far end's silence counts."""
        self._proceeding = True
        held, self._held = self._held, None
        if held is not None:
            self._send(held)
        else:
            context = self._context
            self._silence = Deadline(context.timers, context.monotonic, self._owner.silent)
            self._silence.move(self._longest_silence)

    def heard(self) -> None:
        """Another provisional response: the silence begins anew."""
        if self._silence is not None:
            self._silence.move(self._longest_silence)

    def cancel(self, invite: Sent, text: str) -> None:
        """Send the CANCEL ``text`` of ``invite``, now or with the first provisional response."""
        self.cancelled = True
        self.stop()
        cancel = Sent("CANCEL", invite.branch, text, invite.flow)
        if self._proceeding:
            self._send(cancel)
        else:
            self._held = cancel

    def _send(self, cancel: Sent) -> None:
        send_unwatched(self._transactions, cancel, self._means)
        context = self._context
        self._patience = context.timers.start(context.timing.t1x64, self._owner.give_up)

    def stop(self) -> None:
        """It has its final response, or will have none: nothing is waited for."""
        if self._silence is not None:
            self._silence.stop()
            self._silence = None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
