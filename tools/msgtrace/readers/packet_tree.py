"""SIP in the trees that ``tshark -V`` and ``tshark -O sip`` print, and Wireshark exports: the start line and the
headers stand in them as they were, and the fields of SDP, of which the body is put together again if it then has the
length that Content-Length announces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.moments import iso
from msgtrace.ordinary import Detail, Run
from msgtrace.wrapping import lines_of

BEGINNING = re.compile(rb"(?:\A|\n)Frame [0-9]+: [^\n]*\n(?:[^\n]*\n){1,400}?Session Initiation Protocol \(")
_FRAME = re.compile(rb"Frame ([0-9]{1,10}): ")
_TIME = re.compile(rb"    Epoch (?:Arrival )?Time: ([0-9]{1,12})\.([0-9]{1,9}) seconds")
_ADDRESSES = re.compile(rb"Internet Protocol Version [46], Src: (\S+)(?: \([^)]*\))?, Dst: (\S+)")
_PORTS = re.compile(
    rb"(User Datagram|Transmission Control) Protocol, "
    rb"Src Port: (?:\S+ \()?([0-9]{1,5})\)?, Dst Port: (?:\S+ \()?([0-9]{1,5})"
)
_SIP = b"Session Initiation Protocol ("
_START = re.compile(rb"    (?:Request-Line|Status-Line): ([^\r\n]+)")
_PART = re.compile(rb"    Message (Header|Body)\s*\Z")
_HEADER = re.compile(rb"        ([A-Za-z][^\r\n]*)")
_SDP = re.compile(rb"            [^(\r\n]*\(([a-z])\): ?([^\r\n]*)")
_LENGTH = re.compile(rb"(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,8})", re.IGNORECASE)
_MOST_LINES = 5000


def read(blocks: Iterable[bytes], account: Account, runs: Detail | None = None) -> Iterator[Entry | Run]:
    """Entries of such a text; it has no runs of frames."""
    tree = _Tree(account)
    for block in lines_of(blocks):
        for line in block.splitlines():
            yield from tree.line(line)
    yield from tree.end()


class _Tree:
    """The packet that is being read."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._number = 0
        self._time = 0
        self._ends = ("", "")
        self._transport = "udp"
        self._lines: list[bytes] = []
        self._body: list[bytes] = []
        self._in_sip = False
        self._part = b""
        """of the message: ``Header``, ``Body``, or empty"""

    def line(self, line: bytes) -> Iterator[Entry]:
        """The next line."""
        self._account.other += len(line) + 1
        if self._in_sip and line[:1] == b" " and len(self._lines) + len(self._body) < _MOST_LINES:
            if start := _START.match(line):
                self._lines.append(start[1])
            elif part := _PART.match(line):
                self._part = part[1]
            elif self._part == b"Header" and (header := _HEADER.match(line)):
                self._lines.append(header[1])
            elif self._part == b"Body" and (field := _SDP.match(line)):
                self._body.append(field[1] + b"=" + field[2])
            return
        if self._in_sip:
            yield from self.end()
        if frame := _FRAME.match(line):
            self._number, self._time = int(frame[1]), 0
        elif time := _TIME.match(line):
            self._time = int(time[1]) * 10**9 + int(time[2].ljust(9, b"0"))
        elif addresses := _ADDRESSES.match(line):
            self._ends = addresses[1].decode("latin-1"), addresses[2].decode("latin-1")
        elif ports := _PORTS.match(line):
            self._transport = "udp" if ports[1].startswith(b"User") else "tcp"
            self._ends = _end(self._ends[0], ports[2]), _end(self._ends[1], ports[3])
        self._in_sip = line.startswith(_SIP)

    def end(self) -> Iterator[Entry]:
        """The message is complete."""
        self._in_sip, self._part = False, b""
        lines, self._lines = self._lines, []
        fields, self._body = self._body, []
        if len(lines) < 2:
            return
        said = next((int(found[1]) for line in lines if (found := _LENGTH.match(line))), 0)
        body = b"".join(field + b"\r\n" for field in fields)
        if len(body) != said:
            body = b""
        data = b"\r\n".join(lines) + b"\r\n\r\n" + body
        self._account.sip += len(data)
        self._account.other = max(0, self._account.other - len(data))
        missing = said - len(body)
        source, target = self._ends
        yield Entry(
            kind=EntryKind.SIP,
            line=self._number,
            place="packet",
            time=iso(self._time) if self._time else "",
            source=f"{self._transport}/{source}",
            target=f"{self._transport}/{target}",
            data=data.decode("latin-1"),
            missing=missing,
            remark="tshark shows its body taken apart" if missing else "",
        )


def _end(host: str, port: bytes) -> str:
    return f"[{host}]:{port.decode()}" if ":" in host else f"{host}:{port.decode()}"
