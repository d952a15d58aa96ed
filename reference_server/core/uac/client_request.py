"""A request that an application has sent, from its transaction to its last response.

What inside and outside dialogs have in common: the transaction, the messages with which responses go to the
application (DLG-7, OUT-5), the responses that the server makes itself where none can come, and the ACK for a failure.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.ports import Application, Flow
from reference_server.sip.messages.message import Response, parse_message
from reference_server.sip.reliable import ReliableReceiver
from reference_server.sip.timers import TimerHandle
from reference_server.sip.transactions.client import (
    ClientTransaction,
    InviteClientTransaction,
    InviteUser,
    NonInviteClientTransaction,
)
from reference_server.wire.replies import NO_ADDRESS, DialogMessage, RequestSent

METHODS = frozenset(
    {"INVITE", "ACK", "PRACK", "CANCEL", "BYE", "OPTIONS", "REGISTER"}
    | {"INFO", "UPDATE", "MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH"}
)
"""What an application may send; the genuine server knows no others."""


class ClientRequest:
    """One request. A subclass says what a response changes, and who hears of it."""

    received: ReliableReceiver | None = None
    """the reliable provisional responses to an INVITE, from the first one on"""

    def __init__(
        self,
        state: Context,
        application: Application,
        method: str,
        cseq: int,
        text: str,
        flow: Flow,
        branch: str,
    ) -> None:
        self.state = state
        self.application = application
        self.method = method
        self.cseq = cseq
        self.text = text
        """as it went out"""
        self.flow = flow
        self.branch = branch
        self.transaction_id = state.identifiers.transaction_id()
        """by which the application knows the responses"""
        self.user: InviteUser = self
        """who hears of the transaction"""

    @property
    def dialog_id(self) -> str:
        """The dialog id of the responses' messages, empty where there is none."""
        return ""

    @property
    def recipient(self) -> Application | None:
        """Who hears of responses: the application that sent the request, while it is connected."""
        return self.application if self.application.connected else None

    @property
    def wanted(self) -> bool:
        """Whether the application still waits for what becomes of it."""
        return self.application.connected

    def begin(self) -> None:
        """Send, and start the client transaction."""
        self._transmit()

    def send_again(self, text: str, flow: Flow, branch: str) -> None:
        """Send to another address what has failed at one, as ``text``, under a new branch (NET-9)."""
        self.text = text
        self.flow = flow
        self.branch = branch
        self._transmit()

    def _transmit(self) -> None:
        state = self.state
        key = f"{self.branch}|{self.method}"
        send, reliable = state.sender(self.flow), self.flow.transport != "udp"
        transaction: ClientTransaction
        if self.method == "INVITE":
            transaction = InviteClientTransaction(
                key,
                self.text,
                state.client_means,
                send=send,
                reliable=reliable,
                user=self.user,
                make_ack=self._ack_for_failure,
            )
        else:
            transaction = NonInviteClientTransaction(
                key, self.text, state.client_means, send=send, reliable=reliable, user=self.user
            )
        state.keep_client_transaction(transaction, self.flow)

    def echo(self, message_id: str) -> None:
        """Tell the application what went out (OUT-2, DLG-5)."""
        flow = self.flow
        over_udp = flow.transport == "udp"
        self.application.deliver(
            RequestSent(
                message_id,
                flow.transport,
                flow.local.address if over_udp else flow.remote_address,
                self.state.time_token(),
                self.transaction_id,
                self.text,
            )
        )

    def echo_unsent(self, message_id: str) -> None:
        """Tell the application what could not go out; the reason follows as a response (OUT-6)."""
        time = self.state.time_token()
        self.application.deliver(
            RequestSent(message_id, "unknown", NO_ADDRESS, time, self.transaction_id, self.text, held=True)
        )

    def wait_no_longer_than(self, seconds: float) -> TimerHandle:
        """Give an INVITE that has not been answered by then up, though its far end said that it would be."""
        return self.state.timers.start(seconds, self._give_up)

    def _give_up(self) -> None:
        transaction = self.state.client_transactions.get(f"{self.branch}|{self.method}")
        if transaction is not None and transaction.unanswered:
            transaction.terminate()
            self.user.timed_out()

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

    def pass_on(self, response: Response) -> None:
        """Give a response from the network to the application."""
        flow = self.flow
        text = response.text
        self._deliver(text, len(text), flow.transport, flow.remote_address)

    def answer_locally(self, status: int, reason: str) -> str:
        """Give the application a response that no far end has sent: length 0, no address (OUT-6). Returns it."""
        request = parse_message(self.text)
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        values = {name: request.get(name.lower()) for name in names}
        if not request.to_tag:
            values["To"] += f";tag={self.state.identifiers.tag()}"
        fields = "".join([f"{name}: {value}\r\n" for name, value in values.items() if value])
        text = f"SIP/2.0 {status} {reason}\r\n{fields}Content-Length: 0\r\n\r\n"
        self._deliver(text, 0, self.flow.transport, NO_ADDRESS)
        return text

    def _deliver(self, text: str, length: int, transport: str, address: str) -> None:
        recipient = self.recipient
        if recipient is not None:
            token = self.state.time_token()
            recipient.deliver(
                DialogMessage(
                    "network", length, transport, address, token, self.transaction_id, self.dialog_id, text
                )
            )

    def _ack_for_failure(self, response: Response) -> str:
        """The ACK of RFC 3261 §17.1.1.3: the INVITE's Request-URI, top Via and Route, the response's To."""
        request = parse_message(self.text)
        routes = "".join([f"Route: {value}\r\n" for value in request.all("route")])
        to = response.get("to") if response.to_tag else request.get("to")
        uri = request.start_line.split(" ")[1]
        return (
            f"ACK {uri} SIP/2.0\r\nVia: {request.get('via')}\r\n{routes}Max-Forwards: 70\r\n"
            f"From: {request.get('from')}\r\nTo: {to}\r\nCall-ID: {request.get('call-id')}\r\n"
            f"CSeq: {self.cseq} ACK\r\nContent-Length: 0\r\n\r\n"
        )
