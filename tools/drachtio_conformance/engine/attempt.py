"""One pass through the steps of a case, and what it leaves behind in the server."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Sequence

from msgspec import Struct, field

from drachtio_conformance.engine.perform import not_run, perform
from drachtio_conformance.engine.results import StepOutcome, StepResult
from drachtio_conformance.steps.mutation import Mutation
from drachtio_conformance.steps.proof import Proof
from drachtio_conformance.steps.stage import Stage
from drachtio_conformance.steps.step import Located
from drachtio_conformance.targets.target import ServerUnderTest

SETTLING = 32.0
"""64·T1: how far time is advanced after a case, before the server's tables must be empty (seconds)."""


class Attempt(Struct):
    """How it went."""

    located: Sequence[Located]
    """the steps that were to be carried out"""
    steps: list[StepResult]
    proofs: list[Proof]
    """of each step, if the stage is proving"""
    stage: Stage
    objections: list[str] = field(default_factory=list)
    """what an application under test has done besides that no application may"""
    leftovers: str = ""
    crashes: list[str] = field(default_factory=list)
    """exceptions that an embedded server let escape into the event loop"""

    @property
    def ended_at(self) -> int | None:
        """Index of the first step that was not OK."""
        for index, step in enumerate(self.steps):
            if step.outcome is not StepOutcome.OK:
                return index
        return None

    @property
    def clean(self) -> bool:
        """Whether all went well, so that another case may have the server."""
        return self.ended_at is None and not (self.leftovers or self.crashes or self.objections)


async def play(
    stage: Stage,
    steps: Sequence[Located],
    twin: tuple[int, Mutation] | None = None,
    *,
    patience: float | None = None,
) -> Attempt:
    """Carry out the steps up to the first that is not OK; then close everything on the stage.

    ``twin`` is a mutation and the index of the step that must notice it. ``patience`` asks what remains in the
    server's tables, and is how long it may take to empty them (seconds).
    """
    result = Attempt(steps, [not_run(located) for located in steps], [Proof() for _ in steps], stage)
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: result.crashes.append(escaped(context)))
    try:
        try:
            for index, located in enumerate(steps):
                stage.mutation = twin[1] if twin is not None and twin[0] == index else None
                result.steps[index] = await perform(stage, located)
                result.proofs[index] = stage.proof
                if result.steps[index].outcome is not StepOutcome.OK:
                    break
            result.objections = await stage.objections(at_once=result.ended_at is not None)
        finally:
            await stage.clear()
        if patience is not None and result.ended_at is None:
            result.leftovers = await leftovers(stage.server, patience)
    finally:
        loop.set_exception_handler(handler)
    return result


def escaped(context: dict[str, object]) -> str:
    """One line about an exception that the event loop reports, with the place it comes from."""
    error = context.get("exception")
    if not isinstance(error, BaseException):
        return str(context.get("message"))
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" ({frame.filename.rpartition('/')[2]}:{frame.lineno})" for frame in place)
    return f"{type(error).__name__}: {error}{where}"


async def leftovers(server: ServerUnderTest, patience: float) -> str:
    """What remains in the server's tables 64·T1 after everybody has gone; empty if nothing or unknown.

    ``patience`` is how long the server may really take to notice that they have gone (seconds).
    """
    if server.occupancy() is None:
        return ""
    deadline = time.monotonic() + patience
    await server.advance(SETTLING)
    while True:
        remaining = {name: count for name, count in (server.occupancy() or {}).items() if count}
        if not remaining:
            return ""
        if time.monotonic() > deadline:
            return ", ".join(f"{count} {name}" for name, count in sorted(remaining.items()))
        await asyncio.sleep(0)  # the server may not have read the end of a connection yet
        await server.advance(SETTLING)
