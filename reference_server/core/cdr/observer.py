"""Makes call detail records of what the core tells. Implements ``CallObserver``."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.call_observer import Copy, Ended, ProxiedCall, Role, Source
from reference_server.core.cdr.leg import Records
from reference_server.core.cdr.own_calls import OwnCalls
from reference_server.core.cdr.proxied_calls import ProxiedCalls
from reference_server.core.ports import Applications
from reference_server.sip.messages.message import Request, Response
from reference_server.sip.timers import Timers


class CallRecords:
    """All legs of all calls."""

    def __init__(
        self,
        applications: Applications,
        time_token: Callable[[], str],
        timers: Timers,
        now: Callable[[], float],
    ) -> None:
        """``now`` returns monotonic seconds."""
        self._begins_new = True
        self._records = Records(applications, time_token)
        self._own = OwnCalls(self._records)
        self._proxied = ProxiedCalls(self._records, self._own, timers, now)

    def record_new(self, wanted: bool) -> None:
        """Whether calls that begin from now on are recorded; those that have begun are recorded to their end."""
        self._begins_new = wanted

    @property
    def unfinished(self) -> int:
        """Legs that have not stopped."""
        return self._records.unfinished

    def attempted(self, call: object, source: Source, invite: str) -> None:
        """``CallObserver``"""
        if self._begins_new:
            self._own.attempted(call, source, invite)

    def answered(self, call: object, usage: object, role: Role, success: str) -> None:
        """``CallObserver``"""
        self._own.answered(call, usage, role, success)

    def failed(self, call: object, ended: Ended) -> None:
        """``CallObserver``"""
        self._own.failed(call, ended)

    def ended(self, usage: object, ended: Ended | None, call: object = None) -> None:
        """``CallObserver``"""
        self._own.ended(usage, ended, call)

    def detach(self, usage: object) -> Callable[[Ended | None], None]:
        """``CallObserver``"""
        return self._own.detach(usage)

    def branch_sent(self, branch: Copy) -> None:
        """``CallObserver``"""
        if self._begins_new:
            self._proxied.branch_sent(branch)

    def branch_answered(self, branch: Copy, response: Response) -> None:
        """``CallObserver``"""
        self._proxied.branch_answered(branch, response)

    def branch_failed(self, branch: Copy, response: Response | None) -> None:
        """``CallObserver``"""
        self._proxied.branch_failed(branch, response)

    def branch_refused(self, branch: Copy, bye: str) -> None:
        """``CallObserver``"""
        self._proxied.branch_refused(branch, bye)

    def caller_answered(self, branch: Copy, response: Response, text: str) -> None:
        """``CallObserver``"""
        self._proxied.caller_answered(branch, response, text)

    def caller_failed(self, proxied: ProxiedCall, status: int, text: str) -> None:
        """``CallObserver``"""
        self._proxied.caller_failed(proxied, status, text)

    def passed_on(self, request: Request, received: str, text: str) -> None:
        """``CallObserver``"""
        self._proxied.passed_on(request, received, text)
