"""Runs side by side: the matrix and what it leaves out, and the command that makes matrix and page."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from drachtio_conformance.cli.main import main
from drachtio_conformance.engine.results import CaseResult, RunResult, StepOutcome, StepResult, Verdict
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report import json_report, side_by_side
from drachtio_conformance.report.side_by_side import NoReport, Run


def case(name: str, verdict: Verdict, reason: str = "") -> CaseResult:
    steps = []
    if verdict is Verdict.FAIL:
        steps = [
            StepResult(
                kind="expect",
                sentence="app gets pong",
                source="ping.yaml:3",
                outcome=StepOutcome.FAILED,
                expected="token 4: pong",
                actual="token 4: PONG <x>\nx|response|1|OK|PONG <x>",
                is_check=True,
            )
        ]
    events = [
        WireEvent(at=0.5, kind="frame", source="server", target="app", summary="OK PONG", data="4#a<b>")
    ]
    return CaseResult(
        name=name,
        title="A ping",
        clauses=["PING-1"],
        verdict=verdict,
        reason=reason,
        steps=steps,
        events=events,
    )


def run(name: str, *cases: CaseResult) -> Run:
    result = RunResult(
        target=name,
        server_version="",
        suite_version="1",
        started="2026-01-01",
        duration=1.0,
        cases=list(cases),
    )
    return Run(name, json_report.report(result, full=True))


RUNS = [
    run("one", case("ping/a", Verdict.PASS), case("ping/b", Verdict.FAIL, "expected pong | got PONG")),
    run(
        "two",
        case("ping/a", Verdict.PASS),
        case("ping/b", Verdict.PASS),
        case("ping/c", Verdict.WARN, "late"),
    ),
]


def test_the_matrix_shows_what_does_not_pass_everywhere() -> None:
    text = side_by_side.markdown(RUNS, title="Title")
    assert text.startswith("# Title\n\n3 cases. one: 1 pass, 1 fail; two: 2 pass, 1 warn.")
    assert "| `ping/b` | fail | pass | expected pong \\| got PONG |" in text
    assert "| `ping/c` |  | warn | late |" in text
    assert "ping/a" not in text


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = []
    for each in RUNS:
        path = tmp_path / f"{each.name}.json"
        path.write_bytes(msgspec.json.encode(each.report))
        reports.append(f"{each.name}={path}")
    assert main(["compare", *reports]) == 0
    assert "| `ping/b` | fail | pass |" in capsys.readouterr().out
    page, matrix = tmp_path / "page.html", tmp_path / "matrix.md"
    assert main(["compare", *reports, "--html", str(page), "--markdown", str(matrix), "--title", "T"]) == 0
    assert re.search('<tr class="row" data-words', page.read_text())
    assert "<h1>T</h1>" in page.read_text()
    assert matrix.read_text().startswith("# T")


@pytest.mark.parametrize("given", ["one", "=x", "one="])
def test_what_is_no_name_and_report(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", given]) == 2
    assert "expected NAME=REPORT.json" in capsys.readouterr().err


def test_what_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    with pytest.raises(NoReport, match="expected a JSON report"):
        side_by_side.load("x", path)
