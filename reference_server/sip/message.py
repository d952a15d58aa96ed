"""SIP messages: cut once into start line, fields and body; values are parsed by those who want them (RFC 3261 §7).

A message keeps the text it was made from, so what is passed on is byte-exact. Field names are held in lower case with
compact forms spelled out (§7.3.3); values are unfolded and stripped (§7.3.1). A character is one octet.
"""

from __future__ import annotations

import re
from typing import Final

from reference_server.sip.uri import tag_of

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
_EMPTY_LINE = re.compile(r"\r\n\r\n|\n\n")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_METHODS = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER"})  # the ones worth a short cut
_VERSION = re.compile(r"SIP/\d+\.\d+", re.IGNORECASE)
_STATUS = re.compile(r"(SIP/\d+\.\d+) (\d{3})(?: (.*))?", re.IGNORECASE)
_NAMES: dict[str, str] = {}
_NAMES_KEPT = 512
LONGEST_NUMBER: Final = 100  # digits; Python converts no more than 4,300


class SipSyntaxError(Exception):
    """The text is no SIP message; nothing can be answered because not even a Via can be trusted."""


def is_token(text: str) -> bool:
    """Whether ``text`` is a token of RFC 3261 §25.1."""
    return _TOKEN.fullmatch(text) is not None


def _field_name(written: str) -> str:
    """The lower-case long form of a field name; spellings seen before cost one look-up."""
    known = _NAMES.get(written)
    if known is not None:
        return known
    name = written.strip(" \t").lower()
    name = COMPACT_FORMS.get(name, name)
    if len(_NAMES) < _NAMES_KEPT:
        _NAMES[written] = name
    return name


def unfolded(text: str) -> str:
    """A message with each folded header line on one line (§7.3.1); the body stays."""
    empty_line = _EMPTY_LINE.search(text)
    end = empty_line.start() if empty_line else len(text)
    return _FOLD.sub(" ", text[:end]) + text[end:]


class SipMessage:
    """What requests and responses share."""

    __slots__ = (
        "_from_tag",
        "_pairs",
        "_to_tag",
        "body",
        "cseq_method",
        "cseq_number",
        "first",
        "malformed",
        "start_line",
        "text",
    )

    def __init__(
        self,
        text: str,
        start_line: str,
        pairs: list[list[str]],
        first: dict[str, str],
        body: str,
        malformed: str,
    ) -> None:
        """``pairs`` are the fields in order, their names as written; ``first`` the first value of each name."""
        self.text = text
        """the whole message as received"""
        self.start_line = start_line
        self.body = body
        self.malformed = malformed
        """the first header line that is none, or empty"""
        self._pairs = pairs
        self.first = first
        """the first value of each name"""
        number, _, method = first.get("cseq", "").replace("\t", " ").partition(" ")
        is_number = number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER
        self.cseq_number = int(number) if is_number else -1
        """the number of the CSeq (§20.16), or -1 if there is none"""
        self.cseq_method = method.strip(" ")
        """the method of the CSeq, or an empty text"""
        self._from_tag: str | None = None
        self._to_tag: str | None = None

    def get(self, name: str) -> str:
        """The first value of the field ``name`` (lower-case long form), or an empty text."""
        return self.first.get(name, "")

    @property
    def fields(self) -> list[tuple[str, str]]:
        """(lower-case long name, value) in order."""
        return [(_field_name(written), value) for written, value in self._pairs]

    @property
    def repeats(self) -> bool:
        """Whether any field comes more than once."""
        return len(self.first) != len(self._pairs)

    def all(self, name: str) -> list[str]:
        """Every value of the field ``name``, one per header line."""
        value = self.first.get(name)
        if value is None:
            return []
        return [value for field, value in self.fields if field == name] if self.repeats else [value]

    @property
    def from_tag(self) -> str:
        """The tag of the From, or an empty text."""
        tag = self._from_tag
        if tag is None:
            tag = self._from_tag = tag_of(self.first.get("from", ""))
        return tag

    @property
    def to_tag(self) -> str:
        """The tag of the To, or an empty text."""
        tag = self._to_tag
        if tag is None:
            tag = self._to_tag = tag_of(self.first.get("to", ""))
        return tag


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
    head, _, body = text.partition("\r\n\r\n")
    lines = head.split("\r\n")
    malformed = ""
    try:
        pairs = [line.split(": ", 1) for line in lines[1:]]
        first = {_NAMES[written]: value for written, value in pairs[::-1]}
        plain = head.count("\n") == head.count("\r") == len(pairs) and "\t" not in head
        if plain and (":  " in head or " \r" in head or head.endswith(" ")):  # blanks around a value
            first = {_NAMES[written]: value.strip(" ") for written, value in pairs[::-1]}
            pairs = [[written, value.strip(" ")] for written, value in pairs]
    except (KeyError, ValueError):  # a name not seen before, or a line that is not ``Name: value``
        plain = False
    if not plain:
        head, body = _halves(text)
        lines, pairs, malformed = _careful_pairs(head)
        first = {_field_name(written): value for written, value in pairs[::-1]}
    message = _with_start_line(text, lines[0], pairs, first, body, malformed)
    if body:
        length = message.get("content-length")
        if (
            length.isdigit()
            and length.isascii()
            and len(length) <= LONGEST_NUMBER
            and int(length) < len(body)
        ):
            message.body = body[: int(length)]
    return message


def _halves(text: str) -> tuple[str, str]:
    """Header block and body of a message whose lines may end with LF alone."""
    head, separator, body = text.partition("\r\n\r\n")
    if (not separator and "\r\n" not in head) or "\n\n" in head:
        head, _, body = text.partition("\n\n")
    return head, body


def _careful_pairs(head: str) -> tuple[list[str], list[list[str]], str]:
    """The lines of a header block, its fields, and its first line that is none: for what is folded or odd."""
    lines = _FOLD.sub(" ", head).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    pairs: list[list[str]] = []
    malformed = ""
    for line in lines[1:]:
        written, colon, value = line.partition(":")
        if colon:
            pairs.append([written, value.strip(" \t")])
        elif line and not malformed:
            malformed = line
    return lines, pairs, malformed


def _with_start_line(
    text: str,
    start_line: str,
    pairs: list[list[str]],
    first: dict[str, str],
    body: str,
    malformed: str,
) -> Request | Response:
    if start_line[:4].upper() == "SIP/":
        matched = _STATUS.fullmatch(start_line)
        if matched is None:
            raise SipSyntaxError(f"expected 'SIP/2.0 <status> <reason>', got {start_line[:80]!a}")
        response = Response(text, start_line, pairs, first, body, malformed)
        response.status = int(matched[2])
        response.reason = matched[3] or ""
        return response
    method, _, rest = start_line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if (
        not uri
        or not (method in _METHODS or is_token(method))
        or (version != "SIP/2.0" and not _VERSION.fullmatch(version))
    ):
        raise SipSyntaxError(f"expected '<method> <uri> SIP/2.0', got {start_line[:80]!a}")
    request = Request(text, start_line, pairs, first, body, malformed)
    request.method = method
    request.uri = uri
    request.version = version
    return request
