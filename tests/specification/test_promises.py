"""Each promise of docs/security.md and docs/reliability.md names tests that exist."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from drachtio_conformance.cli.main import load_cases

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"`([^`]+)`")


def rows(page: str) -> list[list[str]]:
    """The cells of its table, without head and rule."""
    lines = [line for line in (ROOT / "docs" / page).read_text("utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


FUNCTIONS = {
    found
    for path in (ROOT / "tests").rglob("test_*.py")
    for found in re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}
CASES = [case.name for case in load_cases()]


def exists(name: str) -> bool:
    if name.startswith("tests/"):
        return (ROOT / name).exists()
    return name in FUNCTIONS if name.startswith("test_") else any(fnmatchcase(case, name) for case in CASES)


@pytest.mark.parametrize("page", ["security.md", "reliability.md"])
def test_each_row_names_a_test_that_exists(page: str) -> None:
    assert len(rows(page)) > 8
    for cells in rows(page):
        assert _CODE.findall(cells[2]), f"no test: {cells[0]}"
    named = [name for cells in rows(page) for name in _CODE.findall(cells[2])]
    assert [name for name in named if not exists(name)] == []


@pytest.mark.parametrize("name", ["tests/nowhere.py", "test_nothing_of_that_name", "no/such/*"])
def test_what_does_not_exist_is_noticed(name: str) -> None:
    assert not exists(name)
