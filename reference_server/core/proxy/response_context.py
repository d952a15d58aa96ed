"""One request on its way to its targets: the response context of RFC 3261 §16.7.

Targets are tried one after the other, or all at once. Provisional responses are passed on as they come, the first 2xx
too, and to an INVITE every further one: the caller makes a call of each, or ends it. When no copy can bring a 2xx any
more the best failure is passed on. Every request ends with exactly one final response, whatever the targets do.

A caller that cancels hears 487 at once, as from the genuine server, and the copies are cancelled. Inside a dialog its
487 is the far end's: if that has answered meanwhile, its 200 is what both ends have to know.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from reference_server.core.defects import Defects
from reference_server.core.ports import Application, Flow, NoWay
from reference_server.core.proxy.branch import Branch
from reference_server.core.proxy.challenges import remember_challenger
from reference_server.core.proxy.core import ProxyCore
from reference_server.core.proxy.options import ProxyOptions
from reference_server.core.proxy.record_route import record_routes, route_to
from reference_server.core.proxy.report import Report
from reference_server.core.server_request import ServerRequest
from reference_server.sip.best_response import CHALLENGES, BestResponse
from reference_server.sip.forwarding import ForwardedRequest, forwarded_response
from reference_server.sip.messages.headers import split_values
from reference_server.sip.messages.message import Response
from reference_server.sip.target_set import TargetSet
from reference_server.sip.transactions.timing import BEFORE_CLIENT_GIVES_UP

COMPLETED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
"""Why the copies are cancelled of which another was answered (RFC 3326 §3.1)."""

UNREACHABLE = "error proxying request to "
"""The application's ``NOK`` when nothing could be sent; a destination that is no URI follows (PROXY-9)."""


class ContextState(Enum):
    """What the caller has."""

    OPEN = auto()
    """no final response yet"""
    ANSWERED = auto()
    """a 2xx"""
    FAILED = auto()
    """another final response"""


class ContextEvent(Enum):
    """What moves it."""

    ACCEPTED = auto()
    """a copy has got a 2xx (§16.7 step 5)"""
    EXHAUSTED = auto()
    """no copy can bring a 2xx any more (§16.7 step 6)"""
    CANCELLED = auto()
    """the caller's CANCEL, outside dialogs (§16.10)"""


MOVES: Final[dict[tuple[ContextState, ContextEvent], ContextState]] = {
    (ContextState.OPEN, ContextEvent.ACCEPTED): ContextState.ANSWERED,
    (ContextState.OPEN, ContextEvent.EXHAUSTED): ContextState.FAILED,
    (ContextState.OPEN, ContextEvent.CANCELLED): ContextState.FAILED,
}
"""The whole machine. What is not here moves nothing: a caller has one final response."""


class ResponseContext:
    """The request of one caller, and all its copies."""

    __slots__ = (
        "_advancing",
        "_best",
        "_by_route",
        "_incoming",
        "_lost_its_way",
        "_observer",
        "_proxy",
        "_report",
        "_running",
        "_sent",
        "_signature",
        "_state",
        "_targets",
        "_timed_out",
        "_unfinished",
        "_via_below",
        "_what_is_no_uri",
        "cancelled",
        "forwarded",
        "method",
        "options",
    )

    def __init__(
        self,
        proxy: ProxyCore,
        incoming: ServerRequest,
        forwarded: ForwardedRequest,
        *,
        targets: TargetSet,
        signature: str,
        options: ProxyOptions,
        report: Report | None = None,
        what_is_no_uri: str = "",
    ) -> None:
        """Without a ``report`` it passes by its Route, and no application knows.

        ``signature`` is what shows a loop, ``what_is_no_uri`` the first destination that was none.
        """
        self._proxy = proxy
        self._incoming = incoming
        self.method = incoming.request.method
        self.forwarded = forwarded
        self._signature = signature
        self.options = options
        self._via_below = split_values(incoming.completed_via_line())[0]
        self._by_route = report is None
        self._observer = None if self._by_route else proxy.context.observer
        self.cancelled = False
        """by the caller"""
        self._report = report
        self._targets = targets
        self._what_is_no_uri = what_is_no_uri
        self._best = BestResponse()
        self._state = ContextState.OPEN
        self._running: set[Branch] = set()
        """copies that may still bring the caller's final response"""
        self._unfinished: set[Branch] = set()
        """copies without a final response"""
        self._advancing = self._sent = self._timed_out = self._lost_its_way = False

    @property
    def answered(self) -> bool:
        """The caller has a 2xx."""
        return self._state is ContextState.ANSWERED

    @property
    def application(self) -> Application | None:
        """Who hears how it goes, if anybody does."""
        return None if self._report is None else self._report.application

    @property
    def _open(self) -> bool:
        return self._state is ContextState.OPEN

    def _moves(self, event: ContextEvent) -> bool:
        """``event`` has happened; False if it changes nothing."""
        state = MOVES.get((self._state, event))
        if state is None:
            return False
        self._state = state
        return True

    def begin(self) -> None:
        """Take the request over from whoever had it, and try the first target."""
        proxy, incoming = self._proxy, self._incoming
        proxy.pending.take_over(incoming)
        proxy.open[incoming.transaction.key] = self
        if self.method == "INVITE":
            incoming.stop_waiting()
        else:
            incoming.wait_for(self._out_of_time, proxy.context.timing.t1x64 * BEFORE_CLIENT_GIVES_UP)
        self._advance()

    def _advance(self) -> None:
        """Try the next targets; if nothing is left to wait for, end it."""
        if self._advancing:
            return  # a target failed at once: the loop below goes on, however many there are
        self._advancing = True
        while self._targets and self._open:
            if self._running and not self.options.simultaneous:
                break
            branch = Branch(self._proxy, self, self._targets.next())
            self._running.add(branch)
            self._unfinished.add(branch)
            branch.open()
        self._advancing = False
        if self._open and not self._running:
            self._fail()
        elif self.cancelled and not self._unfinished and self._report is not None:
            self._report.done()

    # What the copies ask and tell.

    @property
    def stays_in_dialog(self) -> bool:
        """Requests of its dialog pass through us (Record-Route)."""
        return self.options.record_route

    @property
    def call(self) -> object:
        """What those who watch know the call by: the caller's request."""
        return self._incoming

    @property
    def _defects(self) -> Defects:
        return self._proxy.context.settings.defects

    def new_branch(self) -> str:
        """A branch for one more copy."""
        return self._proxy.branches.make(self._signature, self._via_below)

    def forwarded_by(self, flow: Flow) -> ForwardedRequest:
        """The request as it goes by ``flow``: a REGISTER names the way back (RFC 3327 §5.2)."""
        if self.method == "REGISTER" and self.options.record_route:
            self.forwarded.come_back_by(route_to(flow.local))
        return self.forwarded

    def record_routes_by(self, flow: Flow) -> str:
        """The Record-Route lines of a copy that goes by ``flow``."""
        if not self.options.record_route or self.method == "REGISTER":
            return ""
        incoming = self._incoming
        if self._defects.adds_one_record_route:
            return f"Record-Route: <sip:{flow.local.advertised};lr>\r\n"
        token = self._proxy.route_token(incoming.headers.call_id, incoming.request.from_tag)
        return record_routes(flow.local, incoming.flow.local, token)

    def under_way(self, branch: Branch) -> None:
        """A copy was sent."""
        self._sent = True
        if self._by_route:
            observer = self._proxy.context.observer
            if observer is not None:
                incoming = self._incoming
                observer.passed_on(incoming.request, incoming.text_for_application(), branch.text)
        elif self._observer is not None:
            self._observer.branch_sent(branch)
        if self._report is not None:
            self._report.under_way()

    def unreachable(self, branch: Branch, reason: str) -> None:
        """A copy could not be sent, or did not arrive."""
        self._proxy.context.event("proxy-target-unreachable", target=branch.target.next_hop, reason=reason)
        self._lost_its_way = self._defects.proxies_to_nowhere and reason != NoWay.NOT_AVAILABLE.reason
        self._running.discard(branch)
        self._unfinished.discard(branch)
        if self._observer is not None and branch.text:
            self._observer.branch_failed(branch, None)
        self._advance()

    def provisional(self, branch: Branch, response: Response) -> None:
        """A copy proceeds; the caller hears every response from 101 on (§16.7 step 5)."""
        if self._open and branch in self._running:
            self._incoming.transaction.respond(response.status, self._text_of(response))

    def gave_up(self, branch: Branch) -> None:
        """A copy took too long."""
        self._timed_out = True
        self._running.discard(branch)
        self._advance()

    def lost(self, branch: Branch) -> None:
        """A copy will never have a final response."""
        self._timed_out = True
        self._running.discard(branch)
        self._unfinished.discard(branch)
        if self._observer is not None and branch.text:
            self._observer.branch_failed(branch, None)
        self._advance()

    def final(self, branch: Branch, response: Response) -> None:
        """A copy has its final response."""
        self._running.discard(branch)
        self._unfinished.discard(branch)
        if response.status < 300:
            if self._observer is not None:
                self._observer.branch_answered(branch, response)
            self._answer(branch, response)
            return
        if self._observer is not None:
            self._observer.branch_failed(branch, response)
        self._tell(branch, response)
        if self._open and not branch.given_up:
            self._weigh(branch, response)
        self._advance()

    def answered_again(self, branch: Branch, response: Response) -> None:
        """A 2xx came again, or once more from behind another proxy that forked (§16.7 step 5)."""
        if self.answered or self._incoming.in_dialog or self._defects.passes_late_2xx:
            self._incoming.sender()(self._text_of(response))
        else:
            branch.refuse_late(response)

    def _weigh(self, branch: Branch, response: Response) -> None:
        """A failure: a step on the way to new targets, or the best that there was; a 6xx is one, too (PROXY-14)."""
        status = response.status
        again = self._defects.redirects_in_circles
        if status < 400 and self.options.follow_redirects and self._targets.redirect(response, again=again):
            return
        self._best.consider(response)
        if status in CHALLENGES:
            remember_challenger(self._proxy, branch.target, response)
            self._targets.clear()
        others = bool(self._running or self._targets)
        if others and self._defects.passes_each_failure and (status in CHALLENGES or self.method != "INVITE"):
            self._incoming.sender()(self._text_of(response))

    # What the caller hears.

    def _answer(self, branch: Branch, response: Response) -> None:
        if not self._moves(ContextEvent.ACCEPTED):
            if self.method == "INVITE" and not (self.answered and self._defects.passes_one_2xx):
                self.answered_again(branch, response)
            self._advance()
            return
        self._targets.clear()
        self._close()
        text = self._text_of(response)
        self._incoming.transaction.respond(response.status, text)
        if self._observer is not None:
            self._observer.caller_answered(branch, response, text)
        self._tell(branch, response)
        if self._report is not None:
            self._report.done()
        self._cancel_running(COMPLETED_ELSEWHERE)

    def _fail(self) -> None:
        """Pass the best failure on; without one say what was wrong."""
        best = self._best.chosen
        if best is not None:
            text = self._text_of(best)
            challenges = self._best.other_challenges()
            if challenges:
                start_line, _, rest = text.partition("\r\n")
                head, _, body = rest.partition("\r\n\r\n")
                text = f"{start_line}\r\n{head}\r\n{challenges}\r\n{body}"
            self._end(best.status, text, ContextEvent.EXHAUSTED)
        elif self.cancelled:
            self._end_locally(487)
        elif not self._sent and self._lost_its_way:
            self._close()
            if self._report is not None:
                self._report.under_way()
            return
        elif not self._sent:
            if self._report is not None:
                self._report.refused(f"{UNREACHABLE}{self._what_is_no_uri}")
            self._end_locally(500)
        elif self._timed_out:
            self._end_locally(408 if self.method == "INVITE" else 504)  # no 408 there: RFC 4320 §4.2
        else:
            self._end_locally(500)
        if self._report is not None:
            self._report.done()

    def _end_locally(self, status: int, event: ContextEvent = ContextEvent.EXHAUSTED) -> None:
        incoming = self._incoming
        self._end(status, incoming.headers.minimal(status, incoming.to_with_tag()), event)

    def _end(self, status: int, text: str, event: ContextEvent) -> None:
        self._moves(event)
        self._targets.clear()
        self._close()
        self._incoming.transaction.respond(status, text)
        if self._observer is not None:
            self._observer.caller_failed(self, status, text)

    def _close(self) -> None:
        self._incoming.stop_waiting()
        self._proxy.open.pop(self._incoming.transaction.key, None)

    def _out_of_time(self) -> None:
        """The client of a request other than INVITE is about to give up (timer F): it gets what there is."""
        if self._open and not self._defects.proxies_to_nowhere:
            self._timed_out = True
            self._targets.clear()
            self._cancel_running()
            self._running.clear()
            self._advance()

    def cancel(self, cancel: ServerRequest) -> None:
        """The caller's CANCEL came: 200 for it, 487 for the INVITE, a CANCEL with its Reason for each copy."""
        incoming = self._incoming
        to = incoming.to_with_tag()
        cancel.transaction.respond(200, cancel.headers.minimal(200, to))
        if self.cancelled:
            return
        self.cancelled = True
        self._targets.clear()
        if not incoming.in_dialog:
            self._end_locally(487, ContextEvent.CANCELLED)
        for branch in list(self._unfinished):
            branch.cancel(*cancel.request.all("reason"))
        self._advance()

    def _cancel_running(self, *reasons: str) -> None:
        for branch in list(self._running):
            branch.cancel(*reasons)

    def _text_of(self, response: Response) -> str:
        return forwarded_response(response, self._incoming.flow.transport.stream)

    def _tell(self, branch: Branch, response: Response) -> None:
        if self._report is not None and branch.flow is not None:
            self._report.received(response, branch.flow)
