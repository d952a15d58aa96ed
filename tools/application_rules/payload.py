"""A payload as a judge reads it: its tokens, and as much of the SIP message behind them as the rules ask for.

Nothing raises. Octets are held as ``str``, one character for each octet (latin-1).
"""

from __future__ import annotations

import re

from msgspec import Struct

_NAMES = {
    "i": "call-id",
    "f": "from",
    "t": "to",
    "c": "content-type",
    "l": "content-length",
    "k": "supported",
}
"""compact header names (RFC 3261 §20) of what the rules ask for"""
_LINE_END = re.compile(r"\r\n|\r|\n")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_TAG = re.compile(r";\s*tag\s*=\s*([^;,\s>]+)", re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|<[^>]*>')


class Header(Struct, frozen=True):
    """One header line."""

    name: str
    """canonical: lower case, long form"""
    value: str


class Payload(Struct, frozen=True):
    """One payload, taken apart."""

    tokens: tuple[str, ...]
    content: str
    """what stands behind the first CR LF"""
    start: str
    headers: tuple[Header, ...]
    dropped: tuple[str, ...]
    """lines among the headers whose name is no token (RSP-21)"""
    folded: bool
    """whether a header goes on in a second line (RSP-40)"""
    body: str

    def token(self, index: int) -> str:
        """The token, empty if there is none."""
        return self.tokens[index] if index < len(self.tokens) else ""

    @property
    def is_response(self) -> bool:
        """Whether the SIP message has a status line."""
        return self.start.startswith("SIP/")

    @property
    def status(self) -> int:
        """Of a response; 0 if there is none, or no number."""
        words = self.start.split(" ")
        return int(words[1]) if self.is_response and len(words) > 1 and words[1].isdecimal() else 0

    @property
    def method(self) -> str:
        """Of a request; of a response that of its CSeq."""
        if self.is_response:
            return self.header("cseq").partition(" ")[2].strip()
        return self.start.partition(" ")[0]

    @property
    def uri(self) -> str:
        """Of a request."""
        return "" if self.is_response else self.start.partition(" ")[2].partition(" ")[0]

    def header(self, name: str) -> str:
        """The value of the first header of that name (lower case), or nothing."""
        return next((header.value for header in self.headers if header.name == name), "")

    def has(self, name: str) -> bool:
        """Whether there is such a header."""
        return any(header.name == name for header in self.headers)

    def lists(self, name: str, word: str) -> bool:
        """Whether a header that lists words, like Supported, has this one."""
        values = ",".join(header.value for header in self.headers if header.name == name)
        return word in {part.strip().lower() for part in values.split(",")}

    @property
    def call(self) -> str:
        """Call-ID and From tag, by which a call of one's own is known; empty if it does not say both."""
        tag = _TAG.search(_QUOTED.sub("", self.header("from")))
        call_id = self.header("call-id")
        return f"{call_id};from-tag={tag[1]}" if call_id and tag else ""

    @property
    def sequence(self) -> int | None:
        """The number of CSeq, if there is one."""
        number = self.header("cseq").partition(" ")[0]
        return int(number) if number.isdecimal() else None


def read(payload: str) -> Payload:
    """Take a payload apart."""
    line, _, content = payload.partition("\r\n")
    content_from = content.lstrip("\r\n")
    head, blank, body = content_from.partition("\r\n\r\n")
    if not blank and (found := re.search(r"\n\r?\n", content_from)):
        head = content_from[: found.start()]
    lines = _LINE_END.split(head)
    headers: list[Header] = []
    dropped: list[str] = []
    folded = False
    for each in lines[1:]:
        name, colon, value = each.partition(":")
        if each[:1] in (" ", "\t"):
            folded = True
        elif colon and _TOKEN.fullmatch(name.strip()):
            lower = name.strip().lower()
            headers.append(Header(_NAMES.get(lower, lower), value.strip()))
        elif each:
            dropped.append(each)
    return Payload(tuple(line.split("|")), content, lines[0], tuple(headers), tuple(dropped), folded, body)
