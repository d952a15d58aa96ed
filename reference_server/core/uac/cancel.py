"""The application's INVITE as long as it may be cancelled: by its transaction id (OUT-8), or by the server itself.

The CANCEL has the INVITE's Request-URI, Via, Route, From, To, Call-ID and CSeq number; its other headers are given. The
server cancels what rings without end (OUT-21), and when the application is gone (CONN-3).
"""

from __future__ import annotations

from typing import Protocol

from reference_server.core.dialog.hang_up import Cause
from reference_server.core.echo import request_echo
from reference_server.core.invite_client import InviteClient, InviteOwner
from reference_server.core.ports import Application
from reference_server.core.transactions import Sent
from reference_server.core.uac.core import ApplicationInvite, UacCore
from reference_server.sip.messages.draft import Draft, own_draft, parse_draft
from reference_server.sip.messages.message import parse_message
from reference_server.wire.frames_to_application import NotSent
from reference_server.wire.requests import Sip

SILENCE = 'SIP;cause=408;text="Request Timeout"'
"""Why the server itself cancels."""


class CancellableInvite(InviteOwner, Protocol):
    """An INVITE of an application's."""

    @property
    def sent(self) -> Sent:
        """As it went out the last time."""


class Cancelling:
    """How one INVITE of an application can be cancelled."""

    __slots__ = ("_owner", "client", "unwanted")

    def __init__(self, uac: UacCore, owner: CancellableInvite, longest_silence: float) -> None:
        """``longest_silence`` is in seconds."""
        self._owner = owner
        self.client = InviteClient(uac.context, uac.transactions, owner, longest_silence=longest_silence)
        self.unwanted = False
        """the application has asked for it, or is gone"""

    def for_application(self, draft: Draft) -> str:
        """Cancel with the headers of ``draft``; returns the CANCEL, which may have to wait."""
        self.unwanted = True
        return self._send(draft)

    def abandon(self) -> None:
        """The application is gone: nobody waits for the answer."""
        if not self.client.cancelled:
            self.for_application(own_draft(f"Reason: {Cause.APPLICATION_LOST.value}"))

    def silent(self) -> None:
        """The far end says nothing more."""
        self._send(own_draft(f"Reason: {SILENCE}"))

    def _send(self, draft: Draft) -> str:
        invite = self._owner.sent
        text = compose_cancel(invite.text, draft)
        self.client.cancel(invite, text)
        return text


def compose_cancel(invite_text: str, draft: Draft) -> str:
    """The CANCEL of an INVITE, with the headers of ``draft`` that do not belong to the INVITE's identity."""
    invite = parse_message(invite_text)
    for name in ("from", "to", "call-id", "cseq", "contact", "max-forwards"):
        draft.take(name)
    draft.others[:] = [other for other in draft.others if not other.startswith("P-Asserted-Identity:")]
    routes = "".join([f"Route: {value}\r\n" for value in invite.all("route")])
    head = "".join([f"{name}: {invite.get(name.lower())}\r\n" for name in ("From", "To", "Call-ID")])
    return (
        f"CANCEL {invite.start_line.split(' ')[1]} SIP/2.0\r\nVia: {invite.get('via')}\r\n{routes}"
        f"Max-Forwards: 70\r\n{head}CSeq: {invite.cseq_number} CANCEL\r\n{draft.lines()}\r\n{draft.body}"
    )


def _may_cancel(uac: UacCore, application: Application, invite: ApplicationInvite) -> bool:
    if invite.application is application or not invite.application.connected:
        return True
    return uac.context.settings.defects.shares_everything


def cancel_invite(uac: UacCore, application: Application, message: Sip) -> None:
    """An application's CANCEL for the INVITE that ``message`` names (OUT-8)."""
    invite = uac.invite_named(message.transaction_id, message.dialog_id)
    if invite is None or not _may_cancel(uac, application, invite) or invite.cancelled:
        text = f"unable to cancel unknown transaction id: {message.transaction_id}"
        application.deliver(NotSent(message.message_id, text))
        return
    context = uac.context
    text = invite.cancel(parse_draft(message.text, "", context.settings.preserved_header_names))
    application.deliver(
        request_echo(
            context,
            message.message_id,
            invite.flow,
            transaction_id=context.identifiers.transaction_id(),
            text=text,
            held=invite.holds_cancel,
        )
    )
