"""The whole contract between the behaviour and the world.

calls/ asks for timers, for somewhere to send SIP, for an application that wants a method, and tells those who watch.
Each is a small protocol that an adapter (net/, apps/, observe/) or a test implements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from reference_server.sip.timers import TimerHandle, Timers
from reference_server.wire.replies import ServerMessage

__all__ = [
    "Application",
    "Applications",
    "Clock",
    "Endpoint",
    "Flow",
    "SipNetwork",
    "Tap",
    "TimerHandle",
    "Timers",
]


class Endpoint(Struct, frozen=True):
    """One of our own listening transports, as it is advertised."""

    transport: str
    """``udp`` or ``tcp``"""
    host: str
    """the bound literal address, without brackets"""
    port: int
    advertised_host: str
    """external-ip if configured, else ``host``; IPv6 in brackets"""
    contact: str
    """the URI that goes into our Contact headers, without angle brackets"""


class Flow(Struct, frozen=True):
    """A way to reach a peer: a remote address by one of our transports, or an existing connection."""

    transport: str
    remote_host: str
    """literal address, without brackets"""
    remote_port: int
    local: Endpoint
    connection: int = 0
    """number of the TCP connection; 0 for datagrams"""


class Clock(Protocol):
    """Both clocks of the server; an embedded server's can be advanced."""

    def monotonic(self) -> float:
        """Seconds; what timers run on."""

    def wall(self) -> float:
        """Unix seconds; what time tokens and logs show."""


class SipNetwork(Protocol):
    """The SIP transports."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where we listen, in the order of the configuration."""

    def open(self, next_hop: str, done: Callable[[Flow | str], None]) -> None:
        """Resolve the SIP URI ``next_hop`` and connect to it; ``done`` gets the flow, or the error's text."""

    def alive(self, flow: Flow) -> bool:
        """Whether the connection of ``flow`` still exists; always True for datagrams."""

    def send(self, data: str, flow: Flow) -> bool:
        """Send one SIP message (one character is one octet); False if the connection is gone."""


class Application(Protocol):
    """One admin connection that has authenticated."""

    @property
    def number(self) -> int:
        """Counts connections from 1; never used twice."""

    @property
    def connected(self) -> bool:
        """False for ever once the connection is lost."""

    def deliver(self, message: ServerMessage) -> None:
        """Queue one message; all that is queued in one turn of the loop is written at once."""


class Applications(Protocol):
    """The connected applications and what they asked for."""

    def select(self, verb: str, tag: str = "") -> Application | None:
        """The next application, round robin, that has routed ``verb`` (and carries ``tag``, if given)."""


class Tap(Protocol):
    """Somebody who watches. With no tap the server computes nothing for one."""

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        """A frame of admin connection ``connection``; ``payload`` is without its length."""

    def sip(self, sent: bool, flow: Flow, text: str) -> None:
        """A SIP message as it was on the wire."""

    def event(self, name: str, **details: str | int) -> None:
        """Something that happened to a connection or a call: ``admin-connected``, ``call-rejected`` …"""
