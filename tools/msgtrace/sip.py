"""A view of one SIP message that keeps every octet.

The view never refuses a message: what cannot be read is empty or ``None``, and judging is the reader's
business. Field names keep their spelling and order; lookups ignore case and know the compact forms (RFC
3261 §7.3.3, §20). Octets are held as ``str``, one character for each octet (latin-1).
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

COMPACT_FORMS = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"""One-letter names of the IANA registry of SIP header fields."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_REQUEST_LINE = re.compile(r"(\S+) (\S*) ?(SIP/\S*)?\Z")
_STATUS_LINE = re.compile(r"SIP/\S+ ([0-9]{3})(?: (.*))?\Z", re.DOTALL)
CSEQ_BEFORE_BODY = re.compile(
    r"\n(?:\r\n(?<=\r\n\r\n)|[Cc][Ss][Ee][Qq][ \t]*+:[ \t]*+[^ \r\n]*+ ([^\r\n]*+))"
)
"""Finds the blank line, or before it a CSeq, whose method is the group."""
_ANGLE = re.compile(r"<([^>]*)>")
_DISPLAY_NAME = re.compile(r'(?<!=)"(?:[^"\\]|\\.)*"')


class Field(Struct, frozen=True):
    """One header field line."""

    name: str
    """as it was written"""
    value: str
    """without the blanks around it; a folded value is joined by single blanks"""


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """Lower-case long form of a field name: ``F`` → ``from``. The same few names come again and again."""
    lower = name.strip().lower()
    return COMPACT_FORMS.get(lower, lower)


class SipMessage(Struct, frozen=True):
    """A SIP request or response as it was on the wire."""

    raw: str
    start_line: str
    fields: tuple[Field, ...]
    body: str
    """all that follows the blank line, whatever Content-Length says"""

    @property
    def is_request(self) -> bool:
        """True unless the start line is a status line."""
        return not self.start_line.startswith("SIP/")

    @property
    def status(self) -> int | None:
        """Status code of a response."""
        match = _STATUS_LINE.match(self.start_line)
        return int(match[1]) if match else None

    @property
    def reason(self) -> str:
        """Reason phrase of a response."""
        match = _STATUS_LINE.match(self.start_line)
        return (match[2] or "") if match else ""

    @property
    def method(self) -> str:
        """Method of a request; of a response, the method of its CSeq."""
        if self.is_request:
            match = _REQUEST_LINE.match(self.start_line)
            return match[1] if match else self.start_line.split(" ")[0]
        return self.cseq[1]

    @property
    def uri(self) -> str:
        """Request-URI; empty in a response."""
        match = _REQUEST_LINE.match(self.start_line) if self.is_request else None
        return match[2] if match else ""

    @property
    def cseq(self) -> tuple[int | None, str]:
        """Number and method of the CSeq field."""
        number, _, method = self.first("CSeq").partition(" ")
        return (int(number) if number.isdecimal() else None), method.strip()

    @property
    def call_id(self) -> str:
        """Value of Call-ID; empty if there is none."""
        return self.first("Call-ID")

    @property
    def branch(self) -> str:
        """Branch parameter of the topmost Via."""
        return parameter(self.first("Via").split(",")[0], "branch")

    def first(self, name: str, default: str = "") -> str:
        """Value of the first field called ``name`` (any case, long or compact)."""
        wanted = canonical(name)
        for field in self.fields:
            if canonical(field.name) == wanted:
                return field.value
        return default

    def all(self, name: str) -> list[str]:
        """Values of all fields called ``name``, one for each line."""
        wanted = canonical(name)
        return [field.value for field in self.fields if canonical(field.name) == wanted]

    def has(self, name: str) -> bool:
        """Whether a field of that name is there."""
        wanted = canonical(name)
        return any(canonical(field.name) == wanted for field in self.fields)

    def summary(self) -> str:
        """One line: ``INVITE sip:bob@host`` or ``200 OK (INVITE)``."""
        if self.is_request:
            return f"{self.method} {self.uri}".rstrip()
        method = self.cseq[1]
        status = self.start_line.partition(" ")[2].rstrip()
        return f"{status} ({method})" if method else status


def summary(raw: str) -> str:
    """``parse(raw).summary()`` without reading what it does not need; empty if there is no message."""
    end = raw.find("\r\n")
    start_line = raw[:end] if end > 0 else ""
    if not start_line or "\n" in start_line or "\r" in start_line:
        return parse(raw).summary()
    if start_line.startswith("SIP/"):
        found = CSEQ_BEFORE_BODY.search(raw, end)
        status = start_line.partition(" ")[2].rstrip()
        method = found[1].strip() if found and found[1] else ""
        return f"{status} ({method})" if method else status
    request = start_line.rpartition(" SIP/")[0]
    return request if request.count(" ") == 1 else parse(raw).summary()


@lru_cache(maxsize=256)
def parse(raw: str) -> SipMessage:
    """Read a message; lines may end in CRLF, LF or CR. The same octets are read again and again: it remembers."""
    head, blank, body = raw.partition("\r\n\r\n")
    if blank and head and head[:2] != "\r\n":
        plain = head.split("\r\n")
        if head.count("\n") == head.count("\r") == len(plain) - 1:  # nearly all
            return SipMessage(raw, plain[0], tuple(_fields(plain[1:])), body)
    position = 0
    lines: list[str] = []
    while position < len(raw):
        line = _LINE.match(raw, position)
        assert line is not None
        position = line.end()
        content = line[0].rstrip("\r\n")
        if not content and lines:
            break
        if content or lines:
            lines.append(content)
    return SipMessage(raw, lines[0] if lines else "", tuple(_fields(lines[1:])), raw[position:])


def _fields(lines: list[str]) -> list[Field]:
    fields: list[Field] = []
    for line in lines:
        if line[:1] in (" ", "\t") and fields:
            fields[-1] = Field(fields[-1].name, f"{fields[-1].value} {line.strip()}".strip())
        else:
            name, _, value = line.partition(":")
            fields.append(Field(name.rstrip(), value.strip(" \t")))
    return fields


@lru_cache(maxsize=2048)
def parameter(value: str, name: str) -> str:
    """Value of the parameter ``;name=value`` of a header value; empty if it is not there."""
    outside = _ANGLE.sub("", _DISPLAY_NAME.sub("", value))
    match = _parameter(name).search(outside)
    return match[1].strip('"') if match else ""


@lru_cache(maxsize=64)
def _parameter(name: str) -> re.Pattern[str]:
    return re.compile(rf";\s*{re.escape(name)}\s*=\s*(\"[^\"]*\"|[^;,\s]*)", re.IGNORECASE)


def tag(value: str) -> str:
    """The tag of a From or To value; empty if there is none."""
    return parameter(value, "tag")


def address_uri(value: str) -> str:
    """The URI of a name-addr or addr-spec: what stands in ``<>``, else all before the first ``;``."""
    match = _ANGLE.search(_DISPLAY_NAME.sub("", value))
    return match[1] if match else value.partition(";")[0].strip()
