"""Readers of addresses with slips: the strict reader, then the same on what concessions.py makes of the value.

What is mended is for the server's own use, to send a request there; what is passed on is passed on as it came (RFC 3261
§16.3 item 1: components that are not needed may be malformed). An address is cut into the name, the URI and the
parameters behind it, and each is mended. What cannot be cut, and what is no address even so, is refused when it
comes: a quote or a bracket that is not closed, two addresses where one belongs, a host or a port that is none.
"""

from __future__ import annotations

import re
from typing import Final

from reference_server.sip.messages.concessions import BLANKS, QUOTED, Part, elements, mended
from reference_server.sip.messages.headers import Header, is_address
from reference_server.sip.messages.uri import Address, Uri, UriError, parse_address, parse_uri

MOST_ELEMENTS: Final = 100
"""Of a list that are looked at in spite of slips; a request has fewer hops (RFC 3261 §20.22)."""

LONGEST: Final = 1000
"""Octets of an address with slips: who writes a longer one does so to keep the server busy."""

_BEFORE_BRACKET = re.compile(rf'(?>(?:[^"<;,]++|{QUOTED})*)', re.DOTALL)
_OTHER_ADDRESS = re.compile(rf'(?>(?:[^",<;]++|;(?>(?:[^",;]++|{QUOTED})*))*)[,<]', re.DOTALL)
"""Behind an address a comma that no quotes hide, or a bracket that is in no parameter."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OF_A_TAG = re.compile(r'[^\s;,"<>|\\\x00-\x1f\x7f]+')


def _cut(value: str) -> tuple[str, str, str]:
    """Name, URI and parameters of one address, as they are written."""
    text = value.strip(BLANKS)
    before = _BEFORE_BRACKET.match(text)
    end = before.end() if before else 0
    match text[end : end + 1]:
        case '"':
            raise UriError("a closing quote of the display name", text)
        case ",":
            raise UriError("one address, or its name in quotes", text)
        case "<":
            right = text.find(">", end)
            if right < 0:
                raise UriError("'>' after the URI", text)
            cut = text[:end], text[end + 1 : right], text[right + 1 :]
        case _:
            cut = "", text[:end], text[end:]
    if not cut[1].strip(BLANKS) or cut[1].strip(BLANKS) == "*":
        raise UriError("an address", text)
    if _OTHER_ADDRESS.match(cut[2]):
        raise UriError("one address, not two", text)
    return cut


def check_passable(value: str, tag: str) -> None:
    """Raise UriError unless ``value``, of a From or To with this tag, can be passed on: its end and its tag are clear.

    That is all that is needed of it.
    """
    if _CONTROL.search(value):
        raise UriError("no control characters", value)
    _cut(value)
    if tag and not _OF_A_TAG.fullmatch(tag):
        raise UriError("a tag without separators", value)


def mended_address(value: str) -> str:
    """One address as the grammar would have it; raises UriError if it cannot be cut. It may still be none."""
    if len(value) > LONGEST:
        raise UriError(f"no more than {LONGEST} octets of an address with slips", value)
    name, uri, parameters = _cut(mended(Part.VALUE, value))
    name = mended(Part.NAME, name)
    return f"{name}{' ' if name else ''}<{mended(Part.URI, uri)}>{mended(Part.PARAMETERS, parameters)}"


def read_address(value: str) -> Address:
    """One address, with slips; raises UriError if it is none even so. Its ``uri_text`` has none of them."""
    try:
        return parse_address(value)
    except UriError as error:
        if "<" not in value and "?" in value:
            raise error from None  # whose the parameters are cannot be told (RFC 4475 §3.1.2.13)
        return parse_address(mended_address(value))


def read_uri(text: str) -> Uri:
    """One URI, with slips; raises UriError if it is none even so."""
    try:
        return parse_uri(text)
    except UriError:
        return parse_uri(_mended_uri(text))


def sound_uri(text: str) -> str:
    """``text`` if it is a URI, else what is meant by it; raises UriError if that is none either."""
    try:
        parse_uri(text)
    except UriError:
        text = _mended_uri(text)
        parse_uri(text)
    return text


def _mended_uri(text: str) -> str:
    if len(text) > LONGEST:
        raise UriError(f"no more than {LONGEST} octets of a URI with slips", text)
    return mended(Part.URI, text)


def first_uri(value: str) -> str:
    """The URI of the first address of a list, empty if there is none; what is sound goes before what has slips."""
    few = elements(value)[:MOST_ELEMENTS]
    for read in (parse_address, read_address):
        for one in few:
            try:
                return read(one).uri_text
            except UriError:
                continue
    return ""


def are_routes(value: str) -> bool:
    """Whether ``value`` is a list of SIP URIs, as Route and Record-Route have it, each of which leads somewhere."""
    schemes: set[str] = set()
    with_slips = 0
    try:
        for one in elements(value):
            with_slips += not is_address(one)
            if with_slips > MOST_ELEMENTS:
                return False
            schemes.add(read_address(one).uri.scheme)
    except UriError:
        return False
    return bool(schemes) and schemes <= {"sip", "sips"}


def can_be_read(value: str) -> bool:
    """Whether each address of a list can be read."""
    try:
        for one in elements(value)[:MOST_ELEMENTS]:
            read_address(one)
    except UriError:
        return False
    return True


_LISTS = frozenset({"Contact", "Path", "Service-Route"})
_ADDRESSES = frozenset({"From", "To", "Refer-To", "Referred-By"})


ADDRESSES: Final = frozenset({*_LISTS, *_ADDRESSES} - {"From", "To"})
"""Header fields of addresses that lead somewhere."""


def made_sound(header: Header, value: str) -> str:
    """The value that an application means by ``value``, which is not that field's; empty if nothing can be made of it.

    An address is one if it has a scheme or an ``@``; without brackets it gets them, so that all of it is the URI.
    """
    if header.name in _LISTS:
        given = elements(value)
    elif header.name in _ADDRESSES:
        given = [value]
    else:
        return ""
    sound: list[str] = []
    for one in given:
        if ":" not in one and "@" not in one:
            return ""
        try:
            sound.append(mended_address(f"<{one}>" if "<" not in one and "?" in one else one))
        except UriError:
            return ""
    result = ", ".join(sound)
    return result if header.is_valid(result) else ""
