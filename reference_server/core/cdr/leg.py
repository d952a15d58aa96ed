"""Call detail records: attempt, start and stop of every call, for whoever routed them (family CDR).

Each leg of a call is one small machine. An INVITE outside dialogs makes it *attempted*; the 2xx that makes the call
makes it *started*; what ends it makes it *stopped*, and a stopped leg says nothing more. So each attempt that
never starts has exactly one stop, and so has each start, in whatever order CANCEL, failures, BYEs and timers come
(CDR-5). The leg is held by what carries the call: first the INVITE, then its dialog.

Records go round robin to applications that routed their kind, whoever has the call (CDR-7). With records switched off
``Context.records`` is None and nothing here runs.

A proxied call has several legs: proxy_records.py.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, StrEnum, auto

from reference_server.core.ports import Applications
from reference_server.wire.replies import CallDetailRecord


class Source(StrEnum):
    """Where the message of a record came from."""

    NETWORK = "network"
    APPLICATION = "application"
    """an application, or the server itself"""


class Role(StrEnum):
    """Which side of a call started."""

    UAS = "uas"
    UAC = "uac"
    PROXY_UAS = "proxy-uas"
    PROXY_UAC = "proxy-uac"


class Reason(StrEnum):
    """Why a leg stopped (CDR-4)."""

    CALL_REJECTED = "call-rejected"
    CALL_CANCELED = "call-canceled"
    NORMAL_RELEASE = "normal-release"
    SESSION_EXPIRED = "session-expired"
    SYSTEM_INITIATED = "system-initiated-termination"
    """the server itself said BYE"""
    SYSTEM_ERROR = "system-error-initiated-termination"
    """the call is over without anybody having said so"""


class _Stage(Enum):
    ATTEMPTED = auto()
    STARTED = auto()
    STOPPED = auto()


class CallRecords:
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

    __slots__ = ("_latest", "_records", "_stage")

    def __init__(self, records: CallRecords, invite: str) -> None:
        self._records = records
        self._stage = _Stage.ATTEMPTED
        self._latest = invite

    def start(self, source: Source, role: Role, success: str) -> None:
        """The 2xx ``success`` made the call; any further one makes none."""
        if self._stage is _Stage.ATTEMPTED:
            self._stage = _Stage.STARTED
            self._latest = success
            self._records.deliver("cdr:start", source, role, success)

    def stop(self, source: Source, reason: Reason, text: str) -> None:
        """``text`` ended it, unless something else has before."""
        if self._stage is not _Stage.STOPPED:
            self._stage = _Stage.STOPPED
            self._latest = ""
            self._records.unfinished -= 1
            self._records.deliver("cdr:stop", source, reason, text)

    def lose(self) -> None:
        """It is over without a message that says so: its last one stands for it (CDR-6)."""
        self.stop(Source.APPLICATION, Reason.SYSTEM_ERROR, self._latest)

    def leave(self) -> None:
        """It goes on where nobody here will see its end (CDR-16)."""
        if self._stage is not _Stage.STOPPED:
            self._stage = _Stage.STOPPED
            self._latest = ""
            self._records.unfinished -= 1

    def fail(self, source: Source, status: int, text: str) -> None:
        """The final response ``text`` of 300 or above ended it; received with 487 it was cancelled."""
        cancelled = status == 487 and source is Source.NETWORK
        self.stop(source, Reason.CALL_CANCELED if cancelled else Reason.CALL_REJECTED, text)
