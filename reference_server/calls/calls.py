"""The behaviour as one object: what comes in from the network and from applications, and the loss of an application."""

from __future__ import annotations

from reference_server.calls.dialogs import end_dialog
from reference_server.calls.from_network import receive
from reference_server.calls.hangup import hang_up
from reference_server.calls.incoming import reject
from reference_server.calls.ports import Application, Flow
from reference_server.calls.requesting import METHODS, request_in_dialog
from reference_server.calls.responding import respond
from reference_server.calls.state import CallState
from reference_server.sip.dialog import DialogState
from reference_server.sip.uri import UriError, parse_uri
from reference_server.wire.replies import NotSent, Refused
from reference_server.wire.requests import Proxy, Sip

TRANSACTION_ID_MISSING = "transaction id missing"
OUTSIDE_DIALOGS = "requests outside dialogs are not supported by this release"
PROXYING = "proxying is not supported by this release"
_LOSS = 'SIP;cause=480;text="Application disconnected"'


def _fault_outside_dialogs(text: str) -> str:
    """Why a request outside dialogs is not sent (RSP-19): its start line, or that this release sends none."""
    start_line = text.partition("\r\n")[0]
    method, _, rest = start_line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    try:
        usable = method in METHODS and version == "SIP/2.0" and bool(parse_uri(uri).host)
    except UriError:
        usable = False
    return OUTSIDE_DIALOGS if usable else f"invalid request-uri: {start_line}"


class Calls:
    """Everything that a server does with calls."""

    def __init__(self, state: CallState) -> None:
        self.state = state

    def receive(self, text: str, flow: Flow) -> None:
        """One SIP message came from the network."""
        receive(self.state, text, flow)

    def sip(self, application: Application, message: Sip) -> bool:
        """An application's ``sip`` message; False if it was refused and the connection has to end (RSP-1, DLG-4)."""
        state = self.state
        if message.text.startswith("SIP/"):
            if not message.transaction_id:
                application.deliver(Refused(message.message_id, TRANSACTION_ID_MISSING))
                return False
            respond(state, application, message)
        elif message.dialog_id:
            request_in_dialog(state, application, message)
        elif message.transaction_id:
            text = f"unable to cancel unknown transaction id: {message.transaction_id}"
            if not message.text.startswith("CANCEL"):
                start_line = message.text.partition("\r\n")[0]
                text = f"Server error: invalid or missing method supplied on start line: {start_line}"
            application.deliver(NotSent(message.message_id, text))
        else:
            application.deliver(NotSent(message.message_id, _fault_outside_dialogs(message.text)))
        return True

    def proxy(self, application: Application, message: Proxy) -> None:
        """An application's ``proxy`` message."""
        known = message.transaction_id in self.state.incoming
        text = PROXYING if known else f"Unknown transaction id: {message.transaction_id}"
        application.deliver(NotSent(message.message_id, text))

    def application_lost(self, application: Application) -> None:
        """Its connection ended: what it had not answered gets 480 at once, its dialogs stay (CONN-3, CONN-4)."""
        state = self.state
        for incoming in [
            waiting for waiting in state.incoming.values() if waiting.application is application
        ]:
            dialog = incoming.dialog
            reject(state, incoming, 480)
            if dialog is not None and dialog.dialog.state is DialogState.EARLY:
                end_dialog(state, dialog)
        for dialog in [owned for owned in state.dialogs_by_id.values() if owned.owner is application]:
            dialog.owner = None
            if state.settings.hangup_on_application_loss and not dialog.subscription:
                hang_up(state, dialog, _LOSS)
