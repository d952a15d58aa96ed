"""The reference client in the process of the tests, whole or broken on purpose: a case takes some milliseconds."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from drachtio_conformance.peers.channel import Bell, Channel, Closed
from drachtio_conformance.targets.client import ClientTarget

ROOT = Path(__file__).parents[3]
APP = ROOT / "conformance_apps" / "python" / "app.py"
SCENARIOS = ROOT / "client_scenarios"
QUICK = {"DRACHTIO_RECONNECT": "0.005"}
"""for a client in this process; as a process of its own it is given four times as much"""


def module_of(*changes: tuple[str, str]) -> ModuleType:
    """The app with its client, these texts of either replaced, each of which stands there once."""
    sources = {name: (APP.parent / f"{name}.py").read_text("utf-8") for name in ("drachtio", "app")}
    for old, new in changes:
        found = [name for name, source in sources.items() for _ in range(source.count(old))]
        assert len(found) == 1, f"{len(found)} times in the source: {old}"
        sources[found[0]] = sources[found[0]].replace(old, new)
    modules = {name: ModuleType(name) for name in sources}
    with mock.patch.dict(sys.modules, modules):
        for name, source in sources.items():
            exec(compile(source, str(APP.parent / f"{name}.py"), "exec"), modules[name].__dict__)
    modules["app"].__dict__["asyncio"] = _Hurrying()
    return modules["app"]


class _Hurrying:
    """``asyncio`` in which all takes a tenth of its time: refreshing a subscription, another try after a 491."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


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
        self._app.say = self._say
        self._task = asyncio.ensure_future(self._run({**environment, **QUICK}))

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
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        client = getattr(self._app, "client", None)
        while client and client.tasks:
            tasks = list(client.tasks)
            await asyncio.sleep(0)  # each has begun: who never did closes nothing
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def target(*changes: tuple[str, str]) -> ClientTarget:
    """The reference client, with these changes that break it."""
    module = module_of(*changes)
    return ClientTarget(["reference client"], lambda bell: InProcess(module, bell))
