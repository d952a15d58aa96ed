"""Call detail records of proxied calls: one leg towards the caller, one for each copy that is sent (CDR-14 to CDR-17).

The caller's leg was begun when its INVITE came. Each copy of it is an attempt of its own, and stops with its own
failure or starts with its own 2xx. A call whose requests pass through us afterwards, because it was record-routed, is
filed under its dialog until a BYE passes; a call in whose dialog we do not stay goes on unseen, and its legs are left
without a stop. A filed call of which nothing is heard for half a day is over for the records.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from reference_server.core.call_observer import Copy, Ended, ProxiedCall, Reason, Role, Source
from reference_server.core.cdr.leg import CallLeg, Records
from reference_server.core.cdr.own_calls import OwnCalls
from reference_server.sip.deadline import Deadline
from reference_server.sip.messages.headers import split_values
from reference_server.sip.messages.message import Request, Response
from reference_server.sip.timers import Timers

_ROUTE = re.compile(r"^(Route[ \t]*+:[ \t]*+)((?>(?:[^\r\n]|\r\n[ \t])*)\r\n)", re.MULTILINE | re.IGNORECASE)

LONGEST_SILENCE_SECONDS = 12 * 3600.0
"""How long a proxied call may go on without a request that passes through us (CDR-17)."""

MOST_CALLS = 50_000
"""Dialogs of proxied calls that are kept for their records. One more, and the longest silent is over for the records:
two strangers could else have calls by the million that nobody ends (CDR-17)."""


class _FiledCall:
    """The legs of one call in whose dialog we are."""

    __slots__ = ("callee", "caller", "caller_tag", "heard_at")

    def __init__(self, caller: CallLeg | None, callee: CallLeg, caller_tag: str, heard_at: float) -> None:
        self.caller = caller
        """None for a further 2xx of a forked INVITE, whose caller has started with the first"""
        self.callee = callee
        self.caller_tag = caller_tag
        self.heard_at = heard_at
        """by the monotonic clock"""


class ProxiedCalls:
    """The legs of proxied calls."""

    def __init__(self, records: Records, own: OwnCalls, timers: Timers, now: Callable[[], float]) -> None:
        """``own`` has the callers' legs until they are answered; ``now`` returns monotonic seconds."""
        self._records = records
        self._own = own
        self._now = now
        self._copies: dict[Copy, CallLeg] = {}
        """until they have failed, or are somebody's call"""
        self._calls: dict[str, list[_FiledCall]] = {}
        """by dialog, the one that was heard of last at the end; more than one where a request came through us twice"""
        self._oldest = Deadline(timers, now, self._forget_the_silent)

    def branch_sent(self, branch: Copy) -> None:
        """A copy of an INVITE is an attempt (CDR-14)."""
        if branch.proxied.method == "INVITE":
            self._copies[branch] = self._records.attempt(Source.APPLICATION, branch.text)

    def branch_answered(self, branch: Copy, response: Response) -> None:
        """Its 2xx starts it, whoever may want it (CDR-15)."""
        leg = self._copies.get(branch)
        if leg is None:
            return
        leg.start(Source.NETWORK, Role.PROXY_UAC, response.text)
        if branch.proxied.answered:
            del self._copies[branch]
            self._file(branch.proxied, response, None, leg)

    def branch_failed(self, branch: Copy, response: Response | None) -> None:
        """It came to nothing."""
        leg = self._copies.pop(branch, None)
        if leg is None:
            return
        if response is None:
            leg.lose()
        else:
            cancelled = response.status == 487
            reason = Reason.CALL_CANCELED if cancelled else Reason.CALL_REJECTED
            leg.stop(Ended(Source.NETWORK, reason, response.text))

    def branch_refused(self, branch: Copy, bye: str) -> None:
        """Nobody wanted its 2xx, and the server hung up with ``bye``, empty if it found no way."""
        leg = self._copies.pop(branch, None)
        if leg is None:
            return
        if bye:
            leg.stop(Ended(Source.APPLICATION, Reason.SYSTEM_INITIATED, bye))
        else:
            leg.lose()

    def caller_answered(self, branch: Copy, response: Response, text: str) -> None:
        """The call is up on both sides."""
        proxied = branch.proxied
        callee = self._copies.pop(branch, None)
        caller = self._own.take(proxied.call)
        if callee is None:
            return
        if caller is not None:
            caller.start(Source.APPLICATION, Role.PROXY_UAS, text)
        self._file(proxied, response, caller, callee)

    def caller_failed(self, proxied: ProxiedCall, status: int, text: str) -> None:
        """The caller has got a failure, be it the 487 to its own CANCEL."""
        self._own.failed(proxied.call, Ended(Source.APPLICATION, Reason.CALL_REJECTED, text))

    def passed_on(self, request: Request, received: str, text: str) -> None:
        """A BYE ends both legs, where it came from first (CDR-16); any other request is a sign of life."""
        key = _dialog_of(request)
        calls = self._calls.get(key)
        if calls is None:
            return
        if request.method != "BYE":
            for one in calls:
                one.heard_at = self._now()
            self._calls[key] = self._calls.pop(key)
            return
        call = calls.pop()
        if not calls:
            self._forget(key)
        legs = [call.caller, call.callee]
        if request.from_tag != call.caller_tag:
            legs.reverse()
        came, went = legs
        if came is not None:
            came.stop(Ended(Source.NETWORK, Reason.NORMAL_RELEASE, _without_our_route(received)))
        if went is not None:
            went.stop(Ended(Source.APPLICATION, Reason.NORMAL_RELEASE, text))

    def _file(
        self, proxied: ProxiedCall, response: Response, caller: CallLeg | None, callee: CallLeg
    ) -> None:
        if not proxied.stays_in_dialog:
            callee.leave()
            if caller is not None:
                caller.leave()
            return
        call = _FiledCall(caller, callee, response.from_tag, self._now())
        key = _dialog_of(response)
        self._calls[key] = [*self._calls.pop(key, ()), call]
        if len(self._calls) == 1:
            self._oldest.move(LONGEST_SILENCE_SECONDS)
        elif len(self._calls) > MOST_CALLS:
            self._lose(next(iter(self._calls)))

    def _forget(self, key: str) -> None:
        del self._calls[key]
        if not self._calls:
            self._oldest.stop()

    def _forget_the_silent(self) -> None:
        """Calls lie in the order in which they were last heard of."""
        while self._calls:
            key = next(iter(self._calls))
            left = self._calls[key][-1].heard_at + LONGEST_SILENCE_SECONDS - self._now()
            if left > 0:
                self._oldest.move(left)
                return
            self._lose(key)

    def _lose(self, key: str) -> None:
        for call in self._calls.pop(key):
            call.callee.lose()
            if call.caller is not None:
                call.caller.lose()


def _without_our_route(text: str) -> str:
    """The request as received, its topmost Route value taken off, which has led it here."""
    field = _ROUTE.search(text)
    if field is None:
        return text
    others = ", ".join([value.strip() for value in split_values(field[2])[1:]])
    rest = f"{field[1]}{others}\r\n" if others else ""
    return f"{text[: field.start()]}{rest}{text[field.end() :]}"


def _dialog_of(message: Request | Response) -> str:
    """The same text for both directions."""
    tags = sorted((message.from_tag, message.to_tag))
    return "\n".join((message.get("call-id"), *tags))
