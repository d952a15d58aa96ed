"""The behaviour as one object: what comes in from the network and from applications, and the loss of an application."""

from __future__ import annotations

from msgspec.structs import replace

from reference_server.core.context import Context
from reference_server.core.dialog.hang_up import Cause, acknowledge_and_hang_up, hang_up
from reference_server.core.dialog.usage import refuse
from reference_server.core.invite_client import cancel_invitation
from reference_server.core.ports import Application, Flow
from reference_server.core.proxy.verb import proxy
from reference_server.core.receive import receive
from reference_server.core.transport_failure import connection_lost, undelivered
from reference_server.core.uac.in_dialog import dialog_by_call_id, request_in_dialog
from reference_server.core.uac.outside_dialog import request_outside_dialogs
from reference_server.core.uas.respond import respond
from reference_server.sip.dialog import DialogState
from reference_server.wire.replies import NotSent, Refused
from reference_server.wire.requests import Proxy, Sip

TRANSACTION_ID_MISSING = "transaction id missing"
HEADER_LIMIT = 64 * 1024
"""Octets of start line and headers; no transport carries more, and the cutting of 16 MiB would stop every call."""

HEADERS_TOO_LARGE = f"headers too large: expected an empty line within {HEADER_LIMIT} bytes"


class Core:
    """Everything that a server does with calls."""

    def __init__(self, state: Context) -> None:
        self.state = state

    def receive(self, text: str, flow: Flow) -> None:
        """One SIP message came from the network."""
        receive(self.state, text, flow)

    def undelivered(self, beginning: str) -> None:
        """A datagram that begins so has not arrived."""
        undelivered(self.state, beginning)

    def connection_lost(self, flow: Flow) -> None:
        """The connection of ``flow`` is gone."""
        connection_lost(self.state, flow)

    def sip(self, application: Application, message: Sip) -> bool:
        """An application's ``sip`` message; False if it was refused and the connection has to end (RSP-1, DLG-4)."""
        state = self.state
        if _headers_too_large(message.text):
            application.deliver(NotSent(message.message_id, HEADERS_TOO_LARGE))
        elif message.text.startswith("SIP/"):
            if not message.transaction_id:
                application.deliver(Refused(message.message_id, TRANSACTION_ID_MISSING))
                return False
            respond(state, application, message)
        elif message.dialog_id:
            request_in_dialog(state, application, message)
        elif not message.transaction_id:
            found = dialog_by_call_id(state, application, message.text)
            if found is not None:
                request_in_dialog(state, application, replace(message, dialog_id=found.dialog_id))
            else:
                request_outside_dialogs(state, application, message)
        elif message.text.startswith("CANCEL"):
            cancel_invitation(state, application, message)
        else:
            start_line = message.text.partition("\r\n")[0]
            text = f"Server error: invalid or missing method supplied on start line: {start_line}"
            application.deliver(NotSent(message.message_id, text))
        return True

    def proxy(self, application: Application, message: Proxy) -> None:
        """An application's ``proxy`` message."""
        if _headers_too_large(message.text):
            application.deliver(NotSent(message.message_id, HEADERS_TOO_LARGE))
        else:
            proxy(self.state, application, message)

    def application_lost(self, application: Application) -> None:
        """Its connection ended: what it had not answered gets 480 at once, its dialogs stay (CONN-3, CONN-4)."""
        state = self.state
        hangs_up = state.settings.hangup_on_application_loss
        for incoming in [
            waiting
            for waiting in (*state.incoming.values(), *state.held_answers.values())
            if waiting.application is application
        ]:
            refuse(state, incoming, 480)
        for invitation in [
            open_ for open_ in state.outgoing_invites.values() if open_.application is application
        ]:
            invitation.abandon()
        for dialog in [owned for owned in state.dialogs_by_key.values() if owned.owner is application]:
            dialog.owner = None
            if dialog.awaits_own_ack:
                acknowledge_and_hang_up(state, dialog, Cause.APPLICATION_LOST)
            elif dialog.dialog.state is DialogState.CONFIRMED and hangs_up and not dialog.subscription:
                hang_up(state, dialog, Cause.APPLICATION_LOST)


def _headers_too_large(text: str) -> bool:
    return len(text) > HEADER_LIMIT and text.find("\r\n\r\n", 0, HEADER_LIMIT) < 0
