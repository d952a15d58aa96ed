"""Messages of a recording as a packet capture that Wireshark opens: SIP over UDP or TCP, the admin protocol over TCP.

What a recording does not tell of addresses is made up: the documentation addresses 192.0.2.0/24 (RFC 5737), port 9022
for the admin protocol. Checksums are right, so that nothing is marked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address

from msgtrace.answers import Shown, seconds
from msgtrace.entries import EntryKind

SERVER, APPLICATION = ("192.0.2.1", 5060), ("192.0.2.30", 40000)
ADMIN_PORT = 9022
_DAY = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
"""where the recording has no date"""
_LARGEST = 1400
"""octets of a segment"""
_ETHERNET = bytes(6) + b"\0\0\0\0\0\1"

End = tuple[str, int]


def capture(items: Iterable[Shown]) -> Iterator[bytes]:
    """The file in pieces."""
    yield struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    sent: dict[tuple[End, End], int] = {}  # octets that one end of a connection has sent to the other
    last = 0.0
    for item in items:
        entry = item.entry
        if entry.kind not in (EntryKind.FRAME, EntryKind.SIP):
            continue
        last = _moment(entry.time or (item.message.get("time") if item.message else ""), last)
        source, target, is_tcp = _ends(item)
        payload = entry.data.encode("latin-1")
        if entry.kind is EntryKind.FRAME:
            payload = b"%d#%s" % (len(payload), payload)
        if not is_tcp and len(payload) <= 65000:
            yield _record(last, _ip(source, target, 17, _udp(source, target, payload)))
            continue
        for begin in range(0, len(payload), _LARGEST):
            piece = payload[begin : begin + _LARGEST]
            number = sent.get((source, target), 0)
            sent[source, target] = number + len(piece)
            segment = _tcp(source, target, number + 1, sent.get((target, source), 0) + 1, piece)
            yield _record(last, _ip(source, target, 6, segment))


def _moment(clock: str, last: float) -> float:
    """Seconds since 1970; that of the message before where a recording has none."""
    second = seconds(clock)
    if second is None:
        return last or float(_DAY)
    if clock[4:5] == "-":
        try:
            day = datetime.fromisoformat(clock[:10]).replace(tzinfo=UTC).timestamp()
        except ValueError:
            day = float(_DAY)
        return day + second
    return _DAY + second


def _ends(item: Shown) -> tuple[End, End, bool]:
    entry = item.entry
    if entry.kind is EntryKind.FRAME:
        number = int(entry.connection) if entry.connection.isdecimal() else 1
        application, server = (APPLICATION[0], APPLICATION[1] + number % 20000), (SERVER[0], ADMIN_PORT)
        return (server, application, True) if item.from_server else (application, server, True)
    transport = (entry.source or entry.target or entry.peer).partition("/")[0]
    source, target = _end(entry.source), _end(entry.target)
    if entry.from_server is None:
        return source or APPLICATION, target or SERVER, transport not in ("udp", "")
    peer = _end(entry.peer) or APPLICATION
    ends = (source or SERVER, target or peer) if entry.from_server else (source or peer, target or SERVER)
    if (":" in ends[0][0]) is not (":" in ends[1][0]):  # the recording has one address, and it is of IPv6
        ends = tuple(one if ":" in one[0] else ("2001:db8::1", one[1]) for one in ends)  # type: ignore[assignment]
    return *ends, transport not in ("udp", "")


def _end(place: str) -> End | None:
    host, _, port = place.partition("/")[2].rpartition(":")
    host = host.strip("[]")
    try:
        ip_address(host)
    except ValueError:
        return None
    return (host, int(port)) if port.isdecimal() and int(port) < 65536 else None


def _record(at: float, packet: bytes) -> bytes:
    microseconds = round(at * 1_000_000)
    head = struct.pack("<IIII", microseconds // 1_000_000, microseconds % 1_000_000, len(packet), len(packet))
    return head + packet


def _ip(source: End, target: End, protocol: int, body: bytes) -> bytes:
    begin, end = ip_address(source[0]).packed, ip_address(target[0]).packed
    if len(begin) == 16:
        head = struct.pack(">IHBB", 6 << 28, len(body), protocol, 64)
        return _ETHERNET + b"\x86\xdd" + head + begin + end + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0) + begin + end
    return _ETHERNET + b"\x08\0" + head[:10] + struct.pack(">H", _checksum(head)) + head[12:] + body


def _udp(source: End, target: End, payload: bytes) -> bytes:
    head = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0)
    total = _checksum(_pseudo_header(source, target, 17, len(head) + len(payload)) + head + payload)
    return head[:6] + struct.pack(">H", total or 0xFFFF) + payload


def _tcp(source: End, target: End, sequence: int, acknowledged: int, payload: bytes) -> bytes:
    numbers = (sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF)
    head = struct.pack(">HHIIBBHHH", source[1], target[1], *numbers, 0x50, 0x18, 65535, 0, 0)
    total = _checksum(_pseudo_header(source, target, 6, len(head) + len(payload)) + head + payload)
    return head[:16] + struct.pack(">H", total) + head[18:] + payload


def _pseudo_header(source: End, target: End, protocol: int, size: int) -> bytes:
    begin, end = ip_address(source[0]).packed, ip_address(target[0]).packed
    return begin + end + struct.pack(">II", size, protocol)


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
