"""Each promise of the documents has its tests, and the documents are what the rows and figures make of them."""

from __future__ import annotations

import ast
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from drachtio_conformance.cases.loader import load
from tests.faults.__main__ import rise, told
from tests.faults.growth import MOST_OF_A_ROUND, Kept, grows
from tests.promises.figures import LEAST_MINUTES, Figure, added, read_figures, record, record_run
from tests.promises.rows import DOCS, PAGES, Row, filled, rows_of, table, with_table

ROOT = Path(__file__).parents[2]
ROWS = [
    pytest.param(row, id=f"{page}-{number}") for page in PAGES for number, row in enumerate(rows_of(page))
]


@cache
def names_of(file: str) -> frozenset[str]:
    """The tests of a file: functions, and state machines of hypothesis; none if it is not there."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return frozenset(name for name in functions | assigned if name.startswith(("test_", "Test")))


@cache
def case_names() -> frozenset[str]:
    return frozenset(case.name for case in load(sorted((ROOT / "scenarios").rglob("*.yaml"))))


@cache
def targets() -> frozenset[str]:
    """Of make."""
    lines = (ROOT / "Makefile").read_text("utf-8").splitlines()
    return frozenset(line.partition(":")[0] for line in lines if line[:1].isalpha() and ":" in line)


def is_there(test: str) -> bool:
    if test.startswith("case:"):
        pattern = test.removeprefix("case:")
        return any(fnmatchcase(name, pattern) for name in case_names())
    if test.startswith("make "):
        return test.removeprefix("make ") in targets()
    file, colons, name = test.partition("::")
    return name in names_of(file) if colons else bool(names_of(file))


@pytest.mark.parametrize("row", ROWS)
def test_each_promise_has_tests_that_there_are(row: Row) -> None:
    assert row.tests
    assert [test for test in row.tests if not is_there(test)] == []


@pytest.mark.parametrize(
    "test",
    [
        "tests/promises/test_promises.py::test_of_nothing",
        "tests/promises/test_nothing.py",
        "tests/promises/rows.py",
        "case:no/such/*",
        "make nothing",
    ],
)
def test_a_test_that_is_not_there_is_noticed(test: str) -> None:
    assert not is_there(test)


@pytest.mark.parametrize("page", PAGES)
def test_the_documents_are_current(page: str) -> None:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    assert with_table(page, text, read_figures()) == text, "run python -m tests.promises"


def test_a_document_without_a_place_for_its_table() -> None:
    with pytest.raises(ValueError, match=r"docs/security\.md: expected a line"):
        with_table("security", "# Nothing\n", {})


def test_figures_stand_where_their_names_are() -> None:
    row = Row("loss", "one answer", ("tests/a.py::test_b", "case:c/d"), "{soak.calls} calls, {soak.heard}")
    made = table("reliability", [row], {"soak": {"calls": 180000, "heard": "all"}})
    assert made.splitlines()[-1] == "| loss | one answer | `test_b`, `c/d` | 180,000 calls, all |"
    with pytest.raises(KeyError, match="fuzz"):
        filled("{fuzz.inputs}", {"soak": {}})


def test_a_run_replaces_its_own_figures_only(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    file.write_text("{}")
    record("soak", {"calls": 1, "seconds": 2}, file)
    record("fuzz", {"inputs": 3}, file)
    record("soak", {"calls": 4}, file)
    assert read_figures(file) == {"soak": {"calls": 4}, "fuzz": {"inputs": 3}}


def test_a_run_that_is_too_short_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    file.write_text('{"soak": {"calls": 7, "minutes": 30}}')
    record_run("soak", LEAST_MINUTES - 1, {"calls": 1}, file)
    assert read_figures(file) == {"soak": {"calls": 7, "minutes": 30}}
    record_run("soak", LEAST_MINUTES, {"calls": 1}, file)
    assert read_figures(file) == {"soak": {"calls": 1, "minutes": 10}}


def test_what_runs_have_in_common_may_be_added_up() -> None:
    before: dict[str, Figure] = {"inputs": 3, "peak": 60, "how": "guided"}
    now: dict[str, Figure] = {"inputs": 4, "peak": 50, "uris": 1, "how": "not guided"}
    assert added(before, now, greatest={"peak"}) == {"inputs": 7, "peak": 60, "uris": 1, "how": "not guided"}


def test_what_is_kept_of_each_round_is_noticed() -> None:
    level = [Kept(count, 30.0, {}) for count in (50, 97, 105, 113, 121, 129)]
    assert grows(level) == 8
    leaking = [Kept(one.objects + 100 * number, 30.0, {}) for number, one in enumerate(level)]
    assert grows(leaking) > MOST_OF_A_ROUND
    assert grows(level[:1]) == 0


def test_memory_that_goes_on_rising_is_noticed() -> None:
    level = [(10.0 * number, 36.0 if number < 3 else 47.0 + number % 2) for number in range(1, 61)]
    assert abs(rise(level)) <= 1
    assert rise([(moment, size + moment / 60) for moment, size in level]) == pytest.approx(5.0, abs=0.5)
    assert rise(level[:7]) == 0.0
    assert told(level) == (
        "36 after 10 s, 47 after 60 s, 47 after 120 s, 48 after 150 s, 47 after 300 s, 48 after 450 s, 47 after 600 s"
    )
