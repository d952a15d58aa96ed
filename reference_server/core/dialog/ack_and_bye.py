"""Requests that the server makes by itself: the ACK and the BYE of a call that nobody wants, and CANCELs.

This is the one place that composes and sends them, whatever the reason, of the application's calls and of proxied ones.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.dialog.next_hop import via_for
from reference_server.core.ports import Flow
from reference_server.core.transactions import Sent, TransactionLayer
from reference_server.sip.dialog import Dialog, contact_uri_of
from reference_server.sip.messages.draft import own_draft
from reference_server.sip.messages.message import Response
from reference_server.sip.transactions.client import ClientMeans

_NOBODY = "sip:anonymous.invalid"
"""Who is called when a far end has told neither Contact nor name (RFC 3323 §4.1.1.3)."""


class Unwatched:
    """The user of a transaction whose outcome changes nothing."""

    def proceeding(self) -> None:
        """Of an INVITE only."""

    def answered(self, response: Response) -> None:
        """To a BYE: the dialog is over whatever the far end says (RFC 3261 §15.1.1). To a CANCEL: the INVITE's 487 says
        it all (OUT-9)."""

    def timed_out(self) -> None:
        """Likewise."""

    def unreachable(self) -> None:
        """Likewise."""


def send_unwatched(transactions: TransactionLayer, sent: Sent, means: ClientMeans | None = None) -> None:
    """Send a request of which nobody waits for the response, and repeat it until one comes."""
    transactions.begin_client(sent, Unwatched(), means=means)


def compose_ack(context: Context, dialog: Dialog, cseq: int, flow: Flow) -> str:
    """The ACK for a 2xx to the INVITE with the number ``cseq`` (RFC 3261 §13.2.2.4)."""
    return dialog.request("ACK", cseq, via_for(flow, context.identifiers.branch()), draft=own_draft())


def compose_bye(dialog: Dialog, reason: str, flow: Flow, branch: str) -> str:
    """A BYE, next in the dialog, with the Reason that is given (RFC 3326)."""
    text = dialog.request(
        "BYE", dialog.next_cseq(), via_for(flow, branch), draft=own_draft(f"Reason: {reason}")
    )
    # without a Contact of the far end there is only its To or From to name it
    if dialog.remote_target:
        return text
    return text.replace(" ", f" {contact_uri_of(dialog.remote) or _NOBODY}", 1)


def send_bye(
    context: Context, transactions: TransactionLayer, dialog: Dialog, reason: str, flow: Flow
) -> str:
    """Send that BYE; returns it."""
    branch = context.identifiers.branch()
    text = compose_bye(dialog, reason, flow, branch)
    send_unwatched(transactions, Sent("BYE", branch, text, flow))
    return text
