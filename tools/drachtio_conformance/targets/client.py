"""An application under test: a command of its author, started for each case, and the reference server behind it.

The command finds where to connect in its environment and says on its standard output, in lines of JSON, what cannot
be seen on the wire (docs/conformance-app.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import msgspec
from msgspec import Struct

from application_rules.rules import Problem, Weight
from drachtio_conformance.peers.channel import Bell, Channel, Closed, NothingCame
from drachtio_conformance.peers.link import Link
from drachtio_conformance.peers.random_faults import RandomFaults
from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import Endpoints, ServerUnderTest, StartFailed

ENDS = "ends"
"""beside the names of rules, what a case may overlook: that the application ends"""
_COMPLAINTS = 4000
"""octets of standard error that are kept"""
_LONGEST_LINE = 1 << 20


class Running(Protocol):
    """A conformance app, however it runs."""

    @property
    def said(self) -> Channel[Mapping[str, object] | Closed]:
        """What its standard output said, in order."""

    @property
    def complaints(self) -> str:
        """The end of its standard error."""

    @property
    def ended(self) -> int | None:
        """Its exit status, once it has ended."""

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start it. Raises StartFailed."""

    async def stop(self) -> None:
        """End it, and wait until it is gone."""


class Process:
    """A conformance app as a process of its own."""

    def __init__(self, command: Sequence[str], bell: Bell) -> None:
        """``bell`` rings when it says something."""
        self.said: Channel[Mapping[str, object] | Closed] = Channel(bell)
        """what its standard output said, in order"""
        self.complaints = ""
        """the end of its standard error"""
        self.ended: int | None = None
        """its exit status, once it has ended"""
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start it. Raises StartFailed."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **environment},
                limit=_LONGEST_LINE,
                start_new_session=True,
            )
        except OSError as error:
            raise StartFailed(f"{self._command[0]}: {error.strerror}") from None
        self._readers = [
            asyncio.ensure_future(self._listen()),
            asyncio.ensure_future(self._hear_complaints()),
        ]

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            with contextlib.suppress(msgspec.DecodeError, RecursionError):
                said = msgspec.json.decode(line)
                if isinstance(said, dict):
                    self.said.put(said)
        self.ended = await self._process.wait()
        self.said.put(Closed())

    async def _hear_complaints(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(4096):
            self.complaints = (self.complaints + data.decode("utf-8", "replace"))[-_COMPLAINTS:]

    async def stop(self) -> None:
        """End it and whatever it has started, and wait until it is gone."""
        if self._process is None:
            return
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await asyncio.gather(*self._readers)


class Chance(Struct, frozen=True):
    """Faults that come by chance."""

    seed: int
    frames: bool
    """frames of unknown types and with tokens more, too, not pieces alone"""

    @property
    def words(self) -> str:
        """For reports."""
        return f"{'random faults' if self.frames else 'frames in random pieces'}, seed {self.seed}"


class ClientUnderTest:
    """A command to be started, and the embedded server that it talks to."""

    def __init__(
        self, server: ServerUnderTest, run: Callable[[Bell], Running], chance: Chance | None = None
    ) -> None:
        """``run`` makes what is started; it rings the bell when it says something.

        ``chance``: faults come by chance.
        """
        self.run = run
        self._chance = chance
        self._server = server

    def faults(self, case: str) -> RandomFaults | None:
        """Those of the case of that name."""
        chance = self._chance
        return None if chance is None else RandomFaults(f"{chance.seed}/{case}", frames=chance.frames)

    @property
    def endpoints(self) -> Endpoints:
        """Where the server listens."""
        return self._server.endpoints

    async def advance(self, seconds: float) -> None:
        """Move the server's clock; the application's own goes on as it does."""
        await self._server.advance(seconds)

    def now(self) -> float:
        """Seconds on the server's clock."""
        return self._server.now()

    def occupancy(self) -> dict[str, int] | None:
        """It is not the server that is judged."""
        return None

    async def gone(self) -> str:
        """It lives in this process."""
        return ""

    async def stop(self) -> None:
        """Stop the server."""
        await self._server.stop()


class ClientTarget:
    """Applications of one command."""

    embedded = True
    shared = False

    def __init__(
        self,
        command: Sequence[str],
        run: Callable[[Bell], Running] | None = None,
        *,
        chance: Chance | None = None,
    ) -> None:
        """``run`` makes what is started instead of the command, which is its name then.

        ``chance``: faults come by chance into what applications get.
        """
        # Not above: whoever lists cases or presses TAB needs the steps, they need this file, and nobody the server.
        from drachtio_conformance.targets.embedded import EmbeddedTarget

        self._command = tuple(command)
        self._run = run
        self._chance = chance
        self._embedded = EmbeddedTarget()

    @property
    def description(self) -> str:
        """The command, and the seed."""
        command = " ".join(self._command)
        return command if self._chance is None else f"{command}, with {self._chance.words}"

    async def start(self, settings: ServerSettings | None) -> ClientUnderTest:
        """A server for one case. Raises StartFailed."""
        if self._run is None and shutil.which(self._command[0]) is None:
            raise StartFailed(f"{self._command[0]}: there is no such command")
        server = await self._embedded.start(settings or ServerSettings())
        return ClientUnderTest(server, self._run or partial(Process, self._command), self._chance)


class Authority(Struct, frozen=True):
    """A certificate for 127.0.0.1."""

    context: ssl.SSLContext
    certificate: str
    """path of the file by which an application knows it"""


class ClientSide:
    """What a case plays with: the running application, the link to it, and what the judge may overlook."""

    def __init__(self, tested: ClientUnderTest, recorder: Recorder, bell: Bell, *, case: str) -> None:
        self.link = Link(tested.endpoints.admin, recorder, bell, faults=tested.faults(case))
        self.process = tested.run(bell)
        self.overlooked: set[str] = set()
        """names of rules that this case is about, or brings about"""
        self._tested = tested
        self._bell = bell

    async def start(self, mode: str, environment: Mapping[str, str], authority: Authority | None) -> None:
        """Listen, and start the application. Raises StartFailed."""
        given = {
            "DRACHTIO_HOST": "127.0.0.1",
            "DRACHTIO_SECRET": self._tested.endpoints.secret,
            "DRACHTIO_MODE": mode,
            "DRACHTIO_PING": "20",  # cases about silence say another; on a busy machine a pong may be late
            "DRACHTIO_RECONNECT": "0.02",
            **environment,
        }
        if mode != "outbound":
            tls = None if authority is None else authority.context
            given["DRACHTIO_PORT"] = str(await self.link.listen(tls))
        if authority is not None:
            given["DRACHTIO_CA"] = authority.certificate
        await self.process.start(given)

    async def objections(self, patience: float | None) -> list[str]:
        """What speaks against the application so far.

        With ``patience`` (seconds) also what it still owes then; it is waited for until it owes nothing.
        """
        found = list(self.link.problems)
        if patience is not None:
            with contextlib.suppress(NothingCame):
                await self._bell.until(lambda: None if self._debts() else True, patience)
            found = [*self.link.problems, *self._debts()]
        counted = [each for each in found if each.rule.weight is Weight.VIOLATION]
        told = [each.sentence for each in counted if each.rule.name not in self.overlooked]
        if self.process.ended is not None and ENDS not in self.overlooked:
            end = "".join(self.process.complaints.strip().splitlines()[-1:])
            status = f"the application has ended with status {self.process.ended}"
            told.append(f"{status}: {end}" if end else status)
        return list(dict.fromkeys(told))

    def _debts(self) -> list[Problem]:
        return [each for each in self.link.judge.debts() if each.rule.name not in self.overlooked]

    async def stop(self) -> None:
        """End the application and the link."""
        await self.process.stop()
        await self.link.close()
