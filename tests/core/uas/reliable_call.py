"""An INVITE that an application answers reliably, and its caller (RFC 3262 §3)."""

from __future__ import annotations

from reference_server.sip.messages.message import Response, parse_message
from tests.core.world import (
    SDP,
    Phone,
    World,
    sip_of,
    transaction_id_of,
)

OK = "SIP/2.0 200 OK\r\n\r\n"


RELIABLE = "SIP/2.0 183 Session Progress\r\nRequire: 100rel\r\n\r\n"


class ReliableCall:
    """An INVITE that an application answers reliably, and its caller."""

    def __init__(self, world: World, *headers: str, flow: Phone | None = None) -> None:
        self.world = world
        self.phone = flow or Phone(world)
        self.application = world.application("invite")
        self.phone.invite(*(headers or ("Supported: timer, 100rel",)))
        self.transaction_id = transaction_id_of(self.application.take_one())
        world.network.take()

    def respond(self, status: int = 183, *headers: str, body: str = SDP, reliable: bool = True) -> str:
        """The application's response; returns the answer, empty if there is none yet."""
        lines = "".join(f"{header}\r\n" for header in (["Require: 100rel"] if reliable else []) + [*headers])
        answer = self.application.answer(
            self.transaction_id, f"SIP/2.0 {status} Reason {status}\r\n{lines}\r\n{body}"
        )
        if "|OK|" in answer:
            self.phone.learn(sip_of(answer))
        return answer

    def progress(self, status: int = 183, *headers: str, body: str = SDP, reliable: bool = True) -> Response:
        """The same, sent at once: the response on the wire."""
        self.world.network.take()
        self.respond(status, *headers, body=body, reliable=reliable)
        (sent,) = self.world.network.take()
        response = parse_message(sent)
        assert isinstance(response, Response)
        return response

    def prack(self, response: Response, number: int = 0, same: bool = False) -> list[str]:
        """The caller's PRACK of ``response``; returns what the server sent because of it."""
        rack = f"RAck: {number or response.get('rseq')} {response.cseq_number} INVITE"
        return self.phone.send("PRACK", rack, same=same)

    def answer_prack(self, text: str = OK) -> str:
        """The application answers the PRACK that was delivered last."""
        return self.application.answer(transaction_id_of(self.application.take()[-1]), text)

    def refuse(self) -> None:
        """End what the test leaves open."""
        assert "|OK|" in self.application.answer(self.transaction_id, "SIP/2.0 480 \r\n\r\n")

    def hang_up(self) -> None:
        """ACK, BYE and 200."""
        self.phone.send("ACK", cseq=1)
        self.phone.send("BYE")
        self.answer_prack()
