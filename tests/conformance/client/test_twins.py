"""Every check of every client case can fail, and the reference client passes every case."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drachtio_conformance.cases.loader import load
from drachtio_conformance.engine.results import Verdict
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.steps.stage import Pace
from tests.conformance.client.reference_app import SCENARIOS, target

FILES = sorted(SCENARIOS.rglob("*.yaml"))


def named(file: Path) -> str:
    return str(file.relative_to(SCENARIOS).with_suffix(""))


@pytest.mark.parametrize("file", FILES, ids=named)
def test_the_reference_client_passes_and_no_twin_survives(file: Path) -> None:
    async def story() -> None:
        runner = Runner(target(), Options(slow=True))
        for case in load([file], root=SCENARIOS):
            result = await runner.run_case(case)
            assert (result.verdict, result.reason) == (Verdict.PASS, ""), case.name
            # A twin that waits in vain for what was taken away need not wait long.
            runner.options = Options(slow=True, pace=Pace(deadline=2.0))
            report = await runner.run_mutants(case)
            assert report.reason == "", case.name
            assert report.survivors == (), case.name
            assert report.run > 0, f"{case.name} has no twin"

    asyncio.run(story())


def test_there_are_enough_cases() -> None:
    assert len(load([SCENARIOS])) >= 120
