"""Several runs side by side: which case does what where, as Markdown for a repository and as one HTML page.

Made from JSON reports alone, so that runs of other days and machines can be laid beside each other.
"""

from __future__ import annotations

import difflib
import html
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from drachtio_conformance.cases.specification import Specification
from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.report.json_report import Report
from msgtrace import ladder
from msgtrace.octets import readable

_ASSETS = Path(__file__).parent / "templates"
_WIDTH = 110


class NoReport(ValueError):
    """A file is no JSON report of this suite; the text says which, and why."""


class Run(Struct, frozen=True):
    """One column."""

    name: str
    report: Report

    def case(self, name: str) -> CaseResult | None:
        """The case of that name, if it ran."""
        return next((case for case in self.report.cases if case.name == name), None)


def load(name: str, path: Path) -> Run:
    """Read a report. Raises NoReport, OSError."""
    try:
        return Run(name, msgspec.json.decode(path.read_bytes(), type=Report))
    except (msgspec.DecodeError, RecursionError) as error:
        raise NoReport(f"{path}: expected a JSON report of drachtio-conformance: {error}") from None


def names(runs: Sequence[Run]) -> list[str]:
    """All cases, in the order of the first run that has them."""
    return list(dict.fromkeys(case.name for run in runs for case in run.report.cases))


def markdown(runs: Sequence[Run], *, title: str) -> str:
    """A matrix of the cases that do not simply pass everywhere, with reasons, and the sums of all."""
    lines = [
        f"# {title}",
        "",
        _sums(runs),
        "",
        "| case | " + " | ".join(run.name for run in runs) + " | why |",
    ]
    lines.append("|---" * (len(runs) + 2) + "|")
    for name in names(runs):
        cases = [run.case(name) for run in runs]
        if all(case is not None and case.verdict is Verdict.PASS for case in cases):
            continue
        verdicts = " | ".join("" if case is None else case.verdict.value for case in cases)
        reasons = dict.fromkeys(_short(case) for case in cases if case is not None and case.reason)
        lines.append(f"| `{name}` | {verdicts} | {_cell('; '.join(reasons))} |")
    return "\n".join(lines) + "\n"


def _sums(runs: Sequence[Run]) -> str:
    told = [
        f"{run.name}: "
        + ", ".join(f"{count} {verdict.value}" for verdict, count in run.report.counts.items() if count)
        for run in runs
    ]
    return f"{len(names(runs))} cases. " + "; ".join(told) + ". Cases that pass everywhere are left out."


def _short(case: CaseResult) -> str:
    """The reason: of a known failure what is known of it, without what came this time."""
    if case.verdict is Verdict.KNOWN_FAILING:
        return case.reason.partition(" (conformance_apps/")[0].partition(" (/")[0]
    return case.reason.partition("\n")[0][:160]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def page(runs: Sequence[Run], specification: Specification) -> str:
    """One HTML page that needs no network."""
    head = "".join(f"<th scope=col>{html.escape(run.name)}</th>" for run in runs)
    rows = "".join(_row(name, runs, specification) for name in names(runs))
    sums = html.escape(_sums(runs).removesuffix(" Cases that pass everywhere are left out."))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        "<title>Runs side by side</title>"
        f"<style>{(_ASSETS / 'side_by_side.css').read_text('utf-8')}</style>"
        f"<h1>Runs side by side</h1><p>{sums}</p>"
        "<form role=search><label>Cases <input id=find type=search placeholder='name, clause or reason'></label> "
        "<label><input id=differ type=checkbox> only where runs differ</label> "
        "<label><input id=failing type=checkbox> only what does not pass</label> <output id=shown></output></form>"
        f"<table><thead><tr><th scope=col>case</th>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<script>{(_ASSETS / 'side_by_side.js').read_text('utf-8')}</script></html>\n"
    )


def _row(name: str, runs: Sequence[Run], specification: Specification) -> str:
    cases = [run.case(name) for run in runs]
    there = [case for case in cases if case is not None]
    verdicts = {case.verdict for case in there}
    differ = len(verdicts) > 1 or len(there) < len(runs)
    failing = verdicts - {Verdict.PASS, Verdict.NOT_APPLICABLE}
    cells = "".join(_verdict(case) for case in cases)
    title, clauses = there[0].title, there[0].clauses
    told = "".join(
        _details(run.name, case)
        for run, case in zip(runs, cases, strict=True)
        if case is not None and case.reason
    )
    rules = "".join(
        f"<dt>{clause} · {html.escape(specification.clauses[clause].title)}<dd>"
        f"{html.escape(specification.clauses[clause].text)}"
        for clause in clauses
        if clause in specification.clauses
    )
    words = html.escape(
        f"{name} {title} {' '.join(clauses)} {' '.join(case.reason for case in there)}".lower()
    )
    return (
        f"<tr data-words='{words}' data-differ='{int(differ)}' data-failing='{int(bool(failing))}'>"
        f"<th scope=row><details><summary><code>{html.escape(name)}</code> {html.escape(title)}</summary>"
        f"<dl>{rules}</dl>{told}</details></th>{cells}</tr>"
    )


def _verdict(case: CaseResult | None) -> str:
    if case is None:
        return "<td class=none>–</td>"
    glyph = outcome.GLYPHS[case.verdict]
    return f"<td class={case.verdict.value}><span aria-hidden=true>{glyph}</span> {case.verdict.value}</td>"


def _details(run: str, case: CaseResult) -> str:
    """What one run says of a case: expected and got with the difference marked, the ladder, the octets."""
    step = outcome.decisive_step(case)
    compared = ""
    if step is not None:
        expected, got = _marked(step.expected, step.actual.partition("\n")[0])
        compared = (
            f"<p>{html.escape(step.source)}: {html.escape(step.sentence)}"
            f"<table class=compared><tr><th scope=row>expected<td>{expected}<tr><th scope=row>got<td>{got}</table>"
        )
    drawn = ladder.text(case.events, width=_WIDTH).rstrip("\n") if case.events else ""
    octets = "".join(
        f"<details><summary>{event.at:.3f} {html.escape(event.source)} → {html.escape(event.target)}: "
        f"{html.escape(event.summary)}</summary><pre>{html.escape(readable(event.data))}</pre></details>"
        for event in case.events
        if event.data
    )
    crossed = f"<pre class=ladder>{html.escape(drawn)}</pre>{octets}" if drawn else ""
    return f"<section><h2>{html.escape(run)}</h2><p>{html.escape(case.reason)}{compared}{crossed}</section>"


def _marked(expected: str, got: str) -> tuple[str, str]:
    """Both texts with what differs in ``<mark>``."""
    left, right = [], []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, expected, got, autojunk=False).get_opcodes():
        one, other = html.escape(expected[a:b]), html.escape(got[c:d])
        left.append(one if kind == "equal" else f"<mark>{one}</mark>" if one else "")
        right.append(other if kind == "equal" else f"<mark>{other}</mark>" if other else "")
    return "".join(left), "".join(right)
