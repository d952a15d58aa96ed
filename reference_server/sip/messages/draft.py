"""A SIP message as an application gives it: a start line, any headers, perhaps a body (RSP-1).

It is not a message of RFC 3261: lines may end with LF, nothing is folded, and most headers are left to the server. The
draft's fields come out in the order and spelling in which they are sent, under their long names (RSP-42).
"""

from __future__ import annotations

import re
from operator import attrgetter

from msgspec import Struct

from reference_server.sip.messages.field_names import NAMES, field_named
from reference_server.sip.messages.headers import HEADERS, Header, Repetition, split_values
from reference_server.sip.messages.lenient import made_sound
from reference_server.sip.messages.message import plain_lines

_LINE_END = re.compile(r"[\r\n]+")
_LOCALHOST = re.compile(r"@localhost(?::\d+)?(?=[;>?,\s]|\Z)")
_FROM, _CALL_ID, _CSEQ = HEADERS["from"], HEADERS["call-id"], HEADERS["cseq"]
_RANK = attrgetter("rank")
_NOT_GIVEN = [""]
_NOTHING: dict[str, str] = {}


class Draft(Struct, eq=False):
    """The parts of a draft. Made by :func:`parse_draft`."""

    start_line: str
    body: str
    fields: dict[Header, list[str]]
    """known fields; via, route, record-route, rseq and content-length are left out: they are the server's"""
    others: list[str]
    """header lines of unknown fields, ready to send"""
    invalid: dict[Header, str]
    """known fields with a value that is not theirs, and that value as given"""
    malformed: str = ""
    """a line without a colon, with which no response is sent (RSP-21)"""
    _has_identity: bool = False

    def read(
        self, lines: list[str], local: str | None, preserved: frozenset[str], request: dict[str, str]
    ) -> None:
        """Take in all ``lines`` but the first. ``local`` is None if nothing is to be replaced."""
        fields = self.fields
        known = NAMES.known
        repeated = False
        for line in lines[1:]:
            written, colon, value = line.partition(":")
            if not colon:  # no header line
                if line and line[0] not in " \t":
                    self.malformed = line
                continue
            name = known.get(written)
            if name is None:
                if line[0] in " \t":
                    continue  # the rest of a header line: nothing is folded here
                name = field_named(written)
            if not name.spelling:
                continue  # no field name, or one that is the server's
            given = value = value.strip(" \t")
            if local is not None and name.localhost:
                value = _LOCALHOST.sub(f"@{local}", value)
            header = name.header
            if header is None:
                kept = preserved and name.written.lower() in preserved
                spelling = name.written if kept else name.spelling
                for one in split_values(value) if name.listed else (value,):
                    self.others.append(f"{spelling}: {one}\r\n")
                continue
            if name.echoed:
                if request.get(name.echoed) == value and header not in fields:
                    continue
                self._has_identity = True
            if not header.is_valid(value) and not (value := made_sound(header, value)):
                self.invalid[header] = given
            elif header not in fields:
                fields[header] = split_values(value) if header.name == "Contact" else [value]
            else:
                repeated = True
                self._add_to(header, value)
        if repeated:
            self._merge()

    def _add_to(self, header: Header, value: str) -> None:
        """One more value of a field that was given before."""
        values = self.fields[header]
        if header.name == "Contact":
            values.extend(split_values(value))
        elif header.repetition is Repetition.LAST:
            values[0] = value
        else:
            values.append(value)

    def _merge(self) -> None:
        """Join what goes out on one line: once, since a text that grows by each of many lines is slow."""
        for header, values in self.fields.items():
            if header.repetition is Repetition.MERGED and len(values) > 1:
                values[:] = [", ".join(values)]

    def get(self, name: str) -> str:
        """The value of the known field ``name`` (lower case), or an empty text."""
        values = self.fields.get(HEADERS[name])
        return values[0] if values else ""

    def set_default(self, name: str, value: str) -> None:
        """Give the known field ``name`` (lower case) a value unless the application did."""
        self.fields.setdefault(HEADERS[name], [value])

    def take(self, name: str) -> str:
        """Remove the known field ``name`` (lower case) and return its value, or an empty text."""
        if not self.fields:
            return ""
        values = self.fields.pop(HEADERS[name], None)
        return values[0] if values else ""

    def take_identity(self) -> tuple[str, str, str]:
        """Remove From, Call-ID and CSeq and return their values, empty texts for those that are not given."""
        fields = self.fields
        if not self._has_identity:
            return "", "", ""
        return (
            fields.pop(_FROM, _NOT_GIVEN)[0],
            fields.pop(_CALL_ID, _NOT_GIVEN)[0],
            fields.pop(_CSEQ, _NOT_GIVEN)[0],
        )

    def lines(self) -> str:
        """All header lines in the order of the table, Content-Length with them, unknown ones behind."""
        fields = self.fields
        known = ""
        if fields:
            ordered = sorted(fields, key=_RANK) if len(fields) > 1 else list(fields)
            known = "".join([f"{header.name}: {value}\r\n" for header in ordered for value in fields[header]])
        others = "".join(self.others) if self.others else ""
        return f"{known}Content-Length: {len(self.body)}\r\n{others}"


def parse_draft(
    text: str,
    local: str,
    preserved: frozenset[str] = frozenset(),
    request: dict[str, str] = _NOTHING,
) -> Draft:
    """Cut ``text``.

    ``local`` is ``host:port``, which replaces ``@localhost`` in From, To, Contact and P-Asserted-Identity (RSP-10).
    ``preserved`` are names of unknown fields, in lower case, whose spelling is kept. ``request`` are the sound values
    of the request that the draft answers: From, To, Call-ID and CSeq that only repeat them are left out.
    """
    head, _, body = text.partition("\r\n\r\n")
    lines = _header_lines(head)
    draft = Draft(lines[0], body, {}, [], {})
    if len(lines) > 1:
        draft.read(lines, local if "@localhost" in head else None, preserved, request)
    return draft


def own_draft(*lines: str, body: str = "") -> Draft:
    """The draft of a request that the server makes by itself, with these header lines."""
    return parse_draft("\r\n".join(("", *lines, "", body)), "")


def _header_lines(head: str) -> list[str]:
    """Start line and header lines, which end with any of CR and LF; one with a NUL in it is none."""
    lines = plain_lines(head) if "\0" not in head else []
    if not lines:
        start_line, _, rest = head.partition("\r\n")
        lines = [start_line, *(line for line in _LINE_END.split(rest) if line and "\0" not in line)]
    return lines
