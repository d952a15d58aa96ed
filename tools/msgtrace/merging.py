"""Two recordings of the same calls, such as an application's log and a server's, as one in the order of time.

Clocks differ: the offset is the median of what messages that both hold tell, so that a few odd ones do not count. What
both hold is written once, with the time of the first recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from statistics import median

import msgspec
from msgspec import Struct

from msgtrace.answers import Shown, seconds
from msgtrace.entries import EntryKind

_EARLIEST = "2000-01-01"
"""the day, where a recording has none"""
_TOGETHER = 2.0
"""seconds within which the same SIP message is the same, and not one sent again"""


class Merged(Struct, frozen=True):
    """The lines, and what was found out."""

    lines: list[str]
    matches: int
    """messages that both recordings hold"""
    offset: float
    """seconds by which the clock of the second one was behind the first one's"""


class _Timed(Struct, frozen=True):
    at: float
    day: str
    place: int
    key: tuple[str, ...]
    item: Shown


def merge(first: Sequence[Shown], second: Sequence[Shown]) -> Merged:
    """One recording, in the lines of a server's trace (docs/trace.schema.json)."""
    one, two = list(_timed(first)), list(_timed(second))
    known: dict[tuple[str, ...], list[_Timed]] = {}
    for timed in one:
        known.setdefault(timed.key, []).append(timed)
    used: dict[tuple[str, ...], int] = {}
    pairs: list[tuple[_Timed, _Timed]] = []
    for timed in two:
        place = used.get(timed.key, 0)
        if place < len(known.get(timed.key, ())):
            used[timed.key] = place + 1
            pairs.append((known[timed.key][place], timed))
    offset = median(mine.at - other.at for mine, other in pairs) if pairs else 0.0
    twice = {
        id(other)
        for mine, other in pairs
        if mine.item.entry.kind is EntryKind.FRAME or abs(mine.at - other.at - offset) <= _TOGETHER
    }
    day = next((timed.day for timed in (*one, *two) if timed.day), _EARLIEST)
    all_ = [(timed.at, 0, timed.place, timed) for timed in one]
    all_ += [(timed.at + offset, 1, timed.place, timed) for timed in two if id(timed) not in twice]
    lines = [_line(at, timed, day) for at, _, _, timed in sorted(all_, key=lambda part: part[:3])]
    return Merged(lines, len(pairs), offset)


def _timed(items: Sequence[Shown]) -> Iterator[_Timed]:
    """Messages with a time; what has none takes that of the one before."""
    at, day = 0.0, ""
    for place, item in enumerate(items):
        entry = item.entry
        if entry.kind not in (EntryKind.FRAME, EntryKind.SIP):
            continue
        clock = entry.time or (item.message.get("time") if item.message else "")
        second = seconds(clock)
        if second is not None:
            at = second
        day = clock[:10] if clock[4:5] == "-" else day
        yield _Timed(at, day, place, _key(item), item)


def _key(item: Shown) -> tuple[str, ...]:
    """What makes a message the same in both."""
    if item.message is not None:
        return "frame", item.message.id, item.message.verb
    text = item.sip
    assert text is not None
    number, method = text.cseq
    return "sip", text.call_id, text.start_line, f"{number} {method}", text.branch


def _line(at: float, timed: _Timed, day: str) -> str:
    entry, item = timed.item.entry, timed.item
    base = datetime.fromisoformat(timed.day or day).replace(tzinfo=UTC).timestamp()
    moment = datetime.fromtimestamp(base + at, UTC)
    octets = entry.data.encode("latin-1")
    line: dict[str, object] = {
        "kind": entry.kind.value,
        "time": moment.isoformat(timespec="microseconds")[:26] + "Z",
    }
    if entry.kind is EntryKind.FRAME:
        from_server = bool(item.from_server)
        connection = int(entry.connection) if entry.connection.isdecimal() else 1
        line |= {"connection": connection, "direction": "sent" if from_server else "received"}
    else:
        sent = bool(entry.from_server)
        ends = (
            (entry.target or entry.peer, entry.source) if sent else (entry.source or entry.peer, entry.target)
        )
        transport = (ends[0] or ends[1]).partition("/")[0] or "udp"
        line |= {"direction": "sent" if sent else "received", "transport": transport}
        line |= {"remote": ends[0].partition("/")[2], "local": ends[1].partition("/")[2]}
    line["octets"] = len(octets)
    try:
        line["text"] = octets.decode("utf-8")
    except UnicodeDecodeError:
        line["base64"] = octets
    return msgspec.json.encode(line).decode("utf-8")
