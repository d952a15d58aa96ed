"""SIP in a field of a JSON line, as applications log what they got: pino's objects, those of jambonz among them.

A text that begins like a SIP message is one, wherever it stands in the line. What drachtio-srf puts beside it, from
which address it came and by which transport, tells who sent it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from msgtrace.entries import Entry, EntryKind

LINE = re.compile(
    rb'(?:\A|\n)\{[^\n]*"(?:[A-Z]{3,20} (?:sips?|tel):[^"\n\\]{1,500} SIP/2\.0|SIP/2\.0 [1-6][0-9]{2} [^"\n\\]{0,200})'
    rb"(?:\\r)?\\n"
)
"""finds a line that holds SIP"""
_START = re.compile(r"(?:[A-Z]{3,20} \S{1,500} SIP/2\.0|SIP/2\.0 [1-6][0-9]{2} [^\r\n]{0,200})\r?\n")
_DEEPEST = 8
_DECODER = msgspec.json.Decoder()


def messages(line: bytes, number: int, time: str) -> list[Entry]:
    """The SIP messages of a line, each once."""
    try:
        value = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    return messages_in(value, number, time)


def messages_in(value: object, number: int, time: str) -> list[Entry]:
    """The SIP messages of a value that was decoded, each once."""
    found: dict[str, Entry] = {}
    for entry in _within(value, {}, number, time):
        if entry.data not in found or entry.peer:
            found[entry.data] = entry
    return list(found.values())


def _within(
    value: object, around: dict[str, object], number: int, time: str, depth: int = 0
) -> Iterator[Entry]:
    if isinstance(value, str):
        if _START.match(value.lstrip("\r\n")):
            yield _entry(value, around, number, time)
    elif depth >= _DEEPEST:
        return
    elif isinstance(value, dict):
        told = value if "source_address" in value else around
        for inner in value.values():
            yield from _within(inner, told, number, time, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _within(inner, around, number, time, depth + 1)


def _entry(text: str, around: dict[str, object], number: int, time: str) -> Entry:
    data = text if "\r\n" in text else text.replace("\n", "\r\n")
    if "\r\n\r\n" not in data:
        data = data.rstrip("\r\n") + "\r\n\r\n"
    address, port = around.get("source_address"), around.get("source_port")
    source = f"{around.get('protocol') or 'udp'}/{address}:{port}" if address else ""
    from_server = {"network": False, "application": True}.get(str(around.get("source")))
    return Entry(
        kind=EntryKind.SIP,
        line=number,
        time=time,
        from_server=from_server,
        peer=source if from_server is not None else "",
        source=source if not from_server else "",
        target=source if from_server else "",
        data=data.encode("utf-8", "surrogatepass").decode("latin-1"),
    )
