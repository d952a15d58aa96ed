"""HEP, the Homer Encapsulation Protocol (versions 1, 2 and 3): SIP messages with the addresses and the time at which an
agent such as the genuine server, sngrep or heplify saw them. In captures it is looked through; a file may hold packets
of version 3 one behind the other, as they come over TCP.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address

from msgspec import Struct

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.moments import iso
from msgtrace.sip_stream import START

MAGIC = b"HEP3"
_LARGEST = 65535
_PROTOCOL, _SOURCE4, _TARGET4, _SOURCE6, _TARGET6, _SPORT, _DPORT = 2, 3, 4, 5, 6, 7, 8
_SECONDS, _MICROSECONDS, _PAYLOAD, _COMPRESSED = 9, 10, 15, 16
_TCP = 6


class Encapsulated(Struct, frozen=True):
    """What a packet of HEP carries."""

    source: str
    """``192.0.2.9:5060``"""
    target: str
    is_tcp: bool
    nanoseconds: int
    """since 1970; 0 if it has no time"""
    payload: bytes


def parse(data: bytes) -> Encapsulated | None:
    """One packet; None if it is none, or carries no SIP."""
    if data[:4] == MAGIC:
        return _version_3(data)
    if data[:1] in (b"\1", b"\2") and len(data) > 16:
        return _version_1_or_2(data)
    return None


def _version_3(data: bytes) -> Encapsulated | None:
    total = int.from_bytes(data[4:6])
    if not 6 < total <= len(data):
        return None
    chunks: dict[int, bytes] = {}
    place = 6
    while place + 6 <= total:
        vendor, kind, size = struct.unpack_from(">HHH", data, place)
        if size < 6 or place + size > total:
            return None
        if vendor == 0:
            chunks[kind] = data[place + 6 : place + size]
        place += size
    payload = chunks.get(_PAYLOAD, b"")
    if not payload and _COMPRESSED in chunks:
        payload = _inflated(chunks[_COMPRESSED])
    if not START.match(payload.lstrip(b"\r\n")):
        return None
    source, target = (
        chunks.get(_SOURCE4) or chunks.get(_SOURCE6),
        chunks.get(_TARGET4) or chunks.get(_TARGET6),
    )
    seconds, microseconds = (int.from_bytes(chunks.get(kind, b"")) for kind in (_SECONDS, _MICROSECONDS))
    return Encapsulated(
        _address(source, chunks.get(_SPORT, b"")),
        _address(target, chunks.get(_DPORT, b"")),
        chunks.get(_PROTOCOL) == bytes([_TCP]),
        seconds * 10**9 + microseconds * 1000,
        payload,
    )


def _inflated(data: bytes) -> bytes:
    import zlib

    try:
        return zlib.decompressobj(47).decompress(data, _LARGEST)
    except zlib.error:
        return b""


def _version_1_or_2(data: bytes) -> Encapsulated | None:
    version, length, family, protocol, sport, dport = struct.unpack_from(">BBBBHH", data)
    size = 4 if family == 2 else 16
    begin = 8 + 2 * size
    source, target = data[8 : 8 + size], data[8 + size : begin]
    nanoseconds = 0
    if version == 2 and len(data) >= begin + 12:
        # In the byte order of the agent, which nearly always is little-endian.
        seconds, microseconds = struct.unpack_from("<II", data, begin)
        nanoseconds = seconds * 10**9 + microseconds * 1000
        begin += 12
    payload = data[begin:]
    if length not in (begin, 8 + 2 * size) or not START.match(payload.lstrip(b"\r\n")):
        return None
    ports = (struct.pack(">H", sport), struct.pack(">H", dport))
    return Encapsulated(
        _address(source, ports[0]), _address(target, ports[1]), protocol == _TCP, nanoseconds, payload
    )


def _address(host: bytes | None, port: bytes) -> str:
    number = int.from_bytes(port)
    if host is None or len(host) not in (4, 16):
        return f"unknown:{number}"
    return f"{'.'.join(map(str, host))}:{number}" if len(host) == 4 else f"[{IPv6Address(host)}]:{number}"


def read(blocks: Iterable[bytes], account: Account) -> Iterator[Entry]:
    """Entries of a file of packets of version 3."""
    held, place, number = b"", 0, 0
    for block in blocks:
        held += block
        while len(held) >= 6:
            if held[:4] != MAGIC:
                found = held.find(MAGIC, 1)
                skipped = found if found > 0 else max(0, len(held) - 3)
                if not skipped:
                    break
                account.damage += skipped
                said = f"{skipped} octets are no packet of HEP"
                yield Entry(kind=EntryKind.DAMAGE, line=number, place="packet", offset=place, data=said)
                held, place = held[skipped:], place + skipped
                continue
            total = int.from_bytes(held[4:6])
            if total < 6:
                held, place = b"\0" + held[1:], place
                continue
            if len(held) < total:
                break
            number += 1
            yield from _entry(held[:total], number, account)
            held, place = held[total:], place + total
    if held:
        account.damage += len(held)
        said = f"the file ends within a packet of HEP: {len(held)} octets of it are there"
        yield Entry(kind=EntryKind.DAMAGE, line=number, place="packet", offset=place, data=said)


def _entry(data: bytes, number: int, account: Account) -> Iterator[Entry]:
    found = parse(data)
    if found is None:
        account.other += len(data)
        return
    account.sip += len(found.payload)
    transport = "tcp" if found.is_tcp else "udp"
    yield Entry(
        kind=EntryKind.SIP,
        line=number,
        place="packet",
        time=iso(found.nanoseconds) if found.nanoseconds else "",
        source=f"{transport}/{found.source}",
        target=f"{transport}/{found.target}",
        data=found.payload.decode("latin-1"),
    )
