"""The summary in Markdown."""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from drachtio_conformance.engine.results import CaseResult, Verdict
from drachtio_conformance.report import markdown
from tests.conformance.sample_run import case, sample_run, sample_specification


def rendered(*cases: CaseResult) -> str:
    return markdown.render(structs.replace(sample_run(), cases=list(cases)), sample_specification())


def test_a_good_run_is_a_sentence_and_a_table() -> None:
    lines = rendered(case("ping/a", Verdict.PASS), case("route/b", Verdict.NOT_APPLICABLE)).splitlines()
    assert lines[0].startswith("### ✅ 2 cases in ")
    assert [line for line in lines if line.startswith("|")] == [
        "| | pass | not-applicable |",
        "|---|---:|---:|",
        "| ping | 1 |  |",
        "| route |  | 1 |",
        "| **all** | 1 | 1 |",
    ]
    assert "####" not in "".join(lines)


def test_a_failure_has_all_that_a_reviewer_needs() -> None:
    text = rendered(case("ping/a", Verdict.FAIL, reason="scenarios/ping.yaml:14: expected x, got y"))
    assert text.startswith("### ❌ 1 case in ")
    assert "#### ✗ Title of ping/a\n\n`ping/a`\n" in text
    assert "> **PING-1 · Title of PING-1** MUST: A ping is answered with `OK|pong`." in text
    assert "expected: *|response|${id}|OK|pong\ngot:      uuid|response|1|NO|Unknown message type\n" in text
    assert "```sh\ndrachtio-conformance server --filter 'ping/a'\n```" in text
    assert "486 Busy Here (INVITE)" in text


def test_what_killed_the_server_comes_first() -> None:
    killer = case("b/killer", Verdict.FAIL, reason="kills the server: refused", killer=True)
    text = rendered(case("a/other", Verdict.FAIL), killer)
    assert text.index("b/killer") < text.index("a/other", text.index("####"))
    assert "kills the server: refused" in text


def test_what_is_not_markdown_stays_as_it_is() -> None:
    text = markdown.failure(case("a/b", Verdict.FAIL, title="A *star* and a | <b>bar</b>", reason="x"))
    assert "A \\*star\\* and a \\| \\<b\\>bar\\</b\\>" in text


def test_code_with_fences_is_fenced_by_more() -> None:
    one = case("a/b", Verdict.FAIL)
    one.steps[-1].actual = "```"
    assert "````\nexpected: " in markdown.failure(one)


def test_many_failures_are_named_only() -> None:
    cases = [case(f"a/{number}", Verdict.FAIL) for number in range(markdown.TOLD_IN_FULL + 3)]
    text = rendered(*cases)
    assert text.count("#### ") == markdown.TOLD_IN_FULL
    assert "and 3 more:\n\n- `a/25` Title of a/25\n- `a/26` Title of a/26\n" in text


def test_the_summary_of_a_job_on_github_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("before\n")
    markdown.append_to_summary(sample_run(), None, {})
    assert path.read_text() == "before\n"
    markdown.append_to_summary(sample_run(), None, {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text().startswith("before\n### ❌ ")
