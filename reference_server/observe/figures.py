"""What a server counts for those who draw graphs: messages, the delays of calls and of applications.

A tap; nothing of it costs anything where nobody scrapes. Counted is what the genuine server counts: requests by method,
responses by status and method, without 100 Trying and without what was there before, which is whatever is the same
octet for octet on the same way within 64·T1. What is not a method of RFC 3261 and its extensions counts as ``other``:
who sends requests may invent names without end.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Final

from reference_server.core.methods import METHODS
from reference_server.core.ports import Flow
from reference_server.observe.event_log import LEVELS
from reference_server.sip.messages.message import Request, Response, SipSyntaxError, parse_message
from reference_server.sip.messages.via import parse_top_via

OTHER: Final = "other"
ANSWER_SECONDS: Final = (1, 3, 6, 10, 15, 20, 30, 60)
POST_DIAL_SECONDS: Final = (1, 2, 3, 5, 7, 10, 15, 20)
ROUND_TRIP_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

_GENERATION: Final = 32.0  # seconds for which a message is known again, and up to twice that
_MOST_KNOWN: Final = 200_000  # messages of a generation
_MOST_AWAITED: Final = 50_000
_LONGEST_AWAITED: Final = 600.0  # seconds


class Histogram:
    """Counts what falls below each of some bounds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(bounds) + 1)
        """by bucket, not added up; the last is of what exceeds all bounds"""
        self.total = 0.0

    def observe(self, value: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Awaited:
    """When things began that are awaited; those that never come are forgotten."""

    def __init__(self, monotonic: Callable[[], float], most: int = _MOST_AWAITED) -> None:
        self._monotonic = monotonic
        self._most = most
        self._since: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def begin(self, key: Hashable) -> None:
        """From now on, unless it has begun."""
        now = self._monotonic()
        while self._since:
            oldest = next(iter(self._since))
            if now - self._since[oldest] < _LONGEST_AWAITED and len(self._since) < self._most:
                break
            del self._since[oldest]
        self._since.setdefault(key, now)

    def seconds(self, key: Hashable, *, over: bool) -> float | None:
        """For how long it has been awaited, None if it is not; ``over``: from now on it is not."""
        since = self._since.pop(key, None) if over else self._since.get(key)
        return None if since is None else self._monotonic() - since


class Figures:
    """A tap that counts."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """``monotonic`` gives seconds."""
        self._monotonic = monotonic
        self.requests = (Counter[str](), Counter[str]())
        """by method; received, sent"""
        self.responses = (Counter[tuple[str, str]](), Counter[tuple[str, str]]())
        """by status and method; received, sent"""
        self.messages = [0, 0]
        """all, also what came or went again; received, sent"""
        self.requests_again = [0, 0]
        self.responses_again = [0, 0]
        self.bad_messages = 0
        self.bad_requests = 0
        self.copies_lost = 0
        self.events = Counter[str]()
        """of each kind that the log tells in another way than ``info``: failures, refusals, limits that were met"""
        self.limits = Counter[str]()
        """how often each limit was met, by its name"""
        self.answer_seconds = (Histogram(ANSWER_SECONDS), Histogram(ANSWER_SECONDS))
        """from an INVITE outside dialogs to its 2xx; calls received, sent"""
        self.post_dial_seconds = (Histogram(POST_DIAL_SECONDS), Histogram(POST_DIAL_SECONDS))
        """from an INVITE outside dialogs to its first response from 180 on; calls received, sent"""
        self.round_trip_seconds = Histogram(ROUND_TRIP_SECONDS)
        """from a request's delivery to an application to its first message about it"""
        self._known: set[int] = set()
        self._known_before: set[int] = set()
        self._generation_ends = monotonic() + _GENERATION
        self._ringing = Awaited(monotonic)
        self._answers = Awaited(monotonic)
        self._applications = Awaited(monotonic)
        self._last_was_request = False

    def sip(self, sent: bool, flow: Flow, text: str) -> None:
        """``SipTap``"""
        self.messages[sent] += 1
        self._last_was_request = False
        try:
            message = parse_message(text)
        except SipSyntaxError:
            return  # an event follows
        again = self._was_there(hash((sent, flow.remote_host, flow.remote_port, text)))
        if isinstance(message, Request):
            self._last_was_request = not sent
            if again:
                self.requests_again[sent] += 1
            else:
                self._count_request(sent, message)
        elif again:
            self.responses_again[sent] += 1
        else:
            self._count_response(sent, message)

    def event(self, name: str, **details: str | int) -> None:
        """``EventTap``"""
        if name in LEVELS:
            self.events[name] += 1
        if "limit" in details:
            self.limits[str(details["limit"])] += 1
        if name == "capture-lost":
            self.copies_lost += int(details["messages"])
        elif name == "sip-dropped" and details.get("reason") != "response to no request of ours":
            self.bad_messages += 1
            self.bad_requests += self._last_was_request

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        """``FrameTap``"""
        tokens = payload.partition("\r\n")[0].split("|", 9)
        if sent:
            if tokens[1:3] == ["sip", "network"] and len(tokens) > 8:
                self._applications.begin(tokens[8])
        elif len(tokens) > 2 and tokens[1] in ("sip", "proxy") and tokens[2]:
            seconds = self._applications.seconds(tokens[2], over=True)
            if seconds is not None:
                self.round_trip_seconds.observe(seconds)

    def awaited(self) -> dict[str, int]:
        """How much is kept: sizes of what empties by itself."""
        return {
            "calls that do not ring": len(self._ringing),
            "calls that are not answered": len(self._answers),
            "requests at applications": len(self._applications),
        }

    def _was_there(self, fingerprint: int) -> bool:
        now = self._monotonic()
        if now >= self._generation_ends or len(self._known) >= _MOST_KNOWN:
            fresh = now < self._generation_ends + _GENERATION
            self._known_before = self._known if fresh else set()
            self._known = set()
            self._generation_ends = now + _GENERATION
        if fingerprint in self._known or fingerprint in self._known_before:
            return True
        self._known.add(fingerprint)
        return False

    def _count_request(self, sent: bool, request: Request) -> None:
        self.requests[sent][_label(request.method)] += 1
        if request.method == "INVITE" and not request.to_tag:
            key = (sent, _branch(request))
            self._ringing.begin(key)
            self._answers.begin(key)

    def _count_response(self, sent: bool, response: Response) -> None:
        status, method = response.status, response.cseq_method
        if status != 100:
            self.responses[sent][str(status), _label(method)] += 1
        if method != "INVITE" or status < 180:
            return
        request_sent = not sent
        key = (request_sent, _branch(response))
        seconds = self._ringing.seconds(key, over=True)
        if seconds is not None:
            self.post_dial_seconds[request_sent].observe(seconds)
        seconds = self._answers.seconds(key, over=status >= 200)
        if seconds is not None and 200 <= status < 300:
            self.answer_seconds[request_sent].observe(seconds)


def _label(method: str) -> str:
    return method if method in METHODS else OTHER


def _branch(message: Request | Response) -> str:
    via = parse_top_via(message.first.get("via", ""))
    return "" if via is None else via.branch
