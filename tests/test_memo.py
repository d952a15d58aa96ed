"""A memo keeps what it can hold, and no more, whoever fills it. Each broken twin of it is found out."""

from __future__ import annotations

import pytest

from reference_server.memo import Memo

ENTRIES, LONGEST = 8, 5


def check_that_it_finds(memo: Memo[str, int]) -> None:
    assert memo.keep("a", 1) == 1
    assert memo.keep("b", 2) == 2
    assert memo.known == {"a": 1, "b": 2}
    memo.keep("a", 3)
    assert memo.known == {"a": 3, "b": 2}
    memo.forget()
    assert memo.known == {}


def check_that_it_stays_small(memo: Memo[str, int]) -> None:
    for number in range(10 * ENTRIES):
        assert memo.keep(str(number), number) == number
        assert memo.known[str(number)] == number, "the newest is there, or strangers could keep it out"
        assert len(memo.known) <= ENTRIES
    assert len(memo.known) > 1


def check_that_it_keeps_nothing_long(memo: Memo[str, int]) -> None:
    assert memo.keep("x" * (LONGEST + 1), 7) == 7
    assert memo.known == {}
    memo.keep("x" * LONGEST, 7)
    assert len(memo.known) == 1


CHECKS = [check_that_it_finds, check_that_it_stays_small, check_that_it_keeps_nothing_long]


@pytest.mark.parametrize("check", CHECKS)
def test_what_it_keeps(check: object) -> None:
    assert callable(check)
    check(Memo(entries=ENTRIES, longest=LONGEST))


def test_keys_that_are_no_texts() -> None:
    memo: Memo[tuple[str, int], str] = Memo(entries=2)
    memo.keep(("192.0.2.1", 5060), "a")
    memo.keep(("192.0.2.1", 5061), "b")
    assert memo.known == {("192.0.2.1", 5060): "a", ("192.0.2.1", 5061): "b"}
    memo.keep(("192.0.2.1", 5062), "c")
    assert memo.known == {("192.0.2.1", 5062): "c"}


class Twin:
    """A memo with one thing wrong."""

    def __init__(self, wrong: str) -> None:
        self.known: dict[str, int] = {}
        self._wrong = wrong

    def keep(self, key: str, value: int) -> int:
        if len(key) > LONGEST + (self._wrong == "keeps what is long"):
            return value
        if len(self.known) >= ENTRIES + (self._wrong == "keeps one more"):
            if self._wrong == "keeps the first for ever":
                return value
            self.known.clear()
        if self._wrong == "keeps one alone":
            self.known.clear()
        if self._wrong == "keeps the older value":
            self.known.setdefault(key, value)
        elif self._wrong != "keeps nothing":
            self.known[key] = value
        return value

    def forget(self) -> None:
        if self._wrong != "forgets nothing":
            self.known.clear()


@pytest.mark.parametrize(
    "wrong",
    [
        "keeps what is long",
        "keeps one more",
        "keeps the first for ever",
        "keeps one alone",
        "keeps the older value",
        "keeps nothing",
        "forgets nothing",
    ],
)
def test_its_broken_twins_are_found_out(wrong: str) -> None:
    assert not all(passes(check, Twin(wrong)) for check in CHECKS)


def test_a_twin_without_a_fault_passes() -> None:
    assert all(passes(check, Twin("")) for check in CHECKS)


def passes(check: object, twin: Twin) -> bool:
    assert callable(check)
    twin.known.clear()
    try:
        check(twin)
    except (AssertionError, KeyError):
        return False
    return True
