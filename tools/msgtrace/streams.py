"""The octet streams of the connections in a recording, and the entries that they make.

A record of a log holds a part of a frame, one frame or many. Each side of each connection is one stream with
a decoder of its own; entries bear the line of the record in which they begin and the time of that in which they end.
"""

from __future__ import annotations

import re
from collections import deque

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.frames import ALL_UNITS, Damage, DamageKind, Frame, FrameDecoder, end_of_frames

_FRAME = EntryKind.FRAME
_STRAY_WHITESPACE = DamageKind.STRAY_WHITESPACE
_RECORD_HEAD = re.compile(rb"[0-9]{1,8}#[^|#\r\n]{1,200}\|[a-z_]+")
_MUST_DIFFER = 64
"""octets by which a log that formats what it prints may change a frame, or a quarter of it"""
_INTERLEAVED = (
    "a frame begins where another one was not at its end: either something is missing here, or what several "
    "connections received is interleaved, and this log cannot tell them apart"
)


class _Stream:
    """What one side of one connection sent."""

    __slots__ = ("decoder", "marks", "size")

    def __init__(self, lossy: bool) -> None:
        self.decoder = FrameDecoder(lossy=lossy)
        self.marks: deque[tuple[int, int]] = (
            deque()
        )  # (octet of the stream, line) of each record still needed
        self.size = 0


class Streams:
    """All streams of a recording. Entries have ``line`` where the recording has lines, else ``offset``."""

    def __init__(self, account: Account, *, lossy: bool = False, place: str = "line") -> None:
        """``place`` says what ``line`` counts."""
        self._account = account
        self._place = place
        self._lossy = lossy
        self._streams: dict[tuple[str, bool | None], _Stream] = {}

    def record(
        self, data: bytes, line: int, time: str = "", connection: str = "", from_server: bool | None = None
    ) -> list[Entry]:
        """Take what a log shows at once: a piece of the stream. Where it begins with a frame, and what came before
        it ends within one, that one is over."""
        stream = self._streams.get((connection, from_server)) or self._stream(connection, from_server)
        decoder = stream.decoder
        if start := decoder.exactly_one(data):
            size = len(data)
            account = self._account
            account.frames += size
            account.ascii_frames += 1
            offset = stream.size
            stream.size = offset + size
            payload = data[start:].decode("ascii")
            if not payload:
                return []
            return [
                Entry(
                    kind=_FRAME,
                    line=line,
                    offset=offset,
                    time=time,
                    connection=connection,
                    from_server=from_server,
                    data=payload,
                    length=len(payload),
                    units=ALL_UNITS,
                )
            ]
        if not decoder.pending():
            end = end_of_frames(data)
            self._account.other += len(data) - end
            data = data[:end]
        if not decoder.within_frame or not _RECORD_HEAD.match(data):
            return self.feed(data, line, time, connection, from_server)
        left = self.finish(connection, from_server, time)
        if from_server and any(entry.kind is EntryKind.DAMAGE for entry in left):
            left.append(
                Entry(kind=EntryKind.NOTE, line=line, time=time, connection=connection, data=_INTERLEAVED)
            )
        return left + self.feed(data, line, time, connection, from_server)

    def plain(self, payload: bytes, head: int, line: int, from_server: bool) -> Entry | None:
        """Take a frame in ASCII that was found to be one, ``head`` octets of length and ``#`` before it.

        None if it cannot be one, since a frame before it is not complete.
        """
        stream = self._streams.get(("", from_server)) or self._stream("", from_server)
        size = len(payload)
        if not size or not stream.decoder.skip(head + size):
            return None
        account = self._account
        account.frames += head + size
        account.ascii_frames += 1
        offset = stream.size
        stream.size = offset + head + size
        return Entry(
            kind=_FRAME,
            line=line,
            offset=offset,
            from_server=from_server,
            data=payload.decode("ascii"),
            length=size,
            units=ALL_UNITS,
        )

    @property
    def waiting(self) -> int:
        """How many octets are left over, on all sides of all connections."""
        return sum(stream.decoder.pending() for stream in self._streams.values())

    @property
    def size(self) -> int:
        """How many octets came on the one connection whose sides are not told apart."""
        return self._stream("", None).size

    def skip(self, octets: int, from_server: bool | None) -> None:
        """Somebody else has read so many octets of whole frames on the one connection; nothing may be left over."""
        stream = self._stream("", from_server)
        stream.decoder.skip(octets)
        stream.size += octets

    def take_back(self) -> bytes:
        """What is left over of the one connection whose sides are not told apart, as if it had not come yet."""
        stream = self._stream("", None)
        left = stream.decoder.take_back()
        stream.size -= len(left)
        stream.marks.clear()
        return left

    def feed(
        self, data: bytes, line: int, time: str = "", connection: str = "", from_server: bool | None = None
    ) -> list[Entry]:
        """Take the next octets of a side of a connection; ``line`` 0 means that the recording has no lines."""
        stream = self._stream(connection, from_server)
        decoder = stream.decoder
        marks = stream.marks
        if marks and not decoder.pending():
            marks.clear()
        marks.append((stream.size, line))
        stream.size += len(data)
        return self._entries(stream, decoder.feed(data), time, connection, from_server)

    def whole(
        self,
        data: bytes,
        line: int,
        time: str = "",
        connection: str = "",
        from_server: bool | None = None,
    ) -> list[Entry]:
        """Take a record that holds whole frames only, as a sender logs them: what is left of it is not waited for."""
        entries = self.record(data, line, time, connection, from_server)
        if not self._stream(connection, from_server).decoder.pending():
            return entries
        return entries + self.finish(connection, from_server, time)

    def finish(self, connection: str, from_server: bool | None, time: str = "") -> list[Entry]:
        """Nothing follows on this side of this connection."""
        stream = self._stream(connection, from_server)
        if not stream.decoder.pending():
            return []
        return self._entries(stream, stream.decoder.close(), time, connection, from_server)

    def close(self) -> list[Entry]:
        """The recording ends: what is left of each stream."""
        return [entry for key in list(self._streams) for entry in self.finish(*key)]

    def _stream(self, connection: str, from_server: bool | None) -> _Stream:
        stream = self._streams.get((connection, from_server))
        if stream is None:
            stream = self._streams[connection, from_server] = _Stream(self._lossy)
        return stream

    def _entries(
        self,
        stream: _Stream,
        found: list[Frame | Damage],
        time: str,
        connection: str,
        from_server: bool | None,
    ) -> list[Entry]:
        if not found:
            return []
        account, entries, lossy = self._account, [], self._lossy
        marks = stream.marks
        lines = len(marks) > 1
        line = marks[0][1] if marks else 0
        for item in found:
            if lines:
                line = _line(marks, item.offset)
            if isinstance(item, Damage):
                account.frames -= len(item.octets)
                if item.kind is _STRAY_WHITESPACE:
                    continue
                account.damage += len(item.octets)
                entries.append(
                    Entry(
                        kind=EntryKind.DAMAGE,
                        line=line,
                        place=self._place,
                        offset=item.offset,
                        time=time,
                        connection=connection,
                        from_server=from_server,
                        data=item.explanation,
                    )
                )
                continue
            units = item.units
            if units is ALL_UNITS:
                account.ascii_frames += 1
            else:
                account.units[units] = account.units.get(units, 0) + 1
            if item.length == 0:
                continue
            beyond = len(item.payload) - item.length
            if lossy and not units and beyond > max(_MUST_DIFFER, item.length // 4):
                account.damage += beyond
                entries.append(
                    Entry(
                        kind=EntryKind.DAMAGE,
                        line=line,
                        place=self._place,
                        offset=item.offset,
                        time=time,
                        connection=connection,
                        from_server=from_server,
                        data=f"a frame of {item.length} octets by its length, behind which {beyond} more are shown",
                    )
                )
            entries.append(
                Entry(
                    kind=_FRAME,
                    line=line,
                    place=self._place,
                    offset=item.offset,
                    time=time,
                    connection=connection,
                    from_server=from_server,
                    data=item.payload,
                    length=item.length,
                    units=units,
                    missing=item.missing,
                    lossy=lossy,
                )
            )
        account.frames += stream.decoder.offset - found[0].offset
        return entries


def _line(marks: deque[tuple[int, int]], offset: int) -> int:
    """The line of the record in which the octet at ``offset`` stands; forgets the records before it."""
    while len(marks) > 1 and marks[1][0] <= offset:
        marks.popleft()
    return marks[0][1] if marks else 0
