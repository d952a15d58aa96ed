"""The messages of a recording as rows of a ladder: who sent what to whom, when.

Where the recording holds no SIP messages of its own, those that the frames tell of are drawn; what never was on any
wire (OUT-6: a request that could not be sent, the answer that the server made in place of one) is a remark, no arrow.
The same message sent again is one row that counts.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from msgtrace.answers import Shown, seconds
from msgtrace.entries import EntryKind
from msgtrace.messages import MessageKind
from msgtrace.octets import one_line

MOST = 20_000
"""rows of a ladder, which nobody reads further"""
SERVER = "server"


class Row(Struct, frozen=True, kw_only=True):
    """Something that crossed a wire, or a remark."""

    at: float
    """seconds since the first row that has a time"""
    kind: str
    """``sip``, ``frame`` or ``note``"""
    source: str = ""
    target: str = ""
    summary: str = ""
    brief: str = ""
    """the same where there is no room: a method or a status"""
    number: int = 0
    """of the message; 0 for remarks"""
    times: int = 1
    """how often it was sent"""
    until: float = 0.0
    """when it was sent last"""
    status: int = 0
    """of a SIP response"""
    bad: bool = False
    """damage, a refusal, or a response that is a failure"""


def rows_of(items: Iterable[Shown], *, origin: float | None = None, has_sip: bool = False) -> list[Row]:
    """The rows of a ladder, folded; cut behind :data:`MOST` messages.

    Times count from ``origin`` (seconds of the day), or from the first message that has one; ``has_sip`` says that the
    recording holds SIP of its own, even if these messages do not.
    """
    rows: list[Row] = []
    told: set[int] = set()  # rows that were made from what frames tell
    again: dict[tuple[str, str, str], int] = {}
    servers: set[str] = set()
    at = 0.0
    cut = False
    for item in items:
        if len(rows) >= MOST:
            cut = True
            break
        moment = seconds(item.entry.time or (item.message.get("time") if item.message else ""))
        if moment is not None:
            origin = moment if origin is None else origin
            at = moment - origin if moment >= origin - 3600 else moment - origin + 86400
        entry = item.entry
        match entry.kind:
            case EntryKind.FRAME:
                for row, from_frame in _of_frame(item, at):
                    if from_frame:
                        told.add(len(rows))
                    rows.append(row)
            case EntryKind.SIP:
                has_sip = True
                source, target = _ends(item)
                known = again.get((source, target, entry.data))
                if known is not None:
                    first = rows[known]
                    rows[known] = msgspec.structs.replace(first, times=first.times + 1, until=at)
                    continue
                if entry.from_server is not None:
                    servers.add(_plain(entry.source if entry.from_server else entry.target))
                again[source, target, entry.data] = len(rows)
                rows.append(_sip_row(item, at, source, target))
            case _:
                damage = entry.kind is EntryKind.DAMAGE
                rows.append(Row(at=at, kind="note", summary=one_line(item.summary, 200), bad=damage))
    if has_sip:
        rows = [row for index, row in enumerate(rows) if index not in told]
    if cut:
        rows.append(Row(at=at, kind="note", summary=f"cut after {MOST} messages; --call shows one call"))
    # Which address is the server's may turn out after the first messages.
    servers.discard("")
    return [_at_server(row, servers) if row.kind == "sip" else row for row in rows]


def _at_server(row: Row, servers: set[str]) -> Row:
    source, target = (SERVER if name in servers else name for name in (row.source, row.target))
    if (source, target) == (row.source, row.target) or source == target:
        return row
    return msgspec.structs.replace(row, source=source, target=target)


def _ends(item: Shown) -> tuple[str, str]:
    entry = item.entry
    if entry.from_server is None:
        return _plain(entry.source), _plain(entry.target)
    peer = _plain(entry.peer)
    return (SERVER, peer) if entry.from_server else (peer, SERVER)


def _plain(address: str) -> str:
    return address.partition("/")[2] or address


def _sip_row(item: Shown, at: float, source: str, target: str) -> Row:
    text = item.sip
    status = (text.status or 0) if text is not None else 0
    return Row(
        at=at,
        kind="sip",
        source=source,
        target=target,
        summary=one_line(_without_prefix(item.summary)),
        brief=str(status) if status else (text.method if text is not None else ""),
        number=item.number,
        until=at,
        status=status,
        bad=status >= 400,
    )


def _of_frame(item: Shown, at: float) -> list[tuple[Row, bool]]:
    """A frame, and the SIP message on the other leg that it tells of; whether the row is only told."""
    other = f"app {item.entry.connection}".rstrip()
    source, target = (SERVER, other) if item.from_server else (other, SERVER)
    message = item.message
    text = message.sip if message is not None else None
    status = (text.status or 0) if text is not None else 0
    refused = message is not None and message.kind in (MessageKind.NO, MessageKind.NOK)
    brief = str(status) if status else (text.method if text is not None else item.summary.partition(" ")[0])
    frame = Row(
        at=at,
        kind="frame",
        source=source,
        target=target,
        summary=one_line(item.summary),
        brief=one_line(brief, 12),
        number=item.number,
        until=at,
        status=status,
        bad=refused or status >= 400,
    )
    if message is None or not message.content or message.kind is MessageKind.CDR:
        return [(frame, False)]
    direction = message.get("source")
    if direction not in ("network", "application"):
        return [(frame, False)]
    if not message.get("address"):
        if message.get("length") != "0":
            return [(frame, False)]
        what = "could not be sent" if direction == "application" else "was made by the server itself"
        said = Row(
            at=at,
            kind="note",
            source=SERVER,
            target=SERVER,
            summary=f"{_without_prefix(item.summary)} {what}",
        )
        return [(said, False), (frame, False)] if direction == "network" else [(frame, False), (said, False)]
    peer = f"{message.get('address')}:{message.get('port')}"
    sent = direction == "application"
    beside = _sip_row(item, at, *((SERVER, peer) if sent else (peer, SERVER)))
    return [(frame, False), (beside, True)] if sent else [(beside, True), (frame, False)]


def _without_prefix(summary: str) -> str:
    return summary.removeprefix("OK ").removeprefix("sip ").removeprefix("unsolicited ")
