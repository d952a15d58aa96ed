"""The page of the rules is current, and every rule names a clause that there is."""

from __future__ import annotations

from pathlib import Path

from application_rules import page
from application_rules.rules import RULES
from drachtio_conformance.cases import specification

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "rules.md"


def test_the_page_is_current() -> None:
    hint = "run: python -m application_rules.page > docs/guides/rules.md"
    assert PAGE.read_text("utf-8") == page.text(), hint


def test_every_rule_has_a_clause() -> None:
    clauses = specification.load().clauses
    assert [rule.name for rule in RULES.values() if rule.clause not in clauses] == []


def test_remedies_are_sentences() -> None:
    assert all(rule.remedy[0].isupper() and rule.remedy.endswith(".") for rule in RULES.values())
