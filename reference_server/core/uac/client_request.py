"""A request that an application has sent, from its transaction to its last response.

What all such requests have in common: the transaction, the frames with which responses go to the application (DLG-7,
OUT-5), the responses that the server makes itself where none can come, and the ACK for a failure. What the responses
change is told where it differs: ``invite``, ``subscribe``, ``in_dialog_request``.
"""

from __future__ import annotations

from reference_server.core.echo import request_echo, unsent_echo
from reference_server.core.ports import Application, Flow
from reference_server.core.to_application import from_network, made_here
from reference_server.core.transactions import Sent
from reference_server.core.uac.core import UacCore
from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.reliable import ReliableReceiver
from reference_server.sip.timers import TimerHandle
from reference_server.sip.transactions.client import ClientTransaction, InviteUser


class ClientRequest:
    """One request. It is the user of its transaction, unless somebody stands between (``failover``)."""

    def __init__(self, uac: UacCore, application: Application, sent: Sent, cseq: int) -> None:
        self.uac = uac
        self.application = application
        self.sent = sent
        """as it goes out; another one, if it has to go to another address"""
        self.cseq = cseq
        self.transaction_id = uac.context.identifiers.transaction_id()
        """by which the application knows the responses"""
        self.user: InviteUser = self
        """who hears of the transaction"""
        self.received: ReliableReceiver | None = None
        """the reliable provisional responses to an INVITE, from the first one on"""
        self._transaction: ClientTransaction | None = None

    @property
    def method(self) -> str:
        """Its name."""
        return self.sent.method

    @property
    def text(self) -> str:
        """As it went out."""
        return self.sent.text

    @property
    def flow(self) -> Flow:
        """By which it went."""
        return self.sent.flow

    @property
    def dialog_id(self) -> str:
        """The dialog id of the responses' frames, empty where there is none."""
        return ""

    @property
    def recipient(self) -> Application | None:
        """Who hears of responses: the application that sent the request, while it is connected."""
        return self.application if self.application.connected else None

    @property
    def wanted(self) -> bool:
        """Whether the application still waits for what becomes of it."""
        return self.application.connected

    def told_by(self, user: InviteUser) -> None:
        """``user`` stands between it and its transactions from now on."""
        self.user = user

    def begin(self) -> None:
        """Send, and start the client transaction."""
        self._transaction = self.uac.transactions.begin_client(
            self.sent, self.user, make_ack=self._ack_for_failure
        )

    def send_again(self, sent: Sent) -> None:
        """Send to another address what has failed at one, under a new branch (NET-9)."""
        self.sent = sent
        self._transaction = self.uac.transactions.begin_client(
            sent, self.user, make_ack=self._ack_for_failure
        )

    def receives_reliably(self) -> ReliableReceiver:
        """What it has received reliably, from now on."""
        if self.received is None:
            self.received = ReliableReceiver()
        return self.received

    # What the application hears.

    def echo(self, message_id: str) -> None:
        """Tell the application what went out (OUT-2, DLG-5)."""
        self.application.deliver(
            request_echo(
                self.uac.context,
                message_id,
                self.flow,
                transaction_id=self.transaction_id,
                text=self.text,
            )
        )

    def echo_unsent(self, message_id: str) -> None:
        """Tell the application what could not go out; the reason follows as a response (OUT-6)."""
        self.application.deliver(
            unsent_echo(self.uac.context, message_id, transaction_id=self.transaction_id, text=self.text)
        )

    def pass_on(self, response: Response) -> None:
        """Give a response from the network to the application."""
        recipient = self.recipient
        if recipient is not None:
            text = response.text
            recipient.deliver(
                from_network(
                    self.uac.context,
                    self.flow,
                    len(text),
                    transaction_id=self.transaction_id,
                    dialog_id=self.dialog_id,
                    text=text,
                )
            )

    def answer_locally(self, status: int, reason: str) -> str:
        """Give the application a response that no far end has sent (OUT-6). Returns it."""
        request = parse_message(self.text)
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        values = {name: request.get(name.lower()) for name in names}
        if self.uac.context.settings.defects.makes_bare_to:
            values["To"] = values["To"].replace("<", "").replace(">", "")
        if not request.to_tag:
            values["To"] += f";tag={self.uac.context.identifiers.tag()}"
        fields = "".join([f"{name}: {value}\r\n" for name, value in values.items() if value])
        text = f"SIP/2.0 {status} {reason}\r\n{fields}Content-Length: 0\r\n\r\n"
        recipient = self.recipient
        if recipient is not None:
            recipient.deliver(
                made_here(
                    self.uac.context,
                    self.flow.transport,
                    transaction_id=self.transaction_id,
                    dialog_id=self.dialog_id,
                    text=text,
                )
            )
        return text

    # What becomes of it.

    def proceeding(self) -> None:
        """The first provisional response to an INVITE (``InviteUser``)."""

    def answered(self, response: Response) -> None:
        """A response that must be seen (``ClientUser``)."""
        self.pass_on(response)

    def timed_out(self) -> None:
        """Nobody answered: a 408 of the server's own (``ClientUser``; RFC 3261 §8.1.3.1)."""
        self.fail(408, "Request Timeout")

    def unreachable(self) -> None:
        """It did not arrive: a 503 of the server's own (``ClientUser``; NET-1, NET-2)."""
        self.fail(503, "Service Unavailable")

    def fail(self, status: int, reason: str) -> None:
        """No response will come; the server makes one."""
        self.answer_locally(status, reason)

    def wait_no_longer_than(self, seconds: float) -> TimerHandle:
        """Give it up if it is not answered by then, though its far end said that it would be."""
        return self.uac.context.timers.start(seconds, self.give_up)

    def give_up(self) -> None:
        """Wait no longer, if it still has no final response."""
        transaction = self._transaction
        if transaction is not None and transaction.unanswered:
            transaction.terminate()
            self.user.timed_out()

    def _ack_for_failure(self, response: Response) -> str:
        return ack_for_failure(self.text, self.cseq, response)


def ack_for_failure(invite: str, cseq: int, response: Response) -> str:
    """The ACK of RFC 3261 §17.1.1.3: the INVITE's Request-URI, top Via and Route, the response's To."""
    request = parse_message(invite)
    routes = "".join([f"Route: {value}\r\n" for value in request.all("route")])
    to = response.get("to") if response.to_tag else request.get("to")
    uri = request.start_line.split(" ")[1]
    return (
        f"ACK {uri} SIP/2.0\r\nVia: {request.get('via')}\r\n{routes}Max-Forwards: 70\r\n"
        f"From: {request.get('from')}\r\nTo: {to}\r\nCall-ID: {request.get('call-id')}\r\n"
        f"CSeq: {cseq} ACK\r\nContent-Length: 0\r\n\r\n"
    )
