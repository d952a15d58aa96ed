"""The reports, made from one hand-built run that holds every verdict and awkward octets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest
from msgspec import structs

from drachtio_conformance.engine import outcome
from drachtio_conformance.engine.outcome import ExitCode
from drachtio_conformance.engine.results import RunResult, Verdict
from drachtio_conformance.report import html_page, json_report, junit
from drachtio_conformance.report.ladder_svg import draw
from tests.conformance.sample_run import case, event, rejected_call, sample_run, sample_specification

CHECKOUT = Path(__file__).parents[3]


def run_with(*verdicts: Verdict) -> RunResult:
    """A run with a case of each of ``verdicts``."""
    cases = [case(f"ping/{number}", verdict) for number, verdict in enumerate(verdicts)]
    return structs.replace(sample_run(), cases=cases)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.PASS, Verdict.WARN, Verdict.NOT_APPLICABLE, Verdict.KNOWN_FAILING], ExitCode.OK),
        ([Verdict.PASS, Verdict.FAIL], ExitCode.FAILURES),
        ([Verdict.UNEXPECTED_PASS], ExitCode.FAILURES),
        ([Verdict.PASS, Verdict.ERROR], ExitCode.HARNESS),
        ([Verdict.ERROR, Verdict.FAIL], ExitCode.FAILURES),
        ([], ExitCode.OK),
    ],
)
def test_exit_code_follows_from_the_verdicts(verdicts: list[Verdict], expected: ExitCode) -> None:
    assert outcome.exit_code(run_with(*verdicts)) is expected


def test_every_verdict_has_a_glyph_a_severity_and_a_colour() -> None:
    style = (CHECKOUT / "tools/drachtio_conformance/report/templates/report.css").read_text("utf-8")
    assert set(outcome.GLYPHS) == set(outcome.SEVERITY) == set(Verdict)
    for verdict in Verdict:
        assert f".v-{verdict} " in style


def test_sentence_and_durations() -> None:
    assert outcome.sentence(run_with(Verdict.PASS, Verdict.FAIL)) == "2 cases in 4.12 s: 1 pass, 1 fail"
    assert [outcome.seconds(value) for value in (0.0004, 0.012, 1.25, 125.9)] == [
        "0 ms",
        "12 ms",
        "1.25 s",
        "2 min 5 s",
    ]


def test_json_report_is_valid_by_the_published_schema(tmp_path: Path) -> None:
    published = json.loads((CHECKOUT / "docs/report.schema.json").read_text("utf-8"))
    path = tmp_path / "report.json"
    json_report.write(sample_run(), path, ExitCode.FAILURES)
    document = json.loads(path.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.Draft202012Validator(published).validate(document)
    assert document["exit_code"] == 1
    assert document["counts"]["pass"] == 1
    assert document["cases"][6]["events"][0]["data"].encode("latin-1").startswith(b"8#\x00\xff\xc3\xa9")
    assert document["full"] is False
    assert [
        bool(case["steps"] or case["events"]) for case in document["cases"] if case["verdict"] == "pass"
    ] == [False]


def test_json_report_has_the_steps_of_cases_that_passed_if_it_is_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    json_report.write(sample_run(), path, full=True)
    document = json.loads(path.read_text("utf-8"))
    assert document["full"] is True
    assert all(case["steps"] for case in document["cases"] if case["verdict"] == "pass")


def test_published_schema_is_the_current_one() -> None:
    published = (CHECKOUT / "docs/report.schema.json").read_text("utf-8")
    assert published == json_report.schema(), "run `drachtio-conformance traceability` to write it anew"


def test_schema_refuses_another_verdict() -> None:
    document = json.loads(msgspec.json.encode(json_report.report(sample_run())))
    document["cases"][0]["verdict"] = "fine"
    with pytest.raises(jsonschema.ValidationError, match="fine"):
        jsonschema.validate(document, json.loads(json_report.schema()))


def test_junit_counts_and_places_every_case() -> None:
    root = ElementTree.fromstring(junit.render(sample_run()))
    assert root.attrib | {"time": ""} == {
        "name": "drachtio-conformance",
        "tests": "7",
        "failures": "2",
        "errors": "1",
        "skipped": "2",
        "time": "",
    }
    names = {(each.get("classname"), each.get("name")) for each in root.iter("testcase")}
    assert ("framing", "split/every-byte [FRAME-1]") in names
    assert len(names) == 7
    failure = next(
        each.find("failure")
        for each in root.iter("testcase")
        if (each.get("name") or "").startswith("basic/unauthenticated [")
    )
    assert failure is not None
    assert failure.get("message") == "token 3 of the answer: expected 'OK', got 'NO'"
    assert "rerun: drachtio-conformance server --filter 'ping/basic/unauthenticated'" in (failure.text or "")
    located = next(
        each for each in root.iter("testcase") if (each.get("name") or "").startswith("basic/answered [")
    )
    assert (located.get("file"), located.get("line")) == ("scenarios/ping.yaml", "10")


def test_junit_survives_characters_that_xml_cannot_hold() -> None:
    run = structs.replace(sample_run(), cases=[case("x/y", Verdict.FAIL, reason="got \x00\x1b\udc80")])
    failure = ElementTree.fromstring(junit.render(run)).find(".//failure")
    assert failure is not None
    assert failure.get("message") == r"got \x00\x1b\xdc80"


def test_html_is_one_page_without_external_resources() -> None:
    page = html_page.render(sample_run(), sample_specification())
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", page)
    assert '<link rel="icon" href="data:,">' in page
    assert "default-src 'none'" in page


def test_html_shows_clause_text_deviation_and_expected_against_actual() -> None:
    page = html_page.render(sample_run(), sample_specification())
    assert "Before OK every other verb gets <code>NO|authentication required</code>." in page
    assert "<b>DEV-1</b> refuses" in page
    assert "<code>uuid|response|1|NO|Unknown message type</code>" in page
    assert "<b>FRAME-1 · Title of FRAME-1 · MUST · server</b>" in page
    assert "A frame <strong>MUST</strong> be split <code>anywhere</code> &lt;br&gt;." in page


@pytest.mark.parametrize(
    ("verdict", "clauses", "heading"),
    [
        (Verdict.FAIL, ["FRAME-1", "AUTH-1", "PING-1", "PING-2"], "Not conformant"),
        (Verdict.KNOWN_FAILING, ["FRAME-1", "AUTH-1", "PING-1", "PING-2"], "Only known failures"),
        (Verdict.PASS, ["FRAME-1", "AUTH-1", "PING-1", "PING-2"], "Conformant"),
        (Verdict.PASS, ["FRAME-1", "AUTH-1"], "What ran passes"),
        (Verdict.NOT_APPLICABLE, ["FRAME-1", "AUTH-1", "PING-1", "PING-2"], "What ran passes"),
    ],
)
def test_html_calls_a_peer_conformant_only_if_every_clause_was_tested(
    verdict: Verdict, clauses: list[str], heading: str
) -> None:
    run = structs.replace(sample_run(), cases=[case("x/y", verdict, clauses=clauses)])
    assert f">{heading}</h1>" in html_page.render(run, sample_specification())


def test_html_shows_a_very_long_case_from_both_ends() -> None:
    events = [event(number, "app", "server", f"ping {number}", "6#p|ping") for number in range(1000)]
    run = structs.replace(sample_run(), cases=[case("x/y", Verdict.FAIL, events=events)])
    page = html_page.render(run, None)
    assert "800 more, see report.json" in page
    assert "<b>ping 149</b>" in page
    assert "<b>ping 150</b>" not in page
    assert "<b>ping 999</b>" in page


def test_html_matrix_shows_the_worst_verdict_of_each_clause() -> None:
    page = html_page.render(sample_run(), sample_specification())
    states = dict(re.findall(r'class="cell v-([a-z-]+)" href="#([A-Z]+-\d)"', page))
    assert {
        clause: state for state, clause in re.findall(r'class="cell v-([a-z-]+)" href="#([A-Z]+-\d)"', page)
    } == {
        "FRAME-1": "warn",
        "FRAME-2": "untestable",
        "AUTH-1": "fail",
        "PING-1": "error",
        "PING-2": "untested",
    }, states


def test_html_without_a_specification_still_names_the_clauses() -> None:
    assert "<b>PING-1</b>" in html_page.render(sample_run(), None)


def test_html_octets_lose_nothing() -> None:
    shown = str(html_page.octets("8#\x00\xff\xc3\xa9|ok\r\nx\ny\rz\x1b[0m<b>"))
    assert '<b class="len">8#</b>' in shown
    assert '<i class="esc">\\x00</i><i class="esc">\\xff</i>é' in shown
    assert 'title="CR LF"' in shown
    assert 'title="LF alone">\\n' in shown
    assert 'title="CR alone">\\r' in shown
    assert '<i class="esc">\\x1b</i>[0m&lt;b&gt;' in shown


def test_html_shows_a_huge_message_from_both_ends() -> None:
    shown = str(html_page.octets("1000000#" + "a" * 1_000_000 + "the end"))
    assert "991,823 octets not shown" in shown
    assert shown.endswith("the end")
    assert len(shown) < 10_000


def test_html_names_each_token_where_the_pointer_rests() -> None:
    shown = str(html_page.octets("41#7aad0c94|response|25b03a10|OK|pong"))
    assert '<span class="t2" title="request-id">25b03a10</span>' in shown
    assert '<span class="t2" title="outcome">OK</span>' in shown


def test_ladder_is_well_formed_and_links_each_message() -> None:
    svg = str(
        draw([*rejected_call(), event(1, "a<b>", "server", 'x "&" <y>', "1#x")], "c1", "✗ expected <nothing>")
    )
    root = ElementTree.fromstring(svg)
    assert [link.get("href") for link in root.iter("a")] == [f"#c1-{number}" for number in [*range(11), 12]]
    texts = ["".join(text.itertext()) for text in root.iter("text")]
    assert "clock advanced by 32 s" in texts
    assert 'x "&" <y>' in texts
    assert "✗ expected <nothing>" in texts
