"""One case, step by step, from code that is not asynchronous: features, a shell, a debugger.

A session owns a thread with an event loop, on which the target and every peer live. Each call hands one step to that
loop and returns when it has been carried out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

from drachtio_conformance.cases.case import Case
from drachtio_conformance.engine.attempt import escaped, leftovers
from drachtio_conformance.engine.perform import perform
from drachtio_conformance.engine.results import CaseResult, StepOutcome, StepResult, Verdict
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.steps.stage import Pace, Stage
from drachtio_conformance.steps.step import Located, Step
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import Endpoints, ServerUnderTest, Target

T = TypeVar("T")


class StepFailed(AssertionError):
    """A step did not go as expected; the text is for people."""

    def __init__(self, result: StepResult) -> None:
        expected = f"\n  expected: {result.expected}" if result.expected else ""
        super().__init__(f"{result.source}: {result.sentence}{expected}\n  got: {result.actual}")
        self.result = result


class LoopThread:
    """A thread that owns an event loop; sessions may share one."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="conformance", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[object, object, T]) -> T:
        """Run a coroutine on the loop and wait for its result."""
        return self.begin(work).result()

    def begin(self, work: Coroutine[object, object, T]) -> Future[T]:
        """Run it while the caller goes on."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Session:
    """A server under test and a stage on which to play steps against it.

    Use it as a context manager. A session closes its connections and, on an embedded server, demands that the
    server's tables are empty in the end, unless a step has failed before.
    """

    def __init__(
        self,
        target: Target,
        *,
        pace: Pace | None = None,
        settings: ServerSettings | None = None,
        thread: LoopThread | None = None,
    ) -> None:
        """Start the target. Raises StartFailed."""
        self._own_thread = thread is None
        self._thread = thread or LoopThread()
        self._pace = pace or Pace()
        self._target = target
        self._results: list[StepResult] = []
        self._crashes: list[str] = []
        try:
            self._server: ServerUnderTest = self._thread.call(target.start(settings))
        except BaseException:
            self._end_thread()
            raise
        self._stage = self._thread.call(self._new_stage())

    async def _new_stage(self) -> Stage:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._crashes.append(escaped(context)))
        return Stage(self._server, self._pace, embedded=self._target.embedded)

    @property
    def endpoints(self) -> Endpoints:
        """Where the server listens, its secret and version."""
        return self._server.endpoints

    @property
    def captures(self) -> dict[str, str]:
        """All variables with their values (wire text)."""
        return dict(self._stage.variables.values)

    @property
    def events(self) -> list[WireEvent]:
        """What crossed the wires so far."""
        return list(self._stage.recorder.events)

    @property
    def steps(self) -> list[StepResult]:
        """The steps so far."""
        return list(self._results)

    def set(self, name: str, value: str) -> None:
        """Give a variable a value (wire text)."""
        self._stage.variables[name] = value

    def has_application(self, name: str) -> bool:
        """Whether an application of that name is connected."""
        application = self._stage.applications.get(name)
        return application is not None and not application.closed

    def has_peer(self, name: str) -> bool:
        """Whether a SIP peer of that name is there."""
        peer = self._stage.peers.get(name)
        return peer is not None and not peer.closed

    def do(self, step: Step, *, source: str = "session") -> StepResult:
        """Carry out one step. Raises :class:`StepFailed`."""
        result = self._thread.call(perform(self._stage, Located(step, source)))
        self._results.append(result)
        if result.outcome is not StepOutcome.OK:
            raise StepFailed(result)
        return result

    def result(self, case: Case) -> CaseResult:
        """What happened so far as the result of ``case``, for the reports."""
        outcomes = {step.outcome for step in self._results}
        verdict = Verdict.PASS
        if StepOutcome.ERROR in outcomes:
            verdict = Verdict.ERROR
        elif StepOutcome.FAILED in outcomes:
            verdict = Verdict.FAIL
        return CaseResult(
            name=case.name,
            title=case.title,
            clauses=list(case.clauses),
            verdict=verdict,
            source=case.source,
            duration=self._stage.recorder.real_duration(),
            steps=self.steps,
            events=self.events,
        )

    def close(self) -> str:
        """Close every connection and the server.

        Returns a complaint about the server, if there is one: what its tables still held, or an exception that
        escaped in it.
        """
        try:
            return self._thread.call(self._end())
        finally:
            self._end_thread()

    async def _end(self) -> str:
        await self._stage.clear()
        try:
            held = await leftovers(self._server, self._pace.deadline)
            complaints = [f"after everybody has gone the server still holds {held}"] if held else []
            complaints += [f"an exception escaped in the server: {crash}" for crash in self._crashes]
            return "; ".join(complaints)
        finally:
            await self._server.stop()

    def _end_thread(self) -> None:
        if self._own_thread:
            self._thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        complaint = self.close()
        if complaint and error is None:
            raise AssertionError(complaint)
