"""What is done to SIP messages on their way in: they are read as the genuine server reads them, or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference_server.core.core import Core
from reference_server.core.dialog.usage import DialogUsage, UsageEvent
from reference_server.core.ports import Flow
from reference_server.core.to_application import acknowledgement
from reference_server.emulation.recent import Recent
from reference_server.emulation.sent import SentMessages, with_header
from reference_server.sip.dialog import contact_uri_of
from reference_server.sip.messages.message import Request, Response, SipSyntaxError, parse_message
from reference_server.sip.messages.response_headers import response_headers
from reference_server.sip.messages.via import TopVia, parse_top_via

_ROUTABLE = frozenset(["INFO", "NOTIFY", "OPTIONS", "MESSAGE", "PUBLISH", "SUBSCRIBE"])
_KNOWN = frozenset([*_ROUTABLE, "INVITE", "ACK", "CANCEL", "BYE", "REGISTER", "UPDATE"])
_BLANK_IN_URI = re.compile(r"[A-Z]+ +\S+ +\S+ +SIP/2\.0")
_JUDGED = (
    ("date", re.compile(r".* GMT\Z")),
    ("event", re.compile(r".+")),
    ("reason", re.compile(r".+")),
    ("referred-by", re.compile(r"[^<]*<[^<>]+>.*|[^<>]+")),
)
"""headers that only applications need, and what is read of them (DEV-127)"""
_SECONDS = re.compile(r"\s*\d+")
_LARGEST_FORWARDS = 70


class ReceivedMessages:
    """Messages that come from the network."""

    def __init__(
        self, core: Core, sent: SentMessages, send: Callable[[str, Flow], bool], *, silent: bool
    ) -> None:
        """``silent``: a request in a dialog whose application is gone is not answered, else with 481 (DEV-24)."""
        self._core = core
        self._sent = sent
        self._send = send
        self._silent = silent
        self._owners: Recent[str, int] = Recent()
        """the first owner of a dialog usage, by its key"""

    def altered(self, text: str, flow: Flow) -> str:
        """As the genuine server would read it; empty if it does not hear it, or has answered it already."""
        try:
            message = parse_message(text)
        except SipSyntaxError:
            return text
        if isinstance(message, Response):
            return self._response(message)
        via = parse_top_via(message.get("via"))
        return text if via is None else self._request(message, via, flow)

    def _response(self, response: Response) -> str:
        if response.status == 200 and response.cseq_method == "INVITE":
            if "session-expires" in response.first and not _SECONDS.match(response.get("session-expires")):
                return ""  # DEV-126
        elif 100 < response.status < 200 and response.get("rseq").isdecimal():
            if len(response.all("via")) > 1 or "," in response.get("via"):
                return self._sent.renumbered(response)
            self._sent.rings.keep(response.get("call-id"), contact_uri_of(response.get("contact")))
        return response.text

    def _request(self, request: Request, via: TopVia, flow: Flow) -> str:
        if _BLANK_IN_URI.fullmatch(request.start_line):
            return ""  # DEV-226
        if request.method != "ACK":
            unread = _unread(request)
            if unread:
                self._answer(request, via, flow, 400, unread)
                return ""
        if request.to_tag:
            return self._in_dialog(request, via, flow)
        if request.method not in _KNOWN and request.cseq_method == request.method:
            return ""  # DEV-26
        return self._counted(request)

    def _in_dialog(self, request: Request, via: TopVia, flow: Flow) -> str:
        call_id, number = request.get("call-id"), request.cseq_number
        usage = self._core.dialogs.by_tags(call_id, request.to_tag, request.from_tag)
        if usage is None:
            if "route" not in request.first:
                return (
                    ""
                    if request.method not in _KNOWN and request.cseq_method == request.method
                    else request.text
                )
            return self._counted(self._with_own_rack(request))
        orphan = self._is_orphan(usage)
        if request.method == "INVITE":
            self._sent.reinvites.keep((call_id, number), via.branch)
        elif request.method == "ACK":
            refused = self._sent.refused.drop((call_id, number))
            if refused is not None and refused != via.branch:
                self._deliver_ack(usage, request, flow)
        elif usage.is_early and not usage.begun_here and request.method == "BYE":
            self._end_without_a_word(usage, request, via, flow)
            return ""
        elif usage.is_early and request.method in _ROUTABLE and not self._is_routed(request.method):
            self._answer(request, via, flow, 503)  # DEV-45
            return ""
        if orphan and request.method != "ACK":
            if request.method == "BYE" or not self._silent:
                self._answer(request, via, flow, 481)
            return ""
        return request.text

    def _is_routed(self, method: str) -> bool:
        return self._core.context.applications.select(method.lower()) is not None

    def _is_orphan(self, usage: DialogUsage) -> bool:
        """Whether the application that had it first is gone, whoever uses it now (DEV-24)."""
        owner = usage.owner
        if owner is None:
            return False
        first = self._owners.get(usage.key)
        if first is None:
            self._owners.keep(usage.key, owner.number)
            return False
        return first != owner.number

    def _end_without_a_word(self, usage: DialogUsage, bye: Request, via: TopVia, flow: Flow) -> None:
        """481 for the BYE, 500 for its INVITE, and nothing for the application (DEV-75)."""
        self._answer(bye, via, flow, 481)
        for invite in usage.forget_far_requests():
            invite.reject(500)
        self._core.dialogs.end(usage, UsageEvent.REFUSED)

    def _deliver_ack(self, usage: DialogUsage, ack: Request, flow: Flow) -> None:
        """Of a refused INVITE inside the dialog (DEV-44, DEV-205)."""
        owner = usage.current_owner()
        context = self._core.context
        if owner is not None:
            owner.deliver(
                acknowledgement(
                    context,
                    flow,
                    len(ack.text),
                    transaction_id=context.identifiers.transaction_id(),
                    dialog_id=usage.dialog_id,
                    text=ack.text,
                )
            )

    def _with_own_rack(self, request: Request) -> Request:
        """A PRACK with the number that the far end knows (DEV-105)."""
        words = request.get("rack").split()
        if request.method != "PRACK" or not words or not words[0].isdecimal():
            return request
        known = self._sent.numbers.get((request.get("call-id"), int(words[0])))
        if known is None:
            return request
        text = with_header(request.text, "RAck", " ".join([str(known), *words[1:]]))
        again = parse_message(text)
        return again if isinstance(again, Request) else request

    def _counted(self, request: Request) -> str:
        """Inside a dialog Max-Forwards is not counted (DEV-107), outside it may be as large as it likes (DEV-122)."""
        forwards = request.get("max-forwards")
        if not forwards.isdecimal():
            return request.text
        key = request.get("call-id"), request.cseq_number
        if request.to_tag:
            self._sent.forwards.keep(key, forwards)
            return with_header(request.text, "Max-Forwards", str(_LARGEST_FORWARDS))
        if int(forwards) > _LARGEST_FORWARDS:
            self._sent.forwards.keep(key, str(int(forwards) - 1))
        else:
            self._sent.forwards.drop(key)
        return request.text

    def _answer(
        self, request: Request, via: TopVia, flow: Flow, status: int, reason: str | None = None
    ) -> None:
        """A response of the server's own, which nothing remembers."""
        headers = response_headers(request, via, flow.remote_host, flow.remote_port)
        tag = self._core.context.identifiers.tag()
        to = headers.to if request.to_tag else f"{headers.to};tag={tag}"
        self._send(headers.minimal(status, to, reason=reason), flow)


def _unread(request: Request) -> str:
    """The reason of the 400 that a request gets which is sound (DEV-127, DEV-228); empty if it gets none."""
    if "\0" in request.body:
        return "Bad Request"
    for name, sound in _JUDGED:
        if name in request.first and not sound.fullmatch(request.get(name)):
            return f"Bad {name.title()} Header"
    return ""


# Tested by tests/emulation/test_agreement.py.
