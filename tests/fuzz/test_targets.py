"""Each input of the corpus, and some that are like it, to its reader: none may raise what it does not promise."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.targets import CORPUS, TARGETS

INPUTS = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
TIMES = {"recordings": 15, "cases": 15, "configuration": 15}
"""Changed inputs of readers that take their time; others get 300."""


def changed(data: bytes, dice: random.Random) -> bytes:
    """Cut, doubled, turned, or with octets that mean something put in."""
    for _ in range(dice.randint(1, 4)):
        at, end = sorted(dice.randrange(len(data) + 1) for _ in range(2))
        match dice.randrange(4):
            case 0:
                data = data[:at] + data[end:]
            case 1:
                data = data[:end] + data[at:end] + data[end:]
            case 2:
                data = data[:at] + dice.randbytes(dice.randint(1, 4)) + data[at:]
            case _:
                data = (
                    data[:at]
                    + dice.choice([b"\r\n", b"\0", b'"', b"<", b"\xff", b"99999999999", b":"])
                    + data[end:]
                )
    return data


@pytest.mark.parametrize("path", INPUTS, ids=[f"{path.parent.name}-{path.name}" for path in INPUTS])
def test_an_input_and_what_is_like_it(path: object) -> None:
    from pathlib import Path

    assert isinstance(path, Path)
    read, data = TARGETS[path.parent.name], path.read_bytes()
    read(data)
    dice = random.Random(path.name)
    for _ in range(TIMES.get(path.parent.name, 300)):
        other = changed(data, dice)
        try:
            read(other)
        except Exception as error:
            raise AssertionError(f"{path.parent.name} of {other!r}: {error!r}") from error


def test_each_reader_has_inputs() -> None:
    assert {path.parent.name for path in INPUTS} == set(TARGETS)


def test_a_reader_that_raises_something_else_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> None:
        data.decode("ascii")

    monkeypatch.setitem(TARGETS, "uris", broken)
    with pytest.raises(AssertionError, match="UnicodeDecodeError"):
        test_an_input_and_what_is_like_it(next(path for path in INPUTS if path.parent.name == "uris"))
