"""Call detail records: attempt, start and stop of every call, for whoever routed them (family CDR).

Each leg of a call is one small machine, :data:`MOVES`. An INVITE outside dialogs makes it *attempted*; the 2xx that
makes the call makes it *started*; what ends it makes it *stopped*, and a stopped leg says nothing more. So each
attempt that never starts has exactly one stop, and so has each start, in whatever order CANCEL, failures, BYEs and
timers come (CDR-5).

Records go round robin to applications that routed their kind, whoever has the call (CDR-7). With records switched off
nobody watches, and nothing here runs.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from reference_server.core.call_observer import Ended, Reason, Role, Source
from reference_server.core.ports import Applications
from reference_server.wire.frames_to_application import CallDetailRecord


class LegState(Enum):
    """How far a leg is."""

    ATTEMPTED = auto()
    STARTED = auto()
    STOPPED = auto()


class LegEvent(Enum):
    """What moves it."""

    SUCCESS = auto()
    """the 2xx that makes the call (CDR-2)"""
    ENDED = auto()
    """a failure, a CANCEL, a BYE, or the loss of either end (CDR-3, CDR-6)"""
    LEFT = auto()
    """it goes on where nobody here will see its end (CDR-16); of this no record tells"""


MOVES: Final[dict[tuple[LegState, LegEvent], LegState]] = {
    (LegState.ATTEMPTED, LegEvent.SUCCESS): LegState.STARTED,
    **{
        (state, event): LegState.STOPPED
        for state in (LegState.ATTEMPTED, LegState.STARTED)
        for event in (LegEvent.ENDED, LegEvent.LEFT)
    },
}
"""The whole machine. What is not here moves nothing, and no record tells of it."""


class Records:
    """The legs of all calls, and where their records go."""

    def __init__(self, applications: Applications, time_token: Callable[[], str]) -> None:
        self._applications = applications
        self._time_token = time_token
        self.unfinished = 0
        """legs that have not stopped"""

    def attempt(self, source: Source, invite: str) -> CallLeg:
        """A call is tried: ``invite`` came from the network, or has just been sent."""
        self.unfinished += 1
        self.deliver("cdr:attempt", source, "", invite)
        return CallLeg(self, invite)

    def deliver(self, kind: str, source: Source, detail: str, text: str) -> None:
        """Give one record to the next application that wants its kind."""
        application = self._applications.select(kind)
        if application is not None:
            application.deliver(CallDetailRecord(kind, source, self._time_token(), detail, text))


class CallLeg:
    """One side of one call, from its INVITE to its end."""

    __slots__ = ("_latest", "_records", "_state")

    def __init__(self, records: Records, invite: str) -> None:
        self._records = records
        self._state = LegState.ATTEMPTED
        self._latest = invite

    def _moves(self, event: LegEvent) -> bool:
        """``event`` has happened; False if it changes nothing."""
        state = MOVES.get((self._state, event))
        if state is None:
            return False
        self._state = state
        if state is LegState.STOPPED:
            self._latest = ""
            self._records.unfinished -= 1
        return True

    def start(self, source: Source, role: Role, success: str) -> None:
        """The 2xx ``success`` made the call; any further one makes none."""
        if self._moves(LegEvent.SUCCESS):
            self._latest = success
            self._records.deliver("cdr:start", source, role, success)

    def stop(self, ended: Ended) -> None:
        """This ended it, unless something else has before."""
        if self._moves(LegEvent.ENDED):
            self._records.deliver("cdr:stop", ended.source, ended.reason, ended.text)

    def lose(self) -> None:
        """It is over without a message that says so: its last one stands for it (CDR-6)."""
        self.stop(Ended(Source.APPLICATION, Reason.SYSTEM_ERROR, self._latest))

    def leave(self) -> None:
        """It goes on where nobody here will see its end (CDR-16)."""
        self._moves(LegEvent.LEFT)
