"""Several runs side by side as one HTML page that needs nothing else: a matrix, and what is behind each of its rows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec import Struct

from drachtio_conformance.cases.specification import Clause, Specification
from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.results import CaseResult, StepResult, Verdict
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report.html_page import octets
from drachtio_conformance.report.ladder_svg import draw
from drachtio_conformance.report.markdown_text import prose
from drachtio_conformance.report.packing import shortened
from drachtio_conformance.report.side_by_side import Run, names

_TEMPLATES = Path(__file__).parent / "templates"
_ALIKE = 0.4
"""texts that have less in common (difflib's ratio) differ as a whole: marks here and there would say nothing"""
_ABSENT = "absent"
"""where a verdict would stand, of a case that did not run"""


class _Message(Struct, frozen=True):
    anchor: str
    event: WireEvent
    octets: Markup


class _Panel(Struct, frozen=True):
    """What one run says of a case."""

    run: str
    case: CaseResult
    step: StepResult | None
    expected: Markup
    got: Markup
    ladder: Markup
    messages: list[_Message]


class _Row(Struct, frozen=True):
    """A case in all runs."""

    number: int
    name: str
    title: str
    clauses: list[Clause]
    verdicts: list[str]
    words: str
    """what the search looks at"""
    panels: list[_Panel]
    """of the runs that have more to say than a verdict"""

    @property
    def differ(self) -> bool:
        return len(set(self.verdicts)) > 1

    @property
    def failing(self) -> bool:
        return not {*self.verdicts} <= {Verdict.PASS, Verdict.NOT_APPLICABLE, _ABSENT}


def render(runs: Sequence[Run], specification: Specification, *, title: str) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["prose"] = prose
    rows = [_row(number, name, runs, specification=specification) for number, name in enumerate(names(runs))]
    known = [verdict for verdict in Verdict if any(run.report.counts.get(verdict) for run in runs)]
    return environment.get_template("side_by_side.html.j2").render(
        title=title,
        runs=runs,
        rows=rows,
        known=known,
        absent=_ABSENT,
        glyphs={**outcome.GLYPHS, _ABSENT: "·"},
    )


def _row(number: int, name: str, runs: Sequence[Run], *, specification: Specification) -> _Row:
    cases = [(place, run.name, run.case(name)) for place, run in enumerate(runs)]
    there = [case for _, _, case in cases if case is not None]
    told = " ".join([name, there[0].title, *there[0].clauses, *(case.reason for case in there)])
    return _Row(
        number=number,
        name=name,
        title=there[0].title,
        clauses=[specification.clauses[id] for id in there[0].clauses if id in specification.clauses],
        verdicts=[_ABSENT if case is None else case.verdict.value for _, _, case in cases],
        words=told.lower(),
        panels=[
            _panel(run, case, f"c{number}-{place}")
            for place, run, case in cases
            if case is not None and (case.reason or case.events)
        ],
    )


def _panel(run: str, case: CaseResult, anchor: str) -> _Panel:
    step = outcome.decisive_step(case)
    expected, got = ("", "") if step is None else (step.expected.rstrip(), step.actual.partition("\n")[0])
    left, right = marked(expected, got)
    events = shortened(case.events)
    return _Panel(
        run=run,
        case=case,
        step=step,
        expected=left,
        got=right,
        ladder=draw(events, anchor, f"✗ {step.sentence}" if step else "") if events else Markup(""),
        messages=[
            _Message(anchor=f"{anchor}-{place}", event=event, octets=octets(event.data))
            for place, event in enumerate(events)
            if event.kind != "note"
        ],
    )


def marked(expected: str, got: str) -> tuple[Markup, Markup]:
    """Both texts, word by word, with what differs in ``<mark>``."""
    wanted, came = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (expected, got))
    compared = difflib.SequenceMatcher(None, wanted, came, autojunk=False)
    if compared.ratio() < _ALIKE:
        return _mark(expected), _mark(got)
    left, right = Markup(""), Markup("")
    for kind, a, b, c, d in compared.get_opcodes():
        one, other = "".join(wanted[a:b]), "".join(came[c:d])
        left += escape(one) if kind == "equal" else _mark(one)
        right += escape(other) if kind == "equal" else _mark(other)
    return left, right


def _mark(text: str) -> Markup:
    return Markup("<mark>{}</mark>").format(text) if text else Markup("")
