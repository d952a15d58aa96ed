"""``DEBUG=drachtio:agent`` output: ``wp#send HOST:PORT - N#frame`` and ``<===chunk``.

Written to a file or pipe, a record begins with time and namespace. On a terminal each line begins with the
namespace, and ``+2ms`` stands behind the last. Both format what they print: the length of a send counts UTF-16
units, ``%%`` has become ``%``. So lengths are hints, and a send ends where its record ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.frames import ALL_UNITS, end_of_frames, unit_ends
from msgtrace.ordinary import Detail, Run, Search, debug
from msgtrace.readers.records import records, records_and_runs, with_line_ends
from msgtrace.streams import Streams

BEGINNING = re.compile(
    rb"\n(20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z) "
    rb"([A-Za-z0-9_.*@/-]+(?::[A-Za-z0-9_.*@/-]+)+) "
)
TERMINAL_LINE = re.compile(rb"\n[ \t]{0,4}[A-Za-z0-9_.*@/-]+(?::[A-Za-z0-9_.*@/-]+)+ ")
_END = re.compile(rb"() \+(?:[0-9.]+(?:ms|s|m|h|d)|NaN[a-z]*)[ \t\r]*\n")
_SEND = re.compile(rb"wp#send (\S*) - ")
_OLD_RECEIVE = re.compile(rb"WireProtocol#_onData: got message:? ?")
_WITHIN = re.compile(rb"\n(?=wp#send \S* - [0-9]|<===[0-9])")
_HEAD = re.compile(rb"([0-9]{1,8})#")


def read(blocks: Iterable[bytes], account: Account, runs: Detail | None = None) -> Iterator[Entry | Run]:
    """Entries of output that was written to a file or a pipe; ``runs`` of ordinary frames instead of theirs, if they
    are wanted.
    """
    log = DebugLog(account, runs)
    for found in records_and_runs(blocks, BEGINNING, log.run) if runs else records(blocks, BEGINNING):
        if isinstance(found, Run):
            yield found
            continue
        line, groups, text = found
        if groups is None:
            account.other += max(0, len(text) - 1)
        else:
            yield from log.record(text, line, groups[0].decode("ascii"), sum(map(len, groups)) + 3)
    yield from log.close()


def read_terminal(
    blocks: Iterable[bytes], account: Account, runs: Detail | None = None
) -> Iterator[Entry | Run]:
    """Entries of output that was shown on a terminal; here are no runs, since every line bears a mark."""
    log = DebugLog(account)
    text, line = b"", 1
    for block in blocks:
        parts = _END.split(text + TERMINAL_LINE.sub(b"\n", b"\n" + block)[1:])
        for index in range(0, len(parts) - 1, 2):
            yield from log.record(parts[index], line, "", 0)
            line += parts[index].count(b"\n") + 1
        text = parts[-1]
    if text:
        yield from log.record(text.rstrip(b"\r\n"), line, "", 0)
    yield from log.close()


class DebugLog:
    """What the two forms have in common."""

    def __init__(self, account: Account, runs: Detail | None = None, connection: str = "") -> None:
        self._account = account
        self._connection = connection
        self._runs = runs
        self._streams = Streams(account, lossy=True)
        self._servers: set[bytes] = set()
        self._shows_chunks = False
        self._search: Search | None = None
        """for ordinary frames, once it is known what the server is called"""

    def run(self, text: str, place: int, line: int) -> Run | None:
        """The ordinary frames at ``place``, which is on ``line``."""
        if self._search is None or self._streams.waiting:
            return None
        run = self._search.by_records(text, place, line)
        self._account.frames += run.octets
        self._account.ascii_frames += run.from_server
        if sent := len(run.frames) - run.from_server:
            self._account.units[ALL_UNITS] = self._account.units.get(ALL_UNITS, 0) + sent
        if run.from_server:
            self._shows_chunks = True
            self._streams.skip(run.octets_from_server, True)
        return run

    def record(self, text: bytes, line: int, time: str, extra: int) -> Iterator[Entry]:
        """``extra`` octets of the record stand before ``text``."""
        if not text.startswith((b"<===", b"wp#send ")):
            within = _WITHIN.search(text)
            if within is None:
                yield from self._other(text, line, time, extra)
                return
            self._account.other += within.end()
            line += text.count(b"\n", 0, within.end())
            text = text[within.end() :]
        if text.startswith(b"<==="):
            self._shows_chunks = True
            yield from self._streams.record(with_line_ends(text[4:]), line, time, self._connection, True)
            return
        send = _SEND.match(text)
        if send is None:
            self._account.other += len(text) + extra
            return
        self._servers.add(send[1])
        if self._search is None and self._runs:
            self._search = Search(debug(send[1].decode("latin-1")), self._runs)
        if len(self._servers) == 2:
            self._servers.add(b"told")
            names = " and ".join(sorted(name.decode("latin-1") for name in self._servers - {b"told"}))
            yield Entry(
                kind=EntryKind.NOTE,
                line=line,
                time=time,
                data=f"connections to {names}: what is received does not say from which, and may be interleaved",
            )
        data = with_line_ends(text[send.end() :])
        end = end_of_frames(data)
        self._account.other += len(data) - end
        yield from self._sent(data[:end], line, time)

    def _sent(self, data: bytes, line: int, time: str) -> Iterator[Entry]:
        """Exactly one frame, and perhaps foreign lines behind it."""
        head = _HEAD.match(data)
        if head is None:
            self._account.damage += len(data)
            shown = ascii(data[:24].decode("latin-1"))
            yield Entry(
                kind=EntryKind.DAMAGE,
                line=line,
                time=time,
                data=f"expected digits and '#' behind wp#send, got {shown}",
            )
            return
        start, length = head.end(), int(head[1])
        ends = unit_ends(data, start, length)
        end = len(data)
        units = tuple(unit for unit, place in ends.items() if place == end)
        if not units:
            shorter = {unit: place for unit, place in ends.items() if data[place : place + 1] in b"\r\n"}
            if shorter and not data[max(shorter.values()) :].strip():
                end = max(shorter.values())
            units = tuple(unit for unit, place in shorter.items() if place == end)
        self._account.frames += end
        self._account.units[units] = self._account.units.get(units, 0) + 1
        yield Entry(
            kind=EntryKind.FRAME,
            line=line,
            time=time,
            connection=self._connection,
            from_server=False,
            data=data[start:end].decode("latin-1"),
            length=length,
            units=units,
            lossy=True,
        )

    def _other(self, text: bytes, line: int, time: str, extra: int) -> Iterator[Entry]:
        old = None if self._shows_chunks else _OLD_RECEIVE.match(text)
        if old is None:
            self._account.other += len(text) + extra
            return
        payload = with_line_ends(text[old.end() :])
        self._account.frames += len(payload)
        yield Entry(
            kind=EntryKind.FRAME,
            line=line,
            time=time,
            connection=self._connection,
            from_server=True,
            data=payload.decode("latin-1"),
            lossy=True,
        )

    def close(self) -> Iterator[Entry]:
        """The end of the log."""
        yield from self._streams.close()
