"""What others put around a log: terminal colours, the prefixes of containers, the marks of a quotation.

It is found out from the beginning of the file, and then taken off every line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

_ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
_QUOTE = rb"(?:> ?)+"
_DOCKER = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6,9}(?:Z|[+-][0-9]{2}:[0-9]{2}) ?"
_PREFIXES = (
    ("quotation marks", _QUOTE),
    ("compose prefixes", rb"[A-Za-z0-9][A-Za-z0-9_.-]* +\| ?"),
    ("pod prefixes", rb"\[pod/[^\]\s]+\] "),
    ("container times", _DOCKER),
)
LONGEST_LINE = 32 * 1024 * 1024
"""octets; what has no line end for longer is cut"""


class Wrapping(Struct, frozen=True):
    """What stands around the lines of a log."""

    names: tuple[str, ...] = ()
    """in words"""
    prefix: re.Pattern[bytes] | None = None
    """matches a line end and the prefix of the next line"""
    colours: bool = False
    doubled: bool = False
    """every line end was turned into two"""
    docker_json: bool = False
    """each line is an object of docker's log driver, with a line of the log in it"""


class _DockerLine(Struct, frozen=True):
    log: str
    time: str = ""


_DOCKER_LINES = msgspec.json.Decoder(_DockerLine)


def detect(sample: bytes) -> Wrapping:
    """Look at the beginning of a file."""
    if sample.lstrip()[:7] == b'{"log":':
        inner = detect(b"".join(_docker_text(line) for line in sample.splitlines()[:-1]))
        return Wrapping(
            ("docker's JSON lines", *inner.names), inner.prefix, inner.colours, inner.doubled, True
        )
    names: list[str] = []
    colours = b"\x1b[" in sample
    if colours:
        names.append("colours")
        sample = _ANSI.sub(b"", sample)
    lines = [line for line in sample.split(b"\n")[:400] if line.strip()]
    pattern = b""
    for name, prefix in _PREFIXES:
        matcher = re.compile(pattern + prefix)
        if lines and sum(matcher.match(line) is not None for line in lines) >= max(1, len(lines) * 0.9):
            pattern += prefix
            names.append(name)
    doubled = b"\r" not in sample and _doubled(sample)
    if doubled:
        names.append("doubled line ends")
    return Wrapping(
        tuple(names), re.compile(rb"\n(?:" + pattern + rb")") if pattern else None, colours, doubled
    )


def _doubled(sample: bytes) -> bool:
    lines = sample.split(b"\n")
    return len(lines) > 6 and not any(lines[1:-1:2]) and any(lines[::2])


def clean(blocks: Iterable[bytes], wrapping: Wrapping) -> Iterator[bytes]:
    """Blocks of whole lines (the last line of all may lack its end) without their wrapping."""
    if wrapping.docker_json:
        inner = Wrapping((), wrapping.prefix, wrapping.colours, wrapping.doubled)
        yield from clean(_unwrapped(lines_of(blocks)), inner)
        return
    for block in lines_of(blocks, b"\n\n" if wrapping.doubled else b"\n"):
        if wrapping.colours and b"\x1b" in block:
            block = _ANSI.sub(b"", block)
        if wrapping.prefix is not None:
            block = wrapping.prefix.sub(b"\n", b"\n" + block)[1:]
        if wrapping.doubled:
            block = block.replace(b"\n\n", b"\n")
        yield block


def lines_of(blocks: Iterable[bytes], end: bytes = b"\n") -> Iterator[bytes]:
    """The same octets, cut behind line ends."""
    kept = b""
    for block in blocks:
        data = kept + block
        cut = data.rfind(end) + len(end)
        if cut < len(end):
            if len(data) < LONGEST_LINE:
                kept = data
                continue
            cut = len(data)
        yield data[:cut]
        kept = data[cut:]
    if kept:
        yield kept


def _unwrapped(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield b"".join(_docker_text(line) for line in block.splitlines())


def _docker_text(line: bytes) -> bytes:
    """The log's line in an object of docker's; the line itself if it is none."""
    try:
        return _DOCKER_LINES.decode(line).log.encode("utf-8", "surrogatepass")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return line + b"\n"
