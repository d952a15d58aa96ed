"""Recorded traces against the embedded server: our own always, the genuine server's where they are at hand."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drachtio_conformance.cases import specification
from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.replay import expected, files
from drachtio_conformance.replay.command import Replay, known_rows
from drachtio_conformance.replay.expected import Expectations

HERE = Path(__file__).parent
OWN = sorted((HERE / "recorded").glob("*.log"))
GENUINE = sorted((HERE.parents[2] / "shared" / "traces").glob("*.log"))
GOOD = {Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.KNOWN_FAILING}


def replayed(log: Path, expectations: Expectations | None = None) -> CaseResult:
    return asyncio.run(Replay(expectations).run(log))


@pytest.fixture(scope="module")
def expectations() -> Expectations:
    return expected.load(HERE / "expect.yaml", known_rows(specification.load()))


def test_there_are_recordings_of_our_own() -> None:
    assert len(OWN) >= 20


@pytest.mark.parametrize("log", OWN, ids=lambda log: log.stem)
def test_our_own_server_does_again_what_it_did(log: Path) -> None:
    result = replayed(log)
    assert result.verdict is Verdict.PASS, result.reason


@pytest.mark.skipif(not GENUINE, reason="the recordings of the genuine server are not beside this clone")
@pytest.mark.parametrize("log", GENUINE, ids=lambda log: log.stem)
def test_what_the_genuine_server_did(log: Path, expectations: Expectations) -> None:
    result = replayed(log, expectations)
    assert result.verdict in GOOD, f"{result.verdict}: {result.reason}"


@pytest.mark.skipif(not GENUINE, reason="the recordings of the genuine server are not beside this clone")
def test_every_expectation_is_about_a_recording(expectations: Expectations) -> None:
    names = {files.read(log).name for log in GENUINE}
    about = {one.trace for one in expectations.differences}
    about |= {one.trace for one in expectations.unspecified} | {
        one.trace for one in expectations.known_failing
    }
    assert about <= names
