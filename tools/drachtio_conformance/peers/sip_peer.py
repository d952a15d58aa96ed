"""A SIP endpoint played by the suite: it sends what a step says and remembers what later steps refer to.

It answers nothing by itself and repeats nothing by itself; a case says everything that happens. What it does know
is how messages belong together: the ACK of an INVITE, the CANCEL, the next request of a dialog.
"""

from __future__ import annotations

from msgspec import Struct

from drachtio_conformance.peers.admin_peer import Split
from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.peers.sip_compose import SDP, Changes, HeaderLine, compose, status_line
from drachtio_conformance.peers.sip_transport import Endpoint, Received, Reply
from drachtio_conformance.peers.variables import Variables, new_branch, new_call_id, new_tag
from msgtrace import sip
from msgtrace.sip import SipMessage

_WITH_CONTACT = frozenset({"INVITE", "SUBSCRIBE", "REGISTER", "NOTIFY", "REFER", "UPDATE"})


class SipStateError(Exception):
    """A step refers to something that has not happened (an ACK without an INVITE …)."""


class Dialog(Struct):
    """A dialog, or the beginning of one, from this peer's side (RFC 3261 §12)."""

    call_id: str
    local: str
    """From value of our requests, with our tag"""
    remote: str
    """To value of our requests, with the far tag once it is known"""
    target: str
    """Request-URI of the next request"""
    cseq: int
    routes: list[str]


class Transaction(Struct):
    """A request that this peer sent."""

    raw: str
    method: str
    dialog: Dialog
    response: SipMessage | None = None
    """the latest that was taken"""


class SipPeer:
    """One named endpoint."""

    def __init__(
        self,
        name: str,
        transport: str,
        host: str,
        *,
        endpoint: Endpoint,
        server: str,
        recorder: Recorder,
        variables: Variables,
    ) -> None:
        """``host`` is the literal local address, ``server`` the server's host:port for this transport."""
        self.name = name
        self.transport = transport
        self.endpoint = endpoint
        self.closed = False
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{endpoint.port}"
        self.server = server
        """host:port for this transport; empty if it has none"""
        self._recorder = recorder
        self._variables = variables
        self._transactions: list[Transaction] = []
        self._named: dict[str, Transaction] = {}
        self._requests: list[tuple[SipMessage, Reply]] = []
        self._named_requests: dict[str, tuple[SipMessage, Reply]] = {}
        self._dialog: Dialog | None = None
        self._local_tags: dict[str, str] = {}  # Call-ID to our tag in answers
        self._last_sent = ""
        self._taken: set[str] = set()
        for key, value in (("host", host), ("port", str(endpoint.port)), ("address", self.address)):
            variables[f"{name}.{key}"] = value
        variables[f"{name}.server"] = server

    @property
    def call_id(self) -> str:
        """That of the latest dialog, or of the latest request."""
        return "" if self._dialog is None else self._dialog.call_id

    # Sending

    def send_raw(self, raw: str, split: Split | None = None) -> None:
        """Send octets to the server."""
        self._record(raw)
        self.endpoint.send(raw.encode("latin-1"), split)

    def request(
        self,
        method: str,
        *,
        uri: str | None = None,
        changes: Changes | None = None,
        body: str | None = None,
        in_dialog: bool = False,
        save: str | None = None,
    ) -> None:
        """Send a request; outside a dialog it begins a new one."""
        if in_dialog:
            dialog = self._current_dialog()
            dialog.cseq += 1
            offer = ""
        else:
            offer = SDP if method == "INVITE" else ""
            dialog = self._new_dialog(uri or f"sip:bob@{self.server}")
        raw = self._compose(
            method, dialog, uri, changes=changes or Changes(), body=offer if body is None else body
        )
        self._follow(dialog, sip.parse(raw))
        transaction = Transaction(raw, method, dialog)
        self._transactions.append(transaction)
        if save:
            self._named[save] = transaction
        self._dialog = dialog
        self.send_raw(raw)
        self._publish(dialog)

    def ack(self, of: str | None = None, changes: Changes | None = None, body: str = "") -> None:
        """Acknowledge a final response: as a request of the dialog for 2xx, else within the transaction."""
        invite = self._transaction(of, "INVITE")
        response = invite.response
        if response is None or response.status is None or response.status < 200:
            raise SipStateError(f"sip_ack of {self.name}: its INVITE has no final response yet")
        sent = sip.parse(invite.raw)
        number = sent.cseq[0]
        if response.status < 300:
            dialog = invite.dialog
            raw = self._compose("ACK", dialog, None, changes=changes or Changes(), body=body, number=number)
        else:
            lines = _of_transaction("ACK", sent, response.first("To"))
            raw = compose(f"ACK {sent.uri} SIP/2.0", lines, changes or Changes(), body=body)
        self.send_raw(raw)

    def cancel(self, of: str | None = None, changes: Changes | None = None) -> None:
        """Cancel an INVITE (RFC 3261 §9.1)."""
        sent = sip.parse(self._transaction(of, "INVITE").raw)
        lines = _of_transaction("CANCEL", sent, sent.first("To"))
        self.send_raw(compose(f"CANCEL {sent.uri} SIP/2.0", lines, changes or Changes(), body=""))

    def probe(self) -> str:
        """Send a BYE outside any dialog, which a server must answer at once (481); returns its branch."""
        branch = new_branch()
        uri = f"sip:barrier@{self.server}"
        lines: list[HeaderLine] = [
            ("Via", f"SIP/2.0/{self.transport.upper()} {self.address};branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:barrier@{self.address}>;tag={new_tag()}"),
            ("To", f"<{uri}>;tag={new_tag()}"),
            ("Call-ID", new_call_id()),
            ("CSeq", "1 BYE"),
        ]
        raw = compose(f"BYE {uri} SIP/2.0", lines, Changes(), body="")
        self._recorder.sip(self.name, raw, from_server=False)
        self.endpoint.send(raw.encode("latin-1"))
        return branch

    def retransmit(self, of: str | None = None) -> None:
        """Send a request, or the latest message, again."""
        raw = self._transaction(of, None).raw if of else self._last_sent
        if not raw:
            raise SipStateError(f"sip_retransmit of {self.name}: it has not sent anything yet")
        self.send_raw(raw)

    def respond(
        self,
        status: int,
        reason: str | None = None,
        *,
        to: str | None = None,
        changes: Changes | None = None,
        body: str = "",
    ) -> None:
        """Answer a request that came."""
        request, reply = self._request(to)
        tag = self._local_tags.setdefault(request.call_id, new_tag())
        to_value = request.first("To")
        if status > 100 and not sip.tag(to_value):
            to_value = f"{to_value};tag={tag}"
        lines: list[HeaderLine] = [
            *(("Via", value) for value in request.all("Via")),
            *(("Record-Route", value) for value in request.all("Record-Route") if 100 < status < 300),
            ("From", request.first("From")),
            ("To", to_value),
            ("Call-ID", request.call_id),
            ("CSeq", request.first("CSeq")),
        ]
        if 100 < status < 300 and request.method in _WITH_CONTACT - {"REGISTER"}:
            lines.append(("Contact", self._contact()))
        raw = compose(status_line(status, reason), lines, changes or Changes(), body=body)
        if (
            request.method in ("INVITE", "SUBSCRIBE")
            and 100 < status < 300
            and not sip.tag(request.first("To"))
        ):
            self._answered(request, to_value)
        self._record(raw)
        reply.send(raw.encode("latin-1"))

    # Receiving

    def learn(self, received: Received, *, save: str | None = None) -> None:
        """Remember a message that a step has taken."""
        message = sip.parse(received.raw)
        self._taken.add(received.raw)
        self._variables[f"{self.name}.received.length"] = str(len(received.raw))
        if message.is_request:
            self._requests.append((message, received.reply))
            if save:
                self._named_requests[save] = (message, received.reply)
            return
        for transaction in reversed(self._transactions):
            if self.answers(transaction, message):
                transaction.response = message
                self._establish(transaction, message)
                return

    def is_repeat(self, raw: str) -> bool:
        """Whether these octets were taken before."""
        return raw in self._taken

    def belongs(self, message: SipMessage, of: str) -> bool:
        """Whether a response answers the transaction called ``of``."""
        return self.answers(self._transaction(of, None), message)

    @staticmethod
    def answers(transaction: Transaction, response: SipMessage) -> bool:
        """RFC 3261 §17.1.3: same branch, same CSeq method."""
        sent = sip.parse(transaction.raw)
        return sent.branch == response.branch and sent.cseq == response.cseq

    # What belongs together

    def _new_dialog(self, uri: str) -> Dialog:
        local = f"<sip:alice@{self.address}>;tag={new_tag()}"
        return Dialog(new_call_id(), local, f"<{uri}>", uri, 1, [])

    @staticmethod
    def _follow(dialog: Dialog, sent: SipMessage) -> None:
        """A case may have replaced what identifies the dialog."""
        dialog.call_id = sent.call_id
        dialog.local = sent.first("From")
        dialog.remote = sent.first("To")
        dialog.cseq = sent.cseq[0] or dialog.cseq

    def _current_dialog(self) -> Dialog:
        if self._dialog is None:
            raise SipStateError(f"{self.name} has no dialog: no request was sent or answered yet")
        return self._dialog

    def _compose(
        self,
        method: str,
        dialog: Dialog,
        uri: str | None,
        *,
        changes: Changes,
        body: str,
        number: int | None = None,
    ) -> str:
        lines: list[HeaderLine] = [
            ("Via", f"SIP/2.0/{self.transport.upper()} {self.address};branch={new_branch()}"),
            *(("Route", value) for value in dialog.routes),
            ("Max-Forwards", "70"),
            ("From", dialog.local),
            ("To", dialog.remote),
            ("Call-ID", dialog.call_id),
            ("CSeq", f"{number or dialog.cseq} {method}"),
        ]
        if method in _WITH_CONTACT:
            lines.append(("Contact", self._contact()))
        if body == SDP:
            lines.append(("Content-Type", "application/sdp"))
        return compose(f"{method} {uri or dialog.target} SIP/2.0", lines, changes, body=body)

    def _contact(self) -> str:
        suffix = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"<sip:alice@{self.address}{suffix}>"

    def _establish(self, transaction: Transaction, response: SipMessage) -> None:
        """A response may tell the far tag, the target and the route set (RFC 3261 §12.1.2)."""
        dialog, to_value = transaction.dialog, response.first("To")
        status = response.status or 0
        if not 100 < status < 300 or not sip.tag(to_value):
            return
        dialog.remote = to_value
        if response.has("Contact") and transaction.method in ("INVITE", "SUBSCRIBE", "UPDATE"):
            dialog.target = sip.address_uri(response.first("Contact"))
        if response.has("Record-Route"):
            dialog.routes = _route_set(response)[::-1]
        self._publish(dialog)

    def _answered(self, request: SipMessage, to_value: str) -> None:
        """Our answer made a dialog (RFC 3261 §12.1.1)."""
        number = 0
        if self._dialog is not None and self._dialog.call_id == request.call_id:
            number = self._dialog.cseq
        self._dialog = Dialog(
            call_id=request.call_id,
            local=to_value,
            remote=request.first("From"),
            target=sip.address_uri(request.first("Contact")),
            cseq=number,
            routes=_route_set(request),
        )
        self._publish(self._dialog)

    def _transaction(self, of: str | None, method: str | None) -> Transaction:
        if of is not None:
            if of not in self._named:
                raise SipStateError(f"{self.name} has sent no request saved as {of!r}")
            return self._named[of]
        for transaction in reversed(self._transactions):
            if method is None or transaction.method == method:
                return transaction
        raise SipStateError(f"{self.name} has sent no {method or 'request'} yet")

    def _request(self, to: str | None) -> tuple[SipMessage, Reply]:
        if to is not None:
            if to not in self._named_requests:
                raise SipStateError(f"no request that came to {self.name} was saved as {to!r}")
            return self._named_requests[to]
        if not self._requests:
            raise SipStateError(f"no request has come to {self.name} yet")
        return self._requests[-1]

    def _record(self, raw: str) -> None:
        self._last_sent = raw
        self._recorder.sip(self.name, raw, from_server=False)
        self._variables[f"{self.name}.sent.length"] = str(len(raw))

    def _publish(self, dialog: Dialog) -> None:
        values = {
            "call_id": dialog.call_id,
            "from_tag": sip.tag(dialog.local),
            "to_tag": sip.tag(dialog.remote),
            "cseq": str(dialog.cseq),
        }
        if self._transactions:
            values["branch"] = sip.parse(self._transactions[-1].raw).branch
        for key, value in values.items():
            self._variables[f"{self.name}.{key}"] = value

    def close(self, *, broken: bool = False) -> None:
        """Close the sockets."""
        if not self.closed:
            self.closed = True
            if broken:
                self.endpoint.abort()
            else:
                self.endpoint.close()


def _of_transaction(method: str, invite: SipMessage, to_value: str) -> list[HeaderLine]:
    """Header lines of an ACK to a failure or of a CANCEL, which share the INVITE's Via (RFC 3261 §9.1, §17.1.1.3)."""
    return [
        ("Via", invite.first("Via")),
        ("Max-Forwards", "70"),
        ("From", invite.first("From")),
        ("To", to_value),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{invite.cseq[0]} {method}"),
        *(("Route", value) for value in invite.all("Route")),
    ]


def _route_set(message: SipMessage) -> list[str]:
    return [part.strip() for value in message.all("Record-Route") for part in value.split(",")]
