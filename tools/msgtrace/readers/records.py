"""Cuts a log into its records: what stands from one beginning to the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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


def with_line_ends(text: bytes) -> bytes:
    """CR LF where somebody left only LF."""
    return text.replace(b"\n", b"\r\n") if b"\r" not in text and b"\n" in text else text
