"""The names of header fields as they are written, each with what it means.

Whoever sends us messages sends their lines in the same order time and again. So each spelling also remembers which one
stood next to it the last time: mostly the line at hand begins with that one, and to see this is cheaper than to cut the
line and look its name up. Where it does not, nothing is lost but the look.
"""

from __future__ import annotations

from typing import Final

from reference_server.sip.messages.headers import known_header, spelled
from reference_server.sip.messages.uri import is_token

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

_LOCALHOST_FIELDS = frozenset({"From", "To", "Contact", "P-Asserted-Identity"})
_OURS = frozenset({"Via", "Route", "Record-Route", "RSeq", "Content-Length", "V", "L"})
"""Compact, too: whoever reads what goes out understands them (RSP-42)."""
_ECHOED = frozenset({"From", "To", "Call-ID", "CSeq"})
_KEPT = 512
LONGEST_KEPT: Final = 64  # octets; longer names are not known again


class FieldName:
    """One spelling of a field's name."""

    __slots__ = (
        *("before", "before_else", "behind", "echoed", "header", "localhost", "long", "prefix", "spelling"),
        "written",
    )

    def __init__(self, written: str, neighbour: FieldName | None = None) -> None:
        """``written`` is all that stands before the colon. Without a ``neighbour`` it is its own, a cycle."""
        self.prefix = f"{written}: "
        self.written = written.strip(" \t")
        lowered = self.written.lower()
        self.long = COMPACT_FORMS.get(lowered, lowered)
        """in lower case, a compact form spelled out: what it means in a message"""
        self.header = known_header(self.written)
        """what it means in a draft, where compact forms are not understood; None if nothing is known of it"""
        spelling = (
            self.header.name if self.header else spelled(self.written) if is_token(self.written) else ""
        )
        self.spelling = "" if spelling in _OURS else spelling
        """how a draft's field goes out; empty if it does not, being no field or the server's"""
        self.localhost = spelling in _LOCALHOST_FIELDS
        """``@localhost`` in a draft's field stands for the server (RSP-10)"""
        self.echoed = spelling.lower() if spelling in _ECHOED else ""
        """its name, if a response has this field from its request"""
        self.before: FieldName = neighbour or self
        """what stood on the line before it in the message that had it last"""
        self.before_else: FieldName = neighbour or self
        """what stood there before that: an INVITE and its BYE take turns"""
        self.behind: FieldName = neighbour or self
        """what stood on the line behind it in the draft that had it last"""


_NAMES: dict[str, FieldName] = {}
START = FieldName("")
"""What stands on the first line of a draft is behind it."""
END = FieldName("")
"""What stands on the last line of a message is before it."""


def recognised(line: str) -> FieldName | None:
    """The name of a line ``Name: value``, if it was seen before."""
    written, colon, _ = line.partition(": ")
    return _NAMES.get(written) if colon else None


def field_named(written: str) -> FieldName:
    """The name that stands before the colon of a line; one seen before costs one look-up."""
    name = _NAMES.get(written)
    if name is None:
        name = FieldName(written, START)
        if len(written) <= LONGEST_KEPT:
            if len(_NAMES) >= _KEPT:
                _begin_again()
            _NAMES[written] = name
    return name


def _begin_again() -> None:
    """Forget all names: what strangers made up would keep out what is in use.

    Nor do they stay neighbours, or each that is left would keep those that were next to it, and those theirs.
    """
    for name in (START, END, *_NAMES.values()):
        name.before = name.before_else = name.behind = START
    _NAMES.clear()


def field_name(written: str) -> str:
    """The lower-case long form of a field name."""
    return field_named(written).long
