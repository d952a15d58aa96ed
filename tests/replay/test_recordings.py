"""Recorded traces of our own against the embedded server (those of the genuine one: test_scenario.py)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drachtio_conformance.cases import specification
from drachtio_conformance.engine.results import Verdict
from drachtio_conformance.replay import expected, files
from drachtio_conformance.replay.command import Replay, known_rows

HERE = Path(__file__).parent
OWN = sorted((HERE / "recorded").glob("*.log"))
GENUINE = sorted((HERE.parents[2] / "shared" / "traces").glob("*.log"))


def test_there_are_recordings_of_our_own() -> None:
    assert len(OWN) >= 20


@pytest.mark.parametrize("log", OWN, ids=lambda log: log.stem)
def test_our_own_server_does_again_what_it_did(log: Path) -> None:
    result = asyncio.run(Replay().run(log))
    assert result.verdict is Verdict.PASS, result.reason


@pytest.mark.skipif(not GENUINE, reason="the recordings of the genuine server are not beside this clone")
def test_every_expectation_is_about_a_recording() -> None:
    expectations = expected.load(HERE / "expect.yaml", known_rows(specification.load()))
    names = {files.read(log).name for log in GENUINE}
    about = {one.trace for one in expectations.differences}
    about |= {one.trace for one in expectations.unspecified} | {
        one.trace for one in expectations.known_failing
    }
    assert about <= names
