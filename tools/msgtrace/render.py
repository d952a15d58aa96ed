"""Turns the entries of a recording into what a person reads: one line each, all tokens by name, JSON, or a ladder.

An answer names the message that it answers by that message's number, which is what one looks for in a log.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from msgtrace import redact
from msgtrace.answers import Shown
from msgtrace.colours import Colour, Paint
from msgtrace.entries import EntryKind
from msgtrace.frames import LengthUnit
from msgtrace.messages import Message, MessageKind, Token
from msgtrace.octets import one_line, readable

_NO_PAINT = Paint(False)
_FRAME = EntryKind.FRAME
_BYTES = LengthUnit.BYTES
_NO_ANSWER = "no answer"
NO_ANSWER = f"   ({_NO_ANSWER})"
"""behind a line of a message without other remarks"""
_CLOCK = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?")


class JsonLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of ``msgtrace decode --jsonl``. Octets that are not UTF-8 are written as ``\\xNN``."""

    number: int
    """from 1; remarks and damages have the number of the message before them"""
    kind: str
    """of a frame what it says (``authenticate``, ``network-request``, …), else ``sip``, ``note`` or ``damage``"""
    where: str
    """``line 12``, ``packet 7`` or ``octet 345``"""
    time: str = ""
    """as the recording has it"""
    connection: str = ""
    direction: str = ""
    """``to-server`` or ``from-server``, seen from the application; of a SIP message, from its peer"""
    peer: str = ""
    """of a SIP message: who is on the other side of the server, ``udp/127.0.0.1:5060``"""
    source: str = ""
    """of a SIP message: who sent it, where the recording tells, ``udp/127.0.0.1:5060``"""
    target: str = ""
    """and to whom"""
    summary: str = ""
    length: int = -1
    """the number before ``#``; of a SIP message the length that a server's log tells"""
    length_units: list[str] = []
    """``bytes``, ``code-points``, ``utf-16``, ``inflated``: all under which the length is right"""
    missing: int = 0
    """octets that the end lacks"""
    remark: str = ""
    """why, or what else is to be said of it"""
    tokens: dict[str, str] = {}
    answers: int = 0
    """number of the message that this one answers"""
    round_trip: float | None = None
    """seconds since that one"""
    unanswered: bool = False
    call: int = 0
    """number of the call as ``--calls`` counts them; only with --call"""
    start_line: str = ""
    headers: list[tuple[str, str]] = []
    body: str = ""
    text: str = ""
    """of a remark or a damage"""


def line(item: Shown, paint: Paint = _NO_PAINT) -> str:
    """One line for one entry."""
    entry = item.entry
    kind = entry.kind
    if kind is _FRAME:
        connection = f"[{entry.connection}] " if entry.connection else ""
        summary = one_line(item.summary)
        answer = ""
        if item.answers:
            took = f", {duration(item.round_trip)}" if item.round_trip is not None else ""
            answer = f"   answers {item.answers}: {one_line(item.answers_summary, 60)}{took}"
        units = entry.units
        ordinary = units[0] is _BYTES if units else entry.length < 0
        remark = "" if ordinary and not entry.missing and not item.unanswered else remarks(item)
        if not paint.enabled:
            place = f"{item.number:4} {_ARROWS[item.from_server]} {time_of(entry.time)}{connection}"
            return f"{place}{summary}{answer}{remark}"
        return (
            f"{item.number:4} {_painted_arrow(item, paint)} {paint(Colour.FAINT, time_of(entry.time))}{connection}"
            f"{_painted(item, summary, paint)}{paint(Colour.FAINT, answer)}{paint(Colour.BAD, remark)}"
        )
    if kind is EntryKind.DAMAGE:
        return paint(Colour.BAD, f"     !! {entry.where}: {readable(item.summary)}")
    if kind is EntryKind.NOTE:
        return paint(Colour.REMARK, f"     -- {time_of(entry.time)}{readable(item.summary)}")
    arrow = "~~~" if item.from_server is None else ("~~>" if item.from_server else "<~~")
    summary = _painted(item, one_line(item.summary), paint)
    ends = entry.peer or f"{entry.source} to {address_of(entry.target)}"
    return (
        f"{item.number:4} {arrow} {time_of(entry.time)}[{ends}] {summary}{paint(Colour.BAD, remarks(item))}"
    )


def address_of(place: str) -> str:
    """Host and port of ``udp/127.0.0.1:5060``."""
    return place.partition("/")[2] or place


_ARROWS = {None: "---", True: "<--", False: "-->"}


def _painted_arrow(item: Shown, paint: Paint) -> str:
    arrow = _ARROWS[item.from_server]
    return paint(Colour.FROM_SERVER if item.from_server else Colour.TO_SERVER, arrow)


def _painted(item: Shown, summary: str, paint: Paint) -> str:
    message = item.message
    if message is not None and message.kind in (MessageKind.NO, MessageKind.NOK, MessageKind.UNKNOWN):
        return paint(Colour.BAD, summary)
    status = item.content.lstrip("\r\n")[8:9] if item.content.lstrip("\r\n").startswith("SIP/2.0 ") else ""
    if status in ("4", "5", "6"):
        return paint(Colour.BAD, summary)
    return paint(Colour.GOOD, summary) if status == "2" else summary


def duration(seconds: float) -> str:
    """Milliseconds up to a second, seconds above."""
    if abs(seconds) < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def remarks(item: Shown) -> str:
    """What is odd about a message, if something is."""
    entry = item.entry
    said = [_NO_ANSWER] if item.unanswered else []
    if entry.missing:
        what = "its last octet" if entry.missing == 1 else f"its last {entry.missing} octets"
        trimmed = ": line ends were trimmed" if entry.kind is EntryKind.FRAME else ""
        trimmed = f": {entry.remark}" if entry.remark else trimmed
        said.append(f"lacks {what}{trimmed}")
    elif entry.kind is EntryKind.FRAME and entry.length >= 0:
        if not entry.units:
            lossy = "; such logs change what they print" if entry.lossy else ""
            said.append(f"length {entry.length}, but {len(entry.data)} octets are shown{lossy}")
        elif entry.units[0] is LengthUnit.INFLATED:
            said.append("replacement characters stand for octets that this log cannot show")
        elif entry.units[0] is not LengthUnit.BYTES:
            said.append(f"length {entry.length} counts {entry.units[0].value}")
    return "".join(f"   ({text})" for text in said)


def full(item: Shown, paint: Paint = _NO_PAINT, *, show_secrets: bool = False) -> str:
    """One entry with its tokens by name and the SIP message, several lines and an empty one."""
    head = line(item, paint)
    if item.entry.kind in (EntryKind.DAMAGE, EntryKind.NOTE):
        return f"{head}\n"
    lines = [f"{head}   ({item.entry.where})"]
    item = item if show_secrets else without_secrets(item)
    content = item.entry.data
    if item.message is not None:
        lines += tokens(item.message)
        content = item.message.content
    text = readable(content).rstrip("\n")
    if text:
        lines += [f"         │ {row}".rstrip() for row in text.split("\n")]
    return "\n".join(lines) + "\n"


def without_secrets(item: Shown) -> Shown:
    """The same with ``***`` for the secret of ``authenticate`` and for credentials."""
    data = redact.secrets(item.entry.data)
    if data == item.entry.data:
        return item
    entry = msgspec.structs.replace(item.entry, data=data)
    if item.message is None:
        return msgspec.structs.replace(item, entry=entry)
    message = item.message
    values = list(message.values)
    if message.kind is MessageKind.AUTHENTICATE and len(values) > 2:
        values[2] = redact.REDACTED
    elif message.kind is MessageKind.UNKNOWN:
        values = data.partition("\r\n")[0].split("|")
    content = redact.secrets(message.content)
    return msgspec.structs.replace(
        item, entry=entry, message=msgspec.structs.replace(message, values=values, content=content)
    )


def tokens(message: Message) -> list[str]:
    """A line for each token of a message: position, name, value; an empty token is shown as such."""
    width = max((len(token.name) for token in message.tokens), default=0)
    return [
        f"       {position:2} {token.name:{width}}  {_value(token)}".rstrip()
        for position, token in enumerate(message.tokens)
        if token.value or token.name != "end"
    ]


_ENCODER = msgspec.json.Encoder()


def json_line(item: Shown, *, show_secrets: bool = False, call: int = 0) -> str:
    """One entry as one JSON object (docs/msgtrace.schema.json)."""
    return _ENCODER.encode(json_object(item, show_secrets=show_secrets, call=call)).decode("utf-8")


def json_object(item: Shown, *, show_secrets: bool = False, call: int = 0) -> JsonLine:
    """One entry as it is to be written in JSON."""
    item = item if show_secrets else without_secrets(item)
    entry, message, sip = item.entry, item.message, item.sip
    direction = "" if item.from_server is None else ("from-server" if item.from_server else "to-server")
    return JsonLine(
        number=item.number,
        kind=message.kind.value if message else entry.kind.value,
        where=entry.where,
        time=entry.time,
        connection=entry.connection,
        direction=direction,
        peer=entry.peer,
        source=entry.source,
        target=entry.target,
        summary=readable(item.summary) if message or sip else "",
        length=entry.length,
        length_units=[unit.value for unit in entry.units],
        missing=entry.missing,
        remark=entry.remark,
        tokens={readable(token.name): readable(token.value) for token in message.tokens} if message else {},
        answers=item.answers,
        round_trip=None if item.round_trip is None else round(item.round_trip, 6),
        unanswered=item.unanswered,
        call=call,
        start_line=readable(sip.start_line) if sip else "",
        headers=[(readable(field.name), readable(field.value)) for field in sip.fields] if sip else [],
        body=readable(sip.body, keep="\r\n\t") if sip else "",
        text=readable(item.summary) if entry.kind in (EntryKind.DAMAGE, EntryKind.NOTE) else "",
    )


def time_of(time: str) -> str:
    """The time of day that the recording has, and a blank; empty if it has none."""
    if not time:
        return ""
    if time[10:11] in "T " and time[13:14] == ":":
        return f"{time[11:].rstrip('Z')} "
    found = _CLOCK.search(time)
    return f"{found[0]} " if found else ""


def _value(token: Token) -> str:
    return readable(token.value, keep="") or "(empty)"
