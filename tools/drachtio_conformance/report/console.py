"""What a run shows on the terminal: progress, what failed and why, the table of verdicts, one closing sentence.

On a terminal the progress is one moving line and the table is drawn; anywhere else (CI, a pipe, ``NO_COLOR``-less
logs) each case is one plain line, so that the output can be searched. GitHub and GitLab fold the lines of cases that
need no look.
"""

from __future__ import annotations

import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from drachtio_conformance.cases.specification import Specification
from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.results import CaseResult, RunResult, StepResult, Verdict
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report import ci_log, standard_output
from drachtio_conformance.report.ci_log import Log
from drachtio_conformance.report.visible import visible, visible_on_one_line
from msgtrace import ladder

SHORT_LADDER = 14
"""events that a failed case shows"""

TOLD_IN_FULL = 20
"""cases that are explained on the terminal"""

COLOURS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.WARN: "yellow",
    Verdict.NOT_APPLICABLE: "bright_black",
    Verdict.KNOWN_FAILING: "magenta",
    Verdict.UNEXPECTED_PASS: "bright_red",
    Verdict.ERROR: "bright_red",
}

_TOLD = outcome.FAILING | {Verdict.WARN}
"""verdicts whose cases are explained below the progress"""


class _Console(Console):
    """Where nobody reads any more (``| head``), the run goes on: its exit code and its reports still count."""

    def on_broken_pipe(self) -> None:
        standard_output.abandon()
        self.quiet = True


class RunConsole:
    """One run of the suite on a terminal or in a log."""

    def __init__(
        self,
        file: TextIO | None,
        specification: Specification | None,
        *,
        verbose: bool = False,
        log: Log | None = None,
    ) -> None:
        """``file`` None is standard output; ``verbose`` names every case on a terminal, too; ``log`` is who shows it,
        by the environment if it is not given."""
        self._console = _Console(file=file, highlight=False, soft_wrap=True)
        self._specification = specification
        self._verbose = verbose
        self._progress: Progress | None = None
        self._log = Log.of() if log is None else log
        self._group = ""

    def started(self, cases: int, target: str, *, mutants: bool = False) -> None:
        """The run begins; with ``mutants`` each case is followed later by its broken twins."""
        noun, twins = ("case", "its broken twins") if cases == 1 else ("cases", "their broken twins")
        more = f" and {twins}" if mutants else ""
        self._console.print(f"{cases} {noun}{more} against {escape(self._line(target))}")
        total = cases * 2 if mutants else cases
        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("[bold]{task.percentage:3.0f}%"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}"),
                console=self._console,
                transient=True,
            )
            self._progress.add_task("", total=total)
            self._progress.start()

    def running(self, name: str) -> None:
        """A case begins."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], description=escape(name))

    def finished(self, case: CaseResult) -> None:
        """A case has ended."""
        if self._progress is not None:
            self._progress.advance(self._progress.task_ids[0])
        if self._progress is None:
            self._fold("" if case.verdict in _TOLD else outcome.family(case))
        if self._progress is None or self._verbose or case.verdict in outcome.FAILING:
            self._console.print(self._case_line(case))

    def _fold(self, group: str) -> None:
        """In a log that folds, the cases that need no look stand in a group of their family."""
        if group == self._group:
            return
        line = ci_log.closed(self._log, self._group, time.time()) if self._group else ""
        self._group = group
        line += ci_log.opened(self._log, group, time.time()) if group else ""
        if line and not self._console.quiet:
            try:
                self._console.file.write(line)
            except BrokenPipeError:
                self._console.on_broken_pipe()

    def remark(self, text: str) -> None:
        """Something that whoever watches should know now."""
        self._fold("")
        self._console.print(Text(self._lines(text), style="bold yellow"))

    def stopped(self) -> None:
        """No more cases will end; safe to call twice."""
        self._fold("")
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def summary(self, run: RunResult, written: Sequence[str] = ()) -> None:
        """The failed cases in full, the table, the sentence; ``written`` names the reports that were written."""
        self.stopped()
        told = outcome.most_telling_first(case for case in run.cases if case.verdict in _TOLD)
        for case in told[:TOLD_IN_FULL]:
            self._console.print()
            self._console.print(self.failure(case))
        if len(told) > TOLD_IN_FULL:
            self._console.print(f"\n… and {len(told) - TOLD_IN_FULL} more; --report DIR shows all of them")
        if len(run.cases) > 1:
            self._console.print()
            self._console.print(self._table(run) if self._console.is_terminal else self._plain_table(run))
        skipped = Counter(case.reason for case in run.cases if case.verdict is Verdict.NOT_APPLICABLE)
        self.paragraph("not applicable", [f"{number}: {reason}" for reason, number in skipped.most_common()])
        version = f" ({self._line(run.server_version)})" if run.server_version else ""
        failed = run.unreached > 0 or any(case.verdict in outcome.FAILING for case in run.cases)
        colour = "red" if failed else "green"
        self._console.print()
        self._console.print(Text(self._line(outcome.sentence(run)), style=f"bold {colour}"), end="")
        self._console.print(Text(f" · {self._line(run.target)}{version}", style="bright_black"))
        for report in written:
            self._console.print(Text(f"report: {report}", style="bright_black"))

    def paragraph(self, heading: str, items: Sequence[str]) -> None:
        """Something to know besides, if there are ``items``: a heading, and each of them on lines of its own."""
        if not items:
            return
        width = max(min(self._console.width - 4, 116), 40)
        self._console.print(Text(f"\n{heading}", style="bold"))
        for item in items:
            rows = textwrap.wrap(
                visible_on_one_line(item), width, subsequent_indent="    ", break_long_words=False
            )
            self._console.print(Text(self._lines("".join(f"  {row}\n" for row in rows))), end="")

    def failure(self, case: CaseResult) -> Text:
        """All that is needed to understand one failed case."""
        text = Text()
        text.append(f"{outcome.GLYPHS[case.verdict]} {case.title}", style=f"bold {COLOURS[case.verdict]}")
        text.append(f"  {case.name}\n", style="bright_black")
        if case.mutant:
            text.append(f"  broken twin: {case.mutant}\n", style="magenta")
        for clause in case.clauses:
            text.append(self._clause(clause))
        step = outcome.decisive_step(case)
        if case.reason and (
            case.killer or step is None or step.source not in case.reason
        ):  # else the step says it better
            text.append(f"  {case.verdict}: {self._lines(case.reason)}\n", style=COLOURS[case.verdict])
        if step is not None:
            text.append(self._step(step))
        elif case.source:
            text.append(f"  {case.source}\n", style="bright_black")
        if case.events:
            drawn = short_ladder(case.events, min(self._console.width - 4, 100))
            text.append(textwrap.indent(self._lines(drawn), "    "))
        if case.rerun:
            text.append("  again: ", style="bright_black")
            text.append(case.rerun)
        text.rstrip()
        return text

    def _clause(self, clause_id: str) -> Text:
        clause = self._specification.clauses.get(clause_id) if self._specification else None
        if clause is None:
            return Text(f"  {clause_id}\n", style="cyan")
        width = max(min(self._console.width - 4, 110), 40)
        rows = textwrap.wrap(
            f"{clause.level}: {clause.text}", width, initial_indent="  ", subsequent_indent="  "
        )
        rows.insert(0, f"{clause.id} · {clause.title}")
        return Text("".join(f"  {row}\n" for row in rows), style="cyan")

    def _case_line(self, case: CaseResult) -> Text:
        text = Text()
        text.append(f"{case.verdict:15}", style=COLOURS[case.verdict])
        text.append(f" {case.name}")
        if case.mutant:
            text.append(f" [{case.mutant}]", style="magenta")
        text.append(f"  {outcome.seconds(case.duration)}", style="bright_black")
        if case.reason and case.verdict is not Verdict.PASS:
            text.append(f"  {self._line(case.reason)}")
        return text

    def _step(self, step: StepResult) -> Text:
        text = Text(f"  {step.source}  {self._line(step.sentence)}\n")
        if step.expected:
            text.append(f"    expected  {_indented(self._lines(step.expected))}\n", style="green")
        if step.actual:
            text.append(f"    actual    {_indented(self._lines(step.actual))}\n", style="red")
        return text

    def _lines(self, text: str) -> str:
        """As it may be printed, whoever sent it: nothing steers the terminal, or is a command for who shows the log."""
        return ci_log.obeyed_by_nobody(self._log, visible(text))

    def _line(self, text: str) -> str:
        """The same on one line."""
        return ci_log.obeyed_by_nobody(self._log, visible_on_one_line(text))

    def _table(self, run: RunResult) -> Table:
        rows = _rows(run.cases)
        present = [verdict for verdict in Verdict if rows[-1].counts[verdict]]
        table = Table(box=None, pad_edge=False, show_footer=len(rows) > 2)
        total = rows[-1]
        table.add_column("", footer="all")
        for verdict in present:
            table.add_column(
                verdict.value,
                justify="right",
                style=COLOURS[verdict],
                header_style=COLOURS[verdict],
                footer=str(total.counts[verdict]),
            )
        table.add_column(
            "time", justify="right", style="bright_black", footer=outcome.seconds(total.duration)
        )
        for row in rows[:-1]:
            shown = [str(row.counts[verdict] or "·") for verdict in present]
            table.add_row(row.name, *shown, outcome.seconds(row.duration))
        return table

    def _plain_table(self, run: RunResult) -> Text:
        rows = _rows(run.cases)
        present = [verdict for verdict in Verdict if rows[-1].counts[verdict]]
        width = max(len(row.name) for row in rows)
        lines = [f"{'':{width}}  " + "  ".join(verdict.value for verdict in present)]
        for row in rows:
            shown = [f"{row.counts[verdict]:{len(verdict.value)}}" for verdict in present]
            lines.append(f"{row.name:{width}}  " + "  ".join(shown))
        return Text("\n".join(lines))


def short_ladder(events: Sequence[WireEvent], width: int) -> str:
    """The last :data:`SHORT_LADDER` events as a ladder, ending in a line feed."""
    left_out = len(events) - SHORT_LADDER
    drawn = ladder.text(events[-SHORT_LADDER:], width=width)
    if left_out <= 0:
        return drawn
    heading, rest = drawn.split("\n", 1)
    return f"{heading}\n   ⋮ {left_out} earlier\n{rest}"


def _indented(value: str) -> str:
    return value.rstrip().replace("\n", "\n              ")


class _TableRow(Struct, frozen=True):
    name: str
    counts: dict[Verdict, int]
    duration: float


def _rows(cases: Sequence[CaseResult]) -> list[_TableRow]:
    """A row for each family of cases, and the sum."""
    families: dict[str, list[CaseResult]] = {}
    for case in cases:
        families.setdefault(outcome.family(case), []).append(case)
    groups = [*families.items(), ("all", list(cases))]
    return [
        _TableRow(name, outcome.counts(group), sum(case.duration for case in group)) for name, group in groups
    ]
