"""Takes a log apart line by line, where blocks of it cannot be cleaned: lines of several services in one stream, lines
that come in pieces (containerd), records whose line ends are spelled out (rsyslog).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from msgtrace.wrapping import Wrapping, lines_of, on_lines_of_their_own, with_returns, without_colours

_LONGEST = 32 * 1024 * 1024


class Line(Struct, frozen=True):
    """One line of one service."""

    service: str
    """as the prefix names it; empty if there is none"""
    number: int
    """of the line of the file, from 1"""
    text: bytes
    """without its line end, if that was LF alone; a carriage return is kept"""


def separated(blocks: Iterable[bytes], wrapping: Wrapping, layers: list[re.Pattern[bytes]]) -> Iterator[Line]:
    """The lines of all services, in the order of the file."""
    number = 0
    begun: dict[str, list[bytes]] = {}  # pieces of a line that is not complete
    for block in lines_of(blocks):
        for line in block.splitlines(keepends=True) if b"\r" not in block else _at_feeds(block):
            number += 1
            text = line.removesuffix(b"\n")
            text = without_colours(text) if wrapping.colours else text
            service, more = "", False
            for layer in layers:
                found = layer.match(text)
                if found is None:
                    break
                text = text[found.end() :]
                groups = found.groupdict()
                name = groups.get("service")
                service = f"{service} {name.decode('utf-8', 'replace')}".strip() if name else service
                more = groups.get("piece") == b"P" or (more and "piece" not in groups)
            if more or service in begun:
                pieces = begun.setdefault(service, [])
                pieces.append(text)
                if more and sum(map(len, pieces)) < _LONGEST:
                    continue
                text = b"".join(begun.pop(service))
            for one in on_lines_of_their_own(text) if wrapping.one_line else (text,):
                yield Line(service, number, with_returns(one + b"\n", wrapping)[:-1])
    for service, pieces in begun.items():
        yield Line(service, number, b"".join(pieces))


def _at_feeds(block: bytes) -> list[bytes]:
    """Lines end in LF alone; a carriage return within one is its own."""
    parts = block.split(b"\n")
    last = parts.pop()
    return [part + b"\n" for part in parts] + ([last] if last else [])
