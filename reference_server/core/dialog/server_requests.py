"""Requests that the server makes by itself inside dialogs: the ACK and the BYE of a call that nobody wants, CANCELs.

This is the one place that composes and sends them, whatever the reason, of the application's calls and of proxied ones.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.dialog.next_hop import via_for
from reference_server.core.ports import Flow
from reference_server.sip.dialog import Dialog, contact_uri_of
from reference_server.sip.messages.draft import own_draft
from reference_server.sip.messages.message import Response
from reference_server.sip.transactions.client import ClientMeans, NonInviteClientTransaction

_NOBODY = "sip:anonymous.invalid"
"""Who is called when a far end has told neither Contact nor name (RFC 3323 §4.1.1.3)."""


class Unwatched:
    """The user of a transaction whose outcome changes nothing."""

    def answered(self, response: Response) -> None:
        """To a BYE: the dialog is over whatever the far end says (RFC 3261 §15.1.1). To a CANCEL: the INVITE's 487 says
        it all (OUT-9)."""

    def timed_out(self) -> None:
        """Likewise."""

    def unreachable(self) -> None:
        """Likewise."""


def send_unwatched(
    state: Context, method: str, branch: str, text: str, flow: Flow, means: ClientMeans | None = None
) -> None:
    """Send a request of which nobody waits for the response, and repeat it until one comes."""
    transaction = NonInviteClientTransaction(
        f"{branch}|{method}",
        text,
        means or state.client_means,
        send=state.sender(flow),
        reliable=flow.transport != "udp",
        user=Unwatched(),
    )
    state.keep_client_transaction(transaction, flow)


def compose_ack(state: Context, dialog: Dialog, cseq: int, flow: Flow) -> str:
    """The ACK for a 2xx to the INVITE with the number ``cseq`` (RFC 3261 §13.2.2.4)."""
    return dialog.request("ACK", cseq, via_for(flow, state.identifiers.branch()), draft=own_draft())


def compose_bye(dialog: Dialog, reason: str, flow: Flow, branch: str) -> str:
    """A BYE, next in the dialog, with the Reason that is given (RFC 3326)."""
    dialog.local_cseq += 1
    text = dialog.request(
        "BYE", dialog.local_cseq, via_for(flow, branch), draft=own_draft(f"Reason: {reason}")
    )
    # without a Contact of the far end there is only its To or From to name it
    return (
        text if dialog.remote_target else text.replace(" ", f" {contact_uri_of(dialog.remote) or _NOBODY}", 1)
    )


def send_bye(state: Context, dialog: Dialog, reason: str, flow: Flow) -> str:
    """Send that BYE; returns it."""
    branch = state.identifiers.branch()
    text = compose_bye(dialog, reason, flow, branch)
    send_unwatched(state, "BYE", branch, text, flow)
    return text
