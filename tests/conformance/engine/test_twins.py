"""Every check of every case can fail: each broken twin of each case is noticed at its check."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drachtio_conformance.cases.loader import load
from drachtio_conformance.cases.vocabulary import CHECKS
from drachtio_conformance.engine.runner import Options, Runner
from drachtio_conformance.engine.twins import MutantReport
from drachtio_conformance.targets.embedded import EmbeddedTarget

SCENARIOS = Path(__file__).parents[3] / "scenarios"
FILES = sorted(SCENARIOS.rglob("*.yaml"))


def twins_of(file: Path) -> list[MutantReport]:
    """What became of the twins of each case of ``file``, in its order."""
    cases = load([file])

    async def story() -> list[MutantReport]:
        runner = Runner(EmbeddedTarget(), Options(slow=True))
        try:
            return [await runner.run_mutants(case) for case in cases]
        finally:
            await runner.close()

    return asyncio.run(story())


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SCENARIOS).with_suffix("")))
def test_no_twin_survives(file: Path) -> None:
    for case, report in zip(load([file]), twins_of(file), strict=True):
        assert report.reason == "", case.name
        assert report.survivors == (), case.name
        checks = {located.step.__struct_config__.tag for located in case.steps} & CHECKS
        assert report.run > 0 or not checks, f"{case.name} has no twin"
