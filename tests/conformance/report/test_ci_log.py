"""Lines that GitHub and GitLab understand."""

from __future__ import annotations

import io

import pytest

from drachtio_conformance.engine.results import StepOutcome, Verdict
from drachtio_conformance.report import ci_log
from drachtio_conformance.report.ci_log import Log
from drachtio_conformance.report.console import RunConsole
from tests.conformance.sample_run import case


@pytest.mark.parametrize(
    ("environment", "log"),
    [
        ({"GITHUB_ACTIONS": "true", "CI": "true"}, Log.GITHUB),
        ({"GITLAB_CI": "true"}, Log.GITLAB),
        ({"CI": "true"}, Log.PLAIN),
        ({}, Log.PLAIN),
    ],
)
def test_who_shows_the_log(environment: dict[str, str], log: Log) -> None:
    assert Log.of(environment) is log


def test_an_annotation_stands_at_the_step_that_failed() -> None:
    one = case("ping/a", Verdict.FAIL, title="A, with: commas", reason="expected 100 %, got\nless")
    assert ci_log.annotated([one, case("ping/b", Verdict.PASS)]) == [
        "::error file=scenarios/ping.yaml,line=14,title=A%2C with%3A commas::"
        "ping/a: expected 100 %25, got%0Aless%0Aagain: drachtio-conformance server --filter 'ping/a'"
    ]


def test_a_should_is_a_warning_and_the_killer_comes_first() -> None:
    warned = case("a/warned", Verdict.WARN)
    killer = case("b/killer", Verdict.FAIL, killer=True)
    assert [line.split(" ")[0] for line in ci_log.annotated([warned, killer])] == ["::error", "::warning"]


def test_a_case_that_failed_at_no_step_has_its_own_place() -> None:
    one = case("ping/a", Verdict.UNEXPECTED_PASS)
    for step in one.steps:
        step.outcome = StepOutcome.OK
    assert ci_log.annotated([one])[0].startswith("::error file=scenarios/ping.yaml,line=10,")


def told(log: Log) -> str:
    file = io.StringIO()
    console = RunConsole(file, None, log=log)
    for name, verdict in (
        ("ping/a", Verdict.PASS),
        ("ping/b", Verdict.FAIL),
        ("ping/c", Verdict.PASS),
        ("ping/d", Verdict.PASS),
        ("route/a", Verdict.NOT_APPLICABLE),
    ):
        console.finished(case(name, verdict))
    console.stopped()
    return file.getvalue()


def test_github_folds_what_needs_no_look() -> None:
    shape = [line.split(" ")[0] for line in told(Log.GITHUB).splitlines()]
    assert shape == [
        *("::group::ping", "pass", "::endgroup::", "fail"),
        *(
            "::group::ping",
            "pass",
            "pass",
            "::endgroup::",
            "::group::route",
            "not-applicable",
            "::endgroup::",
        ),
    ]


def test_gitlab_folds_what_needs_no_look() -> None:
    text = told(Log.GITLAB)
    assert text.count("section_start:") == text.count("section_end:") == 3
    assert "ping[collapsed=true]\r\x1b[0Kping\n" in text


def test_elsewhere_each_case_is_a_line() -> None:
    assert len(told(Log.PLAIN).splitlines()) == 5
