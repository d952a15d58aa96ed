"""The known header fields: spelling, place in a message, how often they may occur, and what their values must be.

A message that the server composes has its known fields in the order of this table, ``Content-Length`` last among
them, then the unknown ones in the order they were given (RSP-7). Names match without case, ``_`` counts as ``-``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from msgspec import Struct

from reference_server.memo import Memo
from reference_server.sip.messages.uri import UriError, is_token, parse_address, tag_of


class Repetition(Enum):
    """What becomes of a field that is given more than once."""

    LAST = auto()
    """one value; the last one given counts"""
    MERGED = auto()
    """one line, values joined by commas"""
    LINES = auto()
    """a line each"""


class Header(Struct, frozen=True, eq=False, gc=False):
    """One known header field."""

    name: str
    """the spelling that goes out"""
    rank: int
    repetition: Repetition
    is_valid: Callable[[str], bool]


def _anything(_: str) -> bool:
    return True


def is_number(value: str) -> bool:
    """Whether ``value`` is a number as Max-Forwards and Content-Length have it."""
    return value.isdigit() and value.isascii()


def _number_and_parameters(value: str) -> bool:
    """``Session-Expires: 90;refresher=uac`` (RFC 4028 §4), ``Retry-After: 5 (busy)`` (RFC 3261 §20.33)."""
    return re.match(r"\d+\s*(?:[;(]|\Z)", value) is not None


_PLAIN_ADDRESS = re.compile(
    r"(?:\"[^\"\\]*\" ?|[A-Za-z0-9 ]*)<sips?:(?:[A-Za-z0-9+_.-]+@)?[A-Za-z0-9.-]+(?::[1-5]?\d{1,4})?"
    r"(?:;[A-Za-z0-9._-]+(?:=[A-Za-z0-9._-]+)?)*>(?:;[A-Za-z0-9._-]+(?:=[A-Za-z0-9._-]+)?)*"
    r"|sips?:(?:[A-Za-z0-9+_.-]+@)?[A-Za-z0-9.-]+(?::[1-5]?\d{1,4})?"
)
"""The shape of nearly all addresses; what has it needs no closer look."""


_ADDRESSES: Final = Memo[str, bool](entries=8192, longest=300)
"""Addresses that were found sound; they return in other messages and calls."""
_TAGGED: Final = Memo[str, bool](entries=8192, longest=300)
"""What stood before the tag in such addresses."""
_LISTS: Final = Memo[str, bool](entries=8192, longest=300)
"""Lists of addresses that were found sound."""
_MEDIA_TYPES: Final = Memo[str, bool](entries=8192, longest=300)


def is_address(value: str, tag: str = "") -> bool:
    """Whether ``value`` is one address, as From and To have it, with ``tag`` or without one (:rfc:`3261#section-19.3`).

    The tag is new in each call, what stands before it is not.
    """
    if tag and not (tag.isalnum() and tag.isascii()) and not is_token(tag):
        return False
    before = value[: -len(tag)] if tag else value
    if before in (_TAGGED if tag else _ADDRESSES).known:
        return True
    if tag and before.endswith(">;tag="):
        if _parses(before[:-5]):
            _TAGGED.keep(before, True)
            return True
    elif _parses(value):
        if not tag:
            _ADDRESSES.keep(value, True)
        return True
    return False


def _address(value: str) -> bool:
    tag = tag_of(value)
    return is_address(value, tag if is_token(tag) else "")


def are_addresses(value: str) -> bool:
    """Whether ``value`` is a list of addresses, as Contact and Route have it, or ``*``."""
    if value in _LISTS.known:
        return True
    if value != "*" and not _parses(value) and not _parse(split_values(value)):
        return False
    _LISTS.keep(value, True)
    return True


def _parses(address: str) -> bool:
    return _PLAIN_ADDRESS.fullmatch(address) is not None or _parse([address])


def _parse(addresses: list[str]) -> bool:
    try:
        for address in addresses:
            parse_address(address)
    except UriError:
        return False
    return True


def is_media_type(value: str) -> bool:
    """Whether ``value`` is a media type with any parameters, as Content-Type has it."""
    if value in _MEDIA_TYPES.known:
        return True
    kind, _, subtype = value.partition(";")[0].partition("/")
    if not (is_token(kind.strip()) and is_token(subtype.strip())):
        return False
    _MEDIA_TYPES.keep(value, True)
    return True


def _not_empty(value: str) -> bool:
    return bool(value)


def is_call_id(value: str) -> bool:
    """Whether ``value`` can be a Call-ID: one or two words, so without blanks (RFC 3261 §25.1)."""
    return bool(value) and " " not in value and "\t" not in value


def _challenge(value: str) -> bool:
    scheme, _, parameters = value.partition(" ")
    return is_token(scheme) and bool(parameters.strip())


def _cseq(value: str) -> bool:
    parts = value.split()
    return len(parts) == 2 and is_number(parts[0]) and is_token(parts[1])


def _rack(value: str) -> bool:
    parts = value.split()
    return len(parts) >= 3 and is_number(parts[0]) and is_number(parts[1]) and is_token(parts[2])


_LAST, _MERGED, _LINES = Repetition.LAST, Repetition.MERGED, Repetition.LINES

_TABLE: tuple[tuple[str, Repetition, Callable[[str], bool]], ...] = (
    ("Via", _LINES, _not_empty),
    ("Route", _LINES, are_addresses),
    ("Record-Route", _LINES, are_addresses),
    ("Max-Forwards", _LAST, is_number),
    ("Proxy-Require", _MERGED, _not_empty),
    ("From", _LAST, _address),
    ("To", _LAST, _address),
    ("Call-ID", _LAST, is_call_id),
    ("CSeq", _LAST, _cseq),
    ("Contact", _LINES, are_addresses),
    ("RSeq", _LAST, is_number),
    ("RAck", _LAST, _rack),
    ("Request-Disposition", _MERGED, _not_empty),
    ("Accept-Contact", _LINES, _not_empty),
    ("Reject-Contact", _LINES, _not_empty),
    ("Expires", _LAST, _number_and_parameters),
    ("Date", _LAST, _not_empty),
    ("Retry-After", _LAST, _number_and_parameters),
    ("Timestamp", _LAST, _not_empty),
    ("Min-Expires", _LAST, is_number),
    ("Subject", _LAST, _anything),
    ("Priority", _LAST, _not_empty),
    ("Call-Info", _LINES, _not_empty),
    ("Organization", _LAST, _anything),
    ("Server", _LAST, _anything),
    ("User-Agent", _LAST, _anything),
    ("In-Reply-To", _MERGED, _not_empty),
    ("Accept", _MERGED, _anything),
    ("Accept-Encoding", _MERGED, _anything),
    ("Accept-Language", _MERGED, _anything),
    ("Allow", _MERGED, _anything),
    ("Require", _MERGED, _anything),
    ("Supported", _MERGED, _anything),
    ("Unsupported", _MERGED, _not_empty),
    ("Event", _LAST, _not_empty),
    ("Allow-Events", _MERGED, _not_empty),
    ("Subscription-State", _LAST, _not_empty),
    ("Proxy-Authenticate", _LINES, _challenge),
    ("Proxy-Authentication-Info", _LINES, _not_empty),
    ("Proxy-Authorization", _LINES, _challenge),
    ("Authorization", _LINES, _challenge),
    ("WWW-Authenticate", _LINES, _challenge),
    ("Authentication-Info", _LINES, _not_empty),
    ("Error-Info", _LINES, _not_empty),
    ("Warning", _LINES, _not_empty),
    ("Refer-To", _LAST, _address),
    ("Referred-By", _LAST, _address),
    ("Replaces", _LAST, _not_empty),
    ("Session-Expires", _LAST, _number_and_parameters),
    ("Min-SE", _LAST, _number_and_parameters),
    ("Path", _LINES, are_addresses),
    ("Service-Route", _LINES, are_addresses),
    ("Reason", _LINES, _not_empty),
    ("Security-Client", _LINES, _not_empty),
    ("Security-Server", _LINES, _not_empty),
    ("Security-Verify", _LINES, _not_empty),
    ("Privacy", _LAST, _not_empty),
    ("SIP-ETag", _LAST, _not_empty),
    ("SIP-If-Match", _LAST, _not_empty),
    ("MIME-Version", _LAST, _not_empty),
    ("Content-Type", _LAST, is_media_type),
    ("Content-Encoding", _MERGED, _not_empty),
    ("Content-Language", _MERGED, _not_empty),
    ("Content-Disposition", _LAST, _not_empty),
    ("Content-Length", _LAST, is_number),
)

HEADERS = {
    name.lower(): Header(name, rank, repetition, is_valid)
    for rank, (name, repetition, is_valid) in enumerate(_TABLE)
}
"""The known fields by their names in lower case."""

_WORD_START = re.compile(r"(?:(?<=-)|\A)[a-z]")


def known_header(name: str) -> Header | None:
    """The known field that ``name`` means, or None."""
    lowered = name.lower()
    return HEADERS.get(lowered) or HEADERS.get(lowered.replace("_", "-"))


def spelled(name: str) -> str:
    """How the name of an unknown field goes out: its words capitalised, ``X-`` names untouched (RSP-8)."""
    if name[:2] in ("X-", "x-"):
        return name
    return _WORD_START.sub(lambda matched: matched[0].upper(), name)


def split_values(value: str) -> list[str]:
    """Split a list of values at the commas that are neither in quotes nor in angle brackets (§7.3.1)."""
    if "," not in value:
        return [value.strip(" \t")]
    parts: list[str] = []
    start = 0
    quoted = bracketed = False
    index = 0
    while index < len(value):
        match value[index]:
            case "\\" if quoted:
                index += 1
            case '"' if not bracketed:
                quoted = not quoted
            case "<" if not quoted:
                bracketed = True
            case ">" if not quoted:
                bracketed = False
            case "," if not quoted and not bracketed:
                parts.append(value[start:index].strip(" \t"))
                start = index + 1
        index += 1
    parts.append(value[start:].strip(" \t"))
    return parts
