"""The JSON report: the one model of results.py, with the sums that a reader would otherwise compute again.

The steps and events of cases that passed or do not apply, most of it all, are left out unless they are asked for; the
page has them. The schema is published as docs/report.schema.json. Octets of the wire stand as characters U+0000–U+00FF
(``text.encode('latin-1')`` gives the bytes back).
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.results import CaseResult, RunResult, Verdict

FORMAT = 2
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
    full: bool
    """whether cases that passed or do not apply have their steps and events, too"""
    counts: dict[Verdict, int]
    unreached: int = 0
    """how many cases a run that was interrupted, or that lost its server, did not come to"""
    lost: str = ""
    """why the run ended early: the server went away and did not come back"""
    cases: list[CaseResult]


def report(run: RunResult, exit_code: int | None = None, *, full: bool = False) -> Report:
    """The report of ``run``; ``exit_code`` where the verdicts do not give it (peer never came up)."""
    return Report(
        target=run.target,
        server_version=run.server_version,
        suite_version=run.suite_version,
        started=run.started,
        duration=run.duration,
        exit_code=int(outcome.exit_code(run) if exit_code is None else exit_code),
        full=full,
        counts=outcome.counts(run.cases),
        unreached=run.unreached,
        lost=run.lost,
        cases=run.cases if full else [_brief(case) for case in run.cases],
    )


def _brief(case: CaseResult) -> CaseResult:
    """The case without what nobody looks up in it."""
    if case.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE):
        return structs.replace(case, steps=[], events=[])
    return case


def write(run: RunResult, path: Path, exit_code: int | None = None, *, full: bool = False) -> None:
    """Write the report, indented."""
    encoded = msgspec.json.encode(report(run, exit_code, full=full))
    path.write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")


def schema() -> str:
    """JSON Schema (2020-12) of the report, as docs/report.schema.json holds it."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://drachtio-conformance.invalid/report.schema.json",
        "title": "Report of drachtio-conformance",
        **msgspec.json.schema(Report),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
