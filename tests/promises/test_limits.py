"""Each limit has its row, each row its limit, its test, and the word by which the log and the figures tell of it."""

from __future__ import annotations

import ast
from functools import cache

import pytest
from msgspec import structs

from reference_server.observe.event_log import LEVELS
from tests.promises.limits import (
    NO_LIMITS,
    SOURCES,
    Limit,
    constants,
    counted_settings,
    default_of,
    limits,
    settings,
)
from tests.promises.test_promises import is_there

ROWS = [pytest.param(row, id=f"{number}-{row.by}") for number, row in enumerate(limits())]
SUFFIXES = ("-before-authentication", "-per-address")
"""What the code puts behind the name of a limit that has two settings."""


@cache
def strings() -> frozenset[str]:
    """All texts that stand in the sources, but for the configuration's."""
    found: set[str] = set()
    for path in SOURCES.rglob("*.py"):
        if path.parent.name != "config":
            nodes = ast.walk(ast.parse(path.read_text("utf-8")))
            found |= {
                node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    return frozenset(found)


@cache
def met_in_the_sources() -> frozenset[str]:
    """What stands behind ``limit=``, where it is written there."""
    return frozenset(
        node.value.value
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "limit"
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) and node.value.value
    )


def faults_of(row: Limit) -> list[str]:
    """What a row says that is not so."""
    faults: list[str] = []
    try:
        default_of(row)
    except KeyError:
        faults.append(f"there is no {row.by}")
    if (":" in row.by) != bool(row.why):
        faults.append("a constant says why it is none, and a setting does not")
    faults += [f"there is no test {test}" for test in row.tests if not is_there(test)]
    if not row.tests:
        faults.append("it has no test")
    for event in row.told.split(",") if row.told else ():
        if event.strip() not in LEVELS:
            faults.append(f"no figure counts the event {event}")
    if row.met and not {row.met, *(row.met.removesuffix(suffix) for suffix in SUFFIXES)} & strings():
        faults.append(f"nothing in the sources says limit={row.met}")
    return faults


@pytest.mark.parametrize("row", ROWS)
def test_each_row_is_true(row: Limit) -> None:
    assert faults_of(row) == []


GOOD = Limit("octets", "--unread-limit", "closed", ("make soak",), told="application-does-not-read")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"by": "--no-such-limit"}, "there is no --no-such-limit"),
        ({"by": "core.core:NO_LIMIT", "why": "x"}, "there is no core.core:NO_LIMIT"),
        ({"by": "core.core:HEADER_LIMIT"}, "a constant says why it is none, and a setting does not"),
        ({"tests": ("tests/no.py::test_x",)}, "there is no test tests/no.py::test_x"),
        ({"tests": ()}, "it has no test"),
        ({"told": "admin-connected"}, "no figure counts the event admin-connected"),
        ({"name": "nowhere-said"}, "nothing in the sources says limit=nowhere-said"),
    ],
)
def test_a_row_that_is_not_true_is_noticed(change: dict[str, object], fault: str) -> None:
    assert faults_of(GOOD) == []
    assert fault in faults_of(structs.replace(GOOD, **change))


def without_a_row(rows: list[Limit]) -> set[str]:
    """What sounds like a limit, has no row, and is not said to be none."""
    have = {row.by for row in rows}
    named = {
        one for one in settings() if settings()[one] in [settings()[by] for by in have & set(settings())]
    }
    return {*constants(), *counted_settings()} - have - named - set(NO_LIMITS)


def test_no_limit_is_without_a_row() -> None:
    assert without_a_row(limits()) == set()


def test_a_limit_without_a_row_is_noticed() -> None:
    left_out = {"--unread-limit", "core.core:HEADER_LIMIT"}
    assert without_a_row([row for row in limits() if row.by not in left_out]) == left_out


def test_what_is_said_to_be_no_limit_is_there() -> None:
    assert set(NO_LIMITS) - set(constants()) - set(settings()) == set()
    assert set(NO_LIMITS) & {row.by for row in limits()} == set()
    assert all(NO_LIMITS.values())


def test_each_limit_that_the_sources_tell_of_has_a_row() -> None:
    assert met_in_the_sources() <= {row.met for row in limits()}
    assert "dialogs" in met_in_the_sources()
