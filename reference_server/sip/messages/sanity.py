"""What makes a request unanswerable by an application: the status it gets instead (RFC 3261 §8.2, §16.3, §20)."""

from __future__ import annotations

import re

from reference_server.sip.messages.headers import HEADERS, are_addresses, is_address, is_media_type, is_number
from reference_server.sip.messages.message import LONGEST_NUMBER, Request
from reference_server.sip.messages.uri import is_token

_OTHERS = ("expires", "max-forwards", "content-type", "content-length", "session-expires", "min-se", "rack")
_SINGLE = ("from", "to", *_OTHERS)

_WITHOUT_SCHEME = re.compile(
    r"(?:[\w.+-]+@)?[\w.-]+(?::\d+)?(?:;|\Z)|<(?:[\w.+-]+@)?[\w.-]+(?::\d+)?>", re.ASCII
)

BAD_REQUEST = (400, "Bad Request")


def fault_of(request: Request) -> tuple[int, str] | None:
    """The status and reason of the first thing wrong with ``request``, or None.

    The reasons are the genuine server's: ``400 Bad Request`` for what is missing, ``400 Bad Expires Header`` for a
    value that is not the field's, ``505 Version Not Supported``.
    """
    if request.version != "SIP/2.0" and request.version.upper() != "SIP/2.0":
        return 505, "Version Not Supported"
    if " " in request.uri or "<" in request.uri:
        return BAD_REQUEST
    first = request.first
    from_, to, contact = first.get("from"), first.get("to"), first.get("contact")
    if not from_ or not to or not first.get("call-id"):
        return BAD_REQUEST
    if not _is_sound(from_, request.from_tag):
        return 400, "Bad From Header"
    if not _is_sound(to, request.to_tag):
        return 400, "Bad To Header"
    if contact is not None and not are_addresses(contact):
        without_scheme = request.method == "REGISTER" and _WITHOUT_SCHEME.match(contact)
        return BAD_REQUEST if without_scheme else (400, "Bad Contact Header")
    bad = _bad_value(first)
    if bad:
        return 400, f"Bad {HEADERS[bad].name} Header"
    if request.cseq_method != request.method or not 0 <= request.cseq_number < 2**31:
        return BAD_REQUEST
    if request.repeats:
        fields = request.fields
        for name in _SINGLE:
            if len({value for field, value in fields if field == name}) > 1:
                return BAD_REQUEST
    length = first.get("content-length")
    if length is not None and (len(length) > LONGEST_NUMBER or int(length) > len(request.body)):
        return BAD_REQUEST
    return _fault_of_register(request) if request.method == "REGISTER" else None


def _is_sound(value: str, tag: str) -> bool:
    """An address whose tag is a token, or that has none (RFC 3261 §19.3)."""
    return (not tag or is_token(tag)) and is_address(value, tag)


def _bad_value(first: dict[str, str]) -> str:
    """The first of _OTHERS that has a value that is not its own, or an empty text."""
    if (
        is_number(first.get("max-forwards", "70"))
        and is_number(first.get("content-length", "0"))
        and is_media_type(first.get("content-type", "any/any"))
        and not ("expires" in first or "session-expires" in first or "min-se" in first or "rack" in first)
    ):
        return ""  # nearly always
    for name in _OTHERS:
        value = first.get(name)
        if value is not None and not HEADERS[name].is_valid(value):
            return name
    return ""


def _fault_of_register(request: Request) -> tuple[int, str] | None:
    """``Contact: *`` is for removing all bindings only (RFC 3261 §10.2.2)."""
    contacts = request.all("contact")
    if "*" in contacts and (len(contacts) > 1 or request.first.get("expires", "0") != "0"):
        return BAD_REQUEST
    return None
