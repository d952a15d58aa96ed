"""Who may watch calls: the one port by which the core tells what becomes of them. ``cdr/`` makes records of it.

Of an *own call*, one that ends at an application, there are four things to say. It is ``attempted`` when its INVITE has
come, or was sent; then it either ``failed`` or was ``answered``; answered, it ``ended``. What is said twice, or of a
call that is over, changes nothing, so nothing hangs on the order in which the core does two things of one moment.

A *proxied call* has a side towards the caller and one for each copy of its INVITE. For one INVITE the order is:
``branch_sent`` for each copy; of a copy ``branch_answered`` or ``branch_failed``, once; then ``caller_answered`` or
``caller_failed``, once. Only when the caller cancels does it hear its 487 before its copies have failed. Requests
inside a dialog, which pass by their Route, are told by ``passed_on``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from reference_server.sip.messages.message import Request, Response


class Source(StrEnum):
    """Where a message came from."""

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
    """Why a call stopped (CDR-4)."""

    CALL_REJECTED = "call-rejected"
    CALL_CANCELED = "call-canceled"
    NORMAL_RELEASE = "normal-release"
    SESSION_EXPIRED = "session-expired"
    SYSTEM_INITIATED = "system-initiated-termination"
    """the server itself said BYE"""
    SYSTEM_ERROR = "system-error-initiated-termination"
    """the call is over without anybody having said so"""


class Ended(Struct, frozen=True):
    """The message that ended a call."""

    source: Source
    reason: Reason
    text: str


class ProxiedCall(Protocol):
    """One INVITE that is proxied."""

    @property
    def method(self) -> str:
        """Not only of INVITEs is told."""

    @property
    def answered(self) -> bool:
        """The caller has a 2xx."""

    @property
    def stays_in_dialog(self) -> bool:
        """Requests of its dialog pass through us (Record-Route)."""

    @property
    def call(self) -> object:
        """What ``attempted`` was told of."""


class Copy(Protocol):
    """One copy of it."""

    @property
    def proxied(self) -> ProxiedCall:
        """Of which it is a copy."""

    @property
    def text(self) -> str:
        """As it went out."""


class CallObserver(Protocol):
    """Watches calls. ``call`` is the request that began one, ``usage`` the dialog usage in which it goes on."""

    def attempted(self, call: object, source: Source, invite: str) -> None:
        """An INVITE outside dialogs came from the network, or an application's was sent."""

    def answered(self, call: object, usage: object, role: Role, success: str) -> None:
        """Its first 2xx ``success`` came or went; the call is that of ``usage`` from now on."""

    def failed(self, call: object, ended: Ended) -> None:
        """It came to nothing: by a final response, or since the caller has cancelled it."""

    def ended(self, usage: object, ended: Ended | None, call: object = None) -> None:
        """The call of ``usage`` is over; None: nobody has said so. ``call`` began it and may not be answered yet."""

    def detach(self, usage: object) -> Callable[[Ended | None], None]:
        """``usage`` ends now; how, who calls what this returns will know later."""

    def branch_sent(self, branch: Copy) -> None:
        """A copy was sent for the first time; ``branch.text`` is what went out."""

    def branch_answered(self, branch: Copy, response: Response) -> None:
        """The first 2xx of a copy, as received."""

    def branch_failed(self, branch: Copy, response: Response | None) -> None:
        """The final response of 300 or above, as received; None if a copy that was sent got no final response."""

    def branch_refused(self, branch: Copy, bye: str) -> None:
        """The caller of a copy that was answered has got another final response, and the server hung up in its place:
        ``bye`` was sent; empty if it found no way."""

    def caller_answered(self, branch: Copy, response: Response, text: str) -> None:
        """The first 2xx, which ``branch`` got, was passed on; ``text`` is what went out."""

    def caller_failed(self, proxied: ProxiedCall, status: int, text: str) -> None:
        """The caller got the failure ``text``, of the server's own or a target's, be it the 487 of its CANCEL."""

    def passed_on(self, request: Request, received: str, text: str) -> None:
        """A request inside a dialog passed by its Route: it came as ``received`` and went out as ``text``."""
