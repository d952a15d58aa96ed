"""Filters and clauses choose cases; what selects nothing is refused with what is near."""

from __future__ import annotations

import pytest

from drachtio_conformance.cases import selection
from drachtio_conformance.cases.case import Case
from drachtio_conformance.cases.selection import NothingMatches

NAMES = {
    "framing/split/every-byte": ("FRAME-1",),
    "framing/split/once": ("FRAME-1", "FRAME-12"),
    "framing/bad/hello": ("FRAME-4",),
    "ping/basic/answered": ("PING-1",),
}
CASES = [
    Case(name=name, title="", clauses=clauses, steps=(), source="x:1") for name, clauses in NAMES.items()
]


@pytest.mark.parametrize(
    ("filters", "clauses", "expected"),
    [
        ([], [], [0, 1, 2, 3]),
        (["ping/basic/answered"], [], [3]),
        (["framing"], [], [0, 1, 2]),
        (["framing/split/"], [], [0, 1]),
        (["framing/*"], [], None),
        (["framing/*/*"], [], [0, 1, 2]),
        (["framing/**"], [], [0, 1, 2]),
        (["**/h?llo", "ping"], [], [2, 3]),
        (["fram"], [], None),
        ([], ["FRAME-1"], [0, 1]),
        ([], ["frame-12", "PING-1"], [1, 3]),
        ([], ["FRAME"], [0, 1, 2]),
        (["framing/split"], ["FRAME-12"], [1]),
        (["ping"], ["FRAME"], None),
    ],
)
def test_selection(filters: list[str], clauses: list[str], expected: list[int] | None) -> None:
    if expected is None:
        with pytest.raises(NothingMatches):
            selection.select(CASES, filters, clauses)
    else:
        assert selection.select(CASES, filters, clauses) == [CASES[number] for number in expected]


@pytest.mark.parametrize(
    ("filters", "clauses", "message"),
    [
        (["pign"], [], "no case is called 'pign' (did you mean ping"),
        (["framing/splits"], [], "(did you mean framing/split"),
        (["zzz"], [], "no case is called 'zzz'"),
        ([], ["FRAM-1"], "no case tests the clause 'FRAM-1' (did you mean FRAME-1"),
        (["ping"], ["FRAME"], "no case that matches 'ping' tests 'FRAME'; each alone matches cases"),
    ],
)
def test_what_selects_nothing_names_what_is_near(
    filters: list[str], clauses: list[str], message: str
) -> None:
    with pytest.raises(NothingMatches) as refused:
        selection.select(CASES, filters, clauses)
    assert message in str(refused.value)
