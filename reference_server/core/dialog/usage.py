"""A dialog usage (RFC 5057): a dialog with an application behind it, from its first response to its end.

Its states, and what moves it::

    EARLY             --ACCEPTED-->  CONFIRMED
    CONFIRMED         --ACCEPTED-->  CONFIRMED    it is refreshed
    EARLY, CONFIRMED  --REFUSED, CANCELLED, BYE, TERMINATED, GONE, EXPIRED-->  OVER    for ever

Rules for what lives here: a usage sends nothing and knows no table. All that changes in it changes here: its state, who
owns it, and what of it is still in the air. Of the requests under way in it it knows only what two small protocols say.

An application names a usage by its dialog id: the Call-ID and the From tag of the request that began it (DLG-1). It
belongs to the application that answered that request. When its owner disconnects it stays, owned by nobody, until
another application uses its id (DLG-2, CONN-4, CONN-5).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Protocol

from msgspec import Struct

from reference_server.core.ports import Application, Flow
from reference_server.sip.deadline import Deadline
from reference_server.sip.dialog import Dialog
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.reliable import ReliableReceiver, ReliableSender
from reference_server.sip.timers import TimerHandle
from reference_server.sip.transactions.retransmitted_2xx import Retransmitted2xx

_ACKS_KEPT = 8
_NONE: Final = -1
"""No CSeq number."""


class UsageState(Enum):
    """How far a usage is."""

    EARLY = auto()
    CONFIRMED = auto()
    OVER = auto()

    __hash__ = object.__hash__  # there is one of each; that of Enum is a function in Python


_EARLY: Final = UsageState.EARLY
_CONFIRMED: Final = UsageState.CONFIRMED
OVER: Final = UsageState.OVER
"""Each look into an Enum is a call in Python 3.11, and so is a property: what every call passes compares the state."""


class UsageEvent(Enum):
    """What moves it."""

    ACCEPTED = auto()
    """a 2xx to the request that began it, or to one that refreshes it (RFC 3261 §12.1, RFC 6665 §4.1)"""
    REFUSED = auto()
    """a failure of the request that began it (§12.3), or of the far end's, which we refuse"""
    CANCELLED = auto()
    """the request that began it was cancelled, or answered elsewhere (§9, §13.2.2.4)"""
    BYE = auto()
    """either end, or the server itself, hangs up (§15)"""
    TERMINATED = auto()
    """the last NOTIFY of a subscription (RFC 6665 §4.4.1)"""
    GONE = auto()
    """the far end does not know it, or cannot be reached (§12.2.1.2, RFC 5057 §5.1)"""
    EXPIRED = auto()
    """a subscription has run out (RFC 6665 §4.1.2)"""

    __hash__ = object.__hash__


_ENDS: Final = tuple(event for event in UsageEvent if event is not UsageEvent.ACCEPTED)

MOVES: Final[dict[tuple[UsageState, UsageEvent], UsageState]] = {
    (UsageState.EARLY, UsageEvent.ACCEPTED): UsageState.CONFIRMED,
    (UsageState.CONFIRMED, UsageEvent.ACCEPTED): UsageState.CONFIRMED,
    **{(state, end): UsageState.OVER for state in (UsageState.EARLY, UsageState.CONFIRMED) for end in _ENDS},
}
"""The whole machine. What is not here moves nothing: a usage that is over stays over."""


class FarEndRequest(Protocol):
    """A request of the far end inside a usage, or the one that began it."""

    @property
    def flow(self) -> Flow:
        """Over which it came."""

    @property
    def in_dialog(self) -> bool:
        """It came with a To tag, so it began nothing."""

    @property
    def transaction_id(self) -> str:
        """As the application knows it."""

    @property
    def request(self) -> Request:
        """The message."""

    @property
    def reliable(self) -> ReliableSender | None:
        """The reliable provisional responses to it, if there are any."""

    @property
    def awaits_final(self) -> bool:
        """No final response has left yet."""

    def reject(self, status: int) -> None:
        """Answer it with a failure of the server's own."""


class OwnOffer(Protocol):
    """An INVITE or UPDATE of ours inside a usage that has no final response."""

    @property
    def received(self) -> ReliableReceiver | None:
        """The reliable provisional responses to it, if there are any."""

    def wait_no_longer_than(self, seconds: float) -> TimerHandle:
        """Give it up if it is not answered by then."""


class Session(Protocol):
    """A session that has to be refreshed (RFC 4028)."""

    def stop(self) -> None:
        """It is over, or need not be refreshed any more."""

    def holds(self, again: Callable[[], None]) -> bool:
        """Whether a refresh of ours is under way; then ``again`` is called when it is over."""


class DialogUsage(Struct, eq=False):
    """A dialog, who owns it, and what of it is still in the air. Made by :func:`begin_usage`."""

    dialog: Dialog
    dialog_id: str
    owner: Application | None
    key: str
    """of its dialog"""
    flow: Flow
    """where the far end was last heard, for requests to a peer that nothing else routes to"""
    begun_here: bool
    """the application sent the request that began it; else the far end did"""
    far_invites: list[FarEndRequest]
    """the far end's latest INVITE, or the SUBSCRIBE that began it, and before it those without a final response"""
    own_offers: set[OwnOffer]
    """our INVITEs and UPDATEs inside it that have no final response"""
    _acknowledgements: dict[int, tuple[FarEndRequest, Retransmitted2xx]]
    """our 2xx to INVITEs that wait for an ACK, by CSeq number"""
    _own_acks: dict[int, str]
    """the ACKs that we have sent, by CSeq number, to repeat them; empty if one has not gone yet"""
    state: UsageState = _EARLY
    follows_contact: bool = False
    """requests go to the far end's Contact instead"""
    called: str = ""
    """the Request-URI of our request that began it"""
    _far_update: FarEndRequest | None = None
    _last_answered_invite: int = _NONE
    """the CSeq number of our latest INVITE that got a 2xx"""
    _hangs_up_after_ack: bool = False
    _hangs_up_when_acknowledged: bool = False
    subscription: bool = False
    expiry: Deadline | None = None
    """when a subscription is over"""
    session: Session | None = None
    """there is one if both ends agreed on a time within which the call is to be refreshed"""
    description: str = ""
    """our latest message with a session description, with a Contact; a refresh repeats both"""

    def calls(self, target: str, *, follows_contact: bool) -> None:
        """The application has called ``target``; later requests go to the far end's Contact, or not."""
        self.called = target
        self.follows_contact = follows_contact

    def follow_contact(self) -> None:
        """Requests go to the far end's Contact, wherever it was last heard."""
        self.follows_contact = True

    # Its state.

    def move(self, event: UsageEvent) -> bool:
        """``event`` has happened; False if it changes nothing."""
        state = MOVES.get((self.state, event))
        if state is None:
            return False
        self.state = state
        return True

    @property
    def is_early(self) -> bool:
        """Nobody has answered yet."""
        return self.state is _EARLY

    @property
    def is_confirmed(self) -> bool:
        """It is up."""
        return self.state is _CONFIRMED

    @property
    def is_over(self) -> bool:
        """It has ended."""
        return self.state is OVER

    # Its owner.

    def current_owner(self) -> Application | None:
        """The owner, unless it has disconnected."""
        owner = self.owner
        return owner if owner is not None and owner.connected else None

    def usable_by(self, application: Application) -> bool:
        """Whether ``application`` may use the id; if nobody owned the usage, it does from now on (CONN-5)."""
        owner = self.current_owner()
        if owner is None:
            self.owner = application
            return True
        return owner is application

    def disown(self) -> None:
        """Nobody owns it any more."""
        self.owner = None

    # What the far end asks.

    def take_invite(self, invite: FarEndRequest) -> None:
        """An INVITE of the far end came in it."""
        self.far_invites = [*self.open_invites(), invite]

    def take_update(self, update: FarEndRequest) -> None:
        """An UPDATE of the far end came in it."""
        self._far_update = update

    def open_invites(self) -> list[FarEndRequest]:
        """INVITEs of the far end that have no final response."""
        return [invite for invite in self.far_invites if invite.awaits_final]

    def forget_far_requests(self) -> list[FarEndRequest]:
        """It is over: what of the far end's INVITEs has no final response. They would keep each other in memory."""
        left = self.open_invites()
        self.far_invites = []
        self._far_update = None
        return left

    @property
    def begun_by(self) -> FarEndRequest | None:
        """The far end's INVITE that tries the call, as long as it is early; else its latest, or None."""
        return self.far_invites[0] if self.far_invites else None

    @property
    def has_open_update(self) -> bool:
        """The far end's latest UPDATE has no final response."""
        return self._far_update is not None and self._far_update.awaits_final

    def far_flows(self) -> list[Flow]:
        """Over which the far end's latest INVITEs and UPDATE came, the latest at the end."""
        asked = self.far_invites if self._far_update is None else [*self.far_invites, self._far_update]
        return [request.flow for request in asked]

    def await_ack(self, invite: FarEndRequest, repeater: Retransmitted2xx) -> None:
        """Our 2xx to ``invite`` is repeated by ``repeater`` until its ACK comes."""
        cseq = invite.request.cseq_number
        former = self._acknowledgements.pop(cseq, None)
        if former is not None:  # another INVITE with the same number: one ACK is for both
            former[1].stop()
        self._acknowledgements[cseq] = (invite, repeater)

    def acknowledged(self, cseq: int) -> FarEndRequest | None:
        """An ACK with that number came: the INVITE whose 2xx it is for, once. None: repeated, or for nothing."""
        waiting = self._acknowledgements.pop(cseq, None)
        if waiting is None:
            return None
        waiting[1].stop()
        return waiting[0]

    @property
    def awaits_ack(self) -> bool:
        """A 2xx of ours waits for its ACK."""
        return len(self._acknowledgements) > 0

    def stop_repeating(self) -> None:
        """No 2xx waits for its ACK any more."""
        for _, repeater in self._acknowledgements.values():
            repeater.stop()
        self._acknowledgements.clear()

    # What we ask.

    @property
    def awaits_own_ack(self) -> bool:
        """An INVITE of ours got a 2xx that nobody has acknowledged yet."""
        return self._last_answered_invite >= 0 and self._last_answered_invite not in self._own_acks

    @property
    def last_answered_invite(self) -> int:
        """The CSeq number of our latest INVITE that got a 2xx; -1 if none did."""
        return self._last_answered_invite

    def own_invite_accepted(self, cseq: int) -> None:
        """Our INVITE with that number has got a 2xx, which has to be acknowledged."""
        self._last_answered_invite = cseq

    def own_ack(self, cseq: int) -> str | None:
        """The ACK for the 2xx to our INVITE with that number: empty if it has not gone yet, None if there is none."""
        return self._own_acks.get(cseq)

    def keep_own_ack(self, cseq: int, text: str) -> None:
        """Keep an ACK, empty if it has not gone yet, to repeat it; of many re-INVITEs only the latest matter."""
        self._own_acks[cseq] = text
        if len(self._own_acks) > _ACKS_KEPT:
            del self._own_acks[min(self._own_acks)]

    @property
    def hangs_up_after_ack(self) -> bool:
        """The application has cancelled the call that was answered: behind its ACK the server hangs up."""
        return self._hangs_up_after_ack

    def hang_up_after_ack(self) -> None:
        """The answer has crossed the application's CANCEL."""
        self._hangs_up_after_ack = True

    @property
    def hangs_up_when_acknowledged(self) -> bool:
        """Its application has gone: behind the far end's ACK the server hangs up, unless another has taken it over."""
        return self._hangs_up_when_acknowledged and not self.awaits_ack and self.current_owner() is None

    def hang_up_when_acknowledged(self) -> None:
        """Its application has gone, but its 2xx is not acknowledged yet: a BYE has to wait (RFC 3261 §15)."""
        self._hangs_up_when_acknowledged = True

    # What it is about.

    def describe(self, text: str) -> None:
        """Our session description is now the one in ``text``; where that has no Contact, the former's stays."""
        if "\r\nContact: " not in text and self.description:
            contact = parse_message(self.description).get("contact")
            text = text.replace("\r\n", f"\r\nContact: {contact}\r\n", 1)
        self.description = text

    def describe_unless_described(self, text: str) -> None:
        """As :meth:`describe`, where nothing has described the session yet."""
        self.description = self.description or text

    def subscribe_until(self, expiry: Deadline) -> None:
        """It is a subscription, over at ``expiry``."""
        self.subscription = True
        self.expiry = expiry

    def refreshed_by(self, session: Session | None) -> None:
        """Its session is ``session``; None: nothing needs to be refreshed."""
        self.session = session


def begin_usage(
    dialog: Dialog,
    dialog_id: str,
    owner: Application | None,
    flow: Flow,
    begun_by: FarEndRequest | None = None,
) -> DialogUsage:
    """``dialog`` begins; ``begun_by`` is the far end's request that began it, None if the application did."""
    far = [] if begun_by is None else [begun_by]
    return DialogUsage(dialog, dialog_id, owner, dialog.key, flow, begun_by is None, far, set(), {}, {})
