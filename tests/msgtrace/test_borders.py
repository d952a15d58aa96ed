"""Logs of several forms one behind the other: where the one ends and the next begins is found, however late."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.octet_account import Statistics
from msgtrace.ordinary import Detail
from msgtrace.readers.borders import Borders
from msgtrace.recordings import SAMPLE, read_blocks, read_runs
from tests.bench import msgtrace as bench

FORMS = ("client log", "JSON lines", "DEBUG output", "server log")
NAMES = {
    "client log": "a client's log",
    "JSON lines": "a client's log in JSON lines",
    "DEBUG output": "output of DEBUG=drachtio:agent",
    "server log": "a server's log",
}
CALLS = 150
"""of which a log is longer than what is looked at to recognise it"""


def parts(first: int, count: int = CALLS) -> list[tuple[bool, str]]:
    return [part for number in range(first, first + count) for part in bench.exchange(number)]


def blocks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[place : place + size] for place in range(0, len(data), size))


def frames(entries: list[Entry]) -> list[str]:
    return [one.data for one in entries if one.kind is EntryKind.FRAME]


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in FORMS for b in FORMS if a != b])
def test_another_form_behind_the_first_quarter_of_a_megabyte(one: str, other: str) -> None:
    first = bench.written(one, parts(1)).encode()
    second = bench.written(other, parts(1000)).encode()
    assert len(first) > SAMPLE
    account = Account()
    found = list(read_blocks(blocks(first + second, 40_000), account))
    assert frames(found) == [payload for _, payload in (*parts(1), *parts(1000))]
    assert account.form == f"{NAMES[one]}, then from line {first.count(bytes([10])) + 1:,} {NAMES[other]}"
    assert account.damage == 0
    data = (first + second).split(b"\n")
    for entry in found[-20:]:
        within = b"\n".join(data[entry.line - 1 : entry.line + 1])
        assert entry.data.partition("|")[0].encode() in within
    assert all(a.line <= b.line for a, b in pairwise(found))


def test_runs_count_the_same() -> None:
    data = (bench.written("client log", parts(1)) + bench.written("server log", parts(1000))).encode()
    account = Account()
    statistics = Statistics()
    statistics.take(
        read_runs(blocks(data, 50_000), account, Detail.KIND), lambda entry: pytest.fail(entry.data)
    )
    assert sum(statistics.kinds.values()) == len(parts(1)) * 2


def test_three_forms_and_the_first_again() -> None:
    turns = [("client log", 1), ("server log", 1000), ("DEBUG output", 2000), ("client log", 3000)]
    data = "".join(bench.written(form, parts(first)) for form, first in turns).encode()
    account = Account()
    assert frames(list(read_blocks(blocks(data, 64_000), account))) == [
        payload for _, first in turns for _, payload in parts(first)
    ]
    assert account.form.count(", then from line ") == 3


def test_both_forms_from_a_place_on() -> None:
    """An application that logs what it sends, and from some moment on runs with DEBUG as well."""
    late = [part for number in range(1000, 1000 + CALLS) for part in bench.exchange(number)]
    mixed = "".join(
        bench.written("DEBUG output" if number % 2 else "client log", [part])
        for number, part in enumerate(late)
    )
    data = (bench.written("client log", parts(1)) + mixed).encode()
    assert sorted(frames(list(read_blocks(blocks(data, 30_000), Account())))) == sorted(
        payload for _, payload in (*parts(1), *late)
    )


@pytest.mark.parametrize("prefix", ["2026-11-23T07:26:06.123456Z ", "> ", "web_1  | "])
def test_within_a_wrapping(prefix: str) -> None:
    data = bench.written("server log", parts(1)) + bench.written("DEBUG output", parts(1000))
    wrapped = "".join(f"{prefix}{line}\n" for line in data.splitlines()).encode()
    found = list(read_blocks(blocks(wrapped, 64_000), Account()))
    assert frames(found) == [payload for _, payload in (*parts(1), *parts(1000))]


@pytest.mark.parametrize("form", FORMS)
def test_a_log_of_one_form_has_no_border(form: str) -> None:
    data = bench.written(form, parts(1, 600)).encode()
    account = Account()
    assert len(frames(list(read_blocks(blocks(data, 64_000), account)))) == len(parts(1, 600))
    assert account.form == NAMES[form]


def test_a_sign_that_is_the_form_s_own_is_looked_at_no_more() -> None:
    looks: list[bytes] = []

    def forms_of(text: bytes) -> list[str]:
        looks.append(text)
        return ["own"]

    data = b"drachtio:agent and so on\n" * 40_000
    borders = Borders(blocks(data, 10_000), forms_of, ["own"])
    assert b"".join(borders) == data
    assert len(looks) == 3
    assert borders.rest is None
    assert borders.lines == 40_000


def test_what_follows_is_handed_back_from_the_beginning_of_its_line() -> None:
    def forms(text: bytes) -> list[str]:
        return ["own", "other"] if b"\nwp#send " in b"\n" + text else ["own"]

    data = b"own line\n" * 5000 + b"wp#send first\nwp#send second\n" * 2000
    borders = Borders(blocks(data, 8192), forms, ["own"])
    before = b"".join(borders)
    assert borders.rest is not None
    assert before == b"own line\n" * 5000
    assert before + b"".join(borders.rest) == data
    assert borders.lines == 5000
