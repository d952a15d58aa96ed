"""Cuts a log into its records: what stands from one beginning to the next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from msgtrace.ordinary import Run
from msgtrace.wrapping import LONGEST_LINE

Record = tuple[int, tuple[bytes, ...] | None, bytes]
"""line on which it begins, groups of its beginning (None before the first one), text without its last LF"""


def records(blocks: Iterable[bytes], beginning: re.Pattern[bytes]) -> Iterator[Record]:
    """Blocks hold whole lines; ``beginning`` starts with the line end before a record and has only
    groups that always take part, if perhaps with nothing."""
    step = beginning.groups + 1
    groups: tuple[bytes, ...] | None = None
    text, line = b"\n", 0  # a line end before the first line, so that a record may begin there
    for block in blocks:
        parts = beginning.split(text + block)
        last = len(parts) - 1
        text = parts[0]
        for index in range(1, last, step):
            yield line, groups, text
            line += text.count(b"\n") + 1
            groups = tuple(parts[index : index + step - 1])
            text = parts[index + step - 1]
        if len(text) > LONGEST_LINE:
            yield line, groups, text
            line += text.count(b"\n")
            groups, text = None, b""
    yield line, groups, text.removesuffix(b"\n")


def records_and_runs(
    blocks: Iterable[bytes], beginning: re.Pattern[bytes], run: Callable[[str, int, int], Run | None]
) -> Iterator[Record | Run]:
    """The same records, except those that ``run`` finds in a text at a place, which is where a record may begin, on a
    line."""
    data, line = b"\n", 0
    for block in blocks:
        data += block
        text = data.decode("latin-1")
        place = 0
        while True:
            found = run(text, place, line + 1)
            if found is not None and found.frames:
                line += data.count(b"\n", place, found.end)
                place = found.end
                yield found
            following = beginning.search(data, place + 1)
            if following is None:
                break
            yield _record(data[place : following.start()], beginning, line)
            line += data.count(b"\n", place, following.start())
            place = following.start()
        data = data[place:]
        if len(data) > LONGEST_LINE:
            yield _record(data, beginning, line)
            line += data.count(b"\n")
            data = b""
    yield _record(data.removesuffix(b"\n"), beginning, line)


def _record(data: bytes, beginning: re.Pattern[bytes], line: int) -> Record:
    """``line`` line ends stand before ``data``."""
    begins = beginning.match(data)
    return (line, None, data) if begins is None else (line + 1, begins.groups(), data[begins.end() :])


def with_line_ends(text: bytes) -> bytes:
    """CR LF where somebody left only LF."""
    return text.replace(b"\n", b"\r\n") if b"\r" not in text and b"\n" in text else text
