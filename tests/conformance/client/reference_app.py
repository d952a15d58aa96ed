"""The reference client in the process of the tests, whole or broken on purpose: a case takes some milliseconds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from drachtio_conformance.peers.channel import Bell, Channel, Closed
from drachtio_conformance.targets.client import ClientTarget

ROOT = Path(__file__).parents[3]
APP = ROOT / "conformance_apps" / "python" / "app.py"
SCENARIOS = ROOT / "client_scenarios"


def module_of(*changes: tuple[str, str]) -> ModuleType:
    """The reference client with these texts of its source replaced, each of which stands there once."""
    source = APP.read_text("utf-8")
    for old, new in changes:
        assert source.count(old) == 1, f"{source.count(old)} times in the source: {old}"
        source = source.replace(old, new)
    module = ModuleType("reference_client")
    exec(compile(source, str(APP), "exec"), module.__dict__)
    return module


class InProcess:
    """The app as a task of this loop."""

    def __init__(self, module: Any, bell: Bell) -> None:
        self.said: Channel[Mapping[str, object] | Closed] = Channel(bell)
        self.complaints = ""
        self.ended: int | None = None
        self._module = module
        self._app: Any = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, environment: Mapping[str, str]) -> None:
        """Run it."""
        self._app = self._module.App()
        self._app.say = self._app.client.say = self._say
        self._task = asyncio.ensure_future(self._run(environment))

    def _say(self, event: str, **details: object) -> None:
        self.said.put(json.loads(json.dumps({"event": event, **details})))

    async def _run(self, environment: Mapping[str, str]) -> None:
        try:
            await self._module.main(self._app, environment)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.complaints = repr(error)
        self.ended = 0
        self.said.put(Closed())

    async def stop(self) -> None:
        """End it and all that it has begun."""
        tasks = [task for task in (self._task, *(self._app.client.tasks if self._app else ())) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def target(*changes: tuple[str, str]) -> ClientTarget:
    """The reference client, with these changes that break it."""
    module = module_of(*changes)
    return ClientTarget(["reference client"], lambda bell: InProcess(module, bell))
