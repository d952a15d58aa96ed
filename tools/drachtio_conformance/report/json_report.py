"""The JSON report: the one model of results.py, with the sums that a reader would otherwise compute again.

The schema is published as docs/report.schema.json. Octets of the wire stand as characters U+0000–U+00FF
(``text.encode('latin-1')`` gives the bytes back).
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from msgspec import Struct

from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.results import CaseResult, RunResult, Verdict

FORMAT = 1
"""grows when a reader of the former format would misread the new one; a new field alone does not change it"""


class Report(Struct, kw_only=True):
    """What ``--json FILE`` writes."""

    format: int = FORMAT
    target: str
    server_version: str
    suite_version: str
    started: str
    duration: float
    exit_code: int
    counts: dict[Verdict, int]
    unreached: int = 0
    """how many cases a run that was interrupted, or that lost its server, did not come to"""
    lost: str = ""
    """why the run ended early: the server went away and did not come back"""
    cases: list[CaseResult]


def report(run: RunResult, exit_code: int | None = None) -> Report:
    """The report of ``run``; ``exit_code`` where the verdicts do not give it (peer never came up)."""
    return Report(
        target=run.target,
        server_version=run.server_version,
        suite_version=run.suite_version,
        started=run.started,
        duration=run.duration,
        exit_code=int(outcome.exit_code(run) if exit_code is None else exit_code),
        counts=outcome.counts(run.cases),
        unreached=run.unreached,
        lost=run.lost,
        cases=run.cases,
    )


def write(run: RunResult, path: Path, exit_code: int | None = None) -> None:
    """Write the report, indented."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report(run, exit_code)), indent=2) + b"\n")


def schema() -> str:
    """JSON Schema (2020-12) of the report, as docs/report.schema.json holds it."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://drachtio-conformance.invalid/report.schema.json",
        "title": "Report of drachtio-conformance",
        **msgspec.json.schema(Report),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
