"""SIP messages: cut once into start line, fields and body; values are parsed by those who want them (RFC 3261 §7).

A message keeps the text it was made from, so what is passed on is byte-exact. Field names are held in lower case with
compact forms spelled out (§7.3.3); values are unfolded and stripped (§7.3.1). A character is one octet.
"""

from __future__ import annotations

import re
from typing import Final

COMPACT_FORMS: Final = {
    "a": "accept-contact",  # RFC 3841
    "b": "referred-by",  # RFC 3892
    "c": "content-type",
    "d": "request-disposition",  # RFC 3841
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",  # RFC 3841
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",  # RFC 6665
    "r": "refer-to",  # RFC 3515
    "s": "subject",
    "t": "to",
    "u": "allow-events",  # RFC 6665
    "v": "via",
    "x": "session-expires",  # RFC 4028
    "y": "identity",  # RFC 8224
}

_FOLD = re.compile(r"(?:\r\n|\n)[ \t]+")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_VERSION = re.compile(r"SIP/\d+\.\d+", re.IGNORECASE)
_STATUS = re.compile(r"(SIP/\d+\.\d+) (\d{3})(?: (.*))?", re.IGNORECASE)
_NAMES: dict[str, str] = {}
_NAMES_KEPT = 512


class SipSyntaxError(Exception):
    """The text is no SIP message; nothing can be answered because not even a Via can be trusted."""


def is_token(text: str) -> bool:
    """Whether ``text`` is a token of RFC 3261 §25.1."""
    return _TOKEN.fullmatch(text) is not None


def _field_name(written: str) -> str:
    """The lower-case long form of a field name; spellings seen before cost one look-up."""
    name = written.strip(" \t").lower()
    name = COMPACT_FORMS.get(name, name)
    if len(_NAMES) < _NAMES_KEPT:
        _NAMES[written] = name
    return name


def unfolded(text: str) -> str:
    """A message with each folded header line on one line (§7.3.1); the body stays."""
    head, separator, body = text.partition("\r\n\r\n")
    return _FOLD.sub(" ", head) + separator + body


class SipMessage:
    """What requests and responses share."""

    __slots__ = ("body", "fields", "first", "malformed", "start_line", "text")

    def __init__(
        self, text: str, start_line: str, fields: list[tuple[str, str]], body: str, malformed: str
    ) -> None:
        self.text = text
        """the whole message as received"""
        self.start_line = start_line
        self.fields = fields
        """(lower-case long name, value) in order"""
        self.body = body
        self.malformed = malformed
        """the first header line that is none, or empty"""
        first: dict[str, str] = {}
        for name, value in fields:
            if name not in first:
                first[name] = value
        self.first = first
        """the first value of each name"""

    def get(self, name: str) -> str:
        """The first value of the field ``name`` (lower-case long form), or an empty text."""
        return self.first.get(name, "")

    def all(self, name: str) -> list[str]:
        """Every value of the field ``name``, one per header line."""
        return [value for field, value in self.fields if field == name]

    @property
    def cseq_number(self) -> int:
        """The number of the CSeq (§20.16), or -1 if there is none."""
        number = self.get("cseq").split(None, 1)
        return int(number[0]) if number and number[0].isascii() and number[0].isdigit() else -1

    @property
    def cseq_method(self) -> str:
        """The method of the CSeq (§20.16), or an empty text."""
        parts = self.get("cseq").split()
        return parts[1] if len(parts) == 2 else ""


class Request(SipMessage):
    """A request (§7.1)."""

    __slots__ = ("method", "uri", "version")

    method: str
    uri: str
    version: str


class Response(SipMessage):
    """A response (§7.2)."""

    __slots__ = ("reason", "status")

    status: int
    reason: str


def parse_message(text: str) -> Request | Response:
    """Cut one complete message. Raises SipSyntaxError if there is no start line.

    Lines may end with LF alone. A header line without a colon is left out and remembered in ``malformed``; what is
    wrong inside a value is for the one who parses that value. On a datagram, what follows Content-Length octets of
    body is not part of the message (§18.3).
    """
    head, separator, body = text.partition("\r\n\r\n")
    if (not separator and "\r\n" not in head) or "\n\n" in head:
        head, _, body = text.partition("\n\n")
    if "\n " in head or "\n\t" in head:
        head = _FOLD.sub(" ", head)
    lines = head.split("\r\n") if "\r\n" in head else head.split("\n")
    start_line = lines[0]
    malformed = ""
    fields: list[tuple[str, str]] = []
    names = _NAMES
    for index in range(1, len(lines)):
        line = lines[index]
        written, colon, value = line.partition(":")
        if not colon:
            if line and not malformed:
                malformed = line
            continue
        name = names.get(written)
        fields.append((_field_name(written) if name is None else name, value.strip(" \t")))
    message = _with_start_line(text, start_line, fields, body, malformed)
    if body:
        length = message.get("content-length")
        if length.isascii() and length.isdigit() and int(length) < len(body):
            message.body = body[: int(length)]
    return message


def _with_start_line(
    text: str, start_line: str, fields: list[tuple[str, str]], body: str, malformed: str
) -> Request | Response:
    if start_line[:4].upper() == "SIP/":
        matched = _STATUS.fullmatch(start_line)
        if matched is None:
            raise SipSyntaxError(f"expected 'SIP/2.0 <status> <reason>', got {start_line[:80]!a}")
        response = Response(text, start_line, fields, body, malformed)
        response.status = int(matched[2])
        response.reason = matched[3] or ""
        return response
    parts = start_line.split(" ")
    if len(parts) < 3 or not is_token(parts[0]) or not _VERSION.fullmatch(parts[-1]):
        raise SipSyntaxError(f"expected '<method> <uri> SIP/2.0', got {start_line[:80]!a}")
    request = Request(text, start_line, fields, body, malformed)
    request.method = parts[0]
    request.uri = " ".join(parts[1:-1])
    request.version = parts[-1]
    return request
