"""Runs side by side: the matrix, what it leaves out, and the page with what is behind each cell."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from drachtio_conformance.cases import specification
from drachtio_conformance.cli.main import main
from drachtio_conformance.engine.results import CaseResult, RunResult, StepOutcome, StepResult, Verdict
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.report import json_report, side_by_side
from drachtio_conformance.report.side_by_side import NoReport, Run
from tests.msgtrace.browser import PROGRAM, Browser, browser


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


class Tags(html.parser.HTMLParser):
    """Counts what a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "tr" and "data-words" in found:
            self.rows.append(found)
        assert not any(name in ("src", "href") for name, _ in attrs), "the page needs no network"


def test_the_page() -> None:
    text = side_by_side.page(RUNS, specification.load())
    tags = Tags()
    tags.feed(text)
    assert [(row["data-differ"], row["data-failing"]) for row in tags.rows] == [
        ("0", "0"),
        ("1", "1"),
        ("1", "1"),
    ]
    assert "token 4: <mark>PONG &lt;x&gt;</mark>" in text or "<mark>PONG" in text
    assert "PING-1 · ping is answered pong" in text
    assert "a&lt;b&gt;" in text
    assert "<b>" not in text


def test_what_differs_is_marked() -> None:
    assert side_by_side._marked("a pong", "a ping") == ("a p<mark>o</mark>ng", "a p<mark>i</mark>ng")


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
    assert re.search("<tr data-words", page.read_text())
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


@pytest.fixture
def in_browser(tmp_path: Path) -> Iterator[Browser]:
    """The page of RUNS, opened."""
    path = tmp_path / "page.html"
    path.write_text(side_by_side.page(RUNS, specification.load()), "utf-8")
    with browser(tmp_path / "chromium") as opened:
        opened.open(path)
        yield opened


SHOWN = "[...document.querySelectorAll('tr[data-words]')].filter((row) => !row.hidden).length"


@pytest.mark.skipif(PROGRAM is None, reason="no chromium here")
def test_a_reader_filters_and_opens(in_browser: Browser) -> None:
    assert in_browser.run(SHOWN) == 3
    in_browser.click("#differ")
    in_browser.until(f"{SHOWN} === 2")
    in_browser.click("#differ")
    in_browser.run("find.value = 'ping/c'; find.dispatchEvent(new Event('input'))")
    in_browser.until(f"{SHOWN} === 1")
    assert in_browser.run("document.getElementById('shown').textContent") == "1 of 3 cases"
    in_browser.run("find.value = 'pong'; find.dispatchEvent(new Event('input'))")
    in_browser.click("tr[data-words]:not([hidden]) summary")
    in_browser.until("document.querySelector('details[open] mark').textContent.length > 0")
    assert in_browser.problems == []
