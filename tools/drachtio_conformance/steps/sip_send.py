"""What a SIP peer sends: requests, responses, ACK, CANCEL, the same again, or raw octets."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from drachtio_conformance.peers.admin_peer import Split
from drachtio_conformance.peers.sip_compose import Changes, crlf
from drachtio_conformance.steps.octets import exact_octets, filled, whole_message
from drachtio_conformance.steps.stage import Finding, Stage, StepError
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import HeaderFields, Name


def _changes(stage: Stage, headers: HeaderFields, without: list[str] | None = None) -> Changes:
    return Changes(tuple(filled(stage.variables, headers)), tuple(without or ()))


def _body(stage: Stage, text: str | None) -> str | None:
    return None if text is None else crlf(stage.variables.fill(text))


class SipRequest(Step, frozen=True, kw_only=True, tag="sip_request"):
    """Send a well-formed SIP request: Via, Max-Forwards, From, To, Call-ID, CSeq, Contact are filled in.

    Outside a dialog it begins a new one (new Call-ID and From tag). A first INVITE carries an SDP offer
    unless ``body`` says otherwise.
    """

    shorthand: ClassVar[str] = "method"
    method: str
    peer: Name = "phone"
    uri: str | None = None
    """default ``sip:bob@`` and the server's address; in a dialog, its remote target"""
    headers: HeaderFields = field(default_factory=dict)
    """replace the default of that name, or are added in this order"""
    without: list[str] = field(default_factory=list)
    """defaults to leave out"""
    body: str | None = None
    in_dialog: bool = False
    """inside the peer's current dialog: same Call-ID and tags, next CSeq, its route set"""
    save: Name | None = None
    """a name for this transaction, for ``of:`` in later steps"""
    pad: int = 0
    """that many octets ``x`` are the body"""
    times: int = 1
    """so many requests, each of its own"""

    def words(self) -> str:
        often = f" {self.times} times" if self.times != 1 else ""
        return f"{self.peer} sends {self.method}{often}" + (" in the dialog" if self.in_dialog else "")

    async def carry_out(self, stage: Stage) -> Finding:
        fill = stage.variables.fill
        for _ in range(self.times):
            stage.peer(self.peer).request(
                fill(self.method),
                uri=None if self.uri is None else fill(self.uri),
                changes=_changes(stage, self.headers, self.without),
                body="x" * self.pad if self.pad else _body(stage, self.body),
                in_dialog=self.in_dialog,
                save=self.save,
            )
        return Finding()


class SipSend(Step, frozen=True, kw_only=True, tag="sip_send"):
    """Send raw octets as one datagram, or into the TCP stream."""

    peer: Name = "phone"
    sip: str | None = None
    """a message in which each line feed becomes CRLF; ``Content-Length: ${auto}`` is computed"""
    text: str | None = None
    """sent as it is"""
    hex: str | None = None
    split: Split | None = None

    def words(self) -> str:
        return f"{self.peer} sends " + (self.sip.splitlines()[0] if self.sip else "octets")

    async def carry_out(self, stage: Stage) -> Finding:
        if self.sip is not None:
            if self.text is not None or self.hex is not None:
                raise StepError("expected one of sip, text and hex")
            data = whole_message(stage.variables.fill(self.sip))
        else:
            data = exact_octets(stage.variables, self.text, self.hex)
        stage.peer(self.peer).send_raw(data, self.split)
        return Finding()


class SipRespond(Step, frozen=True, kw_only=True, tag="sip_respond"):
    """Answer a request that came to a peer (default: its latest)."""

    shorthand: ClassVar[str] = "status"
    status: int
    reason: str | None = None
    peer: Name = "phone"
    to: Name | None = None
    headers: HeaderFields = field(default_factory=dict)
    without: list[str] = field(default_factory=list)
    body: str | None = None

    def words(self) -> str:
        return f"{self.peer} answers {self.status}"

    async def carry_out(self, stage: Stage) -> Finding:
        stage.peer(self.peer).respond(
            self.status,
            None if self.reason is None else stage.variables.fill(self.reason),
            to=self.to,
            changes=_changes(stage, self.headers, self.without),
            body=_body(stage, self.body) or "",
        )
        return Finding()


class SipAck(Step, frozen=True, kw_only=True, tag="sip_ack"):
    """ACK the final response to an INVITE (default: the latest), by RFC 3261 §13.2.2.4 or §17.1.1.3."""

    shorthand: ClassVar[str] = "peer"
    peer: Name = "phone"
    of: Name | None = None
    headers: HeaderFields = field(default_factory=dict)
    body: str | None = None

    def words(self) -> str:
        return f"{self.peer} acknowledges"

    async def carry_out(self, stage: Stage) -> Finding:
        body = _body(stage, self.body) or ""
        stage.peer(self.peer).ack(self.of, _changes(stage, self.headers), body)
        return Finding()


class SipCancel(Step, frozen=True, kw_only=True, tag="sip_cancel"):
    """CANCEL an INVITE (default: the peer's latest)."""

    shorthand: ClassVar[str] = "peer"
    peer: Name = "phone"
    of: Name | None = None
    headers: HeaderFields = field(default_factory=dict)

    def words(self) -> str:
        return f"{self.peer} cancels"

    async def carry_out(self, stage: Stage) -> Finding:
        stage.peer(self.peer).cancel(self.of, _changes(stage, self.headers))
        return Finding()


class SipRetransmit(Step, frozen=True, kw_only=True, tag="sip_retransmit"):
    """Send a request again, byte for byte (default: the peer's latest message)."""

    shorthand: ClassVar[str] = "peer"
    peer: Name = "phone"
    of: Name | None = None

    def words(self) -> str:
        return f"{self.peer} sends the same again"

    async def carry_out(self, stage: Stage) -> Finding:
        stage.peer(self.peer).retransmit(self.of)
        return Finding()
