"""What an application sends, frame by frame or octet by octet."""

from __future__ import annotations

from typing import ClassVar

from drachtio_conformance.peers.admin_peer import Split
from drachtio_conformance.peers.variables import new_id
from drachtio_conformance.steps.answers import remember
from drachtio_conformance.steps.octets import exact_octets, whole_message
from drachtio_conformance.steps.patterns import cut_tokens
from drachtio_conformance.steps.stage import Finding, Stage
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Name, Tokens


class Send(Step, frozen=True, kw_only=True, tag="send"):
    """Send one frame: ``id|tokens`` and perhaps a SIP message; the length is computed.

    Afterwards ``${id}`` and ``${APP.id}`` are the message id.
    """

    app: Name = "app"
    tokens: Tokens | None = None
    """the tokens after the message id; without them the payload is the id alone"""
    sip: str | None = None
    """start line, headers, blank line, body; each line feed becomes CRLF"""
    id: str | None = None
    """the message id; a fresh UUID if absent"""
    save: Name | None = None
    """variable that gets the message id"""
    pad: int = 0
    """that many octets ``x`` are appended to the payload"""
    split: Split | None = None
    with_next: bool = False
    """kept back: it leaves in one segment with what this application sends next"""

    def words(self) -> str:
        what = "a bare message id" if self.tokens is None else "|".join(cut_tokens(self.tokens))
        return f"{self.app} sends {what}" + (f": {self.sip.splitlines()[0]}" if self.sip else "")

    async def carry_out(self, stage: Stage) -> Finding:
        peer = stage.application(self.app)
        fill = stage.variables.fill
        message_id = new_id() if self.id is None else fill(self.id)
        tokens = [] if self.tokens is None else [fill(token) for token in cut_tokens(self.tokens)]
        payload = "|".join([message_id, *tokens])
        if self.sip is not None:
            payload += "\r\n" + whole_message(fill(self.sip))
        await peer.send_message(payload + "x" * self.pad, split=self.split, with_next=self.with_next)
        remember(stage, peer, message_id)
        if self.save:
            stage.variables[self.save] = message_id
        return Finding()


class SendBytes(Step, frozen=True, kw_only=True, tag="send_bytes"):
    """Send exactly these octets on an admin connection."""

    shorthand: ClassVar[str] = "text"
    app: Name = "app"
    text: str | None = None
    """sent as it is; line ends are not changed (use a double-quoted YAML text with ``\\r\\n``)"""
    hex: str | None = None
    """octets in hexadecimal, blanks ignored; instead of ``text``"""
    times: int = 1
    """how often the whole is repeated"""
    split: Split | None = None

    def words(self) -> str:
        return f"{self.app} sends octets" + (" in pieces" if self.split is not None else "")

    async def carry_out(self, stage: Stage) -> Finding:
        data = exact_octets(stage.variables, self.text, self.hex)
        await stage.application(self.app).send_octets(data * self.times, split=self.split)
        return Finding()
