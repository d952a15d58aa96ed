"""The Markdown report: a summary to paste into a pull request, and what GitHub shows of a job.

One heading with the verdict, a table of the families, and each case that needs a look with its clause, what was
expected and came, the ladder and the command that runs it alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from drachtio_conformance.cases.specification import Specification
from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.results import CaseResult, RunResult, Verdict
from drachtio_conformance.report.visible import visible, visible_on_one_line
from msgtrace import ladder

TOLD_IN_FULL = 25
"""cases that are told with ladder and bytes; GitHub takes no summary above 1 MiB"""
LADDER = 14
"""events of a ladder"""
WIDTH = 100
"""characters of a ladder"""
SUMMARY = "GITHUB_STEP_SUMMARY"
"""the variable by which GitHub says where a step's summary goes"""

_TOLD = outcome.FAILING | {Verdict.WARN}


def write(run: RunResult, specification: Specification | None, path: Path) -> None:
    """Write the report. Raises OSError."""
    path.write_text(render(run, specification), "utf-8")


def append_to_summary(
    run: RunResult, specification: Specification | None, environment: Mapping[str, str] = os.environ
) -> None:
    """Append the report to the summary of the job on GitHub, if this is one. Raises OSError."""
    if path := environment.get(SUMMARY):
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(f"{render(run, specification)}\n")


def render(run: RunResult, specification: Specification | None) -> str:
    """The report as GitHub's and GitLab's Markdown."""
    told = outcome.most_telling_first(case for case in run.cases if case.verdict in _TOLD)
    failed = bool(run.unreached or run.lost or any(case.verdict in outcome.FAILING for case in run.cases))
    version = f" ({run.server_version})" if run.server_version else ""
    lines = [
        f"### {'❌' if failed else '✅'} {_text(outcome.sentence(run))}",
        "",
        f"{_text(run.target + version)}, drachtio-conformance {run.suite_version}",
        "",
        *_table(run),
    ]
    for case in told[:TOLD_IN_FULL]:
        lines += ["", failure(case, specification)]
    if len(told) > TOLD_IN_FULL:
        names = "".join(f"\n- {_code(case.name)} {_text(case.title)}" for case in told[TOLD_IN_FULL:])
        lines += ["", f"and {len(told) - TOLD_IN_FULL} more:", names]
    return "\n".join(lines) + "\n"


def failure(case: CaseResult, specification: Specification | None = None) -> str:
    """One case that needs a look."""
    lines = [f"#### {outcome.GLYPHS[case.verdict]} {_text(case.title)}", "", _code(case.name)]
    if case.mutant:
        lines += ["", f"broken twin: {_text(case.mutant)}"]
    for name in case.clauses:
        clause = specification.clauses.get(name) if specification else None
        lines += [
            "",
            f"> **{name} · {clause.title}** {clause.level}: {clause.text}" if clause else f"> **{name}**",
        ]
    step = outcome.decisive_step(case)
    if step is None or step.source not in case.reason or case.killer:
        lines += ["", _text(case.reason)]
    if step is not None:
        lines += ["", f"{_code(step.source)} {_text(step.sentence)}"]
        lines += ["", *_fenced(f"expected: {step.expected}\ngot:      {step.actual.rstrip()}")]
    if case.events:
        shown = case.events[-LADDER:]
        lines += [
            "",
            "<details><summary>Ladder</summary>",
            "",
            *_fenced(ladder.text(shown, width=WIDTH).rstrip()),
        ]
        lines += ["", "</details>"]
    if case.rerun:
        lines += ["", *_fenced(case.rerun, "sh")]
    return "\n".join(lines)


def _table(run: RunResult) -> list[str]:
    """A row for each family of cases, and the sum."""
    present = [verdict for verdict, number in outcome.counts(run.cases).items() if number]
    families: dict[str, list[CaseResult]] = {}
    for case in run.cases:
        families.setdefault(outcome.family(case), []).append(case)
    rows = [*families.items(), ("**all**", run.cases)] if len(families) > 1 else [*families.items()]
    lines = [
        f"| | {' | '.join(verdict.value for verdict in present)} |",
        f"|---|{'---:|' * len(present)}",
    ]
    for name, cases in rows:
        counts = outcome.counts(cases)
        lines.append(f"| {name} | {' | '.join(str(counts[verdict] or '') for verdict in present)} |")
    return lines if run.cases else []


def _fenced(text: str, language: str = "") -> list[str]:
    """A block of code, fenced so that nothing in it ends it."""
    text = visible(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text, fence]


def _code(text: str) -> str:
    text = visible_on_one_line(text)
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _text(text: str) -> str:
    """``text`` in which nothing is Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(visible(text).split()))
