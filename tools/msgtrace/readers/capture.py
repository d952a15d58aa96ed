"""Packet captures (pcap, pcapng): admin connections reassembled from TCP, and the SIP messages beside them.

Reading them needs scapy (``pip install 'drachtio-conformance[pcap]'``), which loads only here. A TCP connection
is an admin connection if a frame stands at the beginning of what either side sends. Octets are taken in the order of
their sequence numbers; what the capture lacks is damage, and decoding goes on behind it.
"""

from __future__ import annotations

import io
import logging
import re
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from msgspec import Struct

from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.streams import Streams

_FRAME = re.compile(rb"[0-9]{1,8}#[^|#\r\n]{1,200}\|[a-z_]+")
_SIP = re.compile(rb"(?:SIP/2\.0 [0-9]{3} |[A-Z]{3,20} [^ \r\n]+ SIP/2\.0\r\n)")
_CONTENT_LENGTH = re.compile(rb"\r\n(?:[Cc]ontent-[Ll]ength|l)[ \t]*:[ \t]*([0-9]{1,8})")
_MOST_OUT_OF_ORDER = 256
"""segments that are kept for one that lacks; then it is taken for lost"""
_WRAP = 1 << 32


class _Packet(Struct, frozen=True):
    number: int
    time: str
    source: str
    target: str
    transport: str
    sequence: int
    starts: bool
    ends: bool
    payload: bytes


class _Side:
    """What one end of a TCP connection sends."""

    __slots__ = ("expected", "kind", "waiting")

    def __init__(self) -> None:
        self.expected: int | None = None
        self.waiting: dict[int, bytes] = {}
        self.kind = ""


class _BlockFile(io.RawIOBase):
    """Blocks as a file, which is what scapy reads."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def read(blocks: Iterable[bytes], account: Account) -> Iterator[Entry]:
    """Entries of a capture; raises NotARecording where scapy is not installed."""
    try:
        logging.getLogger("scapy").setLevel(logging.CRITICAL)
        import scapy.layers.inet
        import scapy.layers.inet6
        import scapy.layers.l2  # noqa: F401
        from scapy.utils import PcapReader
    except ImportError:
        raise NotARecording(
            "a packet capture: reading it needs scapy (pip install 'drachtio-conformance[pcap]')"
        ) from None
    return _entries(_packets(PcapReader, blocks), account)


def _packets(opener: type, blocks: Iterable[bytes]) -> Iterator[_Packet | str]:
    """TCP segments and UDP datagrams that carry something; last, perhaps, what is wrong with the file."""
    from scapy.error import Scapy_Exception

    number = 0
    try:
        reader = opener(io.BufferedReader(_BlockFile(blocks), 1 << 20))
        for packet in reader:
            number += 1
            found = _packet(packet, number)
            if found is not None:
                yield found
    except (Scapy_Exception, EOFError, ValueError, struct.error) as error:
        yield f"the capture cannot be read behind packet {number}: {error}"


def _packet(packet: object, number: int) -> _Packet | str | None:
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.packet import Packet

    assert isinstance(packet, Packet)
    network = packet.getlayer(IP) or packet.getlayer(IPv6)
    if network is None:
        return None
    if isinstance(network, IP) and (network.frag or int(network.flags) & 1):
        return f"packet {number} is a fragment of a datagram; fragments are not put together"
    segment = network.getlayer(TCP) or network.getlayer(UDP)
    if segment is None:
        return None
    octets = bytes(segment)
    is_ipv4 = isinstance(network, IP)
    size = (network.len or 0) - (network.ihl or 5) * 4 if is_ipv4 else network.plen or 0
    octets = octets[:size] if size > 0 else octets  # without the padding of short Ethernet frames
    is_tcp = isinstance(segment, TCP)
    payload = octets[(octets[12] >> 4) * 4 :] if is_tcp else octets[8:]
    time = datetime.fromtimestamp(float(packet.time), UTC).isoformat().replace("+00:00", "Z")
    flags = int(segment.flags) if is_tcp else 0
    return _Packet(
        number,
        time,
        _address(network.src, segment.sport),
        _address(network.dst, segment.dport),
        "tcp" if is_tcp else "udp",
        int(segment.seq) if is_tcp else 0,
        bool(flags & 2),
        bool(flags & 5),
        payload,
    )


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _entries(packets: Iterable[_Packet | str], account: Account) -> Iterator[Entry]:
    conversation = _Conversation(account)
    for packet in packets:
        if isinstance(packet, str):
            yield Entry(kind=EntryKind.DAMAGE, offset=0, data=packet)
        elif packet.transport == "udp":
            yield from conversation.datagram(packet)
        else:
            yield from conversation.segment(packet)
    yield from conversation.close()


class _Conversation:
    """All that the capture holds so far."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._streams = Streams(account, place="packet")
        self._sides: dict[tuple[str, str], _Side] = {}
        self._texts: dict[tuple[str, str], bytes] = {}  # SIP over TCP that is not complete
        self._admin: dict[
            tuple[str, str], tuple[str, bool]
        ] = {}  # (source, target) → connection, from the server
        self._servers: set[str] = set()  # SIP addresses of the server, as it tells them
        self._connections = 0

    def datagram(self, packet: _Packet) -> Iterator[Entry]:
        """A SIP message, or nothing of ours."""
        if _SIP.match(packet.payload):
            yield self._sip(packet, packet.payload)
        else:
            self._account.other += len(packet.payload)

    def segment(self, packet: _Packet) -> Iterator[Entry]:
        """A piece of a connection, brought into order."""
        key = (packet.source, packet.target)
        if packet.starts:
            for ended in (key, key[::-1]):
                yield from self._end(ended, packet)
        side = self._sides.setdefault(key, _Side())
        if packet.starts or side.expected is None:
            side.expected = (packet.sequence + packet.starts) % _WRAP
        if packet.payload:
            side.waiting.setdefault(packet.sequence, packet.payload)
        yield from self._in_order(side, key, packet)
        if packet.ends and not side.waiting:
            yield from self._end(key, packet)

    def close(self) -> Iterator[Entry]:
        """The capture ends."""
        yield from self._streams.close()
        for (source, target), rest in self._texts.items():
            if rest:
                self._account.damage += len(rest)
                yield Entry(
                    kind=EntryKind.DAMAGE,
                    data=f"{len(rest)} octets of a SIP message from {source} to {target} that has no end",
                )

    def _in_order(self, side: _Side, key: tuple[str, str], packet: _Packet) -> Iterator[Entry]:
        assert side.expected is not None
        while side.waiting:
            sequence = min(side.waiting, key=lambda start: (start - side.expected + (_WRAP >> 1)) % _WRAP)  # type: ignore[operator]
            behind = (side.expected - sequence) % _WRAP
            payload = side.waiting[sequence]
            if behind >= _WRAP >> 1:  # it begins later: something lacks
                if len(side.waiting) < _MOST_OUT_OF_ORDER:
                    return
                yield Entry(
                    kind=EntryKind.DAMAGE,
                    line=packet.number,
                    place="packet",
                    time=packet.time,
                    data=f"{_WRAP - behind} octets from {key[0]} to {key[1]} are not in the capture",
                )
                if key in self._admin:
                    yield from self._streams.finish(*self._admin[key], packet.time)
                behind = 0
                side.expected = sequence
            del side.waiting[sequence]
            fresh = payload[behind:]  # what was sent again is known
            if fresh:
                side.expected = (side.expected + len(fresh)) % _WRAP
                yield from self._octets(fresh, key, packet)

    def _octets(self, data: bytes, key: tuple[str, str], packet: _Packet) -> Iterator[Entry]:
        if key not in self._admin and key not in self._texts:
            self._recognise(data, key)
        if key in self._admin:
            name, from_server = self._admin[key]
            for entry in self._streams.feed(data, packet.number, packet.time, name, from_server):
                if from_server and entry.kind is EntryKind.FRAME:
                    self._learn(entry.data)
                yield entry
        elif key in self._texts:
            yield from self._sip_stream(self._texts[key] + data, key, packet)
        else:
            self._account.other += len(data)

    def _recognise(self, data: bytes, key: tuple[str, str]) -> None:
        if frame := _FRAME.match(data):
            verb = frame[0].rpartition(b"|")[2]
            from_server = verb in (b"response", b"cdr") or b"|sip|network|" in data[:200]
            self._connections += 1
            name = str(self._connections)
            self._admin[key] = (name, from_server)
            self._admin[key[::-1]] = (name, not from_server)
        elif _SIP.match(data):
            self._texts[key] = b""
            self._texts.setdefault(key[::-1], b"")

    def _learn(self, payload: str) -> None:
        """The server's SIP addresses stand in its answer to ``authenticate``."""
        tokens = payload.partition("\r\n")[0].split("|")
        if tokens[1:2] == ["response"] and tokens[3:4] == ["OK"] and "/" in "".join(tokens[4:5]):
            for hostport in tokens[4].split(","):
                self._servers.add(hostport.partition("/")[2])

    def _sip_stream(self, text: bytes, key: tuple[str, str], packet: _Packet) -> Iterator[Entry]:
        while text:
            text = text.lstrip(b"\r\n")
            end_of_headers = text.find(b"\r\n\r\n")
            if end_of_headers < 0:
                break
            length = _CONTENT_LENGTH.search(text, 0, end_of_headers + 2)
            end = end_of_headers + 4 + (int(length[1]) if length else 0)
            if end > len(text):
                break
            yield self._sip(packet, text[:end])
            text = text[end:]
        self._texts[key] = text

    def _sip(self, packet: _Packet, text: bytes) -> Entry:
        self._account.sip += len(text)
        if packet.source in self._servers:
            from_server, peer = True, packet.target
        elif packet.target in self._servers:
            from_server, peer = False, packet.source
        else:
            from_server, peer = None, f"{packet.source} to {packet.target}"
        return Entry(
            kind=EntryKind.SIP,
            line=packet.number,
            place="packet",
            time=packet.time,
            from_server=from_server,
            peer=f"{packet.transport}/{peer}",
            data=text.decode("latin-1"),
        )

    def _end(self, key: tuple[str, str], packet: _Packet) -> Iterator[Entry]:
        """The connection is closed, or one with the same ports begins."""
        self._sides.pop(key, None)
        self._texts.pop(key, None)
        if key in self._admin:
            yield from self._streams.finish(*self._admin.pop(key), packet.time)
