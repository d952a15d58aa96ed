"""Packet captures (pcap, pcapng): admin connections reassembled from TCP, and the SIP messages beside them.

A TCP connection is an admin connection if a frame stands at the beginning of what either side sends. What the capture
lacks (lost packets, cut packets, fragments) is damage, and decoding goes on behind it. While something waits for a
segment that may still come, everything else waits with it, so that entries come in the order of their packets.

Which SIP addresses are the server's, it tells in its answer to ``authenticate``, and in each request that it passes on.
Until that is known, or if it never is, a SIP message has two addresses and no direction.

TLS is opened by tshark (:mod:`msgtrace.readers.decrypted`), if there is a key log.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.moments import iso
from msgtrace.readers.datagrams import Datagram, Dissector, Lost
from msgtrace.readers.decrypted import Decrypted
from msgtrace.readers.pcap import PCAPNG, Broken, Captured, holds_secrets, packets
from msgtrace.readers.segments import End, Gap, Key, Piece, Segments
from msgtrace.readers.websocket_stream import WebSocketStream, begins
from msgtrace.sip_stream import START, SipStream
from msgtrace.streams import Streams

_FRAME = re.compile(rb"[0-9]{1,8}#[^|#\r\n]{1,200}\|[a-z_]+")
_CONTENT_LENGTH = re.compile(rb"\r\n(?:[Cc]ontent-[Ll]ength|l)[ \t]*:[ \t]*([0-9]{1,8})", re.IGNORECASE)
_TLS_RECORD = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
_TRANSPORTS = {(False, False): "tcp", (False, True): "tls", (True, False): "ws", (True, True): "wss"}
"""by whether it is WebSocket, and TLS"""
_MOST_HELD = 20_000
"""entries that wait for a segment that lacks"""


def read(blocks: Iterable[bytes], account: Account, keylog: str = "") -> Iterator[Entry]:
    """Entries of a capture; ``keylog`` is the file with the keys of its TLS connections. Raises NotARecording if TLS
    cannot be opened by it."""
    rest = iter(blocks)
    start = next(rest, b"")
    blocks, decrypted = chain((start,), rest), None
    told = "TLS, which --keylog FILE opens"
    if keylog or (start.startswith(PCAPNG) and holds_secrets(start)):
        told = f"TLS whose keys the {'key log' if keylog else 'capture'} lacks"
        try:
            blocks = decrypted = Decrypted(blocks, keylog)
        except NotARecording as error:
            if keylog:
                raise
            told = f"TLS, whose keys the capture holds, but {error}"
    try:
        yield from _read(packets(blocks), account, _Tls(account, decrypted, told))
    finally:
        if decrypted is not None:
            decrypted.close()


def read_packets(found: Iterable[Captured], account: Account) -> Iterator[Entry]:
    """Entries of packets that stood somewhere else than in a capture file."""
    return _read(found, account, _Tls(account, None, "TLS"))


def _read(found_packets: Iterable[Captured], account: Account, tls: _Tls) -> Iterator[Entry]:
    conversation = _Conversation(account, tls)
    held: list[Entry] = []
    dissector = Dissector()
    try:
        for packet in found_packets:
            found: list[Entry] = []
            for one in (*dissector.late(packet.nanoseconds), dissector.take(packet)):
                if one is not None:
                    found += conversation.lost(one) if isinstance(one, Lost) else conversation.take(one)
            waiting = conversation.waiting or dissector.waiting
            if not waiting and not held:
                yield from found
                continue
            held += found
            if (held and not waiting) or len(held) > _MOST_HELD:
                yield from _by_packet(held)
                held = []
    except Broken as error:
        held.append(Entry(kind=EntryKind.DAMAGE, line=1 << 62, place="packet", data=str(error)))
    for left in dissector.close():
        held += conversation.lost(left) if isinstance(left, Lost) else conversation.take(left)
    held += conversation.close()
    yield from _by_packet(held)
    account.unread.update(dissector.unread)
    account.unread.update(tls.unread())


def _by_packet(entries: list[Entry]) -> Iterator[Entry]:
    for entry in sorted(entries, key=lambda entry: entry.line):
        if entry.line == 1 << 62:
            yield Entry(kind=EntryKind.DAMAGE, data=entry.data)
        else:
            yield entry


def _when(nanoseconds: int) -> str:
    """The time of a packet; empty where the capture tells none."""
    return iso(nanoseconds) if nanoseconds else ""


class _Tls:
    """The TLS connections of the capture."""

    def __init__(self, account: Account, decrypted: Decrypted | None, told: str) -> None:
        self._account = account
        self._decrypted = decrypted
        self._told = told
        """what packets are called that were not opened"""
        self._sides: set[Key] = set()
        self._opened: set[Key] = set()
        self._packets: Counter[Key] = Counter()
        self._unread = 0
        self._problem_told = False

    def takes(self, piece: Piece, known: bool) -> bool:
        """Whether the octets are of TLS: of a side of which that is known, or, if nothing is ``known`` of it yet, by
        how they begin."""
        if piece.key not in self._sides:
            if known or _TLS_RECORD.match(piece.data) is None:
                return False
            self._sides |= {piece.key, piece.key[::-1]}
        self._packets[piece.key] += 1
        return True

    def opened(self, segment: Datagram) -> Piece | None:
        """What TLS carries that ends in a segment."""
        data = self._decrypted.of(segment) if self._decrypted is not None else None
        if data is None:
            return None
        key = (segment.source, segment.target)
        self._sides |= {key, key[::-1]}
        if not data:
            return None
        self._opened |= {key, key[::-1]}
        self._account.other -= len(data)  # which was counted as octets of TLS
        return Piece(key, data, segment.packet, segment.time)

    def problem(self) -> str:
        """Why nothing is opened any more, told once."""
        if self._decrypted is None or self._problem_told or not self._decrypted.problem:
            return ""
        self._problem_told = True
        return self._decrypted.problem

    def is_tls(self, key: Key) -> bool:
        """Whether TLS is spoken on this side."""
        return key in self._sides

    def end(self, key: Key) -> None:
        """The connection is closed on this side."""
        packets = self._packets.pop(key, 0)
        self._unread += 0 if key in self._opened else packets
        self._sides.discard(key)
        self._opened.discard(key)

    def unread(self) -> dict[str, int]:
        """Packets of connections of which nothing was opened."""
        for key in list(self._packets):
            self.end(key)
        return {self._told: self._unread} if self._unread else {}


class _Conversation:
    """All that the capture holds so far."""

    def __init__(self, account: Account, tls: _Tls) -> None:
        self._account = account
        self._tls = tls
        self._segments = Segments()
        self._streams = Streams(account, place="packet")
        self._texts: dict[Key, SipStream] = {}  # SIP over TCP
        self._sockets: dict[Key, WebSocketStream] = {}  # SIP over WebSocket
        self._admin: dict[Key, tuple[str, bool]] = {}  # connection, from the server
        self._servers: set[str] = set()  # SIP addresses of the server, as it tells them
        self._connections = 0

    @property
    def waiting(self) -> bool:
        """Whether something waits for a segment."""
        return self._segments.waiting

    def take(self, datagram: Datagram) -> list[Entry]:
        """A packet that carries something, or the beginning or end of a connection."""
        if datagram.is_tcp and not datagram.encapsulated:
            entries = [entry for step in self._segments.take(datagram) for entry in self._step(step)]
            if (opened := self._tls.opened(datagram)) is not None:
                entries += self._plain(opened)
            if problem := self._tls.problem():
                entries.append(self._damage(datagram.packet, datagram.time, f"TLS is not opened: {problem}"))
            return entries
        if START.match(datagram.payload.lstrip(b"\r\n")):
            return list(self._datagram(datagram))
        self._account.other += len(datagram.payload)
        return []

    def lost(self, lost: Lost) -> list[Entry]:
        """A datagram that cannot be read."""
        return [self._damage(lost.packet, lost.time, lost.said)]

    def close(self) -> list[Entry]:
        """The capture ends."""
        entries = [entry for step in self._segments.close() for entry in self._step(step)]
        entries += self._streams.close()
        for key in (*self._texts, *self._sockets):
            entries += self._end_of_text(key, 0, 0)
        return entries

    def _datagram(self, datagram: Datagram) -> Iterator[Entry]:
        """A SIP message over UDP; what lacks at its end is told."""
        text = datagram.payload.lstrip(b"\r\n")
        lacks, why = datagram.lacks, datagram.why
        end = text.find(b"\r\n\r\n")
        if end < 0:
            why = why or "it has no empty line"
        elif length := _CONTENT_LENGTH.search(text, 0, end + 2):
            beyond = int(length[1]) - (len(text) - end - 4)
            if beyond > lacks:
                lacks, why = beyond, why or "its Content-Length says more than the datagram holds"
        yield self._sip(
            text,
            datagram.source,
            datagram.target,
            transport="udp",
            packet=datagram.packet,
            time=datagram.time,
            lacks=lacks,
            why=why,
        )
        if why:
            octets = "1 octet" if lacks == 1 else f"{lacks} octets"
            lacking = f", {octets} lack" if lacks else ""
            yield self._damage(datagram.packet, datagram.time, f"a SIP message is cut{lacking}: {why}")

    def _step(self, step: Gap | Piece | End) -> Iterator[Entry]:
        match step:
            case Piece():
                yield from self._octets(step)
            case Gap():
                yield from self._gap(step)
            case End():
                yield from self._end(step)

    def _gap(self, gap: Gap) -> Iterator[Entry]:
        """What is not complete before it never will be."""
        source, target = gap.key
        if not self._is_known(gap.key):
            return  # what else the capture holds is not ours
        name = ""
        if gap.key in self._admin:
            name, from_server = self._admin[gap.key]
            yield from self._streams.finish(name, from_server, _when(gap.time))
        else:
            yield from self._end_of_text(gap.key, gap.packet, gap.time)
        cut = f", packet {gap.packet} is cut" if gap.cut else ""
        octets = "1 octet" if gap.octets == 1 else f"{gap.octets} octets"
        said = f"{octets} from {source} to {target} are not in the capture{cut}"
        yield self._damage(gap.packet, gap.time, said, name)

    def _octets(self, piece: Piece) -> Iterator[Entry]:
        if self._tls.takes(piece, self._is_known(piece.key)):
            self._account.other += len(piece.data)
        else:
            yield from self._plain(piece)

    def _is_known(self, key: Key) -> bool:
        return key in self._admin or key in self._texts or key in self._sockets

    def _plain(self, piece: Piece) -> Iterator[Entry]:
        """Octets as the application or the telephone wrote them."""
        key = piece.key
        if not self._is_known(key):
            self._recognise(piece.data, key)
        if key in self._admin:
            name, from_server = self._admin[key]
            time = _when(piece.time)
            for entry in self._streams.feed(piece.data, piece.packet, time, name, from_server):
                if from_server and entry.kind is EntryKind.FRAME:
                    self._learn(entry.data)
                yield entry
        elif key in self._texts or key in self._sockets:
            yield from self._text(piece)
        else:
            self._account.other += len(piece.data)

    def _recognise(self, data: bytes, key: Key) -> None:
        if frame := _FRAME.match(data):
            verb = frame[0].rpartition(b"|")[2]
            from_server = verb in (b"response", b"cdr") or b"|sip|network|" in data[:200]
            self._connections += 1
            name = str(self._connections)
            self._admin[key] = (name, from_server)
            self._admin[key[::-1]] = (name, not from_server)
        elif START.match(data.lstrip(b"\r\n")):
            self._texts[key] = SipStream()
            self._texts.setdefault(key[::-1], SipStream())
        elif begins(data):
            self._sockets[key] = WebSocketStream()
            self._sockets.setdefault(key[::-1], WebSocketStream())

    def _learn(self, payload: str) -> None:
        """The server's SIP addresses stand in its answer to ``authenticate``, and where a request came to."""
        tokens = payload.partition("\r\n")[0].split("|")
        if tokens[1:2] == ["response"] and tokens[3:4] == ["OK"] and "/" in "".join(tokens[4:5]):
            for hostport in ",".join([tokens[4], *tokens[6:7]]).split(","):
                self._servers.add(hostport.partition("/")[2])
        elif tokens[1:3] == ["sip", "network"] and len(tokens) > 11 and tokens[10] and tokens[11].isdigit():
            host = f"[{tokens[10]}]" if ":" in tokens[10] and "[" not in tokens[10] else tokens[10]
            self._servers.add(f"{host}:{tokens[11]}")

    def _text(self, piece: Piece) -> Iterator[Entry]:
        by_socket = piece.key in self._sockets
        stream = self._sockets[piece.key] if by_socket else self._texts[piece.key]
        messages, skipped = stream.feed(piece.data)
        if skipped:
            self._account.damage += skipped
            yield self._damage(
                piece.packet,
                piece.time,
                f"{skipped} octets from {piece.key[0]} to {piece.key[1]} are no SIP message",
            )
        for text in messages:
            transport = _TRANSPORTS[by_socket, self._tls.is_tls(piece.key)]
            yield self._sip(text, *piece.key, transport=transport, packet=piece.packet, time=piece.time)

    def _end_of_text(self, key: Key, packet: int, time: int) -> Iterator[Entry]:
        left = self._sockets[key].rest() if key in self._sockets else len(self._texts[key].rest())
        if left:
            self._account.damage += left
            said = f"{left} octets of a SIP message from {key[0]} to {key[1]} that has no end"
            yield self._damage(packet, time, said)

    def _sip(
        self,
        text: bytes,
        source: str,
        target: str,
        *,
        transport: str,
        packet: int,
        time: int,
        lacks: int = 0,
        why: str = "",
    ) -> Entry:
        self._account.sip += len(text)
        from_server = None
        if (source in self._servers) is not (target in self._servers):
            from_server = source in self._servers
        peer = "" if from_server is None else f"{transport}/{target if from_server else source}"
        return Entry(
            kind=EntryKind.SIP,
            line=packet,
            place="packet",
            time=_when(time),
            from_server=from_server,
            peer=peer,
            source=f"{transport}/{source}",
            target=f"{transport}/{target}",
            data=text.decode("latin-1"),
            missing=lacks,
            remark=why if lacks else "",
        )

    def _damage(self, packet: int, time: int, said: str, connection: str = "") -> Entry:
        return Entry(
            kind=EntryKind.DAMAGE,
            line=packet,
            place="packet",
            time=_when(time),
            connection=connection,
            data=said,
        )

    def _end(self, end: End) -> Iterator[Entry]:
        key = end.key
        if key in self._texts or key in self._sockets:
            yield from self._end_of_text(key, end.packet, end.time)
            self._texts.pop(key, None)
            self._sockets.pop(key, None)
        if key in self._admin:
            yield from self._streams.finish(*self._admin.pop(key), _when(end.time))
        self._tls.end(key)
