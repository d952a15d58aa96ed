"""Requests outside dialogs that an application begins, and the far end that answers them."""

from __future__ import annotations

from reference_server.core.ports import Flow
from reference_server.sip.messages.message import Request, parse_message
from reference_server.sip.transport import UDP
from tests.core.world import (
    SDP,
    UDP_ENDPOINT,
    RecordingApplication,
    World,
    sip_of,
    tokens_of,
)

CAROL = "sip:carol@127.0.0.1:5080"


FLOW = Flow(UDP, "127.0.0.1", 5080, UDP_ENDPOINT)


CONTACT = f"Contact: <{CAROL}>"


class Originated:
    """A request outside dialogs that makes a dialog, and the far end that answers it."""

    def __init__(
        self,
        world: World,
        method: str = "INVITE",
        *headers: str,
        uri: str = CAROL,
        flow: Flow = FLOW,
        application: RecordingApplication | None = None,
    ) -> None:
        self.world = world
        self.flow = flow
        world.network.routes[uri] = flow
        self.application = application or world.application()
        lines = "".join(f"{header}\r\n" for header in headers)
        body = SDP if method == "INVITE" else ""
        self.echo = self.application.say(f"sip||\r\n{method} {uri} SIP/2.0\r\n{lines}\r\n{body}")
        self.transaction_id = tokens_of(self.echo)[10]
        self.request = self.parsed(sip_of(self.echo))
        self.dialog_id = f"{self.request.get('call-id')};from-tag={self.request.from_tag}"
        self.cseq = 0
        self.tag = "b1"
        world.network.take()

    @staticmethod
    def parsed(text: str) -> Request:
        message = parse_message(text)
        assert isinstance(message, Request), text
        return message

    def answer(
        self, status: int, *headers: str, tag: str = "b1", to: Request | None = None, reason: str = "x"
    ) -> list[str]:
        """The far end's response, by default to the first request; returns what the server sent because of it."""
        request = to or self.request
        target = request.get("to") if request.to_tag or not tag else f"{request.get('to')};tag={tag}"
        fields = [
            f"Via: {request.get('via')}",
            f"From: {request.get('from')}",
            f"To: {target}",
            f"Call-ID: {request.get('call-id')}",
            f"CSeq: {request.get('cseq')}",
            *headers,
            "Content-Length: 0",
        ]
        self.world.network.take()
        return self.world.receive(
            f"SIP/2.0 {status} {reason}\r\n" + "".join(f"{field}\r\n" for field in fields) + "\r\n", self.flow
        )

    def ask(self, method: str, *headers: str, tag: str = "b1", cseq: int = 0) -> list[str]:
        """The far end's request in the dialog."""
        self.cseq = cseq or self.cseq + 1
        fields = [
            f"Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK{method}{self.cseq}",
            "Max-Forwards: 70",
            f"From: {self.request.get('to')};tag={tag}",
            f"To: {self.request.get('from')}",
            f"Call-ID: {self.request.get('call-id')}",
            f"CSeq: {self.cseq} {method}",
            *headers,
            "Content-Length: 0",
        ]
        text = f"{method} sip:127.0.0.1:5060 SIP/2.0\r\n" + "".join(f"{field}\r\n" for field in fields)
        return self.world.receive(f"{text}\r\n", self.flow)

    def say(self, method: str, *headers: str, body: str = "") -> Request:
        """The application's request in the dialog, as sent."""
        lines = "".join(f"{header}\r\n" for header in headers)
        echo = self.application.request(
            self.dialog_id, f"{method} sip:placeholder SIP/2.0\r\n{lines}\r\n{body}"
        )
        assert "|OK|" in echo, echo
        return self.parsed(sip_of(echo))

    def cancel(self, *headers: str, application: RecordingApplication | None = None) -> str:
        lines = "".join(f"{header}\r\n" for header in headers)
        return (application or self.application).say(
            f"sip|{self.transaction_id}|\r\nCANCEL {CAROL} SIP/2.0\r\n{lines}\r\n"
        )

    def establish(self, *headers: str) -> Originated:
        self.answer(200, CONTACT, *headers)
        self.say("ACK")
        self.application.take()
        self.world.network.take()
        return self

    def hang_up(self) -> None:
        self.answer(200, to=self.say("BYE"))
        self.application.take()

    def statuses(self) -> list[int]:
        """Of the responses that were delivered since the last call."""
        return [int(sip_of(frame)[8:11]) for frame in self.application.take()]


def progress(call: Originated, number: int, tag: str = "b1", to: Request | None = None) -> list[int]:
    """The far end sends a reliable 183; returns what was delivered."""
    target = f"sip:{tag}@127.0.0.1:5080"
    call.world.network.routes[target] = call.flow
    call.answer(183, f"Contact: <{target}>", "Require: 100rel", f"RSeq: {number}", tag=tag, to=to)
    return call.statuses()


def prack(call: Originated, number: int, *headers: str, body: str = "") -> Request:
    """The application's PRACK, as sent."""
    call.world.network.take()
    sent = call.say("PRACK", f"RAck: {number} {call.request.cseq_number} INVITE", *headers, body=body)
    assert call.world.network.take() == [sent.text]
    return sent


def refused(call: Originated, *headers: str) -> str:
    """The text with which a PRACK is refused; nothing was sent."""
    call.world.network.take()
    lines = "".join(f"{header}\r\n" for header in headers)
    answer = call.application.request(call.dialog_id, f"PRACK sip:placeholder SIP/2.0\r\n{lines}\r\n")
    assert call.world.network.take() == []
    return answer.split("|", 3)[3]


def finish(call: Originated) -> None:
    """The far end answers, the application acknowledges and hangs up."""
    call.answer(200, CONTACT)
    assert call.say("ACK").cseq_number == call.request.cseq_number
    call.hang_up()
