"""``server`` and ``client``: chooses cases, runs them, judges the baseline, and writes the reports."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

from msgspec import Struct, structs

from drachtio_conformance.cases import selection, specification
from drachtio_conformance.cases.case import Case
from drachtio_conformance.cli.arguments import AdminAddress
from drachtio_conformance.engine import baseline, outcome
from drachtio_conformance.engine.emulated import PROFILES, unmeasured
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.engine.profile import Profile, load_profile, shipped
from drachtio_conformance.engine.results import CaseResult, RunResult, Verdict
from drachtio_conformance.engine.runner import Options, Runner, profile_of, suite_version
from drachtio_conformance.engine.twins import MutantReport
from drachtio_conformance.peers.variables import spelled_out
from drachtio_conformance.report import ci_log, html_page, json_report, junit, markdown
from drachtio_conformance.report.console import RunConsole
from drachtio_conformance.report.visible import visible
from drachtio_conformance.steps.stage import Pace
from drachtio_conformance.targets.client import Chance, ClientTarget
from drachtio_conformance.targets.embedded import EmbeddedTarget, EmulatedTarget
from drachtio_conformance.targets.foreign import ForeignTarget
from drachtio_conformance.targets.target import Target


class SeedWithoutFaults(ValueError):
    """There is nothing that the seed is for."""


class Paths(Struct, frozen=True):
    """Where reports are to be written; None: not at all."""

    html: Path | None
    json: Path | None
    junit: Path | None
    markdown: Path | None

    def all(self) -> list[Path]:
        """Those that are written."""
        return [path for path in (self.html, self.json, self.junit, self.markdown) if path is not None]

    def written(self) -> list[str]:
        """The names of those that are written."""
        return [str(path) for path in self.all()]


def run(options: argparse.Namespace, cases: Sequence[Case]) -> int:
    """Test a server as ``options`` say; returns the exit code.

    Raises NothingMatches, BaselineError, ProfileError, and OSError when a report cannot be written.
    """
    _settle_seed(options)
    rules = specification.load()
    chosen = selection.select(cases, options.filter, options.clause)
    entries = baseline.load(Path(options.baseline)) if options.baseline else []
    profile = _profile(options, cases)
    paths = _paths(options)
    target = _target(options, profile)
    console = RunConsole(None, rules, verbose=options.verbose)
    made = _options(options, profile, entries)
    runner = Runner(target, made, tell=console.remark)
    helpers = [Runner(target, made, tell=console.remark) for _ in range(1, getattr(options, "jobs", 1))]
    console.started(len(chosen), target.description, mutants=options.mutants)
    session = _Session(runner, console, chosen, mutants=options.mutants, helpers=helpers)
    crashed = ""
    try:
        asyncio.run(session.run())
    except KeyboardInterrupt:
        crashed = "interrupted"
    except Exception as error:  # whatever it is, the user gets one sentence and what was learnt so far
        crashed = _told(error)
    finally:
        console.stopped()
    result = session.result(target.description, ended_early=bool(crashed))
    result.cases += baseline.stale(entries, result.cases, {case.name for case in cases})
    code = _exit_code(runner, target, result, crashed=crashed)
    _write(result, rules, paths, code=code, full=options.full)
    if runner.never_came_up:
        hint = "; give the right one by --secret or DRACHTIO_SECRET" if code is ExitCode.USAGE else ""
        sys.stderr.write(f"drachtio-conformance: {visible(runner.never_came_up)}{hint}\n")
        return code
    console.summary(result, paths.written())
    if hint := _hint(options, runner):
        console.paragraph("profile", [hint])
    if options.github:
        sys.stdout.writelines(f"{line}\n" for line in ci_log.annotated(result.cases))
    if runner.lost:
        sys.stderr.write(f"drachtio-conformance: the server went away: {visible(runner.lost)}\n")
    if crashed:
        sys.stderr.write(f"drachtio-conformance: {visible(crashed)}\n")
        return 130 if crashed == "interrupted" else ExitCode.HARNESS
    return code


def _settle_seed(options: argparse.Namespace) -> None:
    """Choose a seed where random faults are wanted and none is given. Raises SeedWithoutFaults."""
    if options.command != "client":
        return
    if options.faults is None and options.seed is not None:
        raise SeedWithoutFaults("--seed is that of random faults: give --faults random, too")
    if options.faults is not None and options.seed is None:
        options.seed = SystemRandom().randrange(1, 10**9)


class _Session:
    """One run; what has ended is kept, so that an interrupted run has a report, too."""

    def __init__(
        self,
        runner: Runner,
        console: RunConsole,
        cases: Sequence[Case],
        *,
        mutants: bool,
        helpers: Sequence[Runner] = (),
    ) -> None:
        """``helpers`` run cases side by side with ``runner``, each in a thread and loop of its own."""
        self._runner = runner
        self._helpers = helpers
        self._lock = threading.Lock()
        self._console = console
        self._cases = cases
        self._mutants = mutants
        self._expected = len(cases) * 2 if mutants else len(cases)
        self._started = datetime.now(UTC)
        self._clock = time.monotonic()
        self._ended: list[CaseResult] = []

    async def run(self) -> None:
        if self._helpers:
            await self._side_by_side()
        else:
            await self._runner.run(self._cases, self._progress)
        if not self._mutants or self._runner.never_came_up or self._runner.lost:
            return
        try:
            for case in self._cases:
                self._console.running(f"broken twins of {case.name}")
                clock = time.monotonic()
                report = await self._runner.run_mutants(case)
                self._took(mutant_result(case, report, time.monotonic() - clock))
        finally:
            await self._runner.close()

    async def _side_by_side(self) -> None:
        """Each runner takes the next case; the results stand in the order of the cases."""
        waiting = deque(self._cases)

        async def work(runner: Runner) -> None:
            while waiting and not self._runner.never_came_up:
                case = waiting.popleft()
                result = await runner.run_case(case)
                with self._lock:
                    if runner.never_came_up:  # whoever has found that out, one tells it
                        self._runner.never_came_up = runner.never_came_up
                    self._took(result)

        runners = [self._runner, *self._helpers]
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(runners)))
        jobs = [asyncio.to_thread(asyncio.run, work(runner)) for runner in runners]
        try:
            await asyncio.gather(*jobs)
        finally:
            waiting.clear()
            places = {case.name: place for place, case in enumerate(self._cases)}
            self._ended.sort(key=lambda result: places[result.name])

    def result(self, target: str, *, ended_early: bool) -> RunResult:
        return RunResult(
            target=target,
            server_version=self._runner.server_version,
            suite_version=suite_version(),
            started=f"{self._started:%Y-%m-%dT%H:%M:%SZ}",
            duration=time.monotonic() - self._clock,
            cases=self._ended,
            unreached=self._expected - len(self._ended) if ended_early or self._runner.lost else 0,
            lost=self._runner.lost,
        )

    def _progress(self, case: Case, result: CaseResult | None) -> None:
        if result is None:
            self._console.running(case.name)
        else:
            self._took(result)

    def _took(self, result: CaseResult) -> None:
        for event in result.events:
            event.summary = spelled_out(event.summary)
        self._ended.append(result)
        if not self._runner.never_came_up:
            self._console.finished(result)


def mutant_result(case: Case, report: MutantReport, duration: float) -> CaseResult:
    """How the broken twins of a case did, as a case of its own, ``mutants/NAME``."""
    twins = "1 broken twin" if report.run == 1 else f"{report.run} broken twins"
    if report.survivors:
        verdict = Verdict.FAIL
        told = [f"{each.source}: {_mutation(each.mutation)} {each.outcome}" for each in report.survivors[:5]]
        more = f" and {len(report.survivors) - 5} more" if len(report.survivors) > 5 else ""
        reason = f"{len(report.survivors)} of {twins} not noticed: {'; '.join(told)}{more}"
    else:
        verdict = Verdict.NOT_APPLICABLE if report.reason else Verdict.PASS
        reason = report.reason
    return CaseResult(
        name=f"mutants/{case.name}",
        title=f"{case.title}: {twins}",
        clauses=list(case.clauses),
        verdict=verdict,
        reason=reason,
        source=case.source,
        duration=duration,
        rerun=f"drachtio-conformance server --mutants --filter {shlex.quote(case.name)}",
        mutant=twins,
    )


def _mutation(mutation: Struct) -> str:
    """``token index=3 value='x'``"""
    fields = structs.asdict(mutation)
    kind = fields.pop("kind")
    return " ".join([str(kind), *(f"{name}={value!r}" for name, value in fields.items() if value)])


def _target(options: argparse.Namespace, profile: Profile) -> Target:
    if options.command == "client":
        chance = None if options.faults is None else Chance(options.seed, options.faults == "random")
        return ClientTarget(options.app, chance=chance)
    if options.admin is None:
        return EmulatedTarget(options.emulate) if options.emulate else EmbeddedTarget()
    admin: AdminAddress = options.admin
    patience = 2.0 * max(options.slow or 1.0, 1.0)
    return ForeignTarget(
        admin.host,
        admin.port,
        options.secret,
        secure=admin.secure,
        sip=tuple(options.sip),
        handler=profile.handler_address,
        seconds=patience,
    )


def _options(options: argparse.Namespace, profile: Profile, entries: Sequence[baseline.Entry]) -> Options:
    return Options(
        pace=Pace(scale=options.slow or 1.0),
        slow=options.slow is not None,
        restart=options.restart or "",
        profile=profile.name or (profile_of(profile.version) if profile.version else None),
        features=None if profile.features is None else frozenset(profile.features),
        expected=profile.expected(),
        danger=profile.danger,
        not_applicable=profile.not_applicable,
        configured=profile.configured,
        baseline={entry.case: f"{entry.reason} ({entry.source})" for entry in entries},
        rerun=_rerun(options),
    )


def _rerun(options: argparse.Namespace) -> str:
    """The command that runs one case; it names the secret's variable, never the secret."""
    words = ["drachtio-conformance", options.command]
    if options.admin is not None:
        words += ["--admin", shlex.quote(str(options.admin)), "--secret", '"$DRACHTIO_SECRET"']
    for name in ("sip", "profile", "scenarios"):
        value = getattr(options, name)
        for each in value if isinstance(value, list) else [value] if value else []:
            words += [f"--{name}", shlex.quote(each)]
    if getattr(options, "seed", None) is not None:
        words += ["--faults", options.faults, "--seed", str(options.seed)]
    if options.slow is not None:
        words += ["--slow", f"{options.slow:g}"]
    behind = f" -- {shlex.join(options.app)}" if options.command == "client" else ""
    return f"{_braced(' '.join(words))} --filter {{name}}{_braced(behind)}"


def _braced(text: str) -> str:
    """``text`` as it stands in a format."""
    return text.replace("{", "{{").replace("}", "}}")


def _paths(options: argparse.Namespace) -> Paths:
    """Where reports go. Makes their folders, so that a run does not end without being able to write its report."""
    folder = Path(options.report) if options.report else None
    paths = Paths(
        html=folder / "index.html" if folder else None,
        json=Path(options.json) if options.json else folder / "report.json" if folder else None,
        junit=Path(options.junit) if options.junit else folder / "junit.xml" if folder else None,
        markdown=Path(options.markdown) if options.markdown else folder / "summary.md" if folder else None,
    )
    for path in paths.all():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            pass
    return paths


def _write(
    result: RunResult, rules: specification.Specification, paths: Paths, *, code: int, full: bool
) -> None:
    if paths.html is not None:
        html_page.write(result, rules, paths.html)
    if paths.json is not None:
        json_report.write(result, paths.json, code, full=full)
    if paths.junit is not None:
        junit.write(result, paths.junit)
    if paths.markdown is not None:
        markdown.write(result, rules, paths.markdown)
    markdown.append_to_summary(result, rules)


def _profile(options: argparse.Namespace, cases: Sequence[Case]) -> Profile:
    """What is said of the suite's own cases does not matter where cases of one's own run."""
    name = options.profile or PROFILES.get(options.emulate, "")
    profile = load_profile(name, cases, strict=not options.scenarios) if name else Profile()
    if not options.emulate:
        return profile
    return structs.replace(
        profile, not_applicable=profile.not_applicable | unmeasured(options.emulate, cases)
    )


def _hint(options: argparse.Namespace, runner: Runner) -> str:
    """That more is known about this server than the cases say, if it is and nobody has asked for it."""
    known = profile_of(runner.server_version)
    if options.profile or runner.target.embedded or known not in shipped():
        return ""
    return f"--profile {known} comes with the suite: it knows where this release fails, and how"


def _exit_code(runner: Runner, target: Target, result: RunResult, *, crashed: str) -> ExitCode:
    if runner.never_came_up:
        if target.embedded and target.shared:
            return ExitCode.HARNESS
        return ExitCode.USAGE if "incorrect secret" in runner.never_came_up else ExitCode.NO_PEER
    return ExitCode.HARNESS if crashed else outcome.exit_code(result)


def _told(error: Exception) -> str:
    """One sentence about a crash of the suite."""
    if os.environ.get("DRACHTIO_CONFORMANCE_TRACEBACK"):
        traceback.print_exception(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"the suite itself failed, this is a defect of it: {type(error).__name__}: {error} "
        f"({Path(frame.filename).name}:{frame.lineno}; DRACHTIO_CONFORMANCE_TRACEBACK=1 shows more)"
    )
