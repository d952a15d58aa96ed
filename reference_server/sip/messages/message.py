"""SIP messages: cut once into start line, fields and body; values are parsed by those who want them (RFC 3261 §7).

A message keeps the text it was made from, so what is passed on is byte-exact. Field names are held in lower case with
compact forms spelled out (§7.3.3); values are unfolded and stripped (§7.3.1). A character is one octet.
"""

from __future__ import annotations

import re
from typing import Final

from reference_server.sip.messages.concessions import Part, mended
from reference_server.sip.messages.field_names import LONG_NAMES, field_name
from reference_server.sip.messages.uri import is_token, tag_of

_FOLD = re.compile(r"(?<![\r\n])[\r\n]++[ \t]+")  # each line end is looked at once, however many there are
_LINE_END = re.compile(r"[\r\n]")
_EMPTY_LINE = re.compile(r"\r\n\r\n|\n\n")
_METHODS = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER"})  # the ones worth a short cut
_VERSION = re.compile(r"SIP/\d+\.\d+", re.IGNORECASE)
_STATUS = re.compile(r"(SIP/\d+\.\d+) (\d{3})(?: (.*))?", re.IGNORECASE)
_SHAPES_KEPT: Final = 64
_SHAPES: Final[list[tuple[list[str], list[str]]]] = [([], [])] * _SHAPES_KEPT
"""By its number of lines, what the lines of the latest such message begin with, last line first, and their long names.

It is bounded: so many lines in so many shapes, of names that the memo had, which takes no long ones.
"""
LONGEST_NUMBER: Final = 100  # digits; Python converts no more than 4,300


class SipSyntaxError(Exception):
    """The text is no SIP message; nothing can be answered because not even a Via can be trusted."""


def unfolded(text: str) -> str:
    """A message with each folded header line on one line (§7.3.1); start line and body stay."""
    empty_line = _EMPTY_LINE.search(text)
    end = empty_line.start() if empty_line else len(text)
    folded = _FOLD.sub(" ", text[:end])
    line_end = _LINE_END.search(folded)
    fields = folded[line_end.start() :] if line_end else ""
    return _LINE_END.split(text, 1)[0] + fields + text[end:]


class SipMessage:
    """What requests and responses share. Made by :func:`parse_message`, never changed."""

    __slots__ = (
        *("body", "cseq_method", "cseq_number", "first", "from_tag", "lines", "malformed", "repeats"),
        *("start_line", "text", "to_tag"),
    )

    text: str
    """the whole message as received, without what follows its body in a datagram"""
    start_line: str
    lines: list[str]
    """start line and header lines, unfolded"""
    first: dict[str, str]
    """the first value of each field, by its lower-case long name"""
    repeats: bool
    """whether any field comes more than once"""
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

    def all(self, name: str) -> list[str]:
        """Every value of the field ``name``, one per header line."""
        value = self.first.get(name)
        if value is None:
            return []
        return [value for field, value in self.fields if field == name] if self.repeats else [value]


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
    lines = plain_lines(head)
    first = _plain_values(lines)
    malformed = ""
    if not first:
        head, body = _halves(text)
        lines, malformed = _careful_lines(head)
        first = {name: value for name, value in reversed(_fields_of(lines))}
    if body:
        length = _number(first.get("content-length", ""))
        if 0 <= length < len(body):
            text = text[: len(text) - len(body) + length]
            body = body[:length]
    number, _, cseq_method = first.get("cseq", "").partition(" ")
    if number.isdecimal() and len(number) <= LONGEST_NUMBER:
        cseq_number = int(number)
    else:
        number, _, cseq_method = first.get("cseq", "").replace("\t", " ").partition(" ")
        cseq_number = _number(number)
    message = _started_by(lines[0])
    shared: SipMessage = message
    shared.text = text
    shared.start_line = lines[0]
    shared.lines = lines
    shared.first = first
    shared.repeats = len(first) != len(lines) - 1
    shared.body = body
    shared.malformed = malformed
    shared.cseq_number = cseq_number
    shared.cseq_method = cseq_method.strip(" \t")
    shared.from_tag = tag_of(first.get("from", ""))
    shared.to_tag = tag_of(first.get("to", ""))
    return message


def plain_lines(head: str) -> list[str]:
    """The lines of ``head`` if all end with CRLF, else nothing."""
    lines = head.split("\r\n")
    joined = "".join(lines)
    return [] if "\n" in joined or "\r" in joined else lines


def _plain_values(lines: list[str]) -> dict[str, str]:
    """The first value of each field, or nothing if a line is not ``Name: value``, or its name is in no memo yet.

    Whoever sends us messages sends the same fields in the same order time and again. So the latest message with as many
    lines is what is looked for first: to see that a line begins as that one's did is cheaper than to cut it.
    """
    number = len(lines)
    if number < _SHAPES_KEPT:
        first: dict[str, str] = {}
        prefixes, names = _SHAPES[number]
        # All three are of one length. To mypyc a zip with ``strict`` is no loop, and costs more than what it saves.
        for line, prefix, name in zip(lines[:0:-1], prefixes, names):  # noqa: B905
            value = line.removeprefix(prefix)
            if value == line:
                break
            first[name] = value.strip(" \t")
        else:
            if prefixes:
                return first
    return _values_by_name(lines)


def _values_by_name(lines: list[str]) -> dict[str, str]:
    """The same, whatever came before; the next message may have this one's shape."""
    first: dict[str, str] = {}
    prefixes: list[str] = []
    names: list[str] = []
    long_names = LONG_NAMES.known
    try:
        for line in lines[:0:-1]:  # backwards, so that the first of equal names counts
            written, colon, value = line.partition(": ")
            if not colon:
                return {}
            name = long_names[written]
            first[name] = value.strip(" \t")
            prefixes.append(f"{written}: ")
            names.append(name)
    except KeyError:
        return {}
    if len(lines) < _SHAPES_KEPT:
        _SHAPES[len(lines)] = (prefixes, names)
    return first


def _number(text: str) -> int:
    """A number of no more than 100 digits, -1 if it is none."""
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else -1


def _started_by(start_line: str) -> Request | Response:
    """A message of which only the start line is known yet."""
    words = start_line.split(" ")
    if len(words) == 3:
        method, uri, version = words
        if version == "SIP/2.0" and uri and method in _METHODS:
            request = Request()
            request.method = method
            request.uri = uri
            request.version = version
            return request
    if start_line[:4].upper() == "SIP/":
        response = Response()
        response.status, response.reason = _status_of(start_line)
        return response
    request = Request()
    request.method, request.uri, request.version = _request_line(start_line)
    return request


def _status_of(start_line: str) -> tuple[int, str]:
    """Status and reason of a status line."""
    matched = _STATUS.fullmatch(start_line) or _STATUS.fullmatch(mended(Part.STATUS_LINE, start_line))
    if matched is None:
        raise SipSyntaxError(f"expected 'SIP/2.0 <status> <reason>', got {start_line[:80]!a}")
    return int(matched[2]), matched[3] or ""


def _request_line(start_line: str) -> tuple[str, str, str]:
    """Method, URI and version of a request line, with any blanks between and behind them (SIP-43).

    A URI with blanks is none: such a request can still be answered.
    """
    method, _, rest = start_line.partition(" ")
    uri, _, version = rest.strip(" ").rpartition(" ")
    uri = uri.rstrip(" ")
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
