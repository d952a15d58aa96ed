"""The frames that tell an application of SIP messages: this is the one place that makes them.

Of a message from the network it is told the length as received, over what it came and from where; of one that the
server has made and nobody sent, the length 0 and no address (OUT-6, REL-7); of a request of the server's own, our own
address (CALL-9). The echo of what was sent for it is built in
echo.py.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.ports import Flow
from reference_server.sip.transport import NOWHERE, Transport
from reference_server.wire.frames_to_application import (
    NO_ADDRESS,
    DialogMessage,
    FinalResponseReceived,
    NewRequest,
)


def new_request(context: Context, flow: Flow, length: int, transaction_id: str, text: str) -> NewRequest:
    """A request outside dialogs (SIP-1)."""
    return NewRequest(
        length,
        flow.transport.token,
        flow.remote_address,
        context.time_token(),
        transaction_id,
        "" if context.settings.dialect_0_8 else flow.local.address,
        text,
    )


def from_network(
    context: Context, flow: Flow, length: int, *, transaction_id: str, dialog_id: str, text: str
) -> DialogMessage:
    """A request inside a dialog, a CANCEL, or a response (SIP-4, SIP-6, DLG-7, OUT-5)."""
    return DialogMessage(
        "network",
        length,
        flow.transport.token,
        flow.remote_address,
        context.time_token(),
        transaction_id,
        dialog_id,
        text,
    )


def acknowledgement(
    context: Context, flow: Flow, length: int, *, transaction_id: str, dialog_id: str, text: str
) -> DialogMessage:
    """The ACK for a 2xx, which names no transport (SIP-5)."""
    return DialogMessage(
        "network", length, "", flow.remote_address, context.time_token(), transaction_id, dialog_id, text
    )


def made_here(
    context: Context, transport: Transport, *, transaction_id: str, dialog_id: str, text: str
) -> DialogMessage:
    """A message that stands for one of the far end's: no far end has sent it (OUT-6, REL-7)."""
    return DialogMessage(
        "network", 0, transport.token, NO_ADDRESS, context.time_token(), transaction_id, dialog_id, text
    )


def unsolicited(context: Context, text: str, flow: Flow, dialog_id: str) -> DialogMessage:
    """A request that the server has sent by itself in a dialog of the application's (CALL-9)."""
    return DialogMessage(
        "application",
        len(text),
        flow.transport.token,
        flow.local.address,
        context.time_token(),
        "unsolicited",
        dialog_id,
        text,
    )


def unsolicited_unsent(context: Context, text: str, dialog_id: str) -> DialogMessage:
    """The same of one that found no way."""
    return DialogMessage(
        "application", 0, NOWHERE.name, NO_ADDRESS, context.time_token(), "unsolicited", dialog_id, text
    )


def target_answered(context: Context, message_id: str, flow: Flow, text: str) -> FinalResponseReceived:
    """A target of a proxied request has given a final response (PROXY-8)."""
    return FinalResponseReceived(
        message_id, flow.transport.token, flow.remote_address, context.time_token(), text
    )
