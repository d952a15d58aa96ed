"""Session timers (RFC 4028): what Session-Expires and Min-SE say, who refreshes a session, and when.

A 2xx to INVITE or UPDATE that has a Session-Expires begins the session's time anew: it ends after the given seconds
unless one of the two, the refresher, sends another INVITE or UPDATE before. In that header ``uac`` is whoever sent the
request that the 2xx answers, so in a refresh the word may mean the other end than in the call's first INVITE.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from msgspec import Struct

MINIMUM: Final = 90
"""Seconds; the shortest session that a far end may ask for (§4)."""

_LONGEST = 2**32 - 1  # of delta-seconds; also keeps what is computed from it finite
_SHORTEST = 2  # seconds; a shorter session is over before it can be refreshed
_SPREAD = 5  # seconds around the middle of the interval
_DIGITS = re.compile(r"\d{1,100}(?!\d)")
_REFRESHER = re.compile(r";\s*refresher\s*=\s*(uac|uas)\s*(?:;|\Z)", re.IGNORECASE)


class Refresher(Enum):
    """The end of a transaction that refreshes the session."""

    UAC = "uac"
    UAS = "uas"


class SessionExpires(Struct, frozen=True):
    """The value of a Session-Expires header (§4)."""

    seconds: int
    refresher: Refresher | None = None

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher.value}" if self.refresher else str(self.seconds)


class Terms(Struct, frozen=True):
    """What both ends of a session agreed on."""

    seconds: int
    """the interval that was announced"""
    refreshed_by_us: bool
    lifetime: int
    """seconds after which the session is over without a refresh"""


def parse_session_expires(value: str) -> SessionExpires | None:
    """A Session-Expires value; None if it is none, or too short to be kept. An unknown refresher counts as none."""
    seconds = leading_number(value)
    if seconds < _SHORTEST:
        return None
    refresher = _REFRESHER.search(value)
    return SessionExpires(seconds, Refresher(refresher[1].lower()) if refresher else None)


def is_too_small(value: str) -> bool:
    """Whether a far end's Session-Expires asks for less than :data:`MINIMUM`; it gets 422 inside dialogs (§9)."""
    digits = _DIGITS.match(value)
    return digits is not None and int(digits[0]) < MINIMUM


def terms_as_client(value: str) -> Terms | None:
    """The terms of a 2xx to our request: any interval; without a refresher we are it (§7.2). None: no timer."""
    agreed = parse_session_expires(value)
    if agreed is None:
        return None
    return Terms(agreed.seconds, agreed.refresher is not Refresher.UAS, agreed.seconds)


def terms_as_server(value: str, far_end_knows_timers: bool) -> Terms | None:
    """The terms of our 2xx: the far end refreshes unless it cannot or the header says ``uas``. None: no timer.

    A session is kept for :data:`MINIMUM` seconds at least, since the far end may not announce less.
    """
    agreed = parse_session_expires(value)
    if agreed is None:
        return None
    ours = agreed.refresher is Refresher.UAS or not far_end_knows_timers
    return Terms(agreed.seconds, ours, max(agreed.seconds, MINIMUM))


def refresh_window(seconds: int) -> tuple[int, int]:
    """The earliest and the latest second at which to refresh a session of ``seconds``: about half of it (§10).

    Five seconds either way, so that calls of one moment are not refreshed in one moment; less in a short session,
    whose refresh needs time to be answered.
    """
    half, spread = seconds // 2, min(_SPREAD, seconds // 4)
    return half - spread, half + spread


def leading_number(value: str) -> int:
    """The seconds that a Session-Expires, Min-SE (§5) or Retry-After begins with, 0 if it does not."""
    digits = _DIGITS.match(value)
    return min(int(digits[0]), _LONGEST) if digits else 0
