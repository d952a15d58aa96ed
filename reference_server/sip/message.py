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
_FIELD = re.compile(r"\n([^:\s]+)[ \t]*:[ \t]*([^\r\n]*)")
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
        "_to_tag",
        "body",
        "cseq_method",
        "cseq_number",
        "fields",
        "first",
        "malformed",
        "start_line",
        "text",
    )

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
        first = dict(fields[::-1])
        self.first = first
        """the first value of each name"""
        cseq = first.get("cseq", "").split()
        number, method = cseq if len(cseq) == 2 else (cseq[0] if cseq else "", "")
        is_number = number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER
        self.cseq_number = int(number) if is_number else -1
        """the number of the CSeq (§20.16), or -1 if there is none"""
        self.cseq_method = method
        """the method of the CSeq, or an empty text"""
        self._from_tag: str | None = None
        self._to_tag: str | None = None

    def get(self, name: str) -> str:
        """The first value of the field ``name`` (lower-case long form), or an empty text."""
        return self.first.get(name, "")

    def all(self, name: str) -> list[str]:
        """Every value of the field ``name``, one per header line."""
        return [value for field, value in self.fields if field == name]

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
    head, separator, body = text.partition("\r\n\r\n")
    if (not separator and "\r\n" not in head) or "\n\n" in head:
        head, _, body = text.partition("\n\n")
    start_line, _, _ = head.partition("\n")
    pairs = _FIELD.findall(head)
    if len(pairs) == head.count("\n") and not _is_odd(head):
        names = _NAMES
        fields = [(names.get(written) or _field_name(written), value) for written, value in pairs]
        malformed = ""
    else:
        fields, malformed = _fields_of(head)
    message = _with_start_line(text, start_line.rstrip("\r"), fields, body, malformed)
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


def _is_odd(head: str) -> bool:
    """Whether a header block has what _FIELD cannot take: a folded line, or blanks at a line's end."""
    return "\n " in head or " \r" in head or "\t" in head or " \n" in head or head.endswith(" ")


def _fields_of(head: str) -> tuple[list[tuple[str, str]], str]:
    """The fields of a header block line by line, and its first line that is no field: for what is folded or odd."""
    lines = _FOLD.sub(" ", head).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fields: list[tuple[str, str]] = []
    malformed = ""
    for line in lines[1:]:
        written, colon, value = line.partition(":")
        if colon:
            fields.append((_field_name(written), value.strip(" \t")))
        elif line and not malformed:
            malformed = line
    return fields, malformed


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
    method, _, rest = start_line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if (
        not uri
        or not (method in _METHODS or is_token(method))
        or (version != "SIP/2.0" and not _VERSION.fullmatch(version))
    ):
        raise SipSyntaxError(f"expected '<method> <uri> SIP/2.0', got {start_line[:80]!a}")
    request = Request(text, start_line, fields, body, malformed)
    request.method = method
    request.uri = uri
    request.version = version
    return request
