"""The application's provisional responses, sent so that they arrive (RFC 3262 §3; family REL).

A 1xx is reliable if the application asks for it with ``Require: 100rel``, or if the caller demands it: then the server
adds what is missing and answers the PRACK itself, since the application knows nothing of it (REL-2). One at a time is
on its way; the next, and a 2xx behind a session description, wait for the PRACK and are answered to the application
when they leave (REL-4, REL-5). Nobody acknowledges for 64·T1: the caller gets 504, and the application a CANCEL that
the server has made (REL-7).
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.methods import INVITE
from reference_server.core.server_request import ServerRequest
from reference_server.core.uas.give_up import give_up
from reference_server.sip.messages.draft import Draft
from reference_server.sip.reliable import OPTION_TAG, ReliableSender, names_100rel

NOT_ACKNOWLEDGED = 'SIP;cause=504;text="PRACK timeout"'
"""The Reason (RFC 3326) of the CANCEL that tells an application that its response was never acknowledged."""


def make_reliable(context: Context, incoming: ServerRequest, draft: Draft) -> int | None:
    """The RSeq of the provisional response ``draft``, with RSeq and Require now in it; 0 if it is an ordinary one.

    None if the application wants what the far end does not support (RSP-29).
    """
    request = incoming.request
    asked = names_100rel([draft.get("require")])
    demanded = "require" in request.first and names_100rel(request.all("require"))
    if not asked and not demanded:
        return 0
    if incoming.method is not INVITE:
        return None if asked else 0
    if not demanded and not names_100rel(request.all("supported")):
        return None
    if incoming.in_dialog and context.settings.defects.ends_by_provisional:
        return 0
    reliable = incoming.reliable
    if reliable is None:
        reliable = ReliableSender(
            context.identifiers.rseq(),
            incoming.sender(),
            lambda: give_up(context, incoming, NOT_ACKNOWLEDGED),
            timers=context.timers,
            timing=context.timing,
        )
        incoming.answer_reliably(reliable)
    number = reliable.number(bool(draft.body))
    draft.set_default("rseq", str(number))
    if not asked:
        reliable.unasked.add(number)
        required = draft.take("require")
        draft.set_default("require", f"{required}, {OPTION_TAG}" if required else OPTION_TAG)
    return number
