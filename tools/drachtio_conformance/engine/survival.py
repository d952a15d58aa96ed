"""A server that goes away in the middle of a run: which case it was, and how the run goes on.

After each case a foreign server is asked whether it still serves. If it does not, the case killed it, unless not one
octet came from the server in that case: then it was gone before, and the case that ran before is the killer. Whoever
runs the suite may name a command that starts the server anew; else a supervisor has some seconds to do it.
"""

from __future__ import annotations

import asyncio
import time

from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.peers.recorder import SERVER
from drachtio_conformance.targets.target import ServerUnderTest, StartFailed, Target

UNATTENDED = 10.0
"""seconds that a supervisor has to bring the server back"""
RESTARTED = 30.0
"""seconds that it may take to come up after the command"""
_PAUSE = 0.1
"""seconds between two looks"""


class Gone(Exception):
    """The server did not come back; the text says what was tried."""


def reached(result: CaseResult) -> bool:
    """Whether anything came from the server in that case."""
    return any(event.source == SERVER for event in result.events)


def blame(result: CaseResult, why: str) -> None:
    """Let a case's result say that it killed the server; whatever else it says comes behind."""
    result.killer = True
    result.verdict = Verdict.FAIL
    besides = f"; {result.reason}" if result.reason else ""
    result.reason = f"kills the server: {why}{besides}"


class Survival:
    """Brings a server back."""

    def __init__(
        self, target: Target, restart: str = "", *, seconds: float | None = None, pause: float = _PAUSE
    ) -> None:
        """``restart`` is a shell command that ends once the server is on its way up; ``seconds`` bounds the wait."""
        self._target = target
        self._restart = restart
        self._seconds = seconds if seconds is not None else RESTARTED if restart else UNATTENDED
        self._pause = pause

    async def bring_back(self) -> ServerUnderTest:
        """Start the server, or wait until somebody has. Raises :class:`Gone`."""
        deadline = time.monotonic() + self._seconds
        told = await self._restarted() if self._restart else ""
        while True:
            try:
                return await self._target.start(None)
            except StartFailed as error:
                if time.monotonic() > deadline:
                    tried = f"after '{self._restart}'{told}" if self._restart else "without --restart COMMAND"
                    raise Gone(f"it did not come back within {self._seconds:g} s {tried}: {error}") from None
            await asyncio.sleep(self._pause)

    async def _restarted(self) -> str:
        """Run the command; says how it ended unless it ended well."""
        nothing = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_shell(
            self._restart, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
        try:
            async with asyncio.timeout(self._seconds):
                status = await process.wait()
        except TimeoutError:
            return ", which has not ended"
        return f", which ended with status {status}" if status else ""
