"""What the page keeps of the cases that need no look: data, each message once, unpacked and drawn by the page's script.

JSON of columns, gzip, base 85. ``templates/unpack.js`` makes cases of it, and ``templates/case.js`` draws them as
``case.html.j2`` draws the others. Messages of two cases differ in little but ids, ports and times. So these *words*,
which few cases have, are listed once in each case, and in its texts a character stands for each: U+E100 for its first,
U+E101 for its second. What is left is the same in most cases, and is kept once.

Text of a message is marked for the script: what is escaped stands between U+E000 and U+E001, a gap of N octets is
U+E002 N U+E003, line ends are as they were.
"""

from __future__ import annotations

import gzip
import json
import re
from base64 import b85encode
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from typing import TypeAlias

from markupsafe import escape
from msgspec import Struct

from drachtio_conformance.cases.specification import Specification
from drachtio_conformance.engine.results import CaseResult, StepOutcome, StepResult
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report.markdown_text import prose
from msgtrace import ladder, messages
from msgtrace.octets import pieces

SHOWN = 8192
"""octets of one message that the page shows"""
EVENTS = 200
"""events of one case that the page shows"""

_WORD = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d\d:\d\d:\d\d\.\d{6}|[0-9A-Za-z]{4,}")
"""an id, a time of day, or any word; one of letters alone stays where it is"""
_FEW = 16
"""a word that more cases have is no word of theirs"""
_FIRST, _LAST = 0xE100, 0xF8FF
"""the characters that stand for words"""
_LONGEST = 63
"""of the words that are told shortly"""

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
        return f"{_marked(data[: SHOWN * 3 // 4])}\ue002{rest:,}\ue003{_marked(data[-SHOWN // 4 :])}"
    return _marked(data)


def _marked(data: str) -> str:
    return "".join(f"\ue000{text}\ue001" if escaped else text for text, escaped in pieces(data, keep="\r\n"))


class _Table:
    """Rows, kept in columns: what is alike stands together."""

    def __init__(self, *columns: str) -> None:
        self.columns: dict[str, list[Json]] = {name: [] for name in columns}
        self._numbers: dict[tuple[Json, ...], int] = {}

    def append(self, *row: Json) -> None:
        for column, value in zip(self.columns.values(), row, strict=True):
            column.append(value)

    def number(self, *row: str | int) -> int:
        """Of the row, which is kept once."""
        if row not in self._numbers:
            self._numbers[row] = len(self._numbers)
            self.append(*row)
        return self._numbers[row]


class _Words:
    """The words of one case."""

    def __init__(self, common: Set[str]) -> None:
        self._common = common
        self.found: dict[str, int] = {}

    def taken_out(self, text: str) -> str:
        """``text`` with a character for each of them."""
        return _WORD.sub(self._character, text)

    def _character(self, word: re.Match[str]) -> str:
        if word[0].isalpha() or word[0] in self._common:
            return word[0]
        number = self.found.setdefault(word[0], len(self.found))
        return chr(_FIRST + number) if _FIRST + number <= _LAST else word[0]


class Packer:
    """Packs cases; what several of them have in common is kept once."""

    def __init__(self, specification: Specification | None) -> None:
        self._specification = specification
        self._cases = _Table(
            *("n", "name", "title", "mutant", "verdict", "reason", "clauses", "time", "source", "rerun"),
            *("words", "lifelines", "steps", "events"),
        )
        self._steps = _Table("state", "at", "sentence", "source", "expected", "actual")
        self._events = _Table("at", "message")
        self._messages = _Table("kind", "source", "target", "summary", "text", "names", "size")
        self._names = _Table("names")
        self._clauses: dict[str, Json] = {}
        self._latest = [""] * 16

    def pack(self, cases: Sequence[Numbered]) -> str:
        """All of it: base 85 of gzip of JSON."""
        data = json.dumps(self.columns(cases), ensure_ascii=False, separators=(",", ":"))
        packed = gzip.compress(data.encode("utf-8", "replace"), 9, mtime=0)
        length = len(packed)
        return f"{length} " + b85encode(packed).decode("ascii").replace(
            "<", ","
        )  # of which HTML knows nothing

    def columns(self, cases: Sequence[Numbered]) -> dict[str, Json]:
        """All of it, as the script gets it."""
        for name in self._specification.clauses if self._specification else ():
            self._clause(name)
        common = _common([case.result for case in cases])
        for case in cases:
            self._case(case.number, case.result, _Words(common))
        tables = {
            "cases": self._cases,
            "steps": self._steps,
            "events": self._events,
            "messages": self._messages,
        }
        return {
            **{name: dict(table.columns) for name, table in tables.items()},
            "names": self._names.columns["names"],
            "clauses": self._clauses,
        }

    def _case(self, number: int, result: CaseResult, words: _Words) -> None:
        events = shortened(result.events)
        file = result.source.rpartition(":")[0]
        reason = words.taken_out(result.reason)
        for event in events:
            self._events.append(round(event.at, 3), self._message(event, words))
        places = {_payload(event): place for place, event in enumerate(events) if event.kind != "note"}
        for step in result.steps:
            self._steps.append(*_step(step, file, places, words=words))
        self._cases.append(
            number,
            result.name,
            result.title,
            result.mutant,
            result.verdict.value,
            reason,
            " ".join(self._clause(clause) for clause in result.clauses),
            round(result.duration, 4),
            result.source,
            result.rerun.replace(result.name, "\ue004"),
            self._shortly(words.found),
            "\n".join(ladder.build(events).lifelines) if events else "",
            len(result.steps),
            len(events),
        )

    def _shortly(self, words: Iterable[str]) -> str:
        """The words; where one begins as one of the latest, a character tells as which and how far."""
        told: list[str] = []
        for word in words:
            same, which = max((_alike(word, other), -place) for place, other in enumerate(self._latest))
            if same > 2:
                told.append(chr(_FIRST - which * (_LONGEST + 1) + same) + word[same:])
                del self._latest[-which]
            else:
                told.append(word)
                del self._latest[-1]
            self._latest.insert(0, word)
        return " ".join(told)

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

    def _message(self, event: WireEvent, words: _Words) -> int:
        """Its number."""
        text = "" if event.kind == "note" else marked(event.data)
        size = len(event.data)
        return self._messages.number(
            event.kind,
            event.source,
            event.target,
            words.taken_out(event.summary),
            words.taken_out(text),
            self._token_names(event),
            size if size != len(text) else -1,
        )

    def _token_names(self, event: WireEvent) -> int:
        """Number of the list of what the tokens of a frame are called, -1 if it is none."""
        length, hash_, payload = event.data.partition("#")
        if event.kind != "frame" or not hash_ or not length.isdecimal() or len(length) > 8:
            return -1
        return self._names.number("|".join(token.name for token in messages.decode(payload).tokens))


def _common(cases: Sequence[CaseResult]) -> Set[str]:
    """Words that are in many cases."""
    found: Counter[str] = Counter()
    for case in cases:
        texts = [text for step in case.steps for text in (step.sentence, step.expected, step.actual)]
        texts += [text for event in shortened(case.events) for text in (event.summary, event.data)]
        found.update({word for text in texts for word in _WORD.findall(text)})
    return {word for word, number in found.items() if number > _FEW}


def _alike(word: str, other: str) -> int:
    """With how many characters both begin."""
    pairs = enumerate(zip(word[:_LONGEST], other, strict=False))
    return next((at for at, (one, two) in pairs if one != two), min(len(word), len(other), _LONGEST))


def _payload(event: WireEvent) -> str:
    """The text by which a step that looked at this message reports it."""
    text = event.data.partition("#")[2] if event.kind == "frame" else event.data
    return text.replace("\r\n", "\n").rstrip() if text.isascii() and len(text) <= SHOWN else ""


def _step(step: StepResult, file: str, places: dict[str, int], *, words: _Words) -> list[Json]:
    actual = step.actual.rstrip()
    return [
        _OUTCOMES[step.outcome] * 2 + step.is_check,
        round(step.started, 3),
        words.taken_out(step.sentence),
        step.source.removeprefix(f"{file}:"),
        words.taken_out(step.expected.rstrip()),
        places[actual] if actual and actual in places else words.taken_out(actual),
    ]
