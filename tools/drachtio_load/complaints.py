"""What went wrong in the first call that failed: SIPp's error file (``-trace_err``).

The statistics count failures by kind; only this file says what the scenario awaited, what came instead, and in
which call. Its entries have no end mark, so each is recognised by its words.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from msgspec import Struct

_UNEXPECTED = re.compile(
    r"Aborting call on unexpected message for Call-Id '(?P<call_id>[^'\n]+)': "
    r"while [^\n]*?\(index (?P<index>\d+)\), "
    r"received '(?P<came>[^\r\n]*)"
)
_TIMEOUT = re.compile(
    r"Call-Id: (?P<call_id>\S+), receive timeout on message [^\n]*?:(?P<index>\d+) without label"
)
_STEPS = ("send", "recv", "pause", "nop", "sendCmd", "recvCmd", "timewait")
"""elements of a scenario that SIPp numbers, from 0"""


class FailedCall(Struct, frozen=True):
    """The first call that failed in a way that SIPp tells."""

    call_id: str
    awaited: str
    """``180, 183 or 200``, ``BYE``; empty if the scenario awaited nothing"""
    came: str
    """the start line that came instead; empty: nothing came in time"""

    def sentence(self) -> str:
        """``First: 500 Oops came where 180, 183 or 200 was awaited (Call-ID 3-456@127.0.0.1)``"""
        came = self.came.removeprefix("SIP/2.0 ") or "nothing"
        awaited = f" where {self.awaited} was awaited" if self.awaited else ""
        return f"First: {came} came{awaited} (Call-ID {self.call_id})"


def first_failed_call(errors: Path, scenario: Path) -> FailedCall | None:
    """From the error file of a run of ``scenario``; None if it tells of none, or does not exist."""
    if not errors.is_file():
        return None
    text = errors.read_text("latin-1")
    found = [match for match in (_UNEXPECTED.search(text), _TIMEOUT.search(text)) if match is not None]
    if not found:
        return None
    first = min(found, key=lambda match: match.start())
    awaited = _awaited(scenario, int(first["index"]))
    return FailedCall(first["call_id"], awaited, first.groupdict().get("came") or "")


def unexpected_messages(errors: Path) -> list[str]:
    """The start line of each message that failed a call because another was awaited; a missing file tells of none."""
    if not errors.is_file():
        return []
    return [match["came"] for match in _UNEXPECTED.finditer(errors.read_text("latin-1"))]


def _awaited(scenario: Path, index: int) -> str:
    """What may come at the step with this number: each optional message up to the one that must come."""
    steps = [element for element in ElementTree.parse(scenario).getroot() if element.tag in _STEPS]
    names: list[str] = []
    for step in steps[index:]:
        if step.tag != "recv":
            break
        names.append(step.get("response") or step.get("request") or "")
        if step.get("optional", "false") == "false":
            break
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
