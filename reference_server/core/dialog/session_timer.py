"""Session timers (RFC 4028): calls that are refreshed, by the far end or by the server itself, or end (family TIMER).

The 2xx to an INVITE or UPDATE says how long the session lives and who refreshes it. If the far end does, each of its
re-INVITEs and UPDATEs begins the time anew. If we do, the server refreshes about the middle of the interval with a
re-INVITE of its own, which repeats the application's last session description; neither it nor what comes back is shown
to the application. When the time is over the server sends BYE.

A refresh gives way: it waits while another INVITE is under way in the call, the application's next INVITE or UPDATE
waits for its end, and one of the far end that crosses it gets 491 (RFC 3261 §14). Nobody refreshes for an application
that is gone, so that its calls end. A call without any session description is refreshed by UPDATE, since a re-INVITE
without one asks for an offer that nobody would answer.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.context import Context
from reference_server.core.dialog.hang_up import Cause, acknowledge_and_hang_up, hang_up
from reference_server.core.dialog.next_hop import open_flow
from reference_server.core.dialog.usage import DialogUsage
from reference_server.core.ports import Application, NoWay, Way
from reference_server.core.server_request import ServerRequest
from reference_server.core.uac.session_refresh import Refresh, refresh_of
from reference_server.sip.deadline import Deadline
from reference_server.sip.dialog import DialogState
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

_GIVE_WAY_SECONDS = 2.0
"""After which a refresh that could not be sent is tried again, at the earliest."""


class SessionTimer:
    """The session of one call."""

    __slots__ = (
        "_expiry",
        "_found",
        "_held",
        "_next",
        "_opening",
        "_patient",
        "_state",
        "minimum",
        "refresh",
        "terms",
    )

    def __init__(self, state: Context, found: DialogUsage, terms: Terms) -> None:
        self._state = state
        self._found = found
        self._expiry = Deadline(state.timers, state.monotonic, self._expire)
        self._next = Deadline(state.timers, state.monotonic, self._begin_refresh)
        self._held: list[Callable[[], None]] = []
        self._opening = False
        self.refresh: Refresh | None = None
        """ours that has no final response yet"""
        self.minimum = MINIMUM
        """the Min-SE of our refreshes"""
        self.renew(terms)

    def renew(self, terms: Terms) -> None:
        """The session begins anew."""
        self.terms = terms
        self._patient = False
        self._expiry.move(terms.lifetime)
        if terms.refreshed_by_us:
            earliest, latest = refresh_window(terms.seconds)
            self._next.move(earliest + self._state.identifiers.number(latest - earliest))
        else:
            self._next.stop()

    def stop(self) -> None:
        """The call is over, or need not be refreshed any more."""
        if self._found.session is self:
            self._found.session = None
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
        if self._found.session is self:
            self.renew(terms_as_client(response.get("session-expires")) or self.terms)
        self._release()

    def refused(self, response: Response) -> None:
        """The refresh failed: try again where the response says that this may help, else end the call."""
        self.refresh = None
        if self._depends_on_us():
            minimum = leading_number(response.get("min-se"))
            retry_after = leading_number(response.get("retry-after"))
            if response.status == 491:
                self._next.move(self._glare_seconds())
            elif response.status == 500 and retry_after:  # theirs crossed ours (RFC 3261 §14.2)
                self._next.move(retry_after)
            elif response.status == 422 and minimum > max(self.minimum, self.terms.seconds):
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

    def _depends_on_us(self) -> bool:
        """Whether the call goes on and the far end has not taken over meanwhile."""
        return self._found.session is self and self.terms.refreshed_by_us

    def _release(self) -> None:
        held, self._held = self._held, []
        for again in held:
            again()

    def _glare_seconds(self) -> int:
        """RFC 3261 §14.1: 2.1 to 4 s at the end that made the Call-ID, up to 2 s at the other."""
        number = self._state.identifiers.number
        return 3 + number(1) if self._found.begun_here else number(2)

    def _expire(self) -> None:
        """The time is over; in a short session perhaps before our refresh is answered, which gets its 64·T1."""
        if self.refresh is not None and not self._patient:
            self._patient = True
            self._expiry.move(self._state.timing.t1x64)
        else:
            self._end()

    def _end(self) -> None:
        """Nobody refreshed the session, or the far end does not go on."""
        found = self._found
        if found.awaits_own_ack:
            acknowledge_and_hang_up(self._state, found, Cause.SESSION_EXPIRED)
        else:
            hang_up(self._state, found, Cause.SESSION_EXPIRED)

    def _begin_refresh(self) -> None:
        """Look for the way to the far end, unless this is no moment for a refresh."""
        owner = self._found.current_owner()
        if self.refresh is not None or self._opening:
            return
        if owner is None:  # seldom, so that many such calls cost little
            left = self._expiry.moment - self._state.monotonic()
            self._next.move(max(_GIVE_WAY_SECONDS, left / 4))
        elif self._is_busy():
            self._next.move(_GIVE_WAY_SECONDS)
        else:
            self._opening = True
            open_flow(self._state, self._found, lambda flow: self._opened(owner, flow))

    def _is_busy(self) -> bool:
        """Another INVITE is under way, in whichever direction (RFC 3261 §14.1)."""
        found, state = self._found, self._state
        return bool(
            found.own_offers
            or found.awaits_own_ack
            or found.acknowledgements
            or any(state.invites.get(invite.transaction.key) is invite for invite in found.invites)
        )

    def _opened(self, owner: Application, flow: Way) -> None:
        self._opening = False
        if self._found.session is not self:
            return  # the call ended while the way was sought
        if isinstance(flow, NoWay):
            self._state.event("refresh-not-sent", dialog=self._found.dialog_id, reason=flow.reason)
            self._next.move(_GIVE_WAY_SECONDS)
        elif self._is_busy():
            self._next.move(_GIVE_WAY_SECONDS)
        else:
            self.refresh = refresh_of(self._state, self._found, self, owner, flow)
            self.refresh.begin()


def asks_too_little(request: Request) -> bool:
    """Whether a request inside a dialog asks for a shorter session than there may be; it gets 422 (§9)."""
    return request.method in REFRESHING and is_too_small(request.get("session-expires"))


def answer_refresher(found: DialogUsage | None, request: Request, draft: Draft) -> None:
    """Give the application's 2xx the Session-Expires that the far end waits for, unless it has one.

    The far end's own, if that names the refresher, as in the genuine server; without a refresher it is an offer that
    the application has not taken up, unless the call has a session already.
    """
    offered = parse_session_expires(request.get("session-expires"))
    if offered is None or found is None or request.method not in REFRESHING:
        return
    if request.method == "UPDATE" and found.dialog.state is not DialogState.CONFIRMED:
        return  # there is no session yet
    if offered.refresher is not None:
        draft.set_default("session-expires", request.get("session-expires"))
    elif found.session is not None:
        ours = found.session.terms.refreshed_by_us
        answer = SessionExpires(offered.seconds, Refresher.UAS if ours else Refresher.UAC)
        draft.set_default("session-expires", str(answer))


def settle_as_server(state: Context, found: DialogUsage, incoming: ServerRequest, value: str) -> None:
    """Our 2xx went out with the Session-Expires ``value``, or with none."""
    request = incoming.request
    listed = ",".join([*request.all("supported"), *request.all("require")])
    knows = "session-expires" in request.first or "timer" in listed.lower().replace(" ", "").split(",")
    _settle(state, found, terms_as_server(value, knows) if value else None)


def settle_as_client(state: Context, found: DialogUsage, response: Response) -> None:
    """A 2xx to an INVITE or UPDATE of the application came."""
    value = response.get("session-expires")
    _settle(state, found, terms_as_client(value) if value else None)


def _settle(state: Context, found: DialogUsage, terms: Terms | None) -> None:
    """A 2xx without terms ends a session that the far end refreshes: it may stop doing so. Ours is refreshed on."""
    session = found.session
    if found.dialog.state is not DialogState.CONFIRMED:
        return
    if terms is None:
        if session is not None and not session.terms.refreshed_by_us:
            session.stop()
    elif session is None:
        found.session = SessionTimer(state, found, terms)
    else:
        session.renew(terms)
