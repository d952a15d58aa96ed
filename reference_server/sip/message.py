"""SIP messages: cut once into start line, fields and body; values are parsed by those who want them (RFC 3261 §7).

A message keeps the text it was made from, so what is passed on is byte-exact. Field names are held in lower case with
compact forms spelled out (§7.3.3); values are unfolded and stripped (§7.3.1). A character is one octet.
"""

from __future__ import annotations

import re
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

_FOLD = re.compile(r"(?<![\r\n])[\r\n]++[ \t]+")  # each line end is looked at once, however many there are
_LINE_END = re.compile(r"[\r\n]")
_EMPTY_LINE = re.compile(r"\r\n\r\n|\n\n")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_METHODS = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER"})  # the ones worth a short cut
_VERSION = re.compile(r"SIP/\d+\.\d+", re.IGNORECASE)
_STATUS = re.compile(r"(SIP/\d+\.\d+) (\d{3})(?: (.*))?", re.IGNORECASE)
_NAMES: dict[str, str] = {}
_NAMES_KEPT = 512
_LONGEST_NAME_KEPT = 64
LONGEST_NUMBER: Final = 100  # digits; Python converts no more than 4,300


class SipSyntaxError(Exception):
    """The text is no SIP message; nothing can be answered because not even a Via can be trusted."""


def is_token(text: str) -> bool:
    """Whether ``text`` is a token of RFC 3261 §25.1."""
    return _TOKEN.fullmatch(text) is not None


def field_name(written: str) -> str:
    """The lower-case long form of a field name; spellings seen before cost one look-up."""
    known = _NAMES.get(written)
    if known is not None:
        return known
    name = written.strip(" \t").lower()
    name = COMPACT_FORMS.get(name, name)
    if len(written) <= _LONGEST_NAME_KEPT:
        if len(_NAMES) >= _NAMES_KEPT:
            _NAMES.clear()  # begin again: what strangers made up would keep out what is in use
        _NAMES[written] = name
    return name


def unfolded(text: str) -> str:
    """A message with each folded header line on one line (§7.3.1); start line and body stay."""
    empty_line = _EMPTY_LINE.search(text)
    end = empty_line.start() if empty_line else len(text)
    folded = _FOLD.sub(" ", text[:end])
    line_end = _LINE_END.search(folded)
    fields = folded[line_end.start() :] if line_end else ""
    return _LINE_END.split(text, 1)[0] + fields + text[end:]


class SipMessage(Struct, eq=False):
    """What requests and responses share."""

    text: str
    """the whole message as received, without what follows its body in a datagram"""
    start_line: str
    lines: list[str]
    """start line and header lines, unfolded"""
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
        return _fields_of(self.lines)

    @property
    def repeats(self) -> bool:
        """Whether any field comes more than once."""
        return len(self.first) != len(self.lines) - 1

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
    first: dict[str, str] = {}
    try:
        for line in lines[:0:-1]:  # backwards, so that the first of equal names counts
            written, colon, value = line.partition(": ")
            if not colon:
                raise KeyError(line)
            first[_NAMES[written]] = value
        plain = head.count("\n") == head.count("\r") == len(lines) - 1 and "\t" not in head
        if ":  " in head or " \r" in head or head.endswith(" "):  # blanks around a value
            first = {name: value.strip(" ") for name, value in first.items()}
    except KeyError:  # a name not seen before, or a line that is not ``Name: value``
        plain = False
    if not plain:
        head, body = _halves(text)
        lines, malformed = _careful_lines(head)
        first = {name: value for name, value in reversed(_fields_of(lines))}
    if body:
        length = first.get("content-length", "")
        if length.isdecimal() and len(length) <= LONGEST_NUMBER and int(length) < len(body):
            text = text[: len(text) - len(body) + int(length)]
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
            lines,
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
        lines,
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
    """Method, URI and version of a request line.

    Blanks behind the version count to the URI, which is none then: such a request can still be answered.
    """
    method, _, rest = start_line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if not version:
        blanks = rest[len(rest.rstrip(" ")) :]
        uri, _, version = rest.rstrip(" ").rpartition(" ")
        uri = uri and uri + blanks
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


def _careful_lines(head: str) -> tuple[list[str], str]:
    """Start line and header lines, unfolded, and the first line that is neither: for what is folded or odd."""
    lines = _FOLD.sub(" ", head).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines[0] = _LINE_END.split(head, 1)[0]  # a start line is not folded
    malformed = [line for line in lines[1:] if line and ":" not in line]
    return [lines[0], *(line for line in lines[1:] if ":" in line)], malformed[0] if malformed else ""


def _fields_of(lines: list[str]) -> list[tuple[str, str]]:
    """(lower-case long name, value) of the header lines behind a start line."""
    cut = [line.partition(":") for line in lines[1:]]
    return [(field_name(written), value.strip(" \t")) for written, _, value in cut]
