"""The transports of SIP, each a value that knows what matters of it (RFC 3261 §18, RFC 7118 for WebSocket).

What a transaction, a Via, a name or a frame of the admin protocol has to know of a transport is asked of these values,
so that nothing compares names.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

LARGEST_DATAGRAM: Final = 65_507
"""Octets that UDP carries over IPv4: 65,535 less the headers of IPv4 and UDP."""


class Transport(Struct, frozen=True, kw_only=True):
    """One way in which SIP messages travel."""

    name: str
    """in lower case, as URIs and the admin protocol have it"""
    token: str
    """in the frames of the admin protocol; the genuine server calls WebSocket ``tcp`` there (SIP-1)"""
    via_token: str
    """the transport of a Via (RFC 3261 §20.42)"""
    stream: bool
    """messages come over connections, which are framed and may be lost"""
    secure: bool
    """encrypted, so that a ``sips`` URI may lead to it"""
    default_port: int
    """where a URI or a Via names none (RFC 3261 §19.1.2, §18.2.2)"""
    naptr: str = ""
    """the service field of its NAPTR records (RFC 3263 §4.1); empty if there is none"""
    srv: str = ""
    """what stands before the domain in the name of its SRV records (RFC 3263 §4.2); empty if there is none"""

    @property
    def reliable(self) -> bool:
        """Whether nothing has to be repeated (RFC 3261 §17.1.1.2)."""
        return self.stream

    @property
    def echo_shows_local(self) -> bool:
        """The echo of a request names our own address, not the far end's: over UDP (OUT-2, DLG-5)."""
        return not self.stream

    @property
    def uri_parameter(self) -> str:
        """What a SIP URI that leads here says of it; nothing where it is what a URI means without."""
        return "" if self is UDP else f";transport={self.name}"

    def __str__(self) -> str:
        """The name."""
        return self.name


UDP: Final = Transport(
    name="udp",
    token="udp",
    via_token="UDP",
    stream=False,
    secure=False,
    default_port=5060,
    naptr="SIP+D2U",
    srv="_sip._udp",
)
TCP: Final = Transport(
    name="tcp",
    token="tcp",
    via_token="TCP",
    stream=True,
    secure=False,
    default_port=5060,
    naptr="SIP+D2T",
    srv="_sip._tcp",
)
TLS: Final = Transport(
    name="tls",
    token="tls",
    via_token="TLS",
    stream=True,
    secure=True,
    default_port=5061,
    naptr="SIPS+D2T",
    srv="_sips._tcp",
)
WS: Final = Transport(name="ws", token="tcp", via_token="WS", stream=True, secure=False, default_port=80)
WSS: Final = Transport(name="wss", token="tcp", via_token="WSS", stream=True, secure=True, default_port=443)
NOWHERE: Final = Transport(
    name="unknown", token="unknown", via_token="UDP", stream=False, secure=False, default_port=5060
)
"""Of what could not be sent: the echo of such a request says so (OUT-6)."""

TRANSPORTS: Final = {one.name: one for one in (UDP, TCP, TLS, WS, WSS)}
"""By name."""
