"""What is done to SIP messages on their way out, and what is remembered of them."""

from __future__ import annotations

import re

from reference_server.emulation.messages import uncovered
from reference_server.emulation.recent import Recent
from reference_server.sip.messages.message import Request, Response, SipSyntaxError, parse_message

_USER = re.compile(r"^(ACK sips?:)[^@ ]*@")
_LONG_BRANCH = re.compile(r"(;branch=z9hG4bK)[^;\r]{10}")
_CALL = tuple[str, int]
"""Call-ID and CSeq number"""


class SentMessages:
    """Messages that go to the network."""

    def __init__(self) -> None:
        self.forwards: Recent[_CALL, str] = Recent()
        """the Max-Forwards with which a copy of a request is to leave (DEV-107, DEV-122)"""
        self.reinvites: Recent[_CALL, str] = Recent()
        """the branch of an INVITE of a far end inside a dialog"""
        self.refused: Recent[_CALL, str] = Recent()
        """the same of one that was refused; empty if not by an application"""
        self.rings: Recent[str, str] = Recent()
        """the URI in the Contact of the latest reliable provisional response, by Call-ID"""
        self.replaced: Recent[str, dict[str, str]] = Recent()
        """the From, Contact and CSeq that an application gives a request to be proxied, by Call-ID"""
        self.numbers: Recent[tuple[str, int], int] = Recent()
        """the RSeq of a proxied provisional response, by Call-ID and the number that it left with (DEV-105)"""
        self._proxied: Recent[str, bool] = Recent()
        """branches of proxied requests"""
        self._rseq = 1_000_000

    def altered(self, text: str) -> str:
        """As the genuine server would send it."""
        text = uncovered(text)
        try:
            message = parse_message(text)
        except SipSyntaxError:
            return text
        if isinstance(message, Response):
            return self._response(message)
        return self._request(message)

    def _request(self, request: Request) -> str:
        text, vias = request.text, request.all("via")
        call_id, number = request.get("call-id"), request.cseq_number
        if len(vias) > 1 or "," in vias[0]:
            self._proxied.keep(vias[0], True)
            forwards = self.forwards.get((call_id, number))
            if forwards is not None:
                text = with_header(text, "Max-Forwards", forwards)
            if request.method == "ACK":
                text = _LONG_BRANCH.sub(r"\1.", text, count=1)
            for name, value in (self.replaced.get(call_id) or {}).items():
                text = _replaced(text, name, value)
        elif request.method in ("ACK", "CANCEL") and self._proxied.get(vias[0]):
            text = without_header(without_header(text, "Max-Forwards"), "Reason")  # DEV-108, DEV-109
            text = _USER.sub(r"\1", text)
        elif request.method == "PRACK":
            uri = self.rings.get(call_id)
            if uri:
                text = f"PRACK {uri} {text.split(' ', 2)[2]}"  # DEV-223
        return text

    def _response(self, response: Response) -> str:
        text, call_id = response.text, response.get("call-id")
        if response.status == 505:
            text = re.sub(r";rport=\d+", ";rport", text, count=1)  # DEV-161
        if response.status >= 300 and response.cseq_method == "INVITE":
            key = call_id, response.cseq_number
            branch = self.reinvites.drop(key)
            if branch is not None:
                self.refused.keep(key, "" if response.status in (422, 487) else branch)
        return text

    def renumbered(self, response: Response) -> str:
        """A reliable provisional response to a proxied INVITE, with another number (DEV-105)."""
        self._rseq += 1
        self.numbers.keep((response.get("call-id"), self._rseq), int(response.get("rseq")))
        return with_header(response.text, "RSeq", str(self._rseq))


def with_header(text: str, name: str, value: str) -> str:
    """The message with another value of its first header of that name."""
    return re.sub(rf"(?im)^{name}[ \t]*:.*?\r$", lambda _: f"{name}: {value}\r", text, count=1)


def without_header(text: str, name: str) -> str:
    """The message without its headers of that name."""
    return re.sub(rf"(?im)^{name}[ \t]*:.*?\r\n", "", text)


def _replaced(text: str, name: str, value: str) -> str:
    if name == "Contact":
        return re.sub(
            r"(?im)^(Contact[ \t]*:.*?\r\n)", lambda found: f"{found[1]}Contact: {value}\r\n", text, count=1
        )
    return with_header(text, name, value)


# Tested by tests/emulation/test_agreement.py.
