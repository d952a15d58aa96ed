"""The SIP network of a server: all its transports behind the one port of core/ports.py."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from msgspec import Struct

from reference_server.account import Account
from reference_server.config.model import DEFAULT_LIMITS, ContactConfiguration, LimitConfiguration
from reference_server.core.ports import Endpoint, Flow, NoWay, SipUser, Way
from reference_server.net.connection import Framing
from reference_server.net.connections import CONNECT_SECONDS, SipConnections
from reference_server.net.locate.dns import Dns, Nameserver
from reference_server.net.locate.hosts import HostsFile
from reference_server.net.locate.local_endpoint import Candidate, candidate, choose
from reference_server.net.locate.resolver import Hop, Question, Resolver
from reference_server.net.sockets.interfaces import addresses_of, local_addresses
from reference_server.net.sockets.listening import (
    UDP_BUFFER,
    BoundSocket,
    TransportError,
    bind_sockets,
    bracketed,
    hostport,
    literal_address,
)
from reference_server.net.stream_framing import StreamFraming
from reference_server.net.udp import UdpTransport
from reference_server.sip.messages.uri import DEFAULT_PORT, UriError, parse_uri
from reference_server.sip.transport import TCP, TLS, TRANSPORTS, UDP, WS, WSS, Transport
from reference_server.tls.certificates import Certificates
from reference_server.turn import Turn

_LOG = logging.getLogger(__name__)

SECURE_PORT = 5061
"""Of a ``sips`` contact without a port, whatever its transport."""

SECONDS_BEFORE_OTHERS = 4.0
"""How long a connection may take to be made while a name has further addresses."""

_WITHOUT_BEING_ASKED = (UDP, TCP)
"""In the order of preference, where neither URI nor DNS names a transport."""
_ANY_PORT = 1  # a name with a port is looked up by its addresses only (RFC 3263 §4.2)
_TARGETS_KEPT = 10_000
_LONGEST_TARGET_KEPT = 300

Done = Callable[[Way], None]


class Network:
    """Implements :class:`reference_server.core.ports.SipNetwork` on real sockets of the running loop."""

    def __init__(
        self,
        warn: Callable[[str], None] = _LOG.warning,
        *,
        limits: LimitConfiguration = DEFAULT_LIMITS,
        met: Callable[[str, str], None] | None = None,
        most_connections: int | None = None,
        nameserver: Nameserver | None = None,
        hosts: HostsFile | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        turn: Turn | None = None,
        account: Account | None = None,
        certificates: Certificates | None = None,
        udp_buffer: int = UDP_BUFFER,
        most_unanswered: int = 0,
        opened: Callable[[str, str], None] = lambda connection, origin: None,
        stream: Callable[[int, int], Framing] = StreamFraming,
    ) -> None:
        """``warn`` gets one line for each message that cannot be sent and each connection that is given up.

        ``limits`` say how much there may be of what strangers can make more of, and ``met`` gets the name of each that
        is met, with a line; by default ``warn`` does. ``most_connections`` may be open at a time, if the system grants
        fewer. Names are looked up in ``hosts``
        (``/etc/hosts``) and by ``nameserver`` (those of ``/etc/resolv.conf``); ``monotonic`` is the clock, in seconds,
        by which what the DNS says grows old. What is sent leaves at the end of ``turn``. What is kept for peers stands
        in ``account``. Secure transports need ``certificates``. UDP sockets get buffers of ``udp_buffer`` octets each
        way. A connection over which ``most_unanswered`` requests in a row got no answer is closed; 0: never for that.
        ``opened`` is told each connection that a browser has made, and the page it is from. ``stream`` frames TCP.
        """
        self._warn = warn
        self._limits = limits
        self._met = met
        self._most_connections = most_connections
        self._nameserver = nameserver
        self._hosts = hosts or HostsFile()
        self._monotonic = monotonic
        self._turn = turn
        self._account = account
        self._certificates = certificates
        self._udp_buffer = udp_buffer
        self._most_unanswered = most_unanswered
        self._opened = opened
        self._stream = stream
        self._candidates: list[Candidate] = []
        self._udp: dict[tuple[str, int], UdpTransport] = {}  # by address: quicker to hash than an Endpoint
        self._latest: UdpTransport | None = None  # the one that sent last: many servers have no other
        self._streams: SipConnections | None = None
        self._resolver: Resolver | None = None
        self._targets: dict[str, Flow] = {}  # what next hops with literal addresses led to, UDP only

    async def start(self, contacts: Sequence[ContactConfiguration], user: SipUser) -> None:
        """Listen on every contact; ``user`` gets each message from then on.

        Raises :class:`TransportError` for the first address that cannot be had; nothing listens then.
        """
        streams = self._streams = SipConnections(
            user.receive,
            self._warn,
            most=self._most_connections,
            limits=self._limits,
            met=self._met,
            lost=user.connection_lost,
            turn=self._turn,
            account=self._account,
            certificates=self._certificates,
            most_unanswered=self._most_unanswered,
            opened=self._opened,
            stream=self._stream,
        )
        bound: list[BoundSocket] = []
        try:
            for contact in contacts:
                bound = await self._bind(contact)
                while bound:
                    one = bound[0]
                    endpoint = _endpoint(one, contact)
                    self._candidates.append(candidate(endpoint, contact.local_net, contact.external_ip))
                    if not one.transport.stream:
                        self._udp[endpoint.host, endpoint.port] = UdpTransport(
                            one.socket,
                            endpoint,
                            user.receive,
                            warn=self._warn,
                            undelivered=user.undelivered,
                            turn=self._turn,
                        )
                    else:
                        await streams.listen(one.socket, endpoint)
                    del bound[0]
        except BaseException:
            for one in bound:
                one.socket.close()
            await self.stop()
            raise
        ours = [one.endpoint for one in self._candidates]
        plain = [one for one in _WITHOUT_BEING_ASKED if any(our.transport is one for our in ours)]
        self._resolver = Resolver(
            plain or [UDP],
            sorted({":" in one.host for one in ours}),
            Dns(self._nameserver),
            hosts=self._hosts,
            monotonic=self._monotonic,
            warn=self._warn,
            limits=self._limits,
            met=self._met,
        )

    async def _bind(self, contact: ContactConfiguration) -> list[BoundSocket]:
        port = contact.port
        if port is None:
            port = SECURE_PORT if contact.scheme == "sips" else DEFAULT_PORT
        transports = [TRANSPORTS[name] for name in contact.transports]
        for transport in transports:
            if transport.secure and self._certificates is None:
                reason = "expected <tls> with a key-file and a cert-file or chain-file"
                raise TransportError(transport.name, contact.host, port, reason)
            if transport in (WS, WSS) and find_spec("websockets") is None:
                reason = "expected the Python library websockets to be installed"
                raise TransportError(transport.name, contact.host, port, reason)
        return bind_sockets(
            await self._addresses(contact.host, port), transports, port, udp_buffer=self._udp_buffer
        )

    async def _addresses(self, host: str, port: int) -> list[str]:
        match host:
            case "*":
                return local_addresses()
            case "0.0.0.0":
                return [address for address in local_addresses() if ":" not in address]
            case "::":
                return [address for address in local_addresses() if ":" in address]
        if (literal := literal_address(host)) is not None:
            return [literal]
        if of_interface := addresses_of(host):
            return of_interface
        try:
            found = await _resolve(host, port)
        except OSError as error:
            raise TransportError("sip", host, port, f"the name does not resolve ({error.strerror})") from None
        return found[:1]

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where we listen, in the order of the configuration."""
        return tuple(one.endpoint for one in self._candidates)

    def hostports(self) -> list[str]:
        """The endpoints as they are advertised: ``udp/127.0.0.1:5060``."""
        return [f"{e.transport}/{e.advertised_host}:{e.port}" for e in self.endpoints()]

    def local_hostports(self) -> list[str]:
        """The endpoints as they are bound."""
        return [hostport(e.transport.name, e.host, e.port) for e in self.endpoints()]

    def connections(self) -> int:
        """How many TCP connections are open."""
        return 0 if self._streams is None else len(self._streams)

    def flow_to(self, next_hop: str) -> Way | None:
        """What the SIP URI ``next_hop`` leads to as far as that is known at once; None if it takes :meth:`open`.

        Known at once are literal addresses over UDP, connections that exist, and what is wrong with the URI.
        """
        known = self._targets.get(next_hop)
        if known is not None:
            return known
        place = _place_of(next_hop)
        if isinstance(place, NoWay):
            return place
        if place.literal is None:
            return None
        transport = place.transport or UDP
        endpoint = choose(self._candidates, transport, place.literal)
        if endpoint is None:
            return place.without
        port = place.port or transport.default_port
        if transport.stream:
            return self._streams.connected_to(endpoint, place.literal, port) if self._streams else None
        flow = self._udp[endpoint.host, endpoint.port].flow_to(place.literal, port)
        if len(next_hop) <= _LONGEST_TARGET_KEPT:
            if len(self._targets) >= _TARGETS_KEPT:
                self._targets.clear()
            self._targets[next_hop] = flow
        return flow

    def open(self, next_hop: str, done: Done, tried: Sequence[Flow] = ()) -> None:
        """Look up where the SIP URI ``next_hop`` leads, and connect; ``done`` gets what comes of it, perhaps at once.

        A name may lead to several addresses; those of the flows ``tried`` are passed over.
        """
        at_once = None if tried else self.flow_to(next_hop)
        if at_once is not None:
            done(at_once)
            return
        place = _place_of(next_hop)
        if isinstance(place, NoWay):
            done(place)
        elif place.literal is None:
            self._open_name(place, done, tried)
        elif tried:
            done(NoWay.UNREACHABLE)
        else:
            transport = place.transport or UDP
            self._open_at(Hop(transport, place.literal, place.port or transport.default_port), done)

    def _open_at(
        self, hop: Hop, done: Done, seconds: float = CONNECT_SECONDS, name: str | None = None
    ) -> None:
        endpoint = choose(self._candidates, hop.transport, hop.host)
        if endpoint is None or self._streams is None:
            done(NoWay.NOT_AVAILABLE)
        elif hop.transport.stream:
            self._streams.open(hop.host, hop.port, endpoint, done, seconds=seconds, name=name)
        else:
            done(self._udp[endpoint.host, endpoint.port].flow_to(hop.host, hop.port))

    def _open_name(self, place: _Place, done: Done, tried: Sequence[Flow]) -> None:
        if self._resolver is None or (place.transport is not None and not self._has(place.transport)):
            done(place.without)
            return
        passed = {(flow.transport, flow.remote_host, flow.remote_port) for flow in tried}

        def resolved(hops: Sequence[Hop]) -> None:
            there = [hop for hop in hops if choose(self._candidates, hop.transport, hop.host) is not None]
            if there:
                left = [hop for hop in there if (hop.transport, hop.host, hop.port) not in passed]
                self._open_first(left, NoWay.UNREACHABLE, done, place.host)
            else:
                done(NoWay.NOT_AVAILABLE if hops else NoWay.NAME_UNKNOWN)

        self._resolver.resolve(Question(place.host, place.port, place.transport), resolved)

    def _has(self, transport: Transport) -> bool:
        return any(one.endpoint.transport is transport for one in self._candidates)

    def _open_first(self, hops: Sequence[Hop], failure: NoWay, done: Done, name: str) -> None:
        """Give ``done`` the flow to the first of ``hops`` that takes one, or the reason why the last does not.

        ``name`` has led there.
        """
        if not hops:
            done(failure)
            return
        first, *others = hops

        def opened(outcome: Way) -> None:
            if isinstance(outcome, Flow):
                done(outcome)
            else:
                self._open_first(others, outcome, done, name)

        self._open_at(first, opened, SECONDS_BEFORE_OTHERS if others else CONNECT_SECONDS, name)

    def addresses(self, name: str, done: Callable[[Sequence[str]], None]) -> None:
        """Give ``done`` the literal addresses of ``name``, the best first, or none; a literal is its own."""
        literal = literal_address(name)
        if literal is not None:
            done((literal,))
        elif self._resolver is None:
            done(())
        else:
            self._resolver.resolve(
                Question(name, _ANY_PORT, None),
                lambda hops: done(tuple(dict.fromkeys([hop.host for hop in hops]))),
            )

    def servers(self, service: str, name: str, done: Callable[[Sequence[tuple[str, int]]], None]) -> None:
        """Give ``done`` where the SRV records of ``service`` lead, the best first, or nothing."""
        if self._resolver is None:
            done(())
        else:
            self._resolver.resolve(
                Question(name, None, None, service),
                lambda hops: done(tuple([(hop.host, hop.port) for hop in hops])),
            )

    def alive(self, flow: Flow) -> bool:
        """Whether the connection of ``flow`` still exists; always True for datagrams."""
        return not flow.connection or (self._streams is not None and self._streams.alive(flow))

    def close_after(self, most_unanswered: int) -> None:
        """So many requests in a row without an answer close a connection from now on; 0: never for that."""
        self._most_unanswered = most_unanswered
        if self._streams is not None:
            self._streams.most_unanswered = most_unanswered

    def bound(self, limits: LimitConfiguration, most_connections: int) -> None:
        """From now on these limits hold; ``most_connections`` may be open at a time."""
        if self._streams is not None:
            self._streams.bound(limits, most_connections)
        if self._resolver is not None:
            self._resolver.bound(limits)

    def stop_accepting(self) -> None:
        """Take no new connections: their ports are free at once. Those that there are stay, and so does UDP."""
        if self._streams is not None:
            self._streams.stop_accepting()

    def unanswered(self, connection: int) -> None:
        """A request over the connection with that number got no answer in time."""
        if self._streams is not None:
            self._streams.unanswered(connection)

    def send(self, data: str, flow: Flow) -> bool:
        """Send one SIP message (one character is one octet); False if the connection is gone."""
        if flow.connection:
            return self._streams is not None and self._streams.send(data, flow)
        local = flow.local
        transport = self._latest
        if transport is None or transport.endpoint is not local:
            transport = self._latest = self._udp.get((local.host, local.port))
        return transport is not None and transport.send(data, flow)

    async def stop(self) -> None:
        """Close everything; what was sent before is still written to its connections."""
        if self._resolver is not None:
            await self._resolver.stop()
        for transport in self._udp.values():
            transport.close()
        if self._streams is not None:
            await self._streams.stop()
        self._udp.clear()
        self._latest = None
        self._targets.clear()
        self._candidates.clear()
        self._streams = None
        self._resolver = None


class _Place(Struct, frozen=True):
    """What of a next hop says where it is."""

    host: str
    """in lower case, without brackets"""
    literal: str | None
    """``host`` in its one usual spelling if it is a literal address"""
    port: int | None
    transport: Transport | None
    without: NoWay
    """what it comes to if we have no such transport"""


_SECURED = {None: TLS, TCP: TLS, TLS: TLS, WS: WSS, WSS: WSS}
"""By which transport a ``sips`` URI leads, by what it names (:rfc:`3261#section-26.2.2`)."""


def _place_of(next_hop: str) -> _Place | NoWay:
    try:
        uri = parse_uri(next_hop)
    except UriError:
        return NoWay.INVALID_URI
    named = (uri.parameters.get("transport") or "").lower()
    transport = TRANSPORTS.get(named)
    without = NoWay.NOT_AVAILABLE
    if uri.scheme == "sips":
        transport = _SECURED.get(transport)
        without = NoWay.UNSUPPORTED_SCHEME
    if uri.scheme not in ("sip", "sips") or (transport is None and (named or uri.scheme == "sips")):
        return NoWay.NOT_AVAILABLE
    host = (uri.parameters.get("maddr") or uri.host).strip("[]").lower()
    return _Place(host, literal_address(host), uri.port, transport, without)


def _endpoint(bound: BoundSocket, contact: ContactConfiguration) -> Endpoint:
    advertised = bracketed(contact.external_ip or bound.host)
    user = f"{contact.user}@" if contact.user else ""
    uri = f"{contact.scheme}:{user}{advertised}:{bound.port}{bound.transport.uri_parameter}"
    return Endpoint(bound.transport, bound.host, bound.port, advertised, uri, contact.dns_names)


async def _resolve(name: str, port: int) -> list[str]:
    """The literal addresses of ``name``, IPv4 first; raises OSError if there is none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_DGRAM)
    hosts = dict.fromkeys(str(entry[4][0]) for entry in found)
    return sorted(hosts, key=lambda host: ":" in host)
