"""What makes a request unanswerable by an application: the status it gets instead (RFC 3261 §8.2, §16.3, §20)."""

from __future__ import annotations

from typing import Final

from reference_server.memo import Memo
from reference_server.sip.identifiers import LONGEST_NAME
from reference_server.sip.messages.concessions import Part, mended
from reference_server.sip.messages.headers import (
    HEADERS,
    are_addresses,
    is_address,
    is_call_id,
    is_media_type,
)
from reference_server.sip.messages.lenient import are_routes, can_be_read, check_passable, first_uri
from reference_server.sip.messages.message import LONGEST_NUMBER, Request, SipMessage
from reference_server.sip.messages.uri import UriError
from reference_server.sip.route_token import without_token

_OTHERS = ("expires", "max-forwards", "content-type", "content-length", "session-expires", "min-se", "rack")
_SINGLE = ("from", "to", "call-id", "cseq", *_OTHERS)

_ROUTES: Final = Memo[str, bool](entries=8192, longest=300)
"""Values of Route and Record-Route that were found sound."""
_BEGINS_DIALOG = frozenset({"INVITE", "SUBSCRIBE"})

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
    if from_ is None or to is None or not is_call_id(first.get("call-id", "")):
        return BAD_REQUEST
    if not is_address(from_, request.from_tag) and not _may_pass(from_, request.from_tag):
        return 400, "Bad From Header"
    if not is_address(to, request.to_tag) and not _may_pass(to, request.to_tag):
        return 400, "Bad To Header"
    if contact is not None and (contact == "*" or not are_addresses(contact)):
        fault = _fault_of_contact(request.method, contact)
        if fault is not None:
            return fault
    routed = "route" in first or "record-route" in first
    bad = _bad_value(first) or (_bad_route(request) if routed else "")
    if bad:
        return 400, f"Bad {HEADERS[bad].name} Header"
    if not 0 <= request.cseq_number < 2**31:
        return (400, "Bad CSeq Header") if "cseq" in first else BAD_REQUEST
    if request.cseq_method != request.method:
        return BAD_REQUEST
    if request.repeats:
        fields = request.fields
        for name in _SINGLE:
            if len({value for field, value in fields if field == name}) > 1:
                return 400, f"Bad {HEADERS[name].name} Header"
    length = first.get("content-length")
    if length is not None and (len(length) > LONGEST_NUMBER or int(length) > len(request.body)):
        return BAD_REQUEST
    return _fault_of_register(request) if request.method == "REGISTER" else None


def overlong_name(request: Request, branch: str) -> str:
    """The header whose Call-ID, tag or branch is longer than anybody needs, or an empty text (SIP-52).

    Of these names many have to be remembered for a while, in the dialogs and transactions of whoever sends them.
    """
    if len(request.first.get("call-id", "")) > LONGEST_NAME:
        return "Call-ID"
    if len(request.from_tag) > LONGEST_NAME:
        return "From"
    if len(request.to_tag) > LONGEST_NAME:
        return "To"
    return "Via" if len(branch) > LONGEST_NAME else ""


def is_cut_off(message: SipMessage) -> bool:
    """Whether a datagram has less body than its Content-Length says: discarded, if it is a response (§18.3; SIP-53)."""
    length = message.first.get("content-length", "0")
    return (
        length != "0"
        and length.isdecimal()
        and (len(length) > LONGEST_NUMBER or int(length) > len(message.body))
    )


def _may_pass(value: str, tag: str) -> bool:
    """What may pass for an address, since nobody is sent there."""
    try:
        check_passable(value, tag)
    except UriError:
        return False
    return True


def _fault_of_contact(method: str, contact: str) -> tuple[int, str] | None:
    """What is wrong with a Contact that is not sound: it is where the next requests go, or a registrar's (REG-1)."""
    if contact == "*":
        sound = method not in _BEGINS_DIALOG
    else:
        sound = can_be_read(contact) if method == "REGISTER" else bool(first_uri(contact))
    return None if sound else (400, "Bad Contact Header")


def _bad_route(request: Request) -> str:
    """The field of routes that leads nowhere, or an empty text."""
    for name in ("record-route", "route"):
        if name in request.first:
            for line in request.all(name):
                value = without_token(line)
                if value not in _ROUTES.known:
                    if not are_routes(value):
                        return name
                    _ROUTES.keep(value, True)
    return ""


def _bad_value(first: dict[str, str]) -> str:
    """The first of _OTHERS that has a value that is not its own, or an empty text."""
    if (
        first.get("max-forwards", "70").isdecimal()
        and first.get("content-length", "0").isdecimal()
        and is_media_type(first.get("content-type", "any/any"))
        and not ("expires" in first or "session-expires" in first or "min-se" in first or "rack" in first)
    ):
        return ""  # nearly always
    for name in _OTHERS:
        value = first.get(name)
        if value is not None and not HEADERS[name].is_valid(value):
            if name == "expires" and HEADERS[name].is_valid(mended(Part.EXPIRES, value)):
                continue
            return name
    return ""


def _fault_of_register(request: Request) -> tuple[int, str] | None:
    """``Contact: *`` is for removing all bindings only (RFC 3261 §10.2.2)."""
    if request.first.get("expires", "0") != "0" and "*" in request.all("contact"):
        return BAD_REQUEST
    return None
