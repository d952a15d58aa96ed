"""The SIP peers of telephones that stand alone: one that has dialled a URI, and one that listens."""

from __future__ import annotations

import re
import socket

from msgspec import Struct

from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import Arrived, StreamEndpoint, UdpEndpoint
from drachtio_conformance.peers.transports import DEFAULT_PORTS, SECURE, TRANSPORTS
from drachtio_conformance.peers.variables import Variables

NAME = "phone"
"""the lifeline of the telephone"""
_LONGEST = 5.0
"""seconds that a connection may take to be made"""
_NOWHERE = ("127.0.0.1", 9)
_SECURED = {"": "tls", "tcp": "tls", "ws": "wss"}
"""what a sips URI means by a transport (RFC 3261 §26.2.2)"""
_URI = re.compile(
    r"(?P<scheme>(?i:sips?)):(?:[^@]*@)?"
    r"(?P<host>\[[0-9a-fA-F:]+\]|[^:;?@\[\]]+)(?::(?P<port>\d{1,5}))?(?P<parameters>(?:;[^?]*)?)(?:\?.*)?"
)


class CallError(ValueError):
    """The call cannot be placed as it was asked for; the message says why."""


class Destination(Struct, frozen=True):
    """Where a URI leads."""

    host: str
    """literal address"""
    port: int
    transport: str

    @property
    def address(self) -> str:
        """HOST:PORT"""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def destination(uri: str, transport: str = "") -> Destination:
    """Where to send what is for a URI; no ``transport``: the URI's, else udp, or tls for sips. Raises CallError."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise CallError(f"expected a SIP URI like sip:bob@127.0.0.1:5060, got '{uri}'")
    parameter = re.search(r";transport=(\w+)", match["parameters"], re.IGNORECASE)
    transport = transport or (parameter[1].lower() if parameter else "")
    if match["scheme"].lower() == "sips":
        transport = _SECURED.get(transport, transport)
        if transport not in SECURE:
            raise CallError(f"sips goes by tls or wss, not by {transport}: try sip:, got '{uri}'")
    transport = transport or "udp"
    if transport not in TRANSPORTS:
        raise CallError(f"expected a transport of {', '.join(TRANSPORTS)}, got '{transport}'")
    host = match["host"].strip("[]")
    port = int(match["port"] or DEFAULT_PORTS[transport])
    if not 0 < port < 65536:
        raise CallError(f"expected a port from 1 to 65535, got {port}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise CallError(f"cannot resolve {host}: {error.strerror}") from None
    return Destination(str(found[0][4][0]), port, transport)


async def dialled(where: Destination, recorder: Recorder, *, patience: float) -> SipPeer:
    """A peer that sends to that place; a connection is made at once. Raises CallError, ConnectFailed."""
    local, server = _local_address(where.host, where.port), (where.host, where.port)
    endpoint: UdpEndpoint | StreamEndpoint
    if where.transport == "udp":
        endpoint = udp = UdpEndpoint(server, _recorded(recorder))
        await udp.open(local)
        udp.hear_of_closed_ports()
    else:
        endpoint = stream = StreamEndpoint(server, _recorded(recorder), transport=where.transport)
        await stream.open(local, seconds=min(patience, _LONGEST))
    return SipPeer(
        NAME,
        where.transport,
        local,
        endpoint=endpoint,
        server=where.address,
        recorder=recorder,
        variables=Variables(),
    )


async def listening(transport: str, recorder: Recorder, *, host: str, port: int = 0) -> SipPeer:
    """A peer that takes what comes, at a port, by default a free one. Raises ConnectFailed."""
    endpoint: UdpEndpoint | StreamEndpoint
    if transport == "udp":
        endpoint = udp = UdpEndpoint(_NOWHERE, _recorded(recorder))
        await udp.open(host, port)
    else:
        endpoint = stream = StreamEndpoint(_NOWHERE, _recorded(recorder), transport=transport)
        await stream.listen(host, port)
    return SipPeer(
        NAME, transport, host, endpoint=endpoint, server="", recorder=recorder, variables=Variables()
    )


def uri_of(peer: SipPeer) -> str:
    """By which a peer is called."""
    suffix = "" if peer.transport == "udp" else f";transport={peer.transport}"
    return f"sip:{peer.name}@{peer.address}{suffix}"


def _recorded(recorder: Recorder) -> Arrived:
    def arrived(raw: str) -> None:
        recorder.sip(NAME, raw, from_server=True)

    return arrived


def _local_address(host: str, port: int) -> str:
    """The address from which ``host`` is reached; sends nothing. Raises CallError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, port))
            return str(probe.getsockname()[0])
    except OSError as error:
        raise CallError(f"no way to {host}: {error.strerror}") from None
