"""Session timers (RFC 4028): calls that are refreshed, by the far end or by the server itself, or end (family TIMER).

The 2xx to an INVITE or UPDATE says how long the session lives and who refreshes it. If the far end does, each of its
re-INVITEs and UPDATEs begins the time anew. If we do, the server refreshes about the middle of the interval with a
re-INVITE of its own, which repeats the application's last session description; neither it nor what comes back is shown
to the application (uac/refresh_request.py). When the time is over the server sends BYE.

A refresh gives way: it waits while another INVITE is under way in the call, the application's next INVITE or UPDATE
waits for its end, and one of the far end that crosses it gets 491 (RFC 3261 §14). Nobody refreshes for an application
that is gone, so that its calls end. A call without any session description is refreshed by UPDATE, since a re-INVITE
without one asks for an offer that nobody would answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reference_server.core.dialog.hang_up import Cause, acknowledge_and_hang_up, hang_up
from reference_server.core.dialog.next_hop import open_flow
from reference_server.core.dialog.table import DialogTable
from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.sip.deadline import Deadline
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.message import Request, Response
from reference_server.sip.session_timer import (
    MINIMUM,
    Refresher,
    SessionExpires,
    Terms,
    is_too_small,
    leading_number,
    parse_session_expires,
    refresh_window,
    terms_as_client,
    terms_as_server,
)

REFRESHING = frozenset({"INVITE", "UPDATE"})
"""The methods that refresh a session."""

MIN_SE = f"Min-SE: {MINIMUM}\r\n"
"""The header line of a 422."""

_MOST_TOO_SMALL = 2
"""Refreshes in a row that are refused with 422; then the far end does not want one."""

_GIVE_WAY_SECONDS = 2.0
"""After which a refresh that could not be sent is tried again, at the earliest."""


class Refresh(Protocol):
    """A refresh of ours that has no final response yet."""

    def begin(self) -> None:
        """Send it."""


class Refreshes(Protocol):
    """Who makes refreshes: the UAC core."""

    def refresh(self, usage: DialogUsage, timer: SessionTimer, flow: Flow) -> Refresh:
        """The refresh of ``usage`` to be sent by ``flow``; ``timer`` hears what comes of it."""


class SessionTimer:
    """The session of one call."""

    __slots__ = (
        "_context",
        "_dialogs",
        "_expiry",
        "_held",
        "_next",
        "_opening",
        "_patient",
        "_refreshes",
        "_too_small",
        "_usage",
        "minimum",
        "refresh",
        "terms",
    )

    def __init__(self, dialogs: DialogTable, usage: DialogUsage, terms: Terms, refreshes: Refreshes) -> None:
        context = dialogs.context
        self._dialogs = dialogs
        self._context = context
        self._usage = usage
        self._refreshes = refreshes
        self._expiry = Deadline(context.timers, context.monotonic, self._expire)
        self._next = Deadline(context.timers, context.monotonic, self._begin_refresh)
        self._held: list[Callable[[], None]] = []
        self._opening = False
        self._too_small = 0
        self.refresh: Refresh | None = None
        """ours that has no final response yet"""
        self.minimum = MINIMUM
        """the Min-SE of our refreshes"""
        self.renew(terms)

    def renew(self, terms: Terms) -> None:
        """The session begins anew."""
        self._too_small = 0
        self.terms = terms
        self._patient = False
        self._expiry.move(terms.lifetime)
        if terms.refreshed_by_us:
            earliest, latest = refresh_window(terms.seconds)
            self._next.move(earliest + self._context.identifiers.number(latest - earliest))
        else:
            self._next.stop()

    def stop(self) -> None:
        """The call is over, or need not be refreshed any more."""
        if self._usage.session is self:
            self._usage.refreshed_by(None)
        self._expiry.stop()
        self._next.stop()
        self._release()

    def holds(self, again: Callable[[], None]) -> bool:
        """Whether a refresh is under way; then ``again`` is called when it is over."""
        if self.refresh is None:
            return False
        self._held.append(again)
        return True

    def refreshed(self, response: Response) -> None:
        """The far end is there; if its 2xx has no Session-Expires we go on as before (§7.2)."""
        self.refresh = None
        if self._usage.session is self:
            self.renew(terms_as_client(response.get("session-expires")) or self.terms)
        self._release()

    def refused(self, response: Response) -> None:
        """The refresh failed: try again where the response says that this may help, else end the call."""
        self.refresh = None
        if self._depends_on_us():
            minimum = leading_number(response.get("min-se"))
            retry_after = leading_number(response.get("retry-after"))
            defects = self._context.settings.defects
            if response.status == 491 and not defects.gives_up_at_491:
                self._next.move(self._glare_seconds())
            elif defects.gives_up_refused_refreshes:
                self._end()
            elif response.status == 500 and retry_after:  # theirs crossed ours (RFC 3261 §14.2)
                self._next.move(retry_after)
            elif response.status == 422 and self._asks_for_more(minimum):
                self.minimum = minimum  # of those that follow, too (§7.4)
                self.terms = Terms(minimum, refreshed_by_us=True, lifetime=minimum)
                self._begin_refresh()
            else:
                self._end()
        self._release()

    def failed(self, status: int) -> None:
        """No answer will come: nobody is there (408, §10), or it has not arrived (503), which may pass."""
        self.refresh = None
        if self._depends_on_us():
            if status == 408:
                self._end()
            else:
                self._next.move(_GIVE_WAY_SECONDS)
        self._release()

    def _asks_for_more(self, minimum: int) -> bool:
        """Whether a 422 with that Min-SE is worth another try: it has to ask for more, and only once (TIMER-5)."""
        self._too_small += 1
        return self._too_small < _MOST_TOO_SMALL and minimum > max(self.minimum, self.terms.seconds)

    def _depends_on_us(self) -> bool:
        """Whether the call goes on and the far end has not taken over meanwhile."""
        return self._usage.session is self and self.terms.refreshed_by_us

    def _release(self) -> None:
        held, self._held = self._held, []
        for again in held:
            again()

    def _glare_seconds(self) -> int:
        """RFC 3261 §14.1: 2.1 to 4 s at the end that made the Call-ID, up to 2 s at the other."""
        number = self._context.identifiers.number
        return 3 + number(1) if self._usage.begun_here else number(2)

    def _expire(self) -> None:
        """The time is over; in a short session perhaps before our refresh is answered, which gets its 64·T1."""
        if self.refresh is not None and not self._patient:
            self._patient = True
            self._expiry.move(self._context.timing.t1x64)
        else:
            self._end()

    def _end(self) -> None:
        """Nobody refreshed the session, or the far end does not go on."""
        usage = self._usage
        if usage.awaits_own_ack:
            acknowledge_and_hang_up(self._dialogs, usage, Cause.SESSION_EXPIRED)
        else:
            hang_up(self._dialogs, usage, Cause.SESSION_EXPIRED)

    def _begin_refresh(self) -> None:
        """Look for the way to the far end, unless this is no moment for a refresh."""
        owner = self._usage.current_owner()
        at_any_time = self._context.settings.defects.refreshes_at_any_time
        if self.refresh is not None or self._opening:
            return
        if owner is None and not at_any_time:  # seldom, so that many such calls cost little
            left = self._expiry.moment - self._context.monotonic()
            self._next.move(max(_GIVE_WAY_SECONDS, left / 4))
        elif self._is_busy():
            self._next.move(_GIVE_WAY_SECONDS)
        else:
            self._opening = True
            open_flow(self._dialogs, self._usage, self._opened)

    def _is_busy(self) -> bool:
        """Another INVITE is under way, in whichever direction (RFC 3261 §14.1)."""
        usage = self._usage
        if self._context.settings.defects.refreshes_at_any_time:
            return False
        return bool(usage.own_offers or usage.awaits_own_ack or usage.awaits_ack or usage.open_invites())

    def _opened(self, flow: Way) -> None:
        self._opening = False
        if self._usage.session is not self:
            return  # the call ended while the way was sought
        if isinstance(flow, NoWay):
            self._context.event("refresh-not-sent", dialog=self._usage.dialog_id, reason=flow.reason)
            self._next.move(_GIVE_WAY_SECONDS)
        elif self._is_busy():
            self._next.move(_GIVE_WAY_SECONDS)
        else:
            self.refresh = self._refreshes.refresh(self._usage, self, flow)
            self.refresh.begin()


def asks_too_little(request: Request) -> bool:
    """Whether a request inside a dialog asks for a shorter session than there may be; it gets 422 (§9)."""
    return request.method in REFRESHING and is_too_small(request.get("session-expires"))


def answer_refresher(
    usage: DialogUsage | None, request: Request, draft: Draft, default: Refresher | None
) -> None:
    """Give the application's 2xx the Session-Expires that the far end waits for, unless it has one.

    The far end's own, if that names the refresher, as in the genuine server; without a refresher it is an offer that
    the application has not taken up, unless the call has a session already, or the configuration has a ``default``.
    """
    offered = parse_session_expires(request.get("session-expires"))
    if offered is None or usage is None or request.method not in REFRESHING:
        return
    if request.method == "UPDATE" and not usage.is_confirmed:
        return  # there is no session yet
    if offered.refresher is not None:
        draft.set_default("session-expires", request.get("session-expires"))
    elif isinstance(usage.session, SessionTimer):
        ours = usage.session.terms.refreshed_by_us
        answer = SessionExpires(offered.seconds, Refresher.UAS if ours else Refresher.UAC)
        draft.set_default("session-expires", str(answer))
    elif default is not None:
        draft.set_default("session-expires", str(SessionExpires(offered.seconds, default)))


def settle_as_server(
    dialogs: DialogTable, usage: DialogUsage, request: Request, value: str, refreshes: Refreshes
) -> None:
    """Our 2xx to ``request`` went out with the Session-Expires ``value``, or with none."""
    listed = ",".join([*request.all("supported"), *request.all("require")])
    believes = dialogs.context.settings.defects.takes_callers_for_refreshers
    knows = (
        believes
        or "session-expires" in request.first
        or "timer" in listed.lower().replace(" ", "").split(",")
    )
    _settle(dialogs, usage, terms_as_server(value, knows) if value else None, refreshes)


def settle_as_client(
    dialogs: DialogTable, usage: DialogUsage, response: Response, refreshes: Refreshes
) -> None:
    """A 2xx to an INVITE or UPDATE of the application came."""
    value = response.get("session-expires")
    _settle(dialogs, usage, terms_as_client(value) if value else None, refreshes)


def _settle(dialogs: DialogTable, usage: DialogUsage, terms: Terms | None, refreshes: Refreshes) -> None:
    """A 2xx without terms ends a session that the far end refreshes: it may stop doing so. Ours is refreshed on."""
    session = usage.session
    if not usage.is_confirmed:
        return
    if not isinstance(session, SessionTimer):
        if terms is not None:
            usage.refreshed_by(SessionTimer(dialogs, usage, terms, refreshes))
    elif terms is not None:
        session.renew(terms)
    elif not session.terms.refreshed_by_us:
        session.stop()
