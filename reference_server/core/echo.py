"""The echo: what an application is told of a message that was sent for it (RSP-2, OUT-2, DLG-5).

It shows the message as it is on the wire, behind its length, its transport and an address: of a response where it went,
of a request what OUT-2 says for each transport.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.ports import Flow
from reference_server.sip.transport import NOWHERE
from reference_server.wire.frames_to_application import NO_ADDRESS, RequestSent, ResponseSent


def response_echo(
    context: Context,
    message_id: str,
    flow: Flow,
    *,
    transport: str,
    transaction_id: str,
    dialog_id: str,
    text: str,
) -> ResponseSent:
    """A response went out as ``text`` (RSP-2); ``transport`` as RSP-3 wants it."""
    return ResponseSent(
        message_id,
        transport,
        flow.remote_address,
        context.time_token(),
        transaction_id,
        dialog_id,
        text,
    )


def request_echo(
    context: Context, message_id: str, flow: Flow, *, transaction_id: str, text: str, held: bool = False
) -> RequestSent:
    """A request went out as ``text``, or is ``held`` until it can (OUT-2, OUT-8, DLG-5)."""
    return RequestSent(
        message_id,
        flow.transport.token,
        flow.local.address if flow.transport.echo_shows_local else flow.remote_address,
        context.time_token(),
        transaction_id,
        text,
        held=held,
    )


def unsent_echo(context: Context, message_id: str, *, transaction_id: str, text: str) -> RequestSent:
    """A request has nowhere to go; why, a response says that follows (OUT-6)."""
    return RequestSent(
        message_id, NOWHERE.name, NO_ADDRESS, context.time_token(), transaction_id, text, held=True
    )
