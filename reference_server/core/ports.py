"""The whole contract between the behaviour and the world.

core/ asks for timers, for somewhere to send SIP, for an application that wants a method, and tells those who watch.
Each is a small protocol that an adapter (net/, admin/, observe/) or a test implements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol, runtime_checkable

from msgspec import Struct
from msgspec.structs import force_setattr

from reference_server.core.decisions import Decision, Place
from reference_server.sip.messages.message import Request
from reference_server.sip.timers import TimerHandle, Timers
from reference_server.sip.transport import Transport
from reference_server.wire.frames_to_application import ServerMessage, address_tokens

__all__ = [
    "Abandon",
    "Application",
    "Applications",
    "Clock",
    "Endpoint",
    "EventTap",
    "Flow",
    "FrameTap",
    "HandlerQuestion",
    "ListeningApplications",
    "Names",
    "NoApplication",
    "NoWay",
    "RequestHandler",
    "SipNetwork",
    "SipTap",
    "SipUser",
    "Step",
    "Tap",
    "Taps",
    "TimerHandle",
    "Timers",
    "TransactionTap",
    "Way",
]


class Endpoint(Struct, frozen=True):
    """One of our own listening transports, as it is advertised."""

    transport: Transport
    host: str
    """the bound literal address, without brackets"""
    port: int
    advertised_host: str
    """external-ip if configured, else ``host``; IPv6 in brackets"""
    contact: str
    """the URI that goes into our Contact headers, without angle brackets"""
    dns_names: tuple[str, ...] = ()
    """names by which others know this address"""
    address: str = ""
    """``host`` and ``port`` as tokens of the admin protocol, put together once"""
    advertised: str = ""
    """``advertised_host`` and ``port`` as a sent-by, put together once"""

    def __post_init__(self) -> None:
        force_setattr(self, "address", address_tokens(self.host, self.port))
        force_setattr(self, "advertised", f"{self.advertised_host}:{self.port}")


class Flow(Struct, frozen=True):
    """A way to reach a peer: a remote address by one of our transports, or an existing connection."""

    transport: Transport
    remote_host: str
    """literal address, without brackets"""
    remote_port: int
    local: Endpoint
    connection: int = 0
    """number of the connection; 0 for datagrams"""
    remote_address: str = ""
    """``remote_host`` and ``remote_port`` as tokens of the admin protocol, put together once"""

    def __post_init__(self) -> None:
        force_setattr(self, "remote_address", address_tokens(self.remote_host, self.remote_port))


class NoWay(Enum):
    """Why there is no flow to where a request should go; each has the status and reason of the response that says so.

    An application gets that response as from a far end (OUT-6), except of :attr:`NOT_AVAILABLE`, which is a ``NOK``.
    """

    NOT_AVAILABLE = (503, "requested protocol/transport not available")
    """we do not speak that transport, or have no address of that family"""
    NAME_UNKNOWN = (503, "DNS Error")
    """the name leads nowhere"""
    UNREACHABLE = (503, "Service Unavailable")
    """refused, unreachable, or all addresses tried"""
    CONNECT_TIMEOUT = (408, "Request Timeout")
    """nobody took the connection in time"""
    UNSUPPORTED_SCHEME = (416, "Unsupported URI Scheme")
    INVALID_URI = (503, "invalid URI")
    """nothing can be made of the next hop"""
    NO_CONTACT = (503, "the far end gave no Contact")
    """so that nothing in its dialog can be sent to it"""

    @property
    def status(self) -> int:
        """Of the response."""
        return self.value[0]

    @property
    def reason(self) -> str:
        """Of the response, and what logs say."""
        return self.value[1]


Way = Flow | NoWay
"""What a search for a flow comes to."""


class Clock(Protocol):
    """Both clocks of the server; an embedded server's can be advanced."""

    def monotonic(self) -> float:
        """Seconds; what timers run on."""

    def wall(self) -> float:
        """Unix seconds; what time tokens and logs show."""


class SipUser(Protocol):
    """Who hears of what the SIP transports receive, and of what they lose."""

    def receive(self, text: str, flow: Flow) -> None:
        """One SIP message came; one character is one octet."""

    def undelivered(self, beginning: str) -> None:
        """A datagram did not reach its port; of its text only the beginning may be known (ICMP quotes it)."""

    def connection_lost(self, flow: Flow) -> None:
        """The connection of ``flow`` is gone."""


class SipNetwork(Protocol):
    """The SIP transports."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where we listen, in the order of the configuration."""

    def flow_to(self, next_hop: str) -> Way | None:
        """What the SIP URI ``next_hop`` leads to as far as that is known at once; None if it takes :meth:`open`."""

    def open(self, next_hop: str, done: Callable[[Way], None], tried: Sequence[Flow] = ()) -> None:
        """Look up where ``next_hop`` leads, and connect; ``done`` gets what comes of it, perhaps at once.

        A name may lead to several addresses (RFC 3263). ``tried`` are flows to some of them that turned out to be of
        no use; the first address that is none of theirs counts, and without one it is :attr:`NoWay.UNREACHABLE`.
        """

    def alive(self, flow: Flow) -> bool:
        """Whether the connection of ``flow`` still exists; always True for datagrams."""

    def unanswered(self, connection: int) -> None:
        """A request over the connection with that number got no answer in time."""

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

    def pass_over(self, applications: frozenset[Application]) -> None:
        """From now on these are not selected, and all others are."""


Abandon = Callable[[], object]
"""Stops what was begun; nothing is heard of it from then on. It may be called when it is over."""


class HandlerQuestion(Struct, frozen=True, kw_only=True):
    """A new request outside dialogs, as a request handler is told of it."""

    request: Request
    text: str
    """as an application would get it; one character is one octet"""
    flow: Flow
    """by which it came"""


class Names(Protocol):
    """Who knows the addresses of names, and where their services are."""

    def addresses(self, name: str, done: Callable[[Sequence[str]], None]) -> None:
        """Give ``done`` the literal addresses of ``name``, the best first, or none; perhaps at once."""

    def servers(self, service: str, name: str, done: Callable[[Sequence[tuple[str, int]]], None]) -> None:
        """Give ``done`` the literal addresses and ports of a service of ``name``, such as ``_drachtio._tcp``, by its
        SRV records (:rfc:`2782`), the best first, or none; perhaps at once."""


class RequestHandler(Protocol):
    """Who is asked about new requests before any application is."""

    def wants(self, method: str) -> bool:
        """Whether it is to be asked about requests of this method."""

    def ask(self, question: HandlerQuestion, decided: Callable[[Decision], None]) -> Abandon:
        """Ask; ``decided`` is called once, perhaps at once, whatever goes wrong: a failure is a rejection, too."""


class NoApplication(Enum):
    """Why no application has a request; each has the status and reason that the caller gets (HTTP-9, OUTB-5)."""

    NAME_UNKNOWN = (500, "Server Internal Error", "name")
    """the name leads nowhere"""
    UNREACHABLE = (480, "Temporarily Unavailable", "connect")
    """refused, or not answered in time"""
    NOT_AUTHENTICATED = (480, "Temporarily Unavailable", "authenticate")
    """it said something else than the secret, left, or was silent for too long"""
    NOT_CONNECTED = (480, "Temporarily Unavailable", "tag")
    """none with that tag has routed the method"""

    @property
    def status(self) -> int:
        """Of the response."""
        return self.value[0]

    @property
    def reason(self) -> str:
        """Of the response."""
        return self.value[1]


class ListeningApplications(Protocol):
    """Applications that listen: the server connects to them."""

    def reach(
        self, places: Sequence[Place], reached: Callable[[Application | NoApplication], None]
    ) -> Abandon:
        """Connect to the first place that takes it; ``reached`` is called once, with an application that has shown the
        secret or with why there is none.
        """


@runtime_checkable
class FrameTap(Protocol):
    """Somebody who watches the admin connections."""

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        """A frame of admin connection ``connection``; ``payload`` is without its length, and a secret ``***``."""


@runtime_checkable
class SipTap(Protocol):
    """Somebody who watches the SIP network."""

    def sip(self, sent: bool, flow: Flow, text: str) -> None:
        """A SIP message as it was on the wire."""


@runtime_checkable
class EventTap(Protocol):
    """Somebody who watches what happens."""

    def event(self, name: str, **details: str | int) -> None:
        """Something that happened to a connection or a call: ``admin-connected``, ``sip-dropped`` …"""


class Step(Enum):
    """What a SIP transaction does; the value says it in a word."""

    BEGAN = "began, by"
    """a request came, or goes out"""
    SENT = "sent"
    RECEIVED = "received"
    SENT_AGAIN = "sent again, since nothing has ended its waiting:"
    CAME_AGAIN = "the request came again, and gets what was answered last, if anything"
    MERGED = "refused: the same request is here already by another way (RFC 3261 §8.2.2.2)"
    ACKNOWLEDGED = "its final response was acknowledged"
    TRANSPORT_FAILED = "the transport failed, it ends:"
    UNANSWERED = "over without a final response, after 64·T1 or because nobody waits for one any more"
    OVER = "over"


@runtime_checkable
class TransactionTap(Protocol):
    """Somebody who watches SIP transactions."""

    def transaction(self, step: Step, key: str, about: str) -> None:
        """One did ``step``; ``about`` is the start line of the message concerned, the reason, or empty.

        ``key`` is what messages are matched to it by: it begins with the branch of the topmost Via.
        """


Tap = FrameTap | SipTap | EventTap | TransactionTap


class Taps:
    """Those who watch, sorted by what they watch: what nobody watches costs nothing. May change at any time."""

    def __init__(self, *taps: Tap) -> None:
        self.frames: list[FrameTap] = []
        self.sip: list[SipTap] = []
        self.events: list[EventTap] = []
        self.transactions: list[TransactionTap] = []
        for tap in taps:
            self.add(tap)

    def add(self, tap: Tap) -> None:
        """``tap`` watches from now on."""
        self.remove(tap)
        if isinstance(tap, FrameTap):
            self.frames.append(tap)
        if isinstance(tap, SipTap):
            self.sip.append(tap)
        if isinstance(tap, EventTap):
            self.events.append(tap)
        if isinstance(tap, TransactionTap):
            self.transactions.append(tap)

    def remove(self, tap: Tap) -> None:
        """``tap`` does not watch any more."""
        self.frames[:] = [other for other in self.frames if other is not tap]
        self.sip[:] = [other for other in self.sip if other is not tap]
        self.events[:] = [other for other in self.events if other is not tap]
        self.transactions[:] = [other for other in self.transactions if other is not tap]

    def event(self, name: str, **details: str | int) -> None:
        """Tell those who watch what happens."""
        for tap in self.events:
            tap.event(name, **details)
