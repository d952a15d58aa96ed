"""docs/protocol.json is what the tables make, fits its schema, and says what the suite expects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import jsonschema
import pytest
import yaml

from protocol_book import machine, suite
from protocol_book.facts import REASONS, ROLES, TIMERS
from protocol_book.frames import FRAMES
from protocol_book.grammar import TokenType
from protocol_book.texts import FAILURES

SPECIFICATION = suite.load()
DOCS = suite.ROOT / "docs"


@pytest.mark.parametrize(
    ("name", "text"),
    [("protocol.json", machine.text(SPECIFICATION)), ("protocol.schema.json", machine.schema())],
)
def test_the_file_is_up_to_date(name: str, text: str) -> None:
    assert (DOCS / name).read_text("utf-8") == text, "run python -m protocol_book"


def test_it_fits_its_schema() -> None:
    schema = json.loads((DOCS / "protocol.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads((DOCS / "protocol.json").read_text("utf-8")), schema)


def test_every_clause_that_the_tables_name_exists() -> None:
    named = {clause for frame in FRAMES for clause in frame.clauses}
    named |= {token.clause for frame in FRAMES for token in (*frame.tokens, *filter(None, [frame.more]))} - {
        ""
    }
    named |= {clause for failure in FAILURES for clause in failure.clauses}
    named |= {clause for word in (*ROLES, *REASONS) for clause in word.clauses}
    named |= {clause for timer in TIMERS for clause in timer.clauses}
    assert named <= set(SPECIFICATION.clauses)


def test_every_type_of_token_has_a_pattern() -> None:
    assert set(machine.PATTERNS) == set(TokenType)
    for pattern in machine.PATTERNS.values():
        re.compile(pattern)


def steps() -> Iterator[tuple[str, dict[str, object]]]:
    """(file, step) of every step of every case that is written as a mapping of a mapping."""
    for file in sorted((suite.ROOT / "scenarios").rglob("*.yaml")):
        written = yaml.load(file.read_text("utf-8"), yaml.BaseLoader)
        lists = [written.get("before", []), *(case["steps"] for case in written["cases"])]
        for step in (step for listed in lists for step in listed if isinstance(step, dict)):
            for arguments in step.values():
                if isinstance(arguments, dict):
                    yield file.name, arguments


def expected_texts() -> Iterator[tuple[str, str, str]]:
    """(outcome, text, file) of every failure that a case expects in full."""
    for name, arguments in steps():
        patterns = arguments.get("answer" if "status" in arguments else "tokens", "")
        tokens = (
            patterns.split("|") if isinstance(patterns, str) else [str(token) for token in iterated(patterns)]
        )
        if len(tokens) >= 5 and tokens[1] == "response" and tokens[3] in ("NO", "NOK"):
            yield tokens[3], "|".join(tokens[4:]).removeprefix("="), name


def iterated(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def failure_of(outcome: str, text: str) -> str:
    for failure in FAILURES:
        pattern = re.sub(r"\b(HEADER|[A-Z]{2,}$)", ".*", failure.text)
        pattern = re.escape(pattern).replace(r"\.\*", ".*")
        if failure.outcome == outcome and re.fullmatch(pattern, text, re.DOTALL):
            return failure.text
    return ""


def test_cases_expect_the_texts_of_the_table_and_no_others() -> None:
    seen: set[str] = set()
    for outcome, text, case in expected_texts():
        if text.startswith("~") or "*" in text:
            continue
        found = failure_of(outcome, text)
        assert found, f"{case}: {outcome}|{text}"
        seen.add(found)
    assert {failure.text for failure in FAILURES} <= seen


def test_cases_expect_the_reasons_and_roles_of_the_table() -> None:
    text = "\n".join(file.read_text("utf-8") for file in sorted((suite.ROOT / "scenarios").rglob("*.yaml")))
    told = set(re.findall(r"\|cdr:(?:start|stop)\|(?:network|application)\|\{time\}\|([a-z-]+)", text))
    assert told == {word.word for word in (*ROLES, *REASONS)}
