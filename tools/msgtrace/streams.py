"""The octet streams of the connections in a recording, and the entries that they make.

A record of a log holds a part of a frame, one frame or many. Each side of each connection is one stream with
a decoder of its own; entries bear the line of the record in which they begin and the time of that in which they end.
"""

from __future__ import annotations

from collections import deque

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.frames import Damage, DamageKind, Frame, FrameDecoder


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

    def __init__(self, account: Account, *, lossy: bool = False) -> None:
        self._account = account
        self._lossy = lossy
        self._streams: dict[tuple[str, bool | None], _Stream] = {}

    def feed(
        self, data: bytes, line: int, time: str = "", connection: str = "", from_server: bool | None = None
    ) -> list[Entry]:
        """Take a record; ``line`` 0 means that the recording has no lines."""
        stream = self._stream(connection, from_server)
        marks = stream.marks
        if marks and not stream.decoder.pending():
            marks.clear()
        marks.append((stream.size, line))
        stream.size += len(data)
        found = stream.decoder.feed(data)
        if not found:
            return []
        return self._entries(stream, found, time, connection, from_server)

    def whole(
        self,
        data: bytes,
        line: int,
        time: str = "",
        connection: str = "",
        from_server: bool | None = None,
    ) -> list[Entry]:
        """Take a record that holds whole frames only, as a sender logs them: what is left of it is not waited for."""
        entries = self.feed(data, line, time, connection, from_server)
        return entries + self.finish(connection, from_server, time)

    def within_frame(self, connection: str = "", from_server: bool | None = None) -> bool:
        """Whether a side of a connection has sent a part of a frame, more than a part of its length."""
        return self._stream(connection, from_server).decoder.within_frame

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
        account, entries = self._account, []
        units = account.units
        for item in found:
            if isinstance(item, Damage):
                if item.kind is DamageKind.STRAY_WHITESPACE:
                    continue
                account.damage += len(item.octets)
                entries.append(
                    Entry(
                        kind=EntryKind.DAMAGE,
                        line=_line(stream.marks, item.offset),
                        offset=item.offset,
                        time=time,
                        connection=connection,
                        from_server=from_server,
                        data=item.explanation,
                    )
                )
                continue
            account.frames += len(str(item.length)) + 1 + len(item.payload)
            units[item.units] = units.get(item.units, 0) + 1
            if item.length == 0:
                continue
            entries.append(
                Entry(
                    kind=EntryKind.FRAME,
                    line=_line(stream.marks, item.offset),
                    offset=item.offset,
                    time=time,
                    connection=connection,
                    from_server=from_server,
                    data=item.payload,
                    length=item.length,
                    units=item.units,
                    missing=item.missing,
                    lossy=self._lossy,
                )
            )
        return entries


def _line(marks: deque[tuple[int, int]], offset: int) -> int:
    """The line of the record in which the octet at ``offset`` stands; forgets the records before it."""
    while len(marks) > 1 and marks[1][0] <= offset:
        marks.popleft()
    return marks[0][1] if marks else 0
