"""Two calls side by side: where they part, message by message, and which fields differ in what both have.

What differs in any two calls is left out: tags, branches, Call-IDs, dates, lengths, and the numbers in an SDP's origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from msgtrace import sip as sip_view
from msgtrace.answers import Shown
from msgtrace.octets import one_line
from msgtrace.rows import Row
from msgtrace.sip import SipMessage, canonical

_VOLATILE = re.compile(r";?\b(?:tag|branch|rport|received)=[^;,>\s]*")
_UNTOLD = frozenset(
    {"call-id", "date", "content-length", "authorization", "proxy-authorization", "timestamp"}
)
_ORIGIN = re.compile(r"(?m)^o=\S+ \d+ \d+")


def differences(
    one: tuple[Sequence[Row], Sequence[Shown]], two: tuple[Sequence[Row], Sequence[Shown]]
) -> Iterator[str]:
    """Lines: ``  `` both have it, ``- `` only the first, ``+ `` only the second, ``~ `` what differs in both.

    Rows are those of ladders; the messages behind them are looked up by number.
    """
    rows, messages = (one[0], two[0]), tuple({item.number: item for item in part[1]} for part in (one, two))
    kinds = tuple([_kind(row) for row in part] for part in rows)
    for tag, begin, end, other, last in SequenceMatcher(
        None, kinds[0], kinds[1], autojunk=False
    ).get_opcodes():
        if tag != "equal":
            yield from (f"- {_told(row)}" for row in rows[0][begin:end])
            yield from (f"+ {_told(row)}" for row in rows[1][other:last])
            continue
        for first, second in zip(rows[0][begin:end], rows[1][other:last], strict=True):
            yield f"  {_told(first)}"
            yield from _fields(messages[0].get(first.number), messages[1].get(second.number))


def _kind(row: Row) -> tuple[str, str, bool]:
    """What must be alike in both: method or status, and which way it went."""
    method = row.summary.rpartition("(")[2] if row.status else ""
    return row.kind, f"{row.brief} {method}", row.source == "server"


def _told(row: Row) -> str:
    return f"{row.at:9.3f}  {row.source or 'remark':21} → {row.target:21} {row.summary}".rstrip()


def _fields(one: Shown | None, two: Shown | None) -> Iterator[str]:
    first, second = (_message(item) for item in (one, two))
    if first is None or second is None:
        return
    if _plain(first.start_line) != _plain(second.start_line):
        yield f"~     start line: {one_line(first.start_line)} | {one_line(second.start_line)}"
    names = dict.fromkeys(canonical(field.name) for field in (*first.fields, *second.fields))
    for name in names:
        if name in _UNTOLD:
            continue
        values = [tuple(_plain(value) for value in part.all(name)) for part in (first, second)]
        if values[0] != values[1]:
            told = [one_line(", ".join(part.all(name)), 60) or "(none)" for part in (first, second)]
            yield f"~     {name}: {told[0]} | {told[1]}"
    bodies = [_ORIGIN.sub("o=", part.body).replace("\r", "").split("\n") for part in (first, second)]
    if bodies[0] != bodies[1]:
        only = [[line for line in bodies[side] if line and line not in bodies[1 - side]] for side in (0, 1)]
        yield from (f"~     body - {one_line(line)}" for line in only[0])
        yield from (f"~     body + {one_line(line)}" for line in only[1])


def _message(item: Shown | None) -> SipMessage | None:
    if item is None or not item.content.strip():
        return None
    return sip_view.parse(item.content)


def _plain(value: str) -> str:
    return _VOLATILE.sub("", value)
