"""Runs cases against a target and gives verdicts; runs their broken twins and names the survivors."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from msgspec import Struct, field, structs

from drachtio_conformance.cases.case import Case, ExpectUnder, Level
from drachtio_conformance.engine import verdicts
from drachtio_conformance.engine.attempt import Attempt, play
from drachtio_conformance.engine.perform import not_run
from drachtio_conformance.engine.results import CaseResult, RunResult, Verdict
from drachtio_conformance.engine.survival import Gone, Survival, blame, reached
from drachtio_conformance.engine.twins import MutantReport, Survivor, noticed
from drachtio_conformance.peers import tls
from drachtio_conformance.peers.framing import NEEDS_WEBSOCKETS
from drachtio_conformance.steps.mutation import Mutation
from drachtio_conformance.steps.stage import Pace, Stage
from drachtio_conformance.steps.step import Located
from drachtio_conformance.steps.stories import Advance
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import ServerUnderTest, StartFailed, Target


class Options(Struct, frozen=True, kw_only=True):
    """How a run behaves."""

    pace: Pace = Pace()
    slow: bool = False
    """also run slow cases (on a foreign server: all that advance time)"""
    profile: str | None = None
    """like ``drachtio-0.9``; found from the server's version if absent"""
    features: frozenset[str] | None = None
    """what the peer declares; None: everything"""
    baseline: dict[str, str] = field(default_factory=dict)
    """case name to reason: known failures"""
    expected: dict[str, ExpectUnder] = field(default_factory=dict)
    """case name to what the peer does instead, by its profile; counts for more than the case's own ``expect_under``"""
    danger: dict[str, str] = field(default_factory=dict)
    """case name to why it must not run against this peer, by its profile"""
    not_applicable: dict[str, str] = field(default_factory=dict)
    """case name to why it says nothing about this peer, by its profile"""
    configured: ServerSettings | None = None
    """the settings of cases that a foreign server runs with"""
    restart: str = ""
    """a command that starts a foreign server that has gone away"""
    rerun: str = "drachtio-conformance server --filter {name}"
    """command that runs one case, for reports"""


_BY_HTTP = ("GET", "POST")
_LISTED = {"ipv6": ("udp", "ipv6"), "tls": ("tls", "ipv4"), "ws": ("ws", "ipv4"), "wss": ("wss", "ipv4")}
"""Features that a server's own list of endpoints shows: transport and family."""
_DOORS = frozenset({*_LISTED, "admin_tls"})
"""Features that are where a server listens."""
_TO_BE_CONFIGURED = frozenset({"cdrs"})
"""Features that no server has unless it is configured for them: a foreign one has to declare them."""

Progress = Callable[[Case, CaseResult | None], None]
"""Called with None when a case begins, and with its result when it ends."""


class Runner:
    """Runs cases one after another, each on connections of its own."""

    def __init__(
        self,
        target: Target,
        options: Options | None = None,
        *,
        survival: Survival | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """``survival`` is how a server that goes away comes back, by the options if it is not given; ``tell`` is
        given remarks for who watches.
        """
        self.target = target
        self.options = options or Options()
        self.never_came_up: str = ""
        """why the target could not be reached at all; empty if it could"""
        self.lost: str = ""
        """why the target is no longer there: it went away in the middle, and did not come back"""
        self._survival = survival or Survival(target, self.options.restart)
        self._tell = tell or (lambda _: None)
        self._shared: ServerUnderTest | None = None
        self.server_version = ""
        """from the authenticate answer; empty until the first case has asked"""

    async def run(self, cases: Sequence[Case], on_progress: Progress | None = None) -> RunResult:
        """Run all cases. Verdicts: design, the conformance contract."""
        started, clock = datetime.now(UTC), time.monotonic()
        results: list[CaseResult] = []
        try:
            for case in cases:
                if on_progress is not None:
                    on_progress(case, None)
                before = next((one for one in reversed(results) if reached(one)), None)
                result = await self._survived(case, before)
                results.append(result)
                if on_progress is not None:
                    on_progress(case, result)
                if self.lost:
                    break
        finally:
            await self.close()
        return RunResult(
            target=self.target.description,
            server_version=self.server_version,
            suite_version=suite_version(),
            started=started.isoformat(timespec="seconds"),
            duration=time.monotonic() - clock,
            cases=results,
            unreached=len(cases) - len(results) if self.lost else 0,
            lost=self.lost,
        )

    async def close(self) -> None:
        """Stop the server that cases share."""
        shared, self._shared = self._shared, None
        if shared is not None:
            await shared.stop()

    async def _survived(self, case: Case, before: CaseResult | None) -> CaseResult:
        """Run one case; if the server is gone after it, let its result say so and bring the server back.

        ``before`` is the case that had to do with the server before this one.
        """
        result = await self.run_case(case)
        if not (why := await self._gone()):
            return result
        late = before is not None and not before.killer and not reached(result)
        killer = before if before is not None and late else result
        blame(killer, why)
        self._tell(f"{killer.name} kills the server; waiting for it to come back")
        try:
            self._shared = await self._survival.bring_back()
        except Gone as error:
            self.lost = str(error)
            return result
        return await self._survived(case, None) if late else result

    async def _gone(self) -> str:
        """Why the server that cases share no longer serves."""
        return await self._shared.gone() if self._shared is not None and not self.never_came_up else ""

    async def run_case(self, case: Case) -> CaseResult:
        """Run one case; every peer failure ends up in the result."""
        clock = time.monotonic()
        try:
            result = await self._judged(case)
        except StartFailed as error:
            self.never_came_up = self.never_came_up or str(error)
            result = _result(case, Verdict.ERROR, str(error))
        result.duration = time.monotonic() - clock
        result.rerun = self.options.rerun.format(name=shlex.quote(case.name))
        return result

    async def _judged(self, case: Case) -> CaseResult:
        if self.never_came_up:
            raise StartFailed(self.never_came_up)
        if reason := self._out_of_reach(case):
            return _result(case, Verdict.NOT_APPLICABLE, reason)
        server = await self._server(case)
        if reason := self._not_offered(case, server):
            await self._release(server, case, clean=True)
            return _result(case, Verdict.NOT_APPLICABLE, reason)
        profile = self._profile(server)
        if reason := self.options.danger.get(case.name) or case.danger_to(profile):
            await self._release(server, case, clean=True)
            return _result(case, Verdict.NOT_APPLICABLE, f"danger to {profile}: {reason}")
        under = self.options.expected.get(case.name) or case.under(profile)
        steps = under.steps if under is not None and under.steps else case.steps
        attempt = await self._attempt(server, case, steps)
        result = _result(case, Verdict.PASS, "")
        result.steps, result.events = attempt.steps, attempt.stage.recorder.events
        verdicts.judge(result, attempt)
        if known := self.options.baseline.get(case.name, ""):
            verdicts.weigh_known(result, known)
        elif under is not None:
            verdicts.weigh_expected(result, attempt, under, profile=profile)
        elif result.verdict is Verdict.FAIL and case.level is Level.SHOULD:
            result.verdict = Verdict.WARN
        return result

    # Where a case can run

    def _out_of_reach(self, case: Case) -> str:
        """Why a case does not apply here; empty if it does."""
        features = self.options.features
        if reason := self.options.not_applicable.get(case.name):
            return reason
        if features is not None:
            missing = [feature for feature in case.requires if feature not in features]
            if missing:
                return f"the peer does not declare {', '.join(missing)}"
        elif not self.target.embedded and (undeclared := _TO_BE_CONFIGURED.intersection(case.requires)):
            names = ", ".join(undeclared)
            return f"needs a server that is configured for {names}, and a --profile with features: [{names}]"
        if not self.target.embedded and case.server != self.options.configured:
            if case.server is None:
                return "the server is configured for other cases"
            return "needs a server with settings of its own: the embedded one, or one whose --profile says configured"
        if reason := _lacking(case):
            return reason
        if not self.options.slow and self._takes_real_time(case):
            return "slow: runs with --slow only"
        return ""

    def _not_offered(self, case: Case, server: ServerUnderTest) -> str:
        """Why a case does not apply to a server that says itself what it offers; a profile's word counts for more."""
        endpoints = server.endpoints
        if "admin_tls" in case.requires and endpoints.tls_admin is None:
            return "needs an admin port by TLS: --admin tls://HOST:PORT"
        if self.options.features is not None:
            return ""
        for feature, (transport, family) in _LISTED.items():
            if feature in case.requires and endpoints.sip(transport, family) is None:
                return f"the server lists no {'IPv6' if feature == 'ipv6' else feature.upper()} endpoint"
        return ""

    def _takes_real_time(self, case: Case) -> bool:
        advances = any(isinstance(located.step, Advance) for located in case.steps)
        return case.slow or (advances and not self.target.embedded)

    def _profile(self, server: ServerUnderTest) -> str:
        if self.options.profile is not None:
            return self.options.profile
        return profile_of(server.endpoints.version)

    async def _server(self, case: Case) -> ServerUnderTest:
        settings = _settings(case)
        if not self.target.shared or (settings is not None and self.target.embedded):
            return await self.target.start(settings)
        if self._shared is None:
            self._shared = await self.target.start(None)
            self.server_version = self._shared.endpoints.version
        return self._shared

    async def _release(self, server: ServerUnderTest, case: Case, *, clean: bool) -> None:
        """A server that a case had for itself ends with it, and so does one that is not as it was."""
        if server is self._shared:
            if clean or not self.target.embedded:
                return
            self._shared = None
        await server.stop()

    # One pass

    async def _attempt(
        self,
        server: ServerUnderTest,
        case: Case,
        steps: Sequence[Located],
        *,
        twin: tuple[int, Mutation] | None = None,
        proving: bool = False,
    ) -> Attempt:
        """Carry out the steps and let go of the server; ``proving`` shows each check what it must object to."""
        stage = Stage(server, self.options.pace, embedded=self.target.embedded, case=case.name)
        stage.proving = proving
        settles = twin is None and not case.ends_open
        clean = False
        try:
            result = await play(stage, steps, twin, patience=self.options.pace.deadline if settles else None)
            clean = result.clean
        finally:
            await self._release(server, case, clean=clean)
        return result

    # Broken twins

    async def run_mutants(self, case: Case) -> MutantReport:
        """Try every broken twin of a case; each must fail at the check that it concerns.

        Most are tried while the case is played once: a check is shown what came, as a broken server would have sent it.
        """
        if reason := self._out_of_reach(case):
            return MutantReport(case.name, 0, (), reason)
        try:
            original = await self._attempt(await self._server(case), case, case.steps, proving=True)
        except StartFailed as error:
            return MutantReport(case.name, 0, (), str(error))
        if original.ended_at is not None:
            failed = original.steps[original.ended_at]
            return MutantReport(case.name, 0, (), f"the case itself fails at {failed.source}")
        run = 0
        survivors: list[Survivor] = []
        for index, proof in enumerate(original.proofs):
            source = case.steps[index].source
            run += proof.noticed + len(proof.unnoticed) + len(proof.open)
            survivors += [Survivor(case.name, source, mutation, "passed") for mutation in proof.unnoticed]
            for mutation in proof.open:
                twin = await self._attempt(await self._server(case), case, case.steps, twin=(index, mutation))
                if not noticed(twin, index, mutation):
                    outcome = "passed" if twin.ended_at is None else f"ended at step {twin.ended_at + 1}"
                    survivors.append(Survivor(case.name, source, mutation, outcome))
        return MutantReport(case.name, run, tuple(survivors))


def _lacking(case: Case) -> str:
    """What has to be installed here for a case; empty if nothing is missing."""
    handler = "" if case.server is None else case.server.request_handler or ""
    if handler in _BY_HTTP and find_spec("aiohttp") is None:
        return "needs the Python library aiohttp: pip install '.[http]'"
    if not {"ws", "wss"}.isdisjoint(case.requires) and find_spec("websockets") is None:
        return NEEDS_WEBSOCKETS
    if (
        handler == "tls" or not {"tls", "wss", "admin_tls"}.isdisjoint(case.requires)
    ) and not tls.available():
        return "needs the command openssl, by which the suite makes its certificate"
    return ""


def _settings(case: Case) -> ServerSettings | None:
    switched_on = dict.fromkeys({*_DOORS, *_TO_BE_CONFIGURED}.intersection(case.requires), True)
    return structs.replace(case.server or ServerSettings(), **switched_on) if switched_on else case.server


def _result(case: Case, verdict: Verdict, reason: str) -> CaseResult:
    return CaseResult(
        name=case.name,
        title=case.title,
        clauses=list(case.clauses),
        verdict=verdict,
        reason=reason,
        source=case.source,
        steps=[not_run(located) for located in case.steps],
    )


def profile_of(server_version: str) -> str:
    """Profile of a genuine server by its version: ``v0.9.5-rc3`` → ``drachtio-0.9.5``; ours has none."""
    parts = re.fullmatch(r"v?(\d+\.\d+\.\d+)(?!.*-ref\.).*", server_version)
    return f"drachtio-{parts[1]}" if parts else ""


def suite_version() -> str:
    """The version of the installed suite."""
    try:
        return version("drachtio-conformance")
    except PackageNotFoundError:
        return "unknown"
