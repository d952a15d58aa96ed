"""Which messages are shown: those of a call, a verb, a method, a status."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from msgtrace.entries import EntryKind

if TYPE_CHECKING:
    from msgtrace.calls import CallIndex
    from msgtrace.follow import Shown

_STATUS = re.compile(r"[1-6](?:[0-9]{2}|xx)?\Z", re.IGNORECASE)


class Filter(Struct, frozen=True):
    """Each part that is not empty must hold; damage is always shown."""

    call: str = ""
    """Call-ID, dialog id, or number"""
    verbs: frozenset[str] = frozenset()
    """verbs (``sip``, ``cdr:start``) or kinds (``network-request``, ``nok``) in lower case"""
    methods: frozenset[str] = frozenset()
    """SIP methods in upper case, of requests and of the CSeq of responses"""
    statuses: tuple[str, ...] = ()
    """``486``, ``4xx`` or ``4``"""

    def __bool__(self) -> bool:
        return bool(self.call or self.verbs or self.methods or self.statuses)

    def passes(self, item: Shown, index: CallIndex | None) -> bool:
        """Whether it is to be shown; ``index`` is needed for calls."""
        if item.entry.kind is EntryKind.DAMAGE:
            return True
        if item.entry.kind is EntryKind.NOTE:
            return False
        message = item.message
        if self.verbs and (
            message is None
            or (message.verb.lower() not in self.verbs and message.kind.value not in self.verbs)
        ):
            return False
        if self.methods or self.statuses:
            sip = item.sip
            if sip is None or (self.methods and sip.method.upper() not in self.methods):
                return False
            status = str(sip.status or "")
            if self.statuses and not any(_is(status, wanted) for wanted in self.statuses):
                return False
        return not self.call or (index is not None and index.matches(item, self.call))


def status(text: str) -> str:
    """A status to filter by; raises ValueError if it is none."""
    if not _STATUS.match(text):
        raise ValueError(f"expected a status like 486, 4xx or 4, got {text!r}")
    return text.lower().rstrip("x")


def _is(found: str, wanted: str) -> bool:
    return found.startswith(wanted) and bool(found)
