"""The SIP network of a server: all its transports behind the one port of core/ports.py."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence

from reference_server.config.model import ContactConfiguration
from reference_server.core.ports import Endpoint, Flow, SipUser
from reference_server.net.locate.dns import Dns, Nameserver
from reference_server.net.locate.hosts import HostsFile
from reference_server.net.locate.resolver import Hop, Question, Resolver
from reference_server.net.locate.selection import Candidate, candidate, choose
from reference_server.net.sockets.binding import (
    BoundSocket,
    TransportError,
    bind_sockets,
    bracketed,
    hostport,
    literal_address,
)
from reference_server.net.sockets.interfaces import local_addresses
from reference_server.net.streams import CONNECT_SECONDS, MOST_CONNECTIONS, TcpConnections
from reference_server.net.udp import UdpTransport
from reference_server.sip.messages.uri import DEFAULT_PORT, UriError, parse_uri
from reference_server.turn import Turn

_LOG = logging.getLogger(__name__)

NOT_AVAILABLE = "requested protocol/transport not available"
DNS_ERROR = "DNS Error"
UNREACHABLE = "Service Unavailable"

SECONDS_BEFORE_OTHERS = 4.0
"""How long a connection may take to be made while a name has further addresses."""

_TRANSPORTS = ("udp", "tcp")
"""What we can speak, in the order of preference where the DNS leaves it to us."""
_TARGETS_KEPT = 10_000
_LONGEST_TARGET_KEPT = 300

Done = Callable[[Flow | str], None]


class Network:
    """Implements :class:`reference_server.core.ports.SipNetwork` on real sockets of the running loop."""

    def __init__(
        self,
        warn: Callable[[str], None] = _LOG.warning,
        *,
        most_connections: int = MOST_CONNECTIONS,
        nameserver: Nameserver | None = None,
        hosts: HostsFile | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        turn: Turn | None = None,
    ) -> None:
        """``warn`` gets one line for each message that cannot be sent and each connection that is given up.

        ``most_connections`` is how many TCP connections may be open at a time. Names are looked up in ``hosts``
        (``/etc/hosts``) and by ``nameserver`` (those of ``/etc/resolv.conf``); ``monotonic`` is the clock, in seconds,
        by which what the DNS says grows old. What is sent leaves at the end of ``turn``.
        """
        self._warn = warn
        self._most_connections = most_connections
        self._nameserver = nameserver
        self._hosts = hosts or HostsFile()
        self._monotonic = monotonic
        self._turn = turn
        self._candidates: list[Candidate] = []
        self._udp: dict[tuple[str, int], UdpTransport] = {}  # by address: quicker to hash than an Endpoint
        self._latest: UdpTransport | None = None  # the one that sent last: many servers have no other
        self._tcp: TcpConnections | None = None
        self._resolver: Resolver | None = None
        self._targets: dict[str, Flow] = {}  # what next hops with literal addresses led to, UDP only

    async def start(self, contacts: Sequence[ContactConfiguration], user: SipUser) -> None:
        """Listen on every contact; ``user`` gets each message from then on.

        Raises :class:`TransportError` for the first address that cannot be had; nothing listens then.
        """
        tcp = self._tcp = TcpConnections(
            user.receive, self._warn, self._most_connections, user.connection_lost, self._turn
        )
        bound: list[BoundSocket] = []
        try:
            for contact in contacts:
                bound = await self._bind(contact)
                while bound:
                    one = bound[0]
                    endpoint = _endpoint(one, contact)
                    self._candidates.append(candidate(endpoint, contact.local_net, contact.external_ip))
                    if one.transport == "udp":
                        self._udp[endpoint.host, endpoint.port] = UdpTransport(
                            one.socket, endpoint, user.receive, self._warn, user.undelivered, self._turn
                        )
                    else:
                        await tcp.listen(one.socket, endpoint)
                    del bound[0]
        except BaseException:
            for one in bound:
                one.socket.close()
            await self.stop()
            raise
        ours = [one.endpoint for one in self._candidates]
        self._resolver = Resolver(
            [transport for transport in _TRANSPORTS if any(one.transport == transport for one in ours)],
            sorted({":" in one.host for one in ours}),
            Dns(self._nameserver),
            self._hosts,
            self._monotonic,
            self._warn,
        )

    async def _bind(self, contact: ContactConfiguration) -> list[BoundSocket]:
        port = DEFAULT_PORT if contact.port is None else contact.port
        if contact.scheme != "sip":
            raise TransportError(contact.scheme, contact.host, port, "only sip: is supported, not sips:")
        for transport in contact.transports:
            if transport not in _TRANSPORTS:
                raise TransportError(transport, contact.host, port, "only udp and tcp are supported")
        return bind_sockets(await self._addresses(contact.host, port), contact.transports, port)

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
        return [hostport(e.transport, e.host, e.port) for e in self.endpoints()]

    def connections(self) -> int:
        """How many TCP connections are open."""
        return 0 if self._tcp is None else len(self._tcp)

    def open(self, next_hop: str, done: Done, tried: Sequence[Flow] = ()) -> None:
        """Resolve the SIP URI ``next_hop`` and connect to it; ``done`` gets the flow, or the error's text.

        A name may lead to several addresses; those of the flows ``tried`` are passed over. For a literal address
        over UDP, over a connection that exists, or an error in the URI, ``done`` is called before this returns.
        Error texts: ``requested protocol/transport not available``, ``DNS Error``, ``Service Unavailable`` (refused,
        unreachable, or all addresses tried), ``Request Timeout``, or what is wrong with the URI.
        """
        flow = self._targets.get(next_hop)
        if flow is not None:
            done(UNREACHABLE if tried else flow)
            return
        try:
            uri = parse_uri(next_hop)
        except UriError as error:
            done(str(error))
            return
        named = (uri.parameters.get("transport") or "").lower()
        if uri.scheme != "sip" or (named and named not in _TRANSPORTS):
            done(NOT_AVAILABLE)
            return
        host = (uri.parameters.get("maddr") or uri.host).strip("[]")
        port = uri.port or DEFAULT_PORT
        literal = literal_address(host)
        if literal is None:
            self._open_name(Question(host.lower(), uri.port, named or None), done, tried)
        elif tried:
            done(UNREACHABLE)
        elif named in ("", "udp"):
            flow_or_error = self._open_udp(literal, port)
            if isinstance(flow_or_error, Flow) and len(next_hop) <= _LONGEST_TARGET_KEPT:
                if len(self._targets) >= _TARGETS_KEPT:
                    self._targets.clear()
                self._targets[next_hop] = flow_or_error
            done(flow_or_error)
        else:
            self._open_tcp(literal, port, done)

    def _open_udp(self, host: str, port: int) -> Flow | str:
        endpoint = choose(self._candidates, "udp", host)
        return (
            NOT_AVAILABLE if endpoint is None else self._udp[endpoint.host, endpoint.port].flow_to(host, port)
        )

    def _open_tcp(self, host: str, port: int, done: Done, seconds: float = CONNECT_SECONDS) -> None:
        endpoint = choose(self._candidates, "tcp", host)
        if endpoint is None or self._tcp is None:
            done(NOT_AVAILABLE)
        else:
            self._tcp.open(host, port, endpoint, done, seconds)

    def _open_name(self, question: Question, done: Done, tried: Sequence[Flow]) -> None:
        if self._resolver is None:
            done(NOT_AVAILABLE)
            return
        passed = {(flow.transport, flow.remote_host, flow.remote_port) for flow in tried}

        def resolved(hops: Sequence[Hop]) -> None:
            there = [hop for hop in hops if choose(self._candidates, hop.transport, hop.host) is not None]
            if there:
                left = [hop for hop in there if (hop.transport, hop.host, hop.port) not in passed]
                self._open_first(left, UNREACHABLE, done)
            else:
                done(NOT_AVAILABLE if hops else DNS_ERROR)

        self._resolver.resolve(question, resolved)

    def _open_first(self, hops: Sequence[Hop], failure: str, done: Done) -> None:
        """Give ``done`` the flow to the first of ``hops`` that takes one, or the reason why the last does not."""
        if not hops:
            done(failure)
            return
        first, *others = hops

        def opened(outcome: Flow | str) -> None:
            if isinstance(outcome, Flow):
                done(outcome)
            else:
                self._open_first(others, outcome, done)

        if first.transport == "udp":
            opened(self._open_udp(first.host, first.port))
        else:
            self._open_tcp(
                first.host, first.port, opened, SECONDS_BEFORE_OTHERS if others else CONNECT_SECONDS
            )

    def alive(self, flow: Flow) -> bool:
        """Whether the connection of ``flow`` still exists; always True for datagrams."""
        return not flow.connection or (self._tcp is not None and self._tcp.alive(flow))

    def send(self, data: str, flow: Flow) -> bool:
        """Send one SIP message (one character is one octet); False if the connection is gone."""
        if flow.connection:
            return self._tcp is not None and self._tcp.send(data, flow)
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
        if self._tcp is not None:
            await self._tcp.stop()
        self._udp.clear()
        self._latest = None
        self._targets.clear()
        self._candidates.clear()
        self._tcp = None
        self._resolver = None


def _endpoint(bound: BoundSocket, contact: ContactConfiguration) -> Endpoint:
    advertised = bracketed(contact.external_ip or bound.host)
    user = f"{contact.user}@" if contact.user else ""
    parameter = "" if bound.transport == "udp" else f";transport={bound.transport}"
    uri = f"sip:{user}{advertised}:{bound.port}{parameter}"
    return Endpoint(bound.transport, bound.host, bound.port, advertised, uri, contact.dns_names)


async def _resolve(name: str, port: int) -> list[str]:
    """The literal addresses of ``name``, IPv4 first; raises OSError if there is none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_DGRAM)
    hosts = dict.fromkeys(str(entry[4][0]) for entry in found)
    return sorted(hosts, key=lambda host: ":" in host)
