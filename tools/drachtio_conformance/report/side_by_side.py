"""Several runs side by side: which case does what where, as Markdown for a repository.

Made from JSON reports alone, so that runs of other days and machines can be laid beside each other.
``side_by_side_page`` makes the page of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.report.json_report import Report


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
