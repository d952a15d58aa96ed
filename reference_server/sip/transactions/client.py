"""Client transactions (RFC 3261 §17.1, corrected by RFC 6026): repeat what is not answered, give up after 64·T1.

An INVITE::

    CALLING --1xx--> PROCEEDING
        | 2xx, from either      | 300–699: ACK sent here, timer D
        v                       v
    ACCEPTED                COMPLETED
        | M, 64·T1              | D, 64·T1 (0 over TCP)
        v                       v
                 TERMINATED

Any other request::

    TRYING --1xx--> PROCEEDING --final--> COMPLETED --K, T4 (0 over TCP)--> TERMINATED

Each tells its user of responses: that an INVITE proceeds, every provisional one from 101 on, the first final one,
each further 2xx to an INVITE; of a repeated final response it tells nothing. Without a final response for 64·T1 (an
INVITE: without any response) it says so once, and is over; likewise when it learns that the transport has failed. Over
UDP a request is first repeated after a second at the earliest, then at doubled intervals, those of other requests than
INVITE bounded by T2 (the genuine server's times, kept by the rule of parity).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from msgspec import Struct

from reference_server.sip.messages.message import Response
from reference_server.sip.timers import TimerHandle, Timers
from reference_server.sip.transactions.timing import Timing


class ClientState(Enum):
    """Where a client transaction is."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class ClientUser(Protocol):
    """Who sent a request."""

    def answered(self, response: Response) -> None:
        """A response that must be seen."""

    def timed_out(self) -> None:
        """No response came in time (§8.1.3.1: as if 408)."""

    def unreachable(self) -> None:
        """The request did not arrive, or no response to it can (§17.1.4, §8.1.3.1: as if 503)."""


class InviteUser(ClientUser, Protocol):
    """Who sent an INVITE."""

    def proceeding(self) -> None:
        """The first provisional response has come, perhaps only a 100: now it can be cancelled (§9.1)."""


Send = Callable[[str], object]
"""Puts one message on the wire."""


def _nobody(transaction: ClientTransaction) -> None:
    """Nobody wants to know."""


class ClientMeans(Struct, frozen=True):
    """What the client transactions of one core have in common."""

    timers: Timers
    timing: Timing
    over: Callable[[ClientTransaction], None]
    """called once with each of them, on TERMINATED"""
    unanswered: Callable[[ClientTransaction], None] = _nobody
    """called with each that gets no final response in time"""


class NonInviteClientTransaction:
    """The transaction of a request that is neither INVITE nor ACK (§17.1.2)."""

    __slots__ = (
        "_end",
        "_interval",
        "_means",
        "_repeat",
        "_send",
        "_text",
        "_user",
        "connection",
        "key",
        "reliable",
        "state",
    )

    def __init__(
        self,
        key: str,
        text: str,
        means: ClientMeans,
        *,
        send: Send,
        reliable: bool,
        user: ClientUser,
    ) -> None:
        """Sends ``text`` at once. ``key`` is what its responses bring back: branch and method.

        ``connection`` is for who keeps it: the number of the connection that it depends on, or 0.
        """
        self.key = key
        self.connection = 0
        self.reliable = reliable
        self.state = ClientState.TRYING
        self._text = text
        self._send = send
        self._means = means
        self._user = user
        self._interval = means.timing.first_client_interval
        self._repeat: TimerHandle | None = None
        send(text)
        self._end = means.timers.start(means.timing.t1x64, self._give_up)  # timer F
        if not reliable:
            self._repeat = means.timers.start(self._interval, self._send_again)  # timer E

    def depend_on(self, connection: int) -> None:
        """Responses come over the connection with that number."""
        self.connection = connection

    @property
    def unanswered(self) -> bool:
        """Whether there is no final response yet."""
        return self.state in (ClientState.TRYING, ClientState.PROCEEDING)

    def receive(self, response: Response) -> None:
        """A response with this transaction's branch and method."""
        if self.state not in (ClientState.TRYING, ClientState.PROCEEDING):
            return
        if response.status < 200:
            self.state = ClientState.PROCEEDING
            if response.status > 100:
                self._user.answered(response)
            return
        self.state = ClientState.COMPLETED
        self._stop()
        if self.reliable:
            self.terminate()
        else:
            self._means.timers.start(self._means.timing.t4, self.terminate)  # timer K
        self._user.answered(response)

    def fail(self) -> None:
        """The transport could not deliver the request, or has lost the way back (§17.1.4)."""
        if self.unanswered:
            self.terminate()
            self._user.unreachable()

    def repeat_no_more(self) -> None:
        """Nobody wants it to arrive any more; a response to what has arrived is still waited for."""
        if self._repeat is not None:
            self._repeat.cancel()

    def terminate(self) -> None:
        """Forget it; nothing is told any more."""
        if self.state is not ClientState.TERMINATED:
            self.state = ClientState.TERMINATED
            self._stop()
            self._means.over(self)

    def _stop(self) -> None:
        self._end.cancel()
        if self._repeat is not None:
            self._repeat.cancel()

    def _send_again(self) -> None:
        self._send(self._text)
        self._interval = min(2 * self._interval, self._means.timing.t2)
        self._repeat = self._means.timers.start(self._interval, self._send_again)

    def _give_up(self) -> None:
        self._means.unanswered(self)
        self.terminate()
        self._user.timed_out()


class InviteClientTransaction:
    """The transaction of one INVITE (§17.1.1)."""

    __slots__ = (
        "_ack",
        "_end",
        "_interval",
        "_make_ack",
        "_means",
        "_repeat",
        "_send",
        "_text",
        "_user",
        "connection",
        "key",
        "reliable",
        "state",
    )

    def __init__(
        self,
        key: str,
        text: str,
        means: ClientMeans,
        *,
        send: Send,
        reliable: bool,
        user: InviteUser,
        make_ack: Callable[[Response], str],
    ) -> None:
        """``make_ack`` composes the ACK for a failure response, which has the INVITE's branch (§17.1.1.3)."""
        self.key = key
        self.connection = 0
        self.reliable = reliable
        self.state = ClientState.CALLING
        self._text = text
        self._send = send
        self._means = means
        self._user = user
        self._make_ack = make_ack
        self._ack = ""
        self._interval = means.timing.first_client_interval
        self._repeat: TimerHandle | None = None
        send(text)
        self._end = means.timers.start(means.timing.t1x64, self._give_up)  # timer B
        if not reliable:
            self._repeat = means.timers.start(self._interval, self._send_again)  # timer A

    def depend_on(self, connection: int) -> None:
        """Responses come over the connection with that number."""
        self.connection = connection

    @property
    def unanswered(self) -> bool:
        """Whether there is no final response yet."""
        return self.state in (ClientState.CALLING, ClientState.PROCEEDING)

    def receive(self, response: Response) -> None:
        """A response with this transaction's branch and method."""
        status = response.status
        match self.state:
            case ClientState.CALLING | ClientState.PROCEEDING if status < 200:
                if self.state is ClientState.CALLING:
                    self.state = ClientState.PROCEEDING
                    self._stop()
                    self._user.proceeding()
                if status > 100:
                    self._user.answered(response)
            case ClientState.CALLING | ClientState.PROCEEDING if status < 300:
                self.state = ClientState.ACCEPTED
                self._stop()
                self._means.timers.start(self._means.timing.t1x64, self.terminate)  # timer M
                self._user.answered(response)
            case ClientState.CALLING | ClientState.PROCEEDING:
                self.state = ClientState.COMPLETED
                self._stop()
                self._ack = self._make_ack(response)
                self._send(self._ack)
                if self.reliable:
                    self.terminate()
                else:
                    self._means.timers.start(self._means.timing.t1x64, self.terminate)  # timer D
                self._user.answered(response)
            case ClientState.ACCEPTED if 200 <= status < 300:
                self._user.answered(response)
            case ClientState.COMPLETED if status >= 300:
                self._send(self._ack)
            case _:
                pass

    def fail(self) -> None:
        """The transport could not deliver the request, or has lost the way back (§17.1.4)."""
        if self.unanswered:
            self.terminate()
            self._user.unreachable()

    def repeat_no_more(self) -> None:
        """Nobody wants it to arrive any more; a response to what has arrived is still waited for."""
        if self._repeat is not None:
            self._repeat.cancel()

    def terminate(self) -> None:
        """Forget it; nothing is told any more."""
        if self.state is not ClientState.TERMINATED:
            self.state = ClientState.TERMINATED
            self._stop()
            self._means.over(self)

    def _stop(self) -> None:
        self._end.cancel()
        if self._repeat is not None:
            self._repeat.cancel()

    def _send_again(self) -> None:
        self._send(self._text)
        self._interval *= 2
        self._repeat = self._means.timers.start(self._interval, self._send_again)

    def _give_up(self) -> None:
        self._means.unanswered(self)
        self.terminate()
        self._user.timed_out()


ClientTransaction = InviteClientTransaction | NonInviteClientTransaction
