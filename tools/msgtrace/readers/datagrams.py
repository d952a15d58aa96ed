"""What a packet carries: the innermost UDP datagram or TCP segment, with the addresses that belong to it.

Looked through are Ethernet with VLAN tags, MPLS and PPPoE, Linux cooked captures, loopback and raw IP; IP in IP
(either version), GRE, VXLAN, GENEVE, GTP-U, L2TP and TZSP, in any order, and HEP. Fragments of IPv4 and IPv6
datagrams are put together.
What cannot be followed is counted by name.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv6Address

from msgspec import Struct

from msgtrace.readers import hep
from msgtrace.readers.pcap import Captured

_IPV4, _IPV6, _VLANS = 0x0800, 0x86DD, (0x8100, 0x88A8, 0x9100)
_PPPOE, _MPLS, _BRIDGED = 0x8864, (0x8847, 0x8848), 0x6558
_PPP = {0x21: _IPV4, 0x57: _IPV6}
_NOT_OURS = frozenset({0x0806, 0x8035, 0x88CC, 0x8863})
"""ARP, RARP, LLDP and PPPoE discovery: they never carry SIP"""
_TCP, _UDP, _IP_IN_IP, _IPV6_IN_IP, _GRE = 6, 17, 4, 41, 47
_EXTENSIONS = frozenset({0, 43, 60, 135, 139, 140})
_FRAGMENT, _AUTHENTICATION = 44, 51
_TUNNEL_PORTS = {4789: "vxlan", 8472: "vxlan", 6081: "geneve", 2152: "gtp", 1701: "l2tp", 37008: "tzsp"}
_MOST_LAYERS = 12
LONGEST = 30 * 10**9
"""nanoseconds that fragments wait for each other (RFC 1122 §3.3.2 has 60 s for hosts; nobody sends so late)"""
_MOST_DATAGRAMS = 2000
"""datagrams of which fragments are kept"""


class Datagram(Struct, frozen=True):
    """A UDP datagram or a TCP segment."""

    packet: int
    """number of the packet in which its end stands"""
    time: int
    """nanoseconds since 1970"""
    source: str
    """``192.0.2.9:5060`` or ``[2001:db8::9]:5060``"""
    target: str
    is_tcp: bool
    payload: bytes
    lacks: int = 0
    """octets that its end lacks"""
    why: str = ""
    """why it lacks them"""
    sequence: int = 0
    acknowledges: int = 0
    starts: bool = False
    ends: bool = False
    encapsulated: bool = False
    """a whole message, which an agent has taken out of its datagram or stream (HEP)"""


class Lost(Struct, frozen=True):
    """A datagram of which so little is there that it is not known what it carried."""

    packet: int
    time: int
    said: str


class _Pieces:
    """Fragments of one datagram."""

    __slots__ = ("first", "parts", "total")

    def __init__(self, first: Captured) -> None:
        self.first = first
        self.parts: dict[int, bytes] = {}
        self.total = -1

    def whole(self) -> tuple[bytes, int]:
        """What stands at the beginning without a gap, and how many octets lack behind it (at least one if the end
        is not known)."""
        data = b""
        while True:
            fitting = [
                part[len(data) - start :]
                for start, part in self.parts.items()
                if start <= len(data) < start + len(part)
            ]
            if not fitting:
                break
            data += max(fitting, key=len)
        return data, (self.total - len(data) if self.total >= 0 else 1)


class Dissector:
    """Takes packets of one capture and gives what they carry."""

    def __init__(self) -> None:
        self._fragments: dict[tuple[bytes, bytes, int, int], _Pieces] = {}
        self.unread: Counter[str] = Counter()
        """packets that could not be followed, by what they are"""

    def take(self, packet: Captured) -> Datagram | None:
        """What a packet carries; None if that is nothing, or is not yet complete."""
        kind, data = _link(packet.link, packet.data)
        if kind < 0:
            self.unread[f"link type {packet.link}"] += 1
            return None
        return self._network(packet, kind, data, packet.lacks, _MOST_LAYERS)

    @property
    def waiting(self) -> bool:
        """Whether fragments wait for others."""
        return bool(self._fragments)

    def late(self, now: int) -> Iterator[Datagram | Lost]:
        """The datagrams whose fragments have waited too long at ``now`` (nanoseconds)."""
        while self._fragments:
            key, pieces = next(iter(self._fragments.items()))
            if pieces.first.nanoseconds + LONGEST >= now and len(self._fragments) < _MOST_DATAGRAMS:
                break
            del self._fragments[key]
            yield from self._incomplete(key, pieces)

    def close(self) -> Iterator[Datagram | Lost]:
        """The datagrams of which fragments lack, as far as they go."""
        yield from self.late(1 << 63)

    def _incomplete(self, key: tuple[bytes, bytes, int, int], pieces: _Pieces) -> Iterator[Datagram | Lost]:
        data, lacks = pieces.whole()
        found = self._transport(
            pieces.first,
            key[0],
            key[1],
            protocol=key[3],
            data=data,
            lacks=lacks,
            layers=1,
            why="fragments of it lack",
        )
        if found is not None:
            yield found
        elif not data:
            number = len(pieces.parts)
            told = f"{number} fragments" if number != 1 else "1 fragment"
            ends = f"from {_host(key[0])} to {_host(key[1])}"
            yield Lost(
                pieces.first.number,
                pieces.first.nanoseconds,
                f"{told} of a datagram {ends} whose first is not in the capture",
            )

    def _network(self, packet: Captured, kind: int, data: bytes, lacks: int, layers: int) -> Datagram | None:
        """A frame of ethertype ``kind``."""
        while layers:
            layers -= 1
            if kind in _VLANS and len(data) >= 4:
                kind, data = int.from_bytes(data[2:4]), data[4:]
            elif kind == _PPPOE and len(data) >= 8:
                protocol = data[6] if data[6] & 1 else int.from_bytes(data[6:8])
                size = int.from_bytes(data[4:6])
                kind, data = _PPP.get(protocol, -1), data[7 if data[6] & 1 else 8 : 6 + size]
                if kind < 0:
                    return None  # LCP and its like
            elif kind in _MPLS and len(data) >= 4:
                last, data = data[2] & 1, data[4:]
                if last:
                    kind = {4: _IPV4, 6: _IPV6}.get(data[0] >> 4 if data else 0, _BRIDGED)
                    if data[:2] == b"\0\0" and int.from_bytes(data[16:18]) in (_IPV4, _IPV6, *_VLANS):
                        data = data[4:]  # a control word (RFC 4448 §4.6), not the Ethernet address 00:00:…
            elif kind == _BRIDGED and len(data) >= 14:
                kind, data = int.from_bytes(data[12:14]), data[14:]
            elif kind == _IPV4:
                return self._ipv4(packet, data, lacks, layers)
            elif kind == _IPV6:
                return self._ipv6(packet, data, lacks, layers)
            else:
                break
        if kind >= 0x600 and kind not in _NOT_OURS:
            self.unread[f"ethertype 0x{kind:04x}"] += 1
        return None

    def _ipv4(self, packet: Captured, data: bytes, lacks: int, layers: int) -> Datagram | None:
        if len(data) < 20:
            return None
        begin, total, protocol = (data[0] & 15) * 4, int.from_bytes(data[2:4]), data[9]
        source, target = data[12:16], data[16:20]
        place = int.from_bytes(data[6:8])
        if begin < 20:
            return None
        # 0 where the card of the sender does the segmentation; what is behind the length is padding.
        body = data[begin:total] if total else data[begin:]
        lacks = max(0, total - len(data)) if total else lacks
        offset, more = (place & 0x1FFF) * 8, bool(place & 0x2000)
        if offset or more:
            key = (source, target, int.from_bytes(data[4:6]), protocol)
            return self._fragment(packet, key, offset, more=more, body=body, lacks=lacks, layers=layers)
        return self._transport(
            packet, source, target, protocol=protocol, data=body, lacks=lacks, layers=layers
        )

    def _ipv6(self, packet: Captured, data: bytes, lacks: int, layers: int) -> Datagram | None:
        if len(data) < 40:
            return None
        total, following = int.from_bytes(data[4:6]), data[6]
        source, target = data[8:24], data[24:40]
        lacks = max(0, 40 + total - len(data)) if total else lacks
        data = data[40 : 40 + total] if total else data[40:]
        while len(data) >= 8:
            if following in _EXTENSIONS:
                following, data = data[0], data[8 + 8 * data[1] :]
            elif following == _AUTHENTICATION:
                following, data = data[0], data[8 + 4 * data[1] :]
            elif following == _FRAGMENT:
                place, identity = int.from_bytes(data[2:4]), int.from_bytes(data[4:8])
                if not place & ~6:  # one fragment that is the whole ("atomic", RFC 6946)
                    following, data = data[0], data[8:]
                    continue
                key = (source, target, identity, data[0])
                return self._fragment(
                    packet,
                    key,
                    place & 0xFFF8,
                    more=bool(place & 1),
                    body=data[8:],
                    lacks=lacks,
                    layers=layers,
                )
            else:
                break
        return self._transport(
            packet, source, target, protocol=following, data=data, lacks=lacks, layers=layers
        )

    def _fragment(
        self,
        packet: Captured,
        key: tuple[bytes, bytes, int, int],
        offset: int,
        *,
        more: bool,
        body: bytes,
        lacks: int,
        layers: int,
    ) -> Datagram | None:
        pieces = self._fragments.get(key)
        if pieces is None:
            pieces = self._fragments[key] = _Pieces(packet)
        if body:
            pieces.parts[offset] = max(body, pieces.parts.get(offset, b""), key=len)
        if not more:
            pieces.total = offset + len(body) + lacks
        data, lacking = pieces.whole()
        if lacking:
            return None
        del self._fragments[key]
        return self._transport(packet, key[0], key[1], protocol=key[3], data=data, lacks=0, layers=layers)

    def _transport(
        self,
        packet: Captured,
        source: bytes,
        target: bytes,
        *,
        protocol: int,
        data: bytes,
        lacks: int,
        layers: int,
        why: str = "cut by the capture",
    ) -> Datagram | None:
        if protocol == _UDP and len(data) >= 8:
            sport, dport, size = struct.unpack_from(">HHH", data)
            payload = data[8:size] if size >= 8 else data[8:]
            missing = max(0, size - len(data)) if size >= 8 else lacks
            inner = _tunnelled(_TUNNEL_PORTS.get(dport) or _TUNNEL_PORTS.get(sport) or "", payload)
            if inner is not None and layers:
                return self._network(packet, *inner, missing, layers)
            found = hep.parse(payload) if not missing else None
            if found is not None:
                return Datagram(
                    packet.number,
                    found.nanoseconds or packet.nanoseconds,
                    found.source,
                    found.target,
                    found.is_tcp,
                    found.payload,
                    encapsulated=True,
                )
            return Datagram(
                packet.number,
                packet.nanoseconds,
                _address(source, sport),
                _address(target, dport),
                False,
                payload,
                missing,
                why if missing else "",
            )
        if protocol == _TCP and len(data) >= 20:
            sport, dport, sequence, acknowledged, begin, flags = struct.unpack_from(">HHIIBB", data)
            return Datagram(
                packet.number,
                packet.nanoseconds,
                _address(source, sport),
                _address(target, dport),
                True,
                data[(begin >> 4) * 4 :],
                lacks,
                why if lacks else "",
                sequence,
                acknowledged if flags & 16 else 0,
                bool(flags & 2),
                bool(flags & 5),
            )
        if not layers:
            return None
        if protocol in (_IP_IN_IP, _IPV6_IN_IP):
            return self._network(packet, _IPV4 if protocol == _IP_IN_IP else _IPV6, data, lacks, layers)
        if protocol == _GRE and len(data) >= 4:
            flags, kind = struct.unpack_from(">HH", data)
            size = 4 + 4 * bool(flags & 0xC000) + 4 * bool(flags & 0x2000) + 4 * bool(flags & 0x1000)
            if kind == 0x880B:  # PPP in GRE (PPTP): an acknowledgment may follow, then PPP
                size += 4 * bool(flags & 0x0080)
                kind, body = _point_to_point(data[size:])
                return self._network(packet, kind, body, lacks, layers)
            if kind in (0x88BE, 0x22EB):  # ERSPAN: type I has no header, II has 8 octets, III 12 or 20
                size += (0 if not flags & 0x1000 else 8) if kind == 0x88BE else 12
                kind = _BRIDGED
            return self._network(packet, kind, data[size:], lacks, layers)
        if protocol == 50:
            self.unread["ESP, which is encrypted"] += 1
        return None


def _link(link: int, data: bytes) -> tuple[int, bytes]:
    """Ethertype and what follows it; -1 for a link type that is not known."""
    match link:
        case 1 if len(data) >= 14:
            return int.from_bytes(data[12:14]), data[14:]
        case 113 if len(data) >= 16:  # Linux cooked
            return int.from_bytes(data[14:16]), data[16:]
        case 276 if len(data) >= 20:  # the same, version 2
            return int.from_bytes(data[0:2]), data[20:]
        case 0 | 108 if len(data) >= 4:  # BSD loopback: the address family in somebody's byte order
            family = max(data[0], data[3]) if data[:4].count(0) == 3 else 0
            return {2: _IPV4}.get(family, _IPV6), data[4:]
        case 12 | 14 | 101 | 228 | 229 if data:
            return {4: _IPV4, 6: _IPV6}.get(data[0] >> 4, 0), data
        case 9 if len(data) >= 4:  # PPP
            data = data.removeprefix(b"\xff\x03")
            return _PPP.get(int.from_bytes(data[:2]), 0), data[2:]
        case 1 | 113 | 276 | 0 | 108 | 12 | 14 | 101 | 228 | 229 | 9:
            return 0, b""
        case _:
            return -1, b""


def _tunnelled(kind: str, payload: bytes) -> tuple[int, bytes] | None:
    """Ethertype and octets of what a datagram to a tunnel's port carries; None if it is no tunnel's."""
    if kind == "vxlan" and len(payload) >= 8 and payload[0] & 0x08 and not payload[7]:
        if payload[0] & 0x04:  # the generic extension names what follows
            return {1: _IPV4, 2: _IPV6}.get(payload[3], _BRIDGED), payload[8:]
        return _BRIDGED, payload[8:]
    if kind == "geneve" and len(payload) >= 8 and payload[0] >> 6 == 0:
        return int.from_bytes(payload[2:4]), payload[8 + 4 * (payload[0] & 0x3F) :]
    if kind == "gtp" and len(payload) >= 8 and payload[0] >> 5 == 1 and payload[1] == 255:
        body = payload[8:]
        if payload[0] & 7:  # sequence number, N-PDU number, next extension header (3GPP TS 29.281 §5.1)
            extension, body = body[3] if len(body) > 3 else 0, body[4:]
            while extension and body and body[0]:
                size = 4 * body[0]
                extension, body = body[size - 1] if len(body) >= size else 0, body[size:]
        version = body[0] >> 4 if body else 0
        if version in (4, 6):
            return (_IPV4 if version == 4 else _IPV6), body
    if (
        kind == "l2tp" and len(payload) >= 6 and payload[0] & 0x80 == 0 and payload[1] & 15 == 2
    ):  # RFC 2661 §3.1
        begin = 6 + 2 * bool(payload[0] & 0x40) + 4 * bool(payload[0] & 0x08)
        if payload[0] & 0x02:
            begin += 2 + int.from_bytes(payload[begin : begin + 2])
        return _point_to_point(payload[begin:])
    if kind == "tzsp" and payload[:2] in (b"\1\0", b"\1\1") and payload[2:4] == b"\0\1":
        begin = 4
        while begin < len(payload) and payload[begin] != 1:  # a tag; 0 is padding, 1 the last one
            begin += 2 + int.from_bytes(payload[begin + 1 : begin + 2]) if payload[begin] else 1
        return _BRIDGED, payload[begin + 1 :]
    return None


def _point_to_point(frame: bytes) -> tuple[int, bytes]:
    """Ethertype and octets of what a PPP frame carries; its protocol may stand in one octet."""
    body = frame.removeprefix(b"\xff\x03")
    size = 1 if body and body[0] & 1 else 2
    return _PPP.get(int.from_bytes(body[:size]), -1), body[size:]


def _host(host: bytes) -> str:
    return f"{host[0]}.{host[1]}.{host[2]}.{host[3]}" if len(host) == 4 else f"[{IPv6Address(host)}]"


def _address(host: bytes, port: int) -> str:
    return f"{_host(host)}:{port}"
