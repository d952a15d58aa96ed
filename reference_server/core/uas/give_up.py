"""The server answers an INVITE in the place of its application, and tells it by a CANCEL that it has made.

Nobody acknowledged a reliable provisional response (REL-7), or the application let the INVITE wait for too long
(CALL-18): the caller gets 504. Without a word the application would go on with a call that nobody makes.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.server_request import ServerRequest
from reference_server.core.to_application import made_here


def give_up(context: Context, incoming: ServerRequest, reason: str) -> None:
    """Answer the INVITE 504; ``reason`` is the value of the CANCEL's Reason header (RFC 3326)."""
    incoming.refuse(504)
    take_back(context, incoming, reason)


def take_back(context: Context, incoming: ServerRequest, reason: str) -> None:
    """Tell the application, if it is still there, that the INVITE is no more its own; ``reason`` as for ``give_up``."""
    usage = incoming.usage
    application = incoming.application
    if application is None or not application.connected:
        return
    request, headers = incoming.request, incoming.headers
    application.deliver(
        made_here(
            context,
            incoming.flow.transport,
            transaction_id=incoming.transaction_id,
            dialog_id=usage.dialog_id if usage is not None else "",
            text=f"CANCEL {request.uri} SIP/2.0\r\n{headers.vias}From: {headers.from_}\r\nTo: {headers.to}\r\n"
            f"Call-ID: {headers.call_id}\r\nCSeq: {request.cseq_number} CANCEL\r\nReason: {reason}\r\n"
            f"Content-Length: 0\r\n\r\n",
        )
    )


# Tested by tests/core/uas/test_routing.py.
