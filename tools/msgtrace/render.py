"""Turns the entries of a recording into what a person reads: one line each, all tokens by name, JSON, or a ladder.

An answer names the message that it answers by that message's number, which is what one looks for in a log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from msgtrace import ladder, messages, redact, sip
from msgtrace.entries import Entry, EntryKind
from msgtrace.messages import Message, MessageKind, Token
from msgtrace.octets import one_line, readable

_ANSWERS = frozenset({MessageKind.OK, MessageKind.NO, MessageKind.NOK})


class Shown(Struct, frozen=True, kw_only=True):
    """An entry, decoded and numbered, its secrets taken out."""

    number: int
    """from 1; only frames and SIP messages are counted, others have that of the one before"""
    entry: Entry
    message: Message | None = None
    """of a frame"""
    sip: sip.SipMessage | None = None
    """the SIP message, alone or in the frame"""
    from_server: bool | None = None
    answers: int = 0
    """number of the message that this one answers, 0 if it answers none that was seen"""
    answers_summary: str = ""

    @property
    def summary(self) -> str:
        """What it is, in a few words."""
        if self.message is None:
            return self.sip.summary() if self.sip else self.entry.data
        hostports, version = self.message.get("hostports"), self.message.get("version")
        return " ".join(part for part in (self.message.summary(), version, hostports) if part)


class _JsonLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    number: int
    kind: str
    where: str
    time: str = ""
    connection: str = ""
    direction: str = ""
    peer: str = ""
    summary: str = ""
    length: int = -1
    length_units: list[str] = []
    tokens: dict[str, str] = {}
    answers: int = 0
    start_line: str = ""
    headers: list[tuple[str, str]] = []
    body: str = ""
    text: str = ""


def shown(entries: Iterable[Entry], *, show_secrets: bool = False) -> Iterator[Shown]:
    """Decode and number entries; without ``show_secrets`` nothing secret is left in them."""
    number = 0
    asked: dict[tuple[str, str], Shown] = {}
    for entry in entries:
        if not show_secrets:
            entry = msgspec.structs.replace(entry, data=redact.secrets(entry.data))
        match entry.kind:
            case EntryKind.FRAME:
                number += 1
                item = _frame(entry, number, asked)
                if item.from_server is not True and item.message is not None and item.message.id:
                    asked[entry.connection, item.message.id] = item
                yield item
            case EntryKind.SIP:
                number += 1
                yield Shown(
                    number=number, entry=entry, sip=sip.parse(entry.data), from_server=entry.from_server
                )
            case _:
                yield Shown(number=number, entry=entry)


def _frame(entry: Entry, number: int, asked: dict[tuple[str, str], Shown]) -> Shown:
    message = messages.decode(entry.data, from_server=entry.from_server)
    from_server = entry.from_server
    if from_server is None and message.kind is not MessageKind.UNKNOWN:
        from_server = message.from_server
    question = asked.get((entry.connection, message.get("request-id"))) if message.kind in _ANSWERS else None
    return Shown(
        number=number,
        entry=entry,
        message=message,
        sip=message.sip,
        from_server=from_server,
        answers=question.number if question else 0,
        answers_summary=question.message.summary() if question and question.message else "",
    )


def line(item: Shown) -> str:
    """One line for one entry."""
    entry = item.entry
    match entry.kind:
        case EntryKind.DAMAGE:
            return f"     !! {entry.where}: {readable(entry.data)}"
        case EntryKind.NOTE:
            return f"     -- {_time(entry)}{readable(entry.data)}"
        case EntryKind.SIP:
            arrow = "~~>" if item.from_server else "<~~"
            return f"{item.number:4} {arrow} {_time(entry)}[{entry.peer}] {one_line(item.summary)}"
        case EntryKind.FRAME:
            connection = f"[{entry.connection}] " if entry.connection else ""
            answer = (
                f"   answers {item.answers}: {one_line(item.answers_summary, 60)}" if item.answers else ""
            )
            return (
                f"{item.number:4} {_arrow(item)} {_time(entry)}{connection}{one_line(item.summary)}{answer}"
                f"{_length_remark(entry)}"
            )


def full(item: Shown) -> str:
    """One entry with its tokens by name and the SIP message, several lines and an empty one."""
    head = line(item)
    if item.entry.kind in (EntryKind.DAMAGE, EntryKind.NOTE):
        return f"{head}\n"
    lines = [f"{head}   ({item.entry.where})"]
    content = item.entry.data
    if item.message is not None:
        lines += tokens(item.message)
        content = item.message.content
    text = readable(content).rstrip("\n")
    if text:
        lines += [f"         │ {row}".rstrip() for row in text.split("\n")]
    return "\n".join(lines) + "\n"


def tokens(message: Message) -> list[str]:
    """A line for each token of a message: position, name, value; an empty token is shown as such."""
    width = max((len(token.name) for token in message.tokens), default=0)
    return [
        f"       {position:2} {token.name:{width}}  {_value(token)}".rstrip()
        for position, token in enumerate(message.tokens)
        if token.value or token.name != "end"
    ]


def json_line(item: Shown) -> str:
    """One entry as one JSON object. Octets that are not UTF-8 are written as ``\\xNN``."""
    entry, message = item.entry, item.message
    direction = "" if item.from_server is None else ("from-server" if item.from_server else "to-server")
    result = _JsonLine(
        number=item.number,
        kind=message.kind.value if message else entry.kind.value,
        where=entry.where,
        time=entry.time,
        connection=entry.connection,
        direction=direction,
        peer=entry.peer,
        summary=readable(item.summary) if message or item.sip else "",
        length=entry.length,
        length_units=[unit.value for unit in entry.units],
        tokens={readable(token.name): readable(token.value) for token in message.tokens} if message else {},
        answers=item.answers,
        start_line=readable(item.sip.start_line) if item.sip else "",
        headers=[(readable(field.name), readable(field.value)) for field in item.sip.fields]
        if item.sip
        else [],
        body=readable(item.sip.body, keep="\r\n\t") if item.sip else "",
        text=readable(entry.data) if entry.kind in (EntryKind.DAMAGE, EntryKind.NOTE) else "",
    )
    return msgspec.json.encode(result).decode("utf-8")


class _Row(Struct, frozen=True):
    at: float
    kind: str
    source: str
    target: str
    summary: str


def ladder_text(items: Iterable[Shown], width: int) -> str:
    """The entries as a ladder; times count from the first entry that has one (number of the line without times)."""
    rows: list[_Row] = []
    origin: float | None = None
    for item in items:
        seconds = _seconds(item)
        if seconds is not None and origin is None:
            origin = seconds
        at = (
            seconds - origin if seconds is not None and origin is not None else (rows[-1].at if rows else 0.0)
        )
        other = (
            f"app {item.entry.connection}".rstrip()
            if item.entry.kind is not EntryKind.SIP
            else item.entry.peer
        )
        match item.entry.kind:
            case EntryKind.FRAME | EntryKind.SIP:
                source, target = ("server", other) if item.from_server else (other, "server")
                rows.append(_Row(at, item.entry.kind.value, source, target, one_line(item.summary)))
            case _:
                rows.append(_Row(at, "note", "", "", one_line(item.entry.data)))
    return ladder.text(rows, width=width)


def _seconds(item: Shown) -> float | None:
    """Seconds of the day of an entry: the recording's time, else that of the frame's own time token."""
    stamp = item.entry.time or (item.message.get("time") if item.message else "")
    match = re.search(r"(\d\d):(\d\d):(\d\d(?:\.\d+)?)", stamp)
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match else None


def _arrow(item: Shown) -> str:
    if item.from_server is None:
        return "---"
    return "<--" if item.from_server else "-->"


def _time(entry: Entry) -> str:
    match = re.search(r"\d\d:\d\d:\d\d(\.\d+)?", entry.time)
    return f"{match[0]} " if match else ""


def _value(token: Token) -> str:
    return readable(token.value, keep="") or "(empty)"


def _length_remark(entry: Entry) -> str:
    """What is odd about a frame's length, if something is."""
    if entry.length < 0 or (entry.units and entry.units[0].value == "bytes"):
        return ""
    if entry.units:
        return f"   (length {entry.length} counts {entry.units[0].value})"
    return f"   (length {entry.length}, but {len(entry.data)} octets are shown)"
