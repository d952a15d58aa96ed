"""The HTML report: one page without any external resource, made from the model of results.py.

The page works without scripts (every case and message is a ``details`` element); with them it searches, filters
and opens what an address names. A message of more than :data:`SHOWN` octets is shown from both its ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec import Struct

from drachtio_conformance import outcome
from drachtio_conformance.ladder_svg import draw
from drachtio_conformance.results import CaseResult, RunResult, StepOutcome, Verdict, WireEvent
from drachtio_conformance.specification import Clause, Specification
from msgtrace import messages
from msgtrace.octets import pieces

SHOWN = 8192
"""octets of one message that the page shows"""

_TEMPLATES = Path(__file__).parent / "templates"


class _Message(Struct, frozen=True):
    anchor: str
    event: WireEvent
    octets: Markup


class _Case(Struct, frozen=True):
    result: CaseResult
    anchor: str
    search: str
    clauses: list[Clause]
    unknown_clauses: list[str]
    ladder: Markup
    messages: list[_Message]


class _Cell(Struct, frozen=True):
    clause: str
    state: str
    """a verdict, ``untestable``, or ``untested``"""
    hover: str


class _Row(Struct, frozen=True):
    family: str
    title: str
    cells: list[_Cell]


def write(run: RunResult, specification: Specification | None, path: Path) -> None:
    """Write the page; without a specification it shows clause ids without their text."""
    path.write_text(render(run, specification), "utf-8")


def render(run: RunResult, specification: Specification | None) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["seconds"] = outcome.seconds
    clauses = specification.clauses if specification else {}
    groups: dict[str, list[_Case]] = {}
    for number, case in enumerate(run.cases):
        groups.setdefault(outcome.family(case), []).append(_case(case, number, clauses))
    return environment.get_template("report.html.j2").render(
        run=run,
        groups=groups,
        counts={verdict: number for verdict, number in outcome.counts(run.cases).items() if number},
        glyphs=outcome.GLYPHS,
        failing=[
            case for cases in groups.values() for case in cases if case.result.verdict in outcome.FAILING
        ],
        failed=any(case.verdict in outcome.FAILING for case in run.cases),
        sentence=outcome.sentence(run),
        rows=_matrix(run.cases, specification) if specification else [],
        deviations=specification.deviations_of if specification else lambda _: [],
        prose=prose,
    )


def prose(markdown: str) -> Markup:
    """The Markdown of a clause's sentence (code spans, bold and emphasis) as HTML."""
    text = str(escape(markdown))
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"(?<![\w*])\*([^*<>]+)\*(?![\w*])", r"<em>\1</em>", text)
    return Markup(text)


def octets(data: str) -> Markup:
    """Wire octets as HTML: line ends visible, what is no text escaped, the frame's first line coloured."""
    if len(data) > SHOWN:
        rest = len(data) - SHOWN
        gap = Markup('<i class="gap">… {} octets not shown …</i>').format(f"{rest:,}")
        return _head(data[: SHOWN * 3 // 4]) + Markup("\n") + gap + Markup("\n") + _lines(data[-SHOWN // 4 :])
    return _head(data)


def _head(data: str) -> Markup:
    """The octets, the length and tokens of a frame's first line marked."""
    frame = re.match(r"(\d{1,8}#)([^\r\n]*)", data)
    if frame is None:
        return _lines(data)
    named = messages.decode(data[len(frame[1]) :]).tokens
    tokens = Markup('<i class="bar">|</i>').join(
        Markup('<span class="t{}" title="{}">{}</span>').format(
            min(number, 2), token.name, _lines(token.value)
        )
        for number, token in enumerate(named)
    )
    return Markup('<b class="len">{}</b>{}{}').format(frame[1], tokens, _lines(data[frame.end() :]))


def _lines(data: str) -> Markup:
    result: list[Markup] = []
    for line in re.split("(\r\n|\n|\r)", data):
        match line:
            case "\r\n":
                result.append(Markup('<i class="eol" title="CR LF">↵</i>\n'))
            case "\n":
                result.append(Markup('<i class="eol odd" title="LF alone">\\n</i>\n'))
            case "\r":
                result.append(Markup('<i class="eol odd" title="CR alone">\\r</i>\n'))
            case _:
                result += [
                    Markup('<i class="esc">{}</i>').format(text) if escaped else escape(text)
                    for text, escaped in pieces(line)
                ]
    return Markup("").join(result)


def _case(case: CaseResult, number: int, clauses: dict[str, Clause]) -> _Case:
    anchor = f"c{number}"
    failed = next((step for step in case.steps if step.outcome is StepOutcome.FAILED), None)
    return _Case(
        result=case,
        anchor=anchor,
        search=" ".join([case.name, case.title, *case.clauses, case.reason, case.mutant]).lower(),
        clauses=[clauses[clause] for clause in case.clauses if clause in clauses],
        unknown_clauses=[clause for clause in case.clauses if clause not in clauses],
        ladder=draw(case.events, anchor, f"✗ {failed.sentence}" if failed else "")
        if case.events
        else Markup(""),
        messages=[
            _Message(anchor=f"{anchor}-{position}", event=event, octets=octets(event.data))
            for position, event in enumerate(case.events)
            if event.kind != "note"
        ],
    )


def _matrix(cases: Sequence[CaseResult], specification: Specification) -> list[_Row]:
    """A row for each family of clauses, a cell for each clause with the worst verdict of its cases."""
    verdicts: dict[str, list[Verdict]] = {}
    for case in cases:
        for name in case.clauses:
            verdicts.setdefault(name, []).append(case.verdict)
    rows: list[_Row] = []
    for family, members in specification.families().items():
        cells: list[_Cell] = []
        for clause in members:
            state = outcome.worst(verdicts.get(clause.id, []))
            number = len(verdicts.get(clause.id, []))
            if state is not None:
                remark = f"{state}, {number} case{'s' if number != 1 else ''}"
            else:
                remark = f"untestable: {clause.untestable}" if clause.untestable else "no case of this run"
            cells.append(
                _Cell(
                    clause=clause.id,
                    state=state or ("untestable" if clause.untestable else "untested"),
                    hover=f"{clause.id} {clause.level}: {clause.text}\n{remark}",
                )
            )
        rows.append(_Row(family=family, title=members[0].section, cells=cells))
    return rows
