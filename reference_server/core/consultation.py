"""A new request about which a request handler is asked, and its answer carried out (HTTP-1 to HTTP-9, OUTB-1).

An INVITE gets its 100 first. While the question is open the request waits like one that an application has: it is
repeated in vain, ends with 487 by a CANCEL, and with 504 when all patience is over, whatever the handler does.
"""

from __future__ import annotations

from reference_server.core.decisions import Decision, Forward, Place, Reject, ToListening, ToTagged
from reference_server.core.ports import Application, HandlerQuestion, NoApplication, RequestHandler
from reference_server.core.proxy.core import ProxyCore
from reference_server.core.proxy.options import ProxyOptions
from reference_server.core.proxy.report import Report
from reference_server.core.proxy.verb import proxy_request
from reference_server.core.server_request import ServerRequest
from reference_server.core.uas.core import UasCore
from reference_server.core.uas.routing import deliver, observe, try_first, wait_for_application
from reference_server.sip.messages.draft import parse_draft


class Consultation:
    """One request and the question about it."""

    __slots__ = ("_decided", "_incoming", "_proxy", "_sought", "_uas")

    def __init__(self, uas: UasCore, proxy: ProxyCore, incoming: ServerRequest) -> None:
        self._uas = uas
        self._proxy = proxy
        self._incoming = incoming
        self._decided = self._sought = False
        """there is a decision; it is known whether there is an application"""

    def begin(self, handler: RequestHandler) -> None:
        """Ask ``handler``."""
        incoming = self._incoming
        try_first(incoming)
        incoming.name()
        observe(self._uas.context, incoming)
        wait_for_application(self._uas, incoming)
        question = HandlerQuestion(
            request=incoming.request, text=incoming.text_for_application(), flow=incoming.flow
        )
        abandon = handler.ask(question, self._carry_out)
        if not self._decided:
            incoming.asked(abandon)

    def _carry_out(self, decision: Decision) -> None:
        incoming = self._incoming
        self._decided = True
        incoming.decided()
        match decision:
            case Reject():
                contacts = "".join([f"Contact: {contact}\r\n" for contact in decision.contacts])
                incoming.reject(decision.status, contacts, decision.reason)
            case Forward():
                self._forward(decision)
            case ToTagged(tag=tag):
                verb = incoming.method.name.lower()
                self._give(self._uas.context.applications.select(verb, tag) or NoApplication.NOT_CONNECTED)
            case ToListening(places=places):
                self._connect(places)

    def _forward(self, decision: Forward) -> None:
        options = ProxyOptions(
            destinations=decision.destinations,
            record_route=decision.record_route,
            follow_redirects=decision.follow_redirects,
            simultaneous=decision.simultaneous,
            provisional_timeout=decision.provisional_timeout,
            final_timeout=decision.final_timeout,
        )
        report = Report(self._uas.context, None, "", full=False)
        proxy_request(self._proxy, self._incoming, options, parse_draft("", ""), report)

    def _connect(self, places: tuple[Place, ...]) -> None:
        listening = self._uas.context.listening
        if listening is None:
            self._give(NoApplication.UNREACHABLE)
            return
        abandon = listening.reach(places, self._reached)
        if not self._sought:
            self._incoming.asked(abandon)

    def _reached(self, found: Application | NoApplication) -> None:
        self._sought = True
        self._incoming.decided()
        self._give(found)

    def _give(self, found: Application | NoApplication) -> None:
        if isinstance(found, NoApplication):
            self._incoming.reject(found.status, reason=found.reason)
        else:
            deliver(self._uas.context, self._incoming, found)
