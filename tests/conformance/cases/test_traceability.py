"""Every clause has a case, every case names known clauses, and the generated documents are up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachtio_conformance.cases import specification, traceability
from drachtio_conformance.cases.case import Case
from drachtio_conformance.cases.specification import Specification
from drachtio_conformance.cases.traceability import Scenario
from drachtio_conformance.cli import main
from tests.conformance.sample_run import sample_specification

CHECKOUT = Path(__file__).parents[3]


def a_case(*clauses: str) -> Case:
    """A case that tests ``clauses``."""
    return Case(
        name="ping/answered", title="Title", clauses=clauses, steps=(), source="scenarios/ping.yaml:3"
    )


TESTED = ("FRAME-1", "AUTH-1", "PING-1", "PING-2")


@pytest.mark.parametrize(
    ("clauses", "problem"),
    [
        (
            (*TESTED, "PING-3"),
            "scenarios/ping.yaml:3: names the unknown clause PING-3 (did you mean PING-2, PING-1",
        ),
        (TESTED[1:], "docs/protocol.md:7: no case tests FRAME-1"),
        ((*TESTED, "FRAME-2"), "docs/protocol.md:7: FRAME-2 is called untestable, but is tested"),
    ],
)
def test_what_does_not_fit_together_is_named(clauses: tuple[str, ...], problem: str) -> None:
    (found,) = traceability.problems(sample_specification(), [a_case(*clauses)])
    assert found.startswith(problem)


def test_what_fits_together_has_no_problems() -> None:
    assert traceability.problems(sample_specification(), [a_case(*TESTED)]) == []


def test_a_feature_alone_does_not_cover_a_clause() -> None:
    story = Scenario(title="t", clauses=("FRAME-1", "PONG-1"), source="features/a.feature:2")
    found = traceability.problems(sample_specification(), [a_case(*TESTED[1:])], [story])
    assert found == [
        "features/a.feature:2: names the unknown clause PONG-1 (did you mean PING-1, PING-2?)",
        "docs/protocol.md:7: no case tests FRAME-1",
    ]


def test_tags_of_a_feature_hold_for_its_scenarios() -> None:
    text = """
    @PING-1
    Feature: Ping

      @PING-2 @slow
      @clause(AUTH-1)
      Scenario: One
        Given a server

      Scenario Outline: Two
    """
    one, two = traceability.parse_feature(text, "features/ping.feature")
    assert (one.title, one.clauses, one.source) == (
        "One",
        ("PING-1", "PING-2", "AUTH-1"),
        "features/ping.feature:7",
    )
    assert (two.title, two.clauses) == ("Two", ("PING-1",))


def test_the_document_lists_what_tests_each_clause() -> None:
    story = Scenario(title="A | bar", clauses=("PING-1",), source="features/a.feature:2")
    text = traceability.render(sample_specification(), [a_case("PING-1")], [story])
    assert "| PING-1 | Title of PING-1 | `ping/answered` | A \\| bar (`features/a.feature`) |" in text
    assert "| FRAME-2 | Title of FRAME-2 | untestable: nobody can see it |  |" in text


@pytest.fixture(scope="module")
def rules() -> Specification:
    """The real specification."""
    return specification.load()


def test_specification_cases_and_features_fit_together(rules: Specification) -> None:
    assert traceability.problems(rules, main.all_cases(), traceability.scenarios()) == []


def test_generated_documents_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    code = main.main(["traceability", "--check"])
    assert code == 0, capsys.readouterr().err
