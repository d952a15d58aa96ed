"""Which messages and calls are shown: by call, verb, method, status, parties, address, time and text.

A message is shown if every part that is given holds of it. A call is listed if one of its messages is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec import Struct

from msgtrace.answers import Shown, seconds
from msgtrace.calls import Call, CallIndex
from msgtrace.entries import EntryKind

_STATUS = re.compile(r"[1-6](?:[0-9]{2}|xx)?\Z", re.IGNORECASE)
_MOMENT = re.compile(
    r"(?:(?P<date>20[0-9]{2}-[0-9]{2}-[0-9]{2})[T ])?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2}(?:\.[0-9]+)?))?Z?\Z"
)


class Moment(Struct, frozen=True):
    """A time to filter by: of a day, or of any day."""

    date: str
    """``2026-11-23``, or empty"""
    second: float
    """of the day"""


class Filter(Struct, frozen=True, kw_only=True):
    """Each part that is not empty must hold; damage is always shown."""

    calls: frozenset[str] = frozenset()
    """Call-IDs, dialog ids, or numbers: of one of them"""
    verbs: frozenset[str] = frozenset()
    """verbs (``sip``, ``cdr:start``) or kinds (``network-request``, ``nok``) in lower case"""
    methods: frozenset[str] = frozenset()
    """SIP methods in upper case, of requests and of the CSeq of responses"""
    statuses: tuple[str, ...] = ()
    """``486``, ``4xx`` or ``4``"""
    caller: str = ""
    """part of the From of the request that began the call, in lower case"""
    callee: str = ""
    """part of its To or Request-URI"""
    address: str = ""
    """part of an address that sent it or got it"""
    since: Moment | None = None
    until: Moment | None = None
    text: re.Pattern[str] | None = None
    """found anywhere in the message; octets, one character each"""
    of_clause: Callable[[Call], bool] | None = None
    """whether a call shows what a clause is about; asked when its end is known"""

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)

    @property
    def needs_calls(self) -> bool:
        """Whether it asks for calls, and not for single messages alone."""
        return bool(self.calls or self.caller or self.callee or self.of_clause)

    def passes(self, item: Shown, index: CallIndex | None, clock: str = "") -> bool:
        """Whether it is to be shown; ``index`` is needed for calls, ``clock`` is the last time of the recording."""
        kind = item.entry.kind
        if kind is EntryKind.DAMAGE:
            return True
        if kind is EntryKind.NOTE:
            return False
        return (
            self._fits_frame(item)
            and self._fits_sip(item)
            and self._fits_address(item)
            and within(item.entry.time or clock, self.since, self.until)
            and (self.text is None or self.text.search(item.entry.data) is not None)
            and (not self.needs_calls or (index is not None and self._fits_call(item, index)))
        )

    def _fits_frame(self, item: Shown) -> bool:
        if not self.verbs:
            return True
        message = item.message
        return message is not None and (
            message.verb.lower() in self.verbs or message.kind.value in self.verbs
        )

    def _fits_sip(self, item: Shown) -> bool:
        if not (self.methods or self.statuses):
            return True
        sip = item.sip
        if sip is None or (self.methods and sip.method.upper() not in self.methods):
            return False
        status = str(sip.status or "")
        return not self.statuses or any(status.startswith(wanted) for wanted in self.statuses if status)

    def _fits_address(self, item: Shown) -> bool:
        if not self.address:
            return True
        entry, message = item.entry, item.message
        told = f"{message.get('address')}:{message.get('port')}" if message is not None else ""
        return any(self.address in one for one in (entry.source, entry.target, entry.peer, told))

    @property
    def of_messages(self) -> Filter:
        """What it asks of messages, without what it asks of calls."""
        return msgspec.structs.replace(self, calls=frozenset(), caller="", callee="", of_clause=None)

    def _fits_call(self, item: Shown, index: CallIndex) -> bool:
        call = index.of(item)
        return call is not None and self.fits_call(call, index)

    def fits_call(self, call: Call, index: CallIndex) -> bool:
        """Whether what it asks of calls holds of ``call``."""
        if self.calls and not any(index.is_called(call, wanted) for wanted in self.calls):
            return False
        if self.of_clause is not None and not self.of_clause(call):
            return False
        return self.caller in call.from_value.lower() and self.callee in call.to_value.lower()


def within(clock: str, since: Moment | None, until: Moment | None) -> bool:
    """Whether a time lies between two; without a time only if neither is given. ``since`` may be later in the day than
    ``until``: then midnight lies between them."""
    if since is None and until is None:
        return True
    second = seconds(clock)
    if second is None:
        return False
    date = clock[:10] if clock[4:5] == "-" else ""
    after = since is None or _compare(date, second, since) >= 0
    before = until is None or _compare(date, second, until) <= 0
    if since is not None and until is not None and not (since.date or until.date):
        return (after and before) if since.second <= until.second else (after or before)
    return after and before


def _compare(date: str, second: float, moment: Moment) -> int:
    """Negative before, positive after; a date counts only where both have one."""
    one, two = (
        ((date, second), (moment.date, moment.second)) if date and moment.date else (second, moment.second)
    )
    return (one > two) - (one < two)  # type: ignore[operator]


def status(text: str) -> str:
    """A status to filter by; raises ValueError if it is none."""
    if not _STATUS.match(text):
        raise ValueError(f"expected a status like 486, 4xx or 4, got {text!r}")
    return text.lower().rstrip("x")


def moment(text: str) -> Moment:
    """A time to filter by; raises ValueError if it is none."""
    found = _MOMENT.match(text)
    if found is None or int(found["hour"]) > 24 or int(found["minute"]) > 59:
        raise ValueError(f"expected a time like 07:26, 07:26:10.5 or 2026-11-23T07:26:10, got {text!r}")
    second = int(found["hour"]) * 3600 + int(found["minute"]) * 60 + float(found["second"] or 0)
    return Moment(found["date"] or "", second)


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression over octets, upper and lower case alike; raises ValueError if it is none."""
    try:
        return re.compile(text.encode("utf-8", "surrogateescape").decode("latin-1"), re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"expected a regular expression, got {text!r}: {error}") from None
