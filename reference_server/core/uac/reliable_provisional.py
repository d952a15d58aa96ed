"""Reliable provisional responses to an application's INVITE (RFC 3262 §4): each passed on once, in order."""

from __future__ import annotations

from reference_server.core.uac.client_request import ClientRequest
from reference_server.sip.messages.message import Response
from reference_server.sip.reliable import names_100rel, rseq_of


def is_next(invite: ClientRequest, response: Response) -> bool:
    """Whether a provisional response with an RSeq is one to pass on; from the first on, PRACKs may be sent."""
    number = rseq_of(response.get("rseq"))
    if number is None or not names_100rel(response.all("require")):
        return True  # an ordinary one, whatever its RSeq means
    accepted = invite.receives_reliably().accepts(response.to_tag, number)
    return accepted or invite.uac.context.settings.defects.delivers_every_provisional
