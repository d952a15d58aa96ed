"""``replay``: runs recorded traces against the embedded reference server and shows where it differs."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from drachtio_conformance import data
from drachtio_conformance.cases import specification
from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.engine.results import CaseResult, RunResult, Verdict
from drachtio_conformance.engine.runner import Options, Runner, suite_version
from drachtio_conformance.replay import expected, files
from drachtio_conformance.replay.conversion import convert
from drachtio_conformance.replay.deviations import explain
from drachtio_conformance.replay.expected import Expectations
from drachtio_conformance.replay.files import Trace
from drachtio_conformance.replay.written import written
from drachtio_conformance.report import html_page, json_report
from drachtio_conformance.report.console import RunConsole
from drachtio_conformance.targets.embedded import EmbeddedTarget

LISTED = "Differences that are listed, and meant (docs/deviations.md):"
PERHAPS = "Where it failed, these differences that are meant may be why (docs/deviations.md; list them with --expect):"


class Replay:
    """Replays traces one after another; each gets a server of its own."""

    def __init__(self, expectations: Expectations | None = None) -> None:
        self._expectations = expectations or Expectations()
        known = {f"replay/{one.trace}": one.reason for one in self._expectations.known_failing}
        self._runner = Runner(EmbeddedTarget(), Options(baseline=known))

    async def run(self, log: Path) -> CaseResult:
        """Replay one trace. Raises :class:`TraceError` when it cannot be read."""
        trace = files.read(log)
        listed = self._expectations.of(trace.name)
        conversion = convert(trace, log, [one.listed for one in listed])
        reason = self._not_comparable(trace)
        if reason:
            result = CaseResult(
                name=conversion.case.name,
                title=conversion.case.title,
                clauses=[],
                verdict=Verdict.NOT_APPLICABLE,
                reason=reason,
                source=conversion.case.source,
            )
        else:
            result = await self._runner.run_case(conversion.case)
        complaints = expected.unfounded(listed, trace, conversion.recorded)
        if complaints and result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            result.verdict, result.reason = Verdict.FAIL, complaints[0]
        elif listed and result.verdict is Verdict.PASS:
            known = ", ".join(dict.fromkeys(one.deviation for one in listed if one.deviation))
            result.reason = f"differs as listed ({known})" if known else ""
        result.rerun = f"drachtio-conformance replay {log}"
        return result

    def _not_comparable(self, trace: Trace) -> str:
        left_open = [one for one in self._expectations.unspecified if one.trace == trace.name]
        return "".join(f"left open by {one.clause}: {one.why}" for one in left_open[:1])


def run(options: argparse.Namespace) -> int:
    """Replay what ``options`` name; returns the exit code. Raises TraceError, LoadError, OSError."""
    rules = specification.load()
    paths = [Path(path) for path in options.paths]
    logs = files.find(paths)
    expectations = _expectations(options.expect, paths, rules)
    if options.steps:
        return _print_steps(logs, expectations)
    started, clock = datetime.now(UTC), time.monotonic()
    console = RunConsole(None, rules, verbose=options.verbose)
    console.started(len(logs), EmbeddedTarget.description)
    results: list[CaseResult] = []
    perhaps: dict[str, list[str]] = {}

    async def all_of_them() -> None:
        replay = Replay(expectations)
        for log in logs:
            console.running(log.stem)
            result = await replay.run(log)
            results.append(result)
            console.finished(result)
            if result.verdict is Verdict.FAIL:
                for row in explain(rules.deviations.values(), files.read(log), result):
                    perhaps.setdefault(row.id, []).append(log.stem)

    try:
        asyncio.run(all_of_them())
    finally:
        console.stopped()
    results += _without_trace(expectations, results) if _whole_folder(paths) else []
    result = RunResult(
        target=EmbeddedTarget.description,
        server_version="",
        suite_version=suite_version(),
        started=started.isoformat(timespec="seconds"),
        duration=time.monotonic() - clock,
        cases=results,
    )
    code = outcome.exit_code(result)
    reports: list[str] = []
    if options.report:
        folder = Path(options.report)
        folder.mkdir(parents=True, exist_ok=True)
        html_page.write(result, rules, folder / "index.html")
        json_report.write(result, folder / "report.json", code)
        reports = [str(folder / "index.html"), str(folder / "report.json")]
    met: dict[str, list[str]] = {}
    for one in expectations.differences:
        if one.deviation and any(log.stem == one.trace for log in logs):
            met.setdefault(one.deviation, []).append(one.trace)
    console.paragraph(LISTED, _rows(rules, met))
    console.paragraph(PERHAPS, _rows(rules, perhaps))
    console.summary(result, reports)
    return code


def _rows(rules: specification.Specification, traces: dict[str, list[str]]) -> list[str]:
    """Rows of docs/deviations.md in their order, each with the traces that show it."""
    rows = [row for row in rules.deviations.values() if row.id in traces]
    return [
        f"{row.id} ({', '.join(dict.fromkeys(traces[row.id]))}). They: {row.theirs}. We: {row.ours}."
        for row in rows
    ]


def known_rows(rules: specification.Specification) -> set[str]:
    """The ids of docs/deviations.md, those of its other tables included."""
    text = (data.folder("docs") / "deviations.md").read_text("utf-8")
    return {*rules.deviations, *re.findall(r"^\| ([A-Z]+-\d+) ", text, re.MULTILINE)}


def _expectations(
    given: str | None, paths: Sequence[Path], rules: specification.Specification
) -> Expectations:
    """The list that was named, or ``expect.yaml`` in a folder of traces."""
    files = [Path(given)] if given else [file for path in paths if (file := path / "expect.yaml").is_file()]
    lists = [expected.load(file, known_rows(rules)) for file in files]
    return Expectations(
        tuple(one for each in lists for one in each.differences),
        tuple(one for each in lists for one in each.unspecified),
        tuple(one for each in lists for one in each.known_failing),
    )


def _whole_folder(paths: Sequence[Path]) -> bool:
    return all(path.is_dir() for path in paths)


def _without_trace(expectations: Expectations, results: Sequence[CaseResult]) -> list[CaseResult]:
    """Differences listed for traces that are not there."""
    replayed = {result.name.removeprefix("replay/") for result in results}
    return [
        CaseResult(
            name=f"replay/{one.trace}",
            title="as recorded",
            clauses=[],
            verdict=Verdict.FAIL,
            reason=f"{one.source}: there is no trace of this name",
            source=one.source,
        )
        for one in expectations.differences
        if one.trace not in replayed
    ]


def _print_steps(logs: Sequence[Path], expectations: Expectations) -> int:
    """The traces as the steps that they become."""
    for log in logs:
        trace = files.read(log)
        case = convert(trace, log, [one.listed for one in expectations.of(trace.name)]).case
        sys.stdout.write(f"# {case.name}\n")
        for located in case.steps:
            sys.stdout.write(f"# {located.source}\n{written(located.step)}\n")
    return ExitCode.OK
