"""A SIP message as an application gives it: a start line, any headers, perhaps a body (RSP-1).

It is not a message of RFC 3261: lines may end with LF, nothing is folded, compact names are not understood, and most
headers are left to the server. The draft's fields come out in the order and spelling in which they are sent.
"""

from __future__ import annotations

import re

from reference_server.sip.headers import HEADERS, Header, Repetition, known_header, spelled, split_values
from reference_server.sip.message import is_token

_LINE_END = re.compile(r"[\r\n]+")
_LOCALHOST = re.compile(r"@localhost(?::\d+)?(?=[;>?,\s]|\Z)")
_LOCALHOST_FIELDS = frozenset({"From", "To", "Contact", "P-Asserted-Identity"})
_OURS = frozenset({"Via", "Route", "Record-Route", "RSeq", "Content-Length", "V", "L"})
"""Compact, too: whoever reads what goes out understands them (RSP-42)."""
_FROM, _CALL_ID, _CSEQ = HEADERS["from"], HEADERS["call-id"], HEADERS["cseq"]
_NOT_GIVEN = [""]
_RESOLVED: dict[str, tuple[Header | None, str]] = {}
_RESOLVED_KEPT = 512
_LONGEST_NAME_KEPT = 64


class Draft:
    """The parts of a draft."""

    __slots__ = ("body", "fields", "invalid", "others", "start_line")

    def __init__(self, text: str, local: str, preserved: frozenset[str] = frozenset()) -> None:
        """Cut ``text``.

        ``local`` is ``host:port``, which replaces ``@localhost`` in From, To, Contact and P-Asserted-Identity
        (RSP-10). ``preserved`` are names of unknown fields, in lower case, whose spelling is kept.
        """
        head, _, self.body = text.partition("\r\n\r\n")
        self.start_line, _, lines = head.partition("\r\n")
        self.fields: dict[Header, list[str]] = {}
        """known fields; via, route, record-route, rseq and content-length are left out: they are the server's"""
        self.others: list[str] = []
        """header lines of unknown fields, ready to send"""
        self.invalid: dict[Header, str] = {}
        """known fields with a value that is not theirs, and that value as given"""
        if lines:
            self._read(lines, local, preserved)

    def _read(self, lines: str, local: str, preserved: frozenset[str]) -> None:
        fields = self.fields
        localhost = "@localhost" in lines
        repeated = False
        for line in _lines_of(lines):
            written, found, value = line.partition(": ")
            resolved = _RESOLVED.get(written) if found else None
            if resolved is None:
                written, colon, value = line.partition(":")
                if not colon or line[0] in " \t":
                    continue  # no header line, or the rest of one: nothing is folded here
                resolved = _resolve(written)
            header, spelling = resolved
            if not spelling:
                continue  # no field name, or one that is the server's
            value = given = value.strip(" \t")
            if localhost and spelling in _LOCALHOST_FIELDS:
                value = _LOCALHOST.sub(f"@{local}", value)
            if header is None:
                name = written.strip(" \t")
                self.others.append(f"{name if name.lower() in preserved else spelling}: {value}\r\n")
            elif not header.is_valid(value):
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
        values = self.fields.pop(HEADERS[name], None)
        return values[0] if values else ""

    def take_identity(self) -> tuple[str, str, str]:
        """Remove From, Call-ID and CSeq and return their values, empty texts for those that are not given."""
        pop = self.fields.pop
        return pop(_FROM, _NOT_GIVEN)[0], pop(_CALL_ID, _NOT_GIVEN)[0], pop(_CSEQ, _NOT_GIVEN)[0]

    def lines(self) -> str:
        """All header lines in the order of the table, Content-Length with them, unknown ones behind."""
        fields = self.fields
        known = ""
        if fields:
            known = "".join(
                [
                    f"{header.name}: {value}\r\n"
                    for header in sorted(fields, key=_rank)
                    for value in fields[header]
                ]
            )
        return f"{known}Content-Length: {len(self.body)}\r\n{''.join(self.others)}"


def own_draft(*lines: str, body: str = "") -> Draft:
    """The draft of a request that the server makes by itself, with these header lines."""
    return Draft("\r\n".join(("", *lines, "", body)), "")


def _lines_of(lines: str) -> list[str]:
    """Header lines, which end with any of CR and LF; one with a NUL in it is none."""
    cut = lines.split("\r\n")
    ends = len(cut) - 1
    if lines.count("\n") != ends or lines.count("\r") != ends or "\0" in lines:
        cut = [line for line in _LINE_END.split(lines) if line and "\0" not in line]
    return cut


def _rank(header: Header) -> int:
    return header.rank


def _resolve(written: str) -> tuple[Header | None, str]:
    """The known field that a name means and the spelling that goes out; no spelling if the line does not go out."""
    name = written.strip(" \t")
    header = known_header(name)
    spelling = header.name if header else spelled(name) if is_token(name) else ""
    resolved = (header, "" if spelling in _OURS else spelling)
    if len(written) <= _LONGEST_NAME_KEPT:
        if len(_RESOLVED) >= _RESOLVED_KEPT:
            _RESOLVED.clear()
        _RESOLVED[written] = resolved
    return resolved
