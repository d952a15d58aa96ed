"""The packets of a capture file: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng), of either byte
order, with times in micro- or nanoseconds. Reading is a stream; nothing but the packet at hand is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from msgspec import Struct

PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""magic → byte order, nanoseconds in a unit of its times"""
PCAPNG = b"\x0a\x0d\x0d\x0a"
_LARGEST = 16 * 1024 * 1024
"""octets of a packet or a block that is believed"""
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED, _SECRETS = 0x0A0D0D0A, 1, 2, 3, 6, 10
_TLS_KEY_LOG = 0x544C534B


class Captured(Struct, frozen=True):
    """One packet."""

    number: int
    """from 1"""
    nanoseconds: int
    """since 1970"""
    link: int
    """link type (https://www.tcpdump.org/linktypes.html)"""
    data: bytes
    lacks: int
    """octets at its end that were not captured (snap length)"""


class Broken(ValueError):
    """The file is damaged or ends early; the message says where."""


class _Octets:
    """Blocks as a stream from which so many octets can be taken."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._held = b""

    def take(self, size: int) -> bytes:
        """Exactly ``size`` octets, or what is left at the end."""
        if len(self._held) < size:
            parts, held = [self._held], len(self._held)
            while held < size:
                block = next(self._blocks, b"")
                if not block:
                    break
                parts.append(block)
                held += len(block)
            self._held = b"".join(parts)
        taken, self._held = self._held[:size], self._held[size:]
        return taken


def packets(blocks: Iterable[bytes]) -> Iterator[Captured]:
    """The packets of a file; raises Broken behind the last that can be read."""
    octets = _Octets(blocks)
    magic = octets.take(4)
    if magic in PCAP:
        return _pcap(octets, *PCAP[magic])
    return _pcapng(octets, magic)


def holds_secrets(start: bytes) -> bool:
    """Whether TLS secrets stand in the beginning of a pcapng file."""
    place, order = 0, "<"
    while len(start) >= place + 16:
        if start[place : place + 4] == PCAPNG:
            order = ">" if start[place + 8 : place + 12] == b"\x1a\x2b\x3c\x4d" else "<"
        kind, size, secrets = struct.unpack_from(f"{order}III", start, place)
        if kind == _SECRETS and secrets == _TLS_KEY_LOG:
            return True
        if size < 12 or size % 4:
            break
        place += size
    return False


def _pcap(octets: _Octets, order: str, unit: int) -> Iterator[Captured]:
    head = octets.take(20)
    if len(head) < 20:
        raise Broken("the capture ends within its header")
    link = struct.unpack(f"{order}HHiIII", head)[5] & 0x0FFFFFFF
    record = struct.Struct(f"{order}IIII")
    number = 0
    while head := octets.take(16):
        if len(head) < 16:
            raise Broken(f"the capture is cut off behind packet {number}")
        seconds, fraction, captured, length = record.unpack(head)
        if captured > _LARGEST:
            raise Broken(f"the capture cannot be read behind packet {number}: {captured} octets in a packet")
        data = octets.take(captured)
        if len(data) < captured:
            raise Broken(f"the capture is cut off behind packet {number}, within the next one")
        number += 1
        yield Captured(number, seconds * 10**9 + fraction * unit, link, data, max(0, length - captured))


def _pcapng(octets: _Octets, magic: bytes) -> Iterator[Captured]:
    order, number = "<", 0
    interfaces: list[tuple[int, int, int]] = []  # link type, units of time in a second, snap length
    head = magic + octets.take(4)
    while head:
        if len(head) < 8:
            raise Broken(f"the capture is cut off behind packet {number}")
        kind = struct.unpack(f"{order}I", head[:4])[0]
        start = b""
        if head[:4] == PCAPNG:  # the same in both byte orders; what follows tells which
            start = octets.take(4)
            order = ">" if start == b"\x1a\x2b\x3c\x4d" else "<"
            interfaces, kind = [], _SECTION
        size = struct.unpack(f"{order}I", head[4:])[0]
        if size < 12 or size % 4 or size > _LARGEST:
            raise Broken(f"the capture cannot be read behind packet {number}: a block of {size} octets")
        body = start + octets.take(size - 8 - len(start))
        if len(body) < size - 8:
            raise Broken(f"the capture is cut off behind packet {number}, within the next block")
        body = body[:-4]
        try:
            found = _block(order, kind, body, interfaces)
        except struct.error:
            raise Broken(f"the capture cannot be read behind packet {number}: a block is too short") from None
        if found is not None:
            number += 1
            nanoseconds, link, data, lacks = found
            yield Captured(number, nanoseconds, link, data, lacks)
        head = octets.take(8)


def _block(
    order: str, kind: int, body: bytes, interfaces: list[tuple[int, int, int]]
) -> tuple[int, int, bytes, int] | None:
    """Time, link type, octets and what lacks of a packet; None of a block that holds none."""
    if kind == _INTERFACE:
        link, _, snap = struct.unpack_from(f"{order}HHI", body)
        interfaces.append((link, _resolution(order, body[8:]), snap))
        return None
    if kind == _ENHANCED:
        interface, high, low, captured, length = struct.unpack_from(f"{order}IIIII", body)
    elif kind == _OLD_PACKET:
        interface, _, high, low, captured, length = struct.unpack_from(f"{order}HHIIII", body)
    elif kind == _SIMPLE:
        (length,) = struct.unpack_from(f"{order}I", body)
        snap = interfaces[0][2] if interfaces else 0
        data = body[4 : 4 + min(length, snap or length)]
        return 0, interfaces[0][0] if interfaces else 1, data, length - len(data)
    else:
        return None
    link, units, _ = interfaces[interface] if interface < len(interfaces) else (1, 10**6, 0)
    data = body[20 : 20 + captured]
    return ((high << 32) | low) * 10**9 // units, link, data, max(0, length - len(data))


def _resolution(order: str, options: bytes) -> int:
    """How many units of time make a second: option if_tsresol."""
    while len(options) >= 4:
        code, size = struct.unpack_from(f"{order}HH", options)
        if code == 9 and size >= 1:
            value = options[4]
            return int(2 ** (value & 0x7F)) if value & 0x80 else int(10 ** min(value, 18))
        if code == 0:
            break
        options = options[4 + size + (-size % 4) :]
    return 10**6
