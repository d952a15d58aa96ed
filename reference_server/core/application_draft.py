"""What the server does to every message that an application gives it, be it a request or a response."""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.ports import Endpoint
from reference_server.sip.messages.draft import Draft, parse_draft
from reference_server.sip.messages.lenient import ADDRESSES
from reference_server.sip.messages.uri import is_token

_NOTHING: dict[str, str] = {}


def drafted(context: Context, text: str, local: Endpoint, answers: dict[str, str] = _NOTHING) -> Draft:
    """The draft ``text`` of an application, for a message that leaves from ``local``.

    ``answers`` are the values of the request that it answers, by lower-case name.
    """
    return parse_draft(text, local.advertised, context.settings.preserved_header_names, answers)


def default_content_type(draft: Draft) -> bool:
    """Say that a body is a session description if it begins as one; False if nobody knows what it is (RSP-7, OUT-3)."""
    if draft.body.startswith("v=0"):
        draft.set_default("content-type", "application/sdp")
        return True
    return not draft.body or draft.get("content-type") != ""


def mere_word(draft: Draft) -> str:
    """The ``NOK`` of a draft with a mere word (``bob``, ``undefined``) where an address belongs; empty if none is.

    To leave it out would be to say OK to less than was asked (RSP-43, OUT-26).
    """
    for header, value in draft.invalid.items():
        if header.name in ADDRESSES and is_token(value):
            return f"invalid {header.name.lower()} value provided by client: {value}"
    return ""
