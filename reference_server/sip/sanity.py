"""What makes a request unanswerable by an application: the status it gets instead (RFC 3261 §8.2, §16.3, §20)."""

from __future__ import annotations

import re

from reference_server.sip.headers import HEADERS
from reference_server.sip.message import LONGEST_NUMBER, Request

_OTHERS = ("expires", "max-forwards", "content-type", "content-length", "session-expires", "min-se", "rack")
_SINGLE = ("from", "to", *_OTHERS)
_is_address = HEADERS["from"].is_valid
_is_contact = HEADERS["contact"].is_valid

_WITHOUT_SCHEME = re.compile(
    r"(?:[\w.+-]+@)?[\w.-]+(?::\d+)?(?:;|\Z)|<(?:[\w.+-]+@)?[\w.-]+(?::\d+)?>", re.ASCII
)
_TAG = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]*")  # a token, or none (RFC 3261 §19.3)

BAD_REQUEST = (400, "Bad Request")


def fault_of(request: Request) -> tuple[int, str] | None:
    """The status and reason of the first thing wrong with ``request``, or None.

    The reasons are the genuine server's: ``400 Bad Request`` for what is missing, ``400 Bad Expires Header`` for a
    value that is not the field's, ``505 Version Not Supported``.
    """
    if request.version.upper() != "SIP/2.0":
        return 505, "Version Not Supported"
    if " " in request.uri or "<" in request.uri:
        return BAD_REQUEST
    first = request.first
    from_, to, contact = first.get("from"), first.get("to"), first.get("contact")
    if not from_ or not to or not first.get("call-id"):
        return BAD_REQUEST
    if not (_is_address(from_) and _TAG.fullmatch(request.from_tag)):
        return 400, "Bad From Header"
    if not (_is_address(to) and _TAG.fullmatch(request.to_tag)):
        return 400, "Bad To Header"
    if contact is not None and not _is_contact(contact):
        without_scheme = request.method == "REGISTER" and _WITHOUT_SCHEME.match(contact)
        return BAD_REQUEST if without_scheme else (400, "Bad Contact Header")
    for name in _OTHERS:
        if name in first and not HEADERS[name].is_valid(first[name]):
            return 400, f"Bad {HEADERS[name].name} Header"
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


def _fault_of_register(request: Request) -> tuple[int, str] | None:
    """``Contact: *`` is for removing all bindings only (RFC 3261 §10.2.2)."""
    contacts = request.all("contact")
    if "*" in contacts and (len(contacts) > 1 or request.first.get("expires", "0") != "0"):
        return BAD_REQUEST
    return None
