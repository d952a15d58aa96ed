"""SIP as tools print it: ``sngrep`` (its export as text), ``ngrep -W byline``, ``tcpdump -A``. A line tells time and
addresses, the message follows; it ends where its Content-Length ends, or at the next such line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.ordinary import Detail, Run
from msgtrace.readers.records import records, with_line_ends

_ARROW = (
    rb"(?:(?P<proto>[UT]|proto:\S+) )?(?P<date>20[0-9]{2}[-/][0-9]{2}[-/][0-9]{2})[T ]"
    rb"(?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)Z?[ \t]+"
    rb"(?P<source>\S+:[0-9]{1,5}) -+> (?P<target>\S+:[0-9]{1,5})[^\n]*"
)
_TCPDUMP = (
    rb"(?:(?P<date2>20[0-9]{2}-[0-9]{2}-[0-9]{2}) )?(?P<clock2>[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9}) "
    rb"(?:[\w.-]+ +(?:In|Out|B|M|P) +)?IP6? [^\n]*?(?P<source2>[0-9A-Fa-f.:]+)\.(?P<sport>[0-9]{1,5}) > "
    rb"(?P<target2>[0-9A-Fa-f.:]+)\.(?P<dport>[0-9]{1,5}): (?P<what>[^\n]*)"
)
_HEAD = re.compile(rb"(?:" + _ARROW + rb"|" + _TCPDUMP + rb")")
BEGINNING = re.compile(
    rb"\n((?:(?:[UT]|proto:\S+) )?(?:20[0-9]{2}[-/][0-9]{2}[-/][0-9]{2}[T ])?[0-9]{2}:[0-9]{2}:[0-9]{2}[^\n]{0,40}? "
    rb"(?:IP6? [^\n]{1,200} > |\S{3,60}:[0-9]{1,5} -+> )[^\n]*)"
)
_START_ANYWHERE = re.compile(rb"SIP/2\.0 [0-9]{3} |[A-Z]{3,20} [^ \r\n]{1,2000} SIP/2\.0\.?\r?\n")
_CONTENT_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,8})", re.IGNORECASE)


def read(blocks: Iterable[bytes], account: Account, runs: Detail | None = None) -> Iterator[Entry | Run]:
    """Entries of such a text; it has no runs of frames."""
    for line, groups, text in records(blocks, BEGINNING):
        head = _HEAD.match(groups[0]) if groups is not None else None
        if groups is None or head is None:
            account.other += max(0, len(text) - 1)
            continue
        begins = _START_ANYWHERE.search(text)
        if begins is None:
            account.other += len(groups[0]) + len(text) + 1
            continue
        yield _entry(head, text[begins.start() :], line, account)


def _entry(head: re.Match[bytes], text: bytes, line: int, account: Account) -> Entry:
    part = {name: value.decode("latin-1") if value else "" for name, value in head.groupdict().items()}
    transport = "tcp" if part["proto"].upper() in ("T", "PROTO:TCP") or "Flags [" in part["what"] else "udp"
    if part["clock"]:
        source, target = part["source"], part["target"]
        date, clock = part["date"].replace("/", "-"), part["clock"]
    else:
        source, target = (
            _address(part[host], part[port]) for host, port in (("source2", "sport"), ("target2", "dport"))
        )
        date, clock = part["date2"], part["clock2"]
    message, missing = _message(text)
    account.sip += min(len(message), len(text))
    account.other += max(0, len(text) - len(message))
    return Entry(
        kind=EntryKind.SIP,
        line=line,
        time=f"{date} {clock}".strip(),
        source=f"{transport}/{source}",
        target=f"{transport}/{target}",
        data=message.decode("latin-1"),
        missing=missing,
    )


def _address(host: str, port: str) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _message(text: bytes) -> tuple[bytes, int]:
    """The message without what the tool puts behind it, and how many octets lack."""
    lines = text.split(b"\n")
    dots = sum(line.endswith((b".", b".\r")) for line in lines)
    if dots > 4 and dots >= 0.7 * sum(
        bool(line.strip()) for line in lines
    ):  # ngrep shows a carriage return as a dot
        text = b"\n".join(line.rstrip(b"\r").removesuffix(b".") for line in lines)
    message = with_line_ends(text.replace(b"\r\n", b"\n"))
    blank = message.find(b"\r\n\r\n")
    if blank < 0:
        return message.rstrip(b"\r\n") + b"\r\n\r\n", 0
    length = _CONTENT_LENGTH.search(message, 0, blank + 2)
    end = blank + 4 + (int(length[1]) if length else 0)
    return message[:end], max(0, end - len(message))
