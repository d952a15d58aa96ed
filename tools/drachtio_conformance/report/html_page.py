"""The HTML report: one page without any external resource, made from the model of results.py.

Cases that need a look stand in the page as they are. The others (most of the page, and much alike) are packed
(packing.py) and drawn by the page's script. Very long messages and ladders are shown from both their ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec import Struct

from drachtio_conformance.cases.specification import Specification
from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.results import CaseResult, RunResult, StepOutcome, Verdict
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report import markdown
from drachtio_conformance.report.ladder_svg import draw
from drachtio_conformance.report.markdown_text import prose
from drachtio_conformance.report.packing import SHOWN, Numbered, Packer, shortened
from drachtio_conformance.report.visible import in_a_page
from msgtrace import messages
from msgtrace.octets import pieces

_PACKED = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE})
_TEMPLATES = Path(__file__).parent / "templates"


class _Message(Struct, frozen=True):
    anchor: str
    event: WireEvent
    octets: Markup


class _Case(Struct, frozen=True):
    result: CaseResult
    anchor: str
    search: str
    inside: Markup
    """what opens"""


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


@cache
def _environment() -> Environment:
    """The templates; to compile them takes longer than a page does, and a program that tests may want several."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=in_a_page,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["seconds"] = outcome.seconds
    environment.globals["prose"] = prose
    return environment


def render(run: RunResult, specification: Specification | None) -> str:
    """The page."""
    rows = _matrix(run.cases, specification) if specification else []
    groups: dict[str, list[_Case]] = {}
    packed: list[Numbered] = []
    for number, result in enumerate(run.cases):
        group = groups.setdefault(outcome.family(result), [])
        if result.verdict in _PACKED:
            packed.append(Numbered(number, result))
            continue
        inside = _inside(result, f"c{number}", specification)
        case = _Case(
            result=result,
            anchor=f"c{number}",
            search=" ".join(
                [result.name, result.title, *result.clauses, result.reason, result.mutant]
            ).lower(),
            inside=inside,
        )
        group.append(case)
    page = _environment().get_template("report.html.j2")
    return page.render(
        run=run,
        groups=groups,
        counts={verdict: number for verdict, number in outcome.counts(run.cases).items() if number},
        glyphs=outcome.GLYPHS,
        failing=sorted(
            (case for cases in groups.values() for case in cases if case.result.verdict in outcome.FAILING),
            key=lambda case: not case.result.killer,
        ),
        failed=run.unreached > 0 or any(case.verdict in outcome.FAILING for case in run.cases),
        sentence=outcome.sentence(run),
        heading=_heading(run, rows),
        rows=rows,
        packed=Packer(specification).pack(packed),
        packed_cases=len(packed),
    )


def _heading(run: RunResult, rows: Sequence[_Row]) -> str:
    """The verdict in a word or two; a run of some cases only does not tell whether the peer conforms."""
    verdicts = {case.verdict for case in run.cases}
    if verdicts & outcome.FAILING:
        return "Not conformant"
    if run.unreached:
        return "Interrupted"
    if Verdict.KNOWN_FAILING in verdicts:
        return "Only known failures"
    if not rows or any(
        cell.state in ("untested", Verdict.NOT_APPLICABLE) for row in rows for cell in row.cells
    ):
        return "What ran passes"
    return "Conformant"


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


def _inside(case: CaseResult, anchor: str, specification: Specification | None) -> Markup:
    """What a case shows when it is opened."""
    clauses = specification.clauses if specification else {}
    failed = next((step for step in case.steps if step.outcome is StepOutcome.FAILED), None)
    events = shortened(case.events)
    template = _environment().get_template("case.html.j2")
    text = template.render(
        result=case,
        deviations=specification.deviations_of if specification else lambda _: [],
        markdown=markdown.failure(case, specification) if case.verdict in outcome.FAILING else "",
        clauses=[clauses[clause] for clause in case.clauses if clause in clauses],
        unknown_clauses=[clause for clause in case.clauses if clause not in clauses],
        ladder=draw(events, anchor, f"✗ {failed.sentence}" if failed else "") if events else Markup(""),
        messages=[
            _Message(anchor=f"{anchor}-{position}", event=event, octets=octets(event.data))
            for position, event in enumerate(events)
            if event.kind != "note"
        ],
    )
    return Markup(text)


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
                    hover=remark,
                )
            )
        rows.append(_Row(family=family, title=specification.chapters(family), cells=cells))
    return rows
