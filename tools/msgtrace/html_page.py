"""``msgtrace decode --html``: a recording as one page that needs nothing else, to look through or to send to somebody.

The page holds the calls, the rows of their ladders and every message as JSON; a script in it draws what is asked for.
What a peer sent is data there and never markup: the script puts text into text nodes only, the JSON has no ``<``, and
the page's policy forbids every other script and any connection.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from importlib.resources import files

import msgspec
from msgspec import Struct

from msgtrace import sdp
from msgtrace.answers import Shown, seconds
from msgtrace.call_table import SIGNS, Judged
from msgtrace.calls import CallIndex
from msgtrace.entries import EntryKind
from msgtrace.octets import readable
from msgtrace.render import remarks, without_secrets
from msgtrace.rows import rows_of

MOST = 50_000
"""messages of a page; a browser draws one call at a time, but holds all of them"""
_LONGEST = 64 * 1024
"""octets of a message that the page shows"""


class PageRow(Struct, frozen=True, array_like=True):
    """A row of a ladder."""

    at: float
    kind: str
    source: str
    target: str
    label: str
    number: int
    times: int
    until: float
    status: int
    bad: bool


class PageMessage(Struct, frozen=True, array_like=True):
    """What is shown of one message."""

    number: int
    clock: str
    where: str
    summary: str
    tokens: list[tuple[str, str]]
    octets: str
    """one character each"""
    cut: int
    """octets that are left off"""
    answers: int
    took: float | None
    remarks: str
    sdp: str


class PageCall(Struct, frozen=True):
    """A call of the list; number 0 holds what belongs to none."""

    number: int
    sign: str
    ending: str
    method: str
    caller: str
    callee: str
    call_id: str
    begin: float
    clock: str
    lasted: float
    text: str
    cause: str
    leg_of: int
    legs: list[int]
    messages: int
    rows: list[PageRow]


class Page(Struct, frozen=True):
    """All that the page knows."""

    title: str
    form: str
    calls: list[PageCall]
    messages: list[PageMessage]
    left_out: int


def page(
    items: Sequence[Shown],
    rows: Sequence[Judged],
    index: CallIndex,
    *,
    title: str,
    form: str,
    show_secrets: bool = False,
) -> Iterator[str]:
    """The page, in pieces. ``rows`` are the calls to show, ``items`` all messages of the recording."""
    wanted = {row.call.number for row in rows}
    by_call: dict[int, list[Shown]] = {}
    left_out = 0
    for item in items[:MOST]:
        call = index.of(item)
        number = call.number if call is not None else 0
        if number in wanted or number == 0:
            by_call.setdefault(number, []).append(item)
    left_out = max(0, len(items) - MOST)
    has_sip = any(item.entry.kind is EntryKind.SIP for item in items[:MOST])
    origin = next((at for item in items if (at := _at(item)) is not None), 0.0)
    calls = [_call(row, by_call.get(row.call.number, []), origin, has_sip) for row in rows]
    if 0 in by_call:
        calls.append(_rest(by_call[0], origin, has_sip))
    messages = [
        _message(item if show_secrets else without_secrets(item), item)
        for number in by_call
        for item in by_call[number]
        if item.entry.kind in (EntryKind.FRAME, EntryKind.SIP)
    ]
    messages.sort(key=lambda one: one.number)
    data = msgspec.json.encode(Page(title, form, calls, messages, left_out)).decode("utf-8")
    yield from _filled(title, data)


def _at(item: Shown) -> float | None:
    return seconds(item.entry.time or (item.message.get("time") if item.message else ""))


def _call(row: Judged, items: Sequence[Shown], origin: float, has_sip: bool) -> PageCall:
    call = row.call
    begin, end = seconds(call.begin), seconds(call.end)
    return PageCall(
        call.number,
        SIGNS[row.verdict.ending],
        row.verdict.ending.value,
        call.method,
        readable(call.caller),
        readable(call.callee),
        readable(call.call_id),
        round((begin if begin is not None else origin) - origin, 6),
        call.begin,
        round((end - begin) % 86400, 6) if begin is not None and end is not None else 0.0,
        readable(row.text),
        readable(row.cause),
        row.leg_of,
        [number for number, _ in row.legs],
        call.messages,
        _rows(items, origin, has_sip),
    )


def _rest(items: Sequence[Shown], origin: float, has_sip: bool) -> PageCall:
    text = "what belongs to no call: connections, routes, remarks, damage"
    damaged = any(item.entry.kind is EntryKind.DAMAGE for item in items)
    ending = "bad" if damaged else "open"
    return PageCall(
        *(0, "!!" if damaged else "–", ending, "", "", "", "", 0.0, "", 0.0, text, "", 0, []),
        sum(item.message is not None for item in items),
        _rows(items, origin, has_sip),
    )


def _rows(items: Sequence[Shown], origin: float, has_sip: bool) -> list[PageRow]:
    return [
        PageRow(
            round(row.at, 6),
            row.kind,
            row.source,
            row.target,
            row.summary,
            row.number,
            row.times,
            round(row.until, 6),
            row.status,
            row.bad,
        )
        for row in rows_of(items, origin=origin, has_sip=has_sip)
    ]


def _message(safe: Shown, item: Shown) -> PageMessage:
    entry, message = safe.entry, safe.message
    octets = entry.data if message is None else message.content
    text = safe.sip
    return PageMessage(
        item.number,
        entry.time,
        entry.where,
        readable(item.summary),
        [(readable(token.name), readable(token.value)) for token in message.tokens] if message else [],
        octets[:_LONGEST],
        max(0, len(octets) - _LONGEST),
        item.answers,
        None if item.round_trip is None else round(item.round_trip, 6),
        remarks(item).strip(),
        sdp.summary(text.body) if text is not None else "",
    )


def _filled(title: str, data: str) -> Iterator[str]:
    folder = files("msgtrace") / "page"
    style, script, body = (
        (folder / name).read_text("utf-8") for name in ("page.css", "page.js", "page.html")
    )
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    shown = readable(title).replace("&", "&amp;").replace("<", "&lt;")
    # JSON in a script element ends at the next </script>, so no < may be in it.
    safe = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    for piece in body.split("@@"):
        match piece:
            case "policy":
                yield policy
            case "title":
                yield shown
            case "style":
                yield style
            case "script":
                yield script
            case "data":
                yield safe
            case _:
                yield piece


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
