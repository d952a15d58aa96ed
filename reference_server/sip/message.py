"""SIP messages: cut once into start line, fields and body; values are parsed by those who want them (RFC 3261 §7).

A message keeps the text it was made from, so what is passed on is byte-exact. Field names are held in lower case with
compact forms spelled out (§7.3.3); values are unfolded and stripped (§7.3.1). A character is one octet.
"""

from __future__ import annotations

import re
from operator import methodcaller
from typing import Final

from msgspec import Struct

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
_NAME_AND_VALUE = methodcaller("split", ": ", 1)
_WITHOUT_BLANKS = methodcaller("strip", " ")
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


class SipMessage(Struct, eq=False):
    """What requests and responses share."""

    text: str
    """the whole message as received"""
    start_line: str
    names: tuple[str, ...]
    """of the fields, in order, as they were written"""
    values: tuple[str, ...]
    """of the fields, in order"""
    first: dict[str, str]
    """the first value of each field, by its lower-case long name"""
    body: str
    malformed: str
    """the first header line that is none, or empty"""
    cseq_number: int
    """the number of the CSeq (§20.16), or -1 if there is none"""
    cseq_method: str
    """the method of the CSeq, or an empty text"""
    from_tag: str
    """the tag of the From, or an empty text"""
    to_tag: str
    """the tag of the To, or an empty text"""

    def get(self, name: str) -> str:
        """The first value of the field ``name`` (lower-case long form), or an empty text."""
        return self.first.get(name, "")

    @property
    def fields(self) -> list[tuple[str, str]]:
        """(lower-case long name, value) in order."""
        return list(zip(map(_field_name, self.names), self.values, strict=True))

    @property
    def repeats(self) -> bool:
        """Whether any field comes more than once."""
        return len(self.first) != len(self.names)

    def all(self, name: str) -> list[str]:
        """Every value of the field ``name``, one per header line."""
        value = self.first.get(name)
        if value is None:
            return []
        return [value for field, value in self.fields if field == name] if self.repeats else [value]


class Request(SipMessage, eq=False):
    """A request (§7.1)."""

    method: str
    uri: str
    version: str


class Response(SipMessage, eq=False):
    """A response (§7.2)."""

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
        # Loops in C: a header line costs nothing but its cut here.
        names, values = zip(*map(_NAME_AND_VALUE, lines[1:]), strict=True)
        if ":  " in head or " \r" in head or head[-1] == " ":  # blanks around a value
            values = tuple(map(_WITHOUT_BLANKS, values))
        first = dict(zip(map(_NAMES.__getitem__, names[::-1]), values[::-1], strict=True))
        plain = head.count("\n") == head.count("\r") == len(names) and "\t" not in head
    except (KeyError, ValueError):  # a name not seen before, or a line that is not ``Name: value``
        plain = False
    if not plain:
        head, body = _halves(text)
        lines, names, values, malformed = _careful_fields(head)
        first = dict(zip(map(_field_name, names[::-1]), values[::-1], strict=True))
    if body:
        length = first.get("content-length", "")
        if length.isdecimal() and len(length) <= LONGEST_NUMBER and int(length) < len(body):
            body = body[: int(length)]
    start_line = lines[0]
    cseq = first.get("cseq", "")
    number, _, cseq_method = cseq.partition(" ") if plain else " ".join(cseq.split()).partition(" ")
    cseq_number = int(number) if number.isdecimal() and len(number) <= LONGEST_NUMBER else -1
    from_tag, to_tag = tag_of(first.get("from", "")), tag_of(first.get("to", ""))
    # Positional, because a keyword costs ten times its value here.
    if start_line[:4].upper() == "SIP/":
        status, reason = _status_of(start_line)
        return Response(
            text,
            start_line,
            names,
            values,
            first,
            body,
            malformed,
            cseq_number,
            cseq_method.strip(" "),
            from_tag,
            to_tag,
            status,
            reason,
        )
    method, uri, version = _request_line(start_line)
    return Request(
        text,
        start_line,
        names,
        values,
        first,
        body,
        malformed,
        cseq_number,
        cseq_method.strip(" "),
        from_tag,
        to_tag,
        method,
        uri,
        version,
    )


def _status_of(start_line: str) -> tuple[int, str]:
    """Status and reason of a status line."""
    matched = _STATUS.fullmatch(start_line)
    if matched is None:
        raise SipSyntaxError(f"expected 'SIP/2.0 <status> <reason>', got {start_line[:80]!a}")
    return int(matched[2]), matched[3] or ""


def _request_line(start_line: str) -> tuple[str, str, str]:
    """Method, URI and version of a request line."""
    method, _, rest = start_line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if (
        not uri
        or not (method in _METHODS or is_token(method))
        or (version != "SIP/2.0" and not _VERSION.fullmatch(version))
    ):
        raise SipSyntaxError(f"expected '<method> <uri> SIP/2.0', got {start_line[:80]!a}")
    return method, uri, version


def _halves(text: str) -> tuple[str, str]:
    """Header block and body of a message whose lines may end with LF alone."""
    head, separator, body = text.partition("\r\n\r\n")
    if (not separator and "\r\n" not in head) or "\n\n" in head:
        head, _, body = text.partition("\n\n")
    return head, body


def _careful_fields(head: str) -> tuple[list[str], tuple[str, ...], tuple[str, ...], str]:
    """The lines of a header block, its names and values, and its first line that is no field: for what is odd."""
    lines = _FOLD.sub(" ", head).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    names: list[str] = []
    values: list[str] = []
    malformed = ""
    for line in lines[1:]:
        written, colon, value = line.partition(":")
        if colon:
            names.append(written)
            values.append(value.strip(" \t"))
        elif line and not malformed:
            malformed = line
    return lines, tuple(names), tuple(values), malformed
