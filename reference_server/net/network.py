"""The SIP network of a server: all its transports behind the one port of calls/ports.py."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence

from reference_server.calls.ports import Endpoint, Flow, SipUser
from reference_server.config.model import ContactConfiguration
from reference_server.net.binding import (
    BoundSocket,
    TransportError,
    bind_sockets,
    bracketed,
    family_of,
    hostport,
)
from reference_server.net.interfaces import local_addresses
from reference_server.net.selection import Candidate, candidate, choose
from reference_server.net.tcp import MOST_CONNECTIONS, TcpConnections
from reference_server.net.udp import UdpTransport
from reference_server.sip.uri import UriError, parse_uri

_LOG = logging.getLogger(__name__)

NOT_AVAILABLE = "requested protocol/transport not available"
DNS_ERROR = "DNS Error"
UNREACHABLE = "Service Unavailable"

_TRANSPORTS = ("udp", "tcp")
_DEFAULT_PORT = 5060
_TARGETS_KEPT = 10_000
_LONGEST_TARGET_KEPT = 300

Done = Callable[[Flow | str], None]


class Network:
    """Implements :class:`reference_server.calls.ports.SipNetwork` on real sockets of the running loop."""

    def __init__(
        self, warn: Callable[[str], None] = _LOG.warning, *, most_connections: int = MOST_CONNECTIONS
    ) -> None:
        """``warn`` gets one line for each message that cannot be sent and each connection that is given up.

        ``most_connections`` is how many TCP connections may be open at a time.
        """
        self._warn = warn
        self._most_connections = most_connections
        self._candidates: list[Candidate] = []
        self._udp: dict[tuple[str, int], UdpTransport] = {}  # by address: quicker to hash than an Endpoint
        self._tcp: TcpConnections | None = None
        self._targets: dict[str, Flow] = {}  # what next hops with literal addresses led to, UDP only
        self._resolving: set[asyncio.Task[None]] = set()

    async def start(self, contacts: Sequence[ContactConfiguration], user: SipUser) -> None:
        """Listen on every contact; ``user`` gets each message from then on.

        Raises :class:`TransportError` for the first address that cannot be had; nothing listens then.
        """
        tcp = self._tcp = TcpConnections(
            user.receive, self._warn, self._most_connections, user.connection_lost
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
                            one.socket, endpoint, user.receive, self._warn, user.undelivered
                        )
                    else:
                        await tcp.listen(one.socket, endpoint)
                    del bound[0]
        except BaseException:
            for one in bound:
                one.socket.close()
            await self.stop()
            raise

    async def _bind(self, contact: ContactConfiguration) -> list[BoundSocket]:
        port = _DEFAULT_PORT if contact.port is None else contact.port
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
        if (literal := _literal(host)) is not None:
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
        transport = (uri.parameters.get("transport") or "udp").lower()
        if uri.scheme != "sip" or transport not in _TRANSPORTS:
            done(NOT_AVAILABLE)
            return
        host = (uri.parameters.get("maddr") or uri.host).strip("[]")
        port = uri.port or _DEFAULT_PORT
        literal = _literal(host)
        if literal is None:
            task = asyncio.get_running_loop().create_task(self._open_name(transport, host, port, done))
            self._resolving.add(task)
            task.add_done_callback(self._resolving.discard)
        elif transport == "udp":
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

    def _open_tcp(self, host: str, port: int, done: Done) -> None:
        endpoint = choose(self._candidates, "tcp", host)
        if endpoint is None or self._tcp is None:
            done(NOT_AVAILABLE)
        else:
            self._tcp.open(host, port, endpoint, done)

    async def _open_name(self, transport: str, name: str, port: int, done: Done) -> None:
        try:
            found = await _resolve(name, port)
        except (OSError, UnicodeError):
            done(DNS_ERROR)
            return
        host = next((host for host in found if choose(self._candidates, transport, host) is not None), None)
        if host is None:
            done(NOT_AVAILABLE)
        elif transport == "udp":
            done(self._open_udp(host, port))
        else:
            self._open_tcp(host, port, done)

    def alive(self, flow: Flow) -> bool:
        """Whether the connection of ``flow`` still exists; always True for datagrams."""
        return not flow.connection or (self._tcp is not None and self._tcp.alive(flow))

    def send(self, data: str, flow: Flow) -> bool:
        """Send one SIP message (one character is one octet); False if the connection is gone."""
        if flow.connection:
            return self._tcp is not None and self._tcp.send(data, flow)
        local = flow.local
        transport = self._udp.get((local.host, local.port))
        return transport is not None and transport.send(data, flow)

    async def stop(self) -> None:
        """Close everything; what was sent before is still written to its connections."""
        resolving = list(self._resolving)
        for task in resolving:
            task.cancel()
        for transport in self._udp.values():
            transport.close()
        if self._tcp is not None:
            await self._tcp.stop()
        await asyncio.gather(*resolving, return_exceptions=True)
        self._udp.clear()
        self._targets.clear()
        self._candidates.clear()
        self._tcp = None


def _endpoint(bound: BoundSocket, contact: ContactConfiguration) -> Endpoint:
    advertised = bracketed(contact.external_ip or bound.host)
    user = f"{contact.user}@" if contact.user else ""
    parameter = "" if bound.transport == "udp" else f";transport={bound.transport}"
    uri = f"sip:{user}{advertised}:{bound.port}{parameter}"
    return Endpoint(bound.transport, bound.host, bound.port, advertised, uri, contact.dns_names)


def _literal(host: str) -> str | None:
    """A literal address in its one usual spelling, or None for a name."""
    try:
        family = family_of(host)
        return socket.inet_ntop(family, socket.inet_pton(family, host))
    except (OSError, ValueError):
        return None


async def _resolve(name: str, port: int) -> list[str]:
    """The literal addresses of ``name``, IPv4 first; raises OSError if there is none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_DGRAM)
    hosts = dict.fromkeys(str(entry[4][0]) for entry in found)
    return sorted(hosts, key=lambda host: ":" in host)
