"""The names of header fields as they are written, each with what it means."""

from __future__ import annotations

from typing import Final

from reference_server.memo import Memo
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
_OURS = frozenset({"Via", "Route", "Record-Route", "RSeq", "Content-Length"})
_LINE_PER_ADDRESS = frozenset({"Contact", "P-Asserted-Identity"})
_ECHOED = frozenset({"From", "To", "Call-ID", "CSeq"})


class FieldName:
    """One spelling of a field's name."""

    __slots__ = ("echoed", "header", "listed", "localhost", "long", "spelling", "written")

    def __init__(self, written: str) -> None:
        """``written`` is all that stands before the colon."""
        self.written = written.strip(" \t")
        lowered = self.written.lower()
        self.long = COMPACT_FORMS.get(lowered, lowered)
        """in lower case, a compact form spelled out: what it means in a message"""
        meant = self.long if lowered in COMPACT_FORMS else self.written
        self.header = known_header(meant)
        """what it means in a draft (RSP-42); None if nothing is known of it"""
        spelling = self.header.name if self.header else spelled(meant) if is_token(meant) else ""
        self.spelling = "" if spelling in _OURS else spelling
        """how a draft's field goes out; empty if it does not, being no field or the server's"""
        self.localhost = spelling in _LOCALHOST_FIELDS
        """``@localhost`` in a draft's field stands for the server (RSP-10)"""
        self.listed = spelling in _LINE_PER_ADDRESS
        """each address of a draft's list gets a line of its own (RSP-9)"""
        self.echoed = spelling.lower() if spelling in _ECHOED else ""
        """its name, if a response has this field from its request"""


NAMES: Final = Memo[str, FieldName](entries=512, longest=64)
"""By what stands before the colon; a name in it does not begin with a blank."""


def field_named(written: str) -> FieldName:
    """The name that stands before the colon of a line; one seen before costs one look-up.

    What begins with a blank is no name but the rest of another line, and is not kept.
    """
    known = NAMES.known.get(written)
    if known is not None:
        return known
    name = FieldName(written)
    return name if written[:1] in (" ", "\t") else NAMES.keep(written, name)


LONG_NAMES: Final = Memo[str, str](entries=512, longest=64)
"""The long forms alone, by what stands before the colon: each line of each message asks for one."""


def field_name(written: str) -> str:
    """The lower-case long form of a field name."""
    return LONG_NAMES.known.get(written) or LONG_NAMES.keep(written, field_named(written).long)
