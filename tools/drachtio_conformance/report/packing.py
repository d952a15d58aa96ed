"""What the page keeps of the cases that need no look: data, each frame once, unpacked and drawn by the page's script.

JSON, gzip, base64. ``templates/case.js`` makes of it what ``case.html.j2`` makes of the others; the fields are short
because there are tens of thousands of them. Text of a message is marked for the script: what is escaped stands between
U+E000 and U+E001, a gap of N octets is U+E002 N U+E003, line ends are as they were.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Sequence
from typing import TypeAlias

from markupsafe import escape
from msgspec import Struct

from drachtio_conformance.cases.specification import Specification
from drachtio_conformance.engine.results import CaseResult, StepOutcome, StepResult
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report import ladder_svg
from drachtio_conformance.report.markdown_text import prose
from msgtrace import messages
from msgtrace.octets import pieces

SHOWN = 8192
"""octets of one message that the page shows"""
EVENTS = 200
"""events of one case that the page shows"""

_OUTCOMES = {outcome: number for number, outcome in enumerate(StepOutcome)}
Json: TypeAlias = "str | int | float | Sequence[Json] | dict[str, Json] | None"


class Numbered(Struct, frozen=True):
    """A case and its place in the run."""

    number: int
    result: CaseResult


def shortened(events: list[WireEvent]) -> list[WireEvent]:
    """The events that are shown: all, or the first and last with a remark between them."""
    rest = len(events) - EVENTS
    if rest <= 0:
        return events
    first, last = events[: EVENTS * 3 // 4], events[-(EVENTS // 4) :]
    remark = WireEvent(
        at=first[-1].at, kind="note", source="", target="", summary=f"{rest:,} more, see report.json"
    )
    return [*first, remark, *last]


def marked(data: str) -> str:
    """The octets of a message as text with marks; of a very long one both ends."""
    if len(data) > SHOWN:
        rest = len(data) - SHOWN
        return f"{_marked(data[: SHOWN * 3 // 4])}\n\ue002{rest:,}\ue003\n{_marked(data[-SHOWN // 4 :])}"
    return _marked(data)


def _marked(data: str) -> str:
    return "".join(f"\ue000{text}\ue001" if escaped else text for text, escaped in pieces(data, keep="\r\n"))


class Packer:
    """Packs cases; what several of them have in common is kept once."""

    def __init__(self, specification: Specification | None) -> None:
        self._specification = specification
        self._frames: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._named: list[int] = []
        self._sizes: list[int] = []
        self._clauses: dict[str, Json] = {}

    def pack(self, cases: Sequence[Numbered]) -> str:
        """All of it as base64 of gzip of JSON."""
        for name in self._specification.clauses if self._specification else ():
            self._clause(name)
        packed: list[Json] = [self._case(case.number, case.result) for case in cases]
        everything: dict[str, Json] = {
            "cases": packed,
            "frames": list(self._frames),
            "named": self._named,
            "sizes": self._sizes,
            "names": list(self._names),
            "clauses": self._clauses,
        }
        data = json.dumps(everything, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return b64encode(gzip.compress(data, 9, mtime=0)).decode("ascii")

    def _case(self, number: int, result: CaseResult) -> Json:
        events = shortened(result.events)
        file = result.source.rpartition(":")[0]
        frames = [self._frame(event) for event in events]
        plain = {_payload(event): frame for event, frame in zip(events, frames, strict=True) if frame >= 0}
        return {
            "n": number,
            "name": result.name,
            "title": result.title,
            "mutant": result.mutant,
            "verdict": result.verdict.value,
            "reason": result.reason,
            "clauses": [self._clause(clause) for clause in result.clauses],
            "time": round(result.duration, 4),
            "source": result.source,
            "rerun": result.rerun,
            "steps": [_step(step, file, plain) for step in result.steps],
            "events": [
                [round(event.at, 3), event.kind[0], event.source, event.target, event.summary, frame]
                for event, frame in zip(events, frames, strict=True)
            ],
            "ladder": ladder_svg.pack(events) if events else [],
        }

    def _clause(self, name: str) -> str:
        clause = self._specification.clauses.get(name) if self._specification else None
        if name not in self._clauses and clause is not None and self._specification is not None:
            deviations: list[Json] = [
                [str(escape(one.id)), str(prose(one.ours)), str(prose(one.theirs))]
                for one in self._specification.deviations_of(name)
            ]
            self._clauses[name] = [
                clause.title,
                clause.level,
                clause.party,
                str(prose(clause.text)),
                clause.example,
                deviations,
            ]
        return name

    def _frame(self, event: WireEvent) -> int:
        """Number of the message, -1 for a remark."""
        if event.kind == "note":
            return -1
        text = marked(event.data)
        if text not in self._frames:
            self._frames[text] = len(self._frames)
            self._named.append(self._token_names(event))
            self._sizes.append(len(event.data))
        return self._frames[text]

    def _token_names(self, event: WireEvent) -> int:
        """Number of the list of what the tokens of a frame are called, -1 if it is none."""
        length, hash_, payload = event.data.partition("#")
        if event.kind != "frame" or not hash_ or not length.isdecimal() or len(length) > 8:
            return -1
        names = "|".join(token.name for token in messages.decode(payload).tokens)
        return self._names.setdefault(names, len(self._names))


def _payload(event: WireEvent) -> str:
    """The text by which a step that looked at this message reports it."""
    text = event.data.partition("#")[2] if event.kind == "frame" else event.data
    return text.replace("\r\n", "\n").rstrip() if text.isascii() and len(text) <= SHOWN else ""


def _step(step: StepResult, file: str, plain: dict[str, int]) -> Json:
    actual: Json = step.actual.rstrip()
    return [
        _OUTCOMES[step.outcome] * 2 + step.is_check,
        round(step.started, 3),
        step.sentence,
        step.source.removeprefix(f"{file}:"),
        step.expected.rstrip(),
        plain.get(step.actual.rstrip(), actual) if actual else "",
    ]
