"""Server transactions (RFC 3261 §17.2, corrected by RFC 6026): absorb what is repeated, repeat what was answered.

An INVITE::

    PROCEEDING --1xx--> PROCEEDING           a repeated INVITE gets the last provisional response again
        | 2xx                 | 300–699
        v                     v
    ACCEPTED              COMPLETED --ACK--> CONFIRMED      timers G (repeat) and H (give up), then I
        | L, 64·T1            | H: 64·T1         | I: T4
        v                     v                  v
                        TERMINATED

Any other request::

    TRYING --1xx--> PROCEEDING --final--> COMPLETED --J, 64·T1--> TERMINATED

Rules for what lives here: a transaction knows no application and no dialog; it sends text through the function it
was given, and tells its owner one thing, that it is over. In ACCEPTED an INVITE transaction only absorbs repeated
INVITEs; a 2xx is retransmitted in retransmitted_2xx.py, since only the dialog sees its ACK.
The automatic 100 Trying is not repeated: the genuine server absorbs an INVITE that it has not answered (CALL-3).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from msgspec import Struct

from reference_server.sip.timers import TimerHandle, Timers
from reference_server.sip.transactions.timing import Timing


class ServerState(Enum):
    """Where a server transaction is."""

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


_TRYING: Final = ServerState.TRYING
_PROCEEDING: Final = ServerState.PROCEEDING
_COMPLETED: Final = ServerState.COMPLETED
_CONFIRMED: Final = ServerState.CONFIRMED
_ACCEPTED: Final = ServerState.ACCEPTED
_TERMINATED: Final = ServerState.TERMINATED
"""Each look into an Enum is a call in Python 3.11."""

Send = Callable[[str], object]
"""Puts one message on the wire."""


def _send_nothing(text: str) -> None:
    """Of a transaction that is over: what it sent by may know it, and would keep it for the garbage collector."""


class ServerMeans(Struct, frozen=True):
    """What all server transactions of one server have in common."""

    timers: Timers
    timing: Timing
    over: Callable[[ServerTransaction], None]
    """called once with each of them, on TERMINATED"""
    answered: Callable[[ServerTransaction, int, int], int]
    """called once with each of them, its final status, and how many octets of the response it keeps to repeat it;
    returns what is kept for it from now on"""


class InviteServerTransaction(Struct, eq=False):
    """The transaction of one INVITE (§17.2.1)."""

    key: str
    _send: Send
    _means: ServerMeans
    reliable: bool
    """the transport needs no repetition"""
    peer: str = ""
    """the address that it came from"""
    weight: int = 0
    """the octets that are kept for it"""
    identity: str = ""
    """what the same request has in common that came by another way, or empty"""
    state: ServerState = _PROCEEDING
    _last: str = ""
    _repeat: TimerHandle | None = None
    _interval: float = 0.0

    def send_by(self, send: Send) -> None:
        """Put responses on the wire by ``send``."""
        self._send = send

    def identify(self, identity: str) -> None:
        """What the same request has in common that came by another way (RFC 3261 §8.2.2.2)."""
        self.identity = identity

    @property
    def awaits_final(self) -> bool:
        """No final response has left yet."""
        return self.state is _PROCEEDING

    @property
    def accepted(self) -> bool:
        """A 2xx has left."""
        return self.state is _ACCEPTED

    def respond(self, status: int, text: str) -> None:
        """Send a response of ours. After a final response further calls are ignored."""
        if self.state is not _PROCEEDING:
            return
        self._send(text)
        if status < 200:
            if status > 100:
                self._last = text
            return
        if status < 300:
            self._last = ""
            self.state = _ACCEPTED
            self.weight = self._means.answered(self, status, 0)
            self._means.timers.start(self._means.timing.t1x64, self._terminate)  # timer L
            return
        self._last = text
        self.state = _COMPLETED
        self.weight = self._means.answered(self, status, len(text))
        if not self.reliable:
            self._interval = self._means.timing.t1
            self._repeat = self._means.timers.start(self._interval, self._repeat_final)  # timer G
        self._means.timers.start(self._means.timing.t1x64, self._give_up)  # timer H

    def receive_repeated_request(self) -> None:
        """The INVITE came again."""
        if self._last and self.state in (_PROCEEDING, _COMPLETED):
            self._send(self._last)

    def receive_ack(self) -> bool:
        """An ACK with this transaction's branch came; False if it is not for a final response other than 2xx."""
        if self.state is not _COMPLETED:
            return self.state is _CONFIRMED
        self.state = _CONFIRMED
        self._last = ""
        if self._repeat is not None:
            self._repeat.cancel()
        if self.reliable:
            self._terminate()
        else:
            self._means.timers.start(self._means.timing.t4, self._terminate)  # timer I
        return True

    def _repeat_final(self) -> None:
        self._send(self._last)
        self._interval = min(2 * self._interval, self._means.timing.t2)
        self._repeat = self._means.timers.start(self._interval, self._repeat_final)

    def _give_up(self) -> None:
        if self.state is _COMPLETED:
            self._terminate()

    def _terminate(self) -> None:
        self.state = _TERMINATED
        self._send = _send_nothing
        if self._repeat is not None:
            self._repeat.cancel()
        self._means.over(self)


class NonInviteServerTransaction(Struct, eq=False):
    """The transaction of a request that is neither INVITE nor ACK (§17.2.2); its fields are as for an INVITE."""

    key: str
    _send: Send
    _means: ServerMeans
    reliable: bool
    peer: str = ""
    weight: int = 0
    identity: str = ""
    state: ServerState = _TRYING
    _last: str = ""

    def send_by(self, send: Send) -> None:
        """Put responses on the wire by ``send``."""
        self._send = send

    def identify(self, identity: str) -> None:
        """What the same request has in common that came by another way (RFC 3261 §8.2.2.2)."""
        self.identity = identity

    @property
    def awaits_final(self) -> bool:
        """No final response has left yet."""
        return self.state in (_TRYING, _PROCEEDING)

    def respond(self, status: int, text: str) -> None:
        """Send a response of ours. After a final response further calls are ignored."""
        if self.state not in (_TRYING, _PROCEEDING):
            return
        self._send(text)
        self._last = text
        if status < 200:
            self.state = _PROCEEDING
            return
        self.state = _COMPLETED
        self.weight = self._means.answered(self, status, len(text))
        if self.reliable:
            self._terminate()
        else:
            self._means.timers.start(self._means.timing.t1x64, self._terminate)  # timer J

    def receive_repeated_request(self) -> None:
        """The request came again."""
        if self._last:
            self._send(self._last)

    def _terminate(self) -> None:
        self.state = _TERMINATED
        self._send = _send_nothing
        self._means.over(self)


ServerTransaction = InviteServerTransaction | NonInviteServerTransaction
