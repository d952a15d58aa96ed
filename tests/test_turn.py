"""What leaves at the end of a turn."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.turn import Turn


class _Loop:
    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []
        self.written: list[str] = []
        self.turn = Turn(self.soon.append)

    def writes(self, text: str) -> Callable[[], None]:
        return lambda: self.written.append(text)

    def run(self) -> None:
        while self.soon:
            self.soon.pop(0)()


def test_who_reads_says_when_it_is_time_to_write() -> None:
    loop = _Loop()
    loop.turn.within = True
    loop.turn.at_end(loop.writes("a"))
    loop.turn.at_end(loop.writes("b"))
    assert not loop.written
    loop.turn.end()
    assert loop.written == ["a", "b"]
    assert not loop.soon, "the loop was not asked"


def test_without_a_reader_the_loop_is_asked_once() -> None:
    loop = _Loop()
    loop.turn.at_end(loop.writes("a"))
    loop.turn.at_end(loop.writes("b"))
    assert len(loop.soon) == 1
    loop.run()
    assert loop.written == ["a", "b"]
    loop.turn.at_end(loop.writes("c"))
    loop.run()
    assert loop.written == ["a", "b", "c"]


def test_a_reader_takes_along_what_the_loop_was_asked_for() -> None:
    loop = _Loop()
    loop.turn.at_end(loop.writes("a"))
    loop.turn.within = True
    loop.turn.at_end(loop.writes("b"))
    loop.turn.end()
    assert loop.written == ["a", "b"]
    loop.run()
    assert loop.written == ["a", "b"]


def test_what_fails_keeps_nobody_else_from_writing() -> None:
    loop = _Loop()

    def fail() -> None:
        raise OSError("gone")

    loop.turn.within = True
    for flush in (fail, loop.writes("a"), loop.writes("b")):
        loop.turn.at_end(flush)
    with pytest.raises(OSError, match="gone"):
        loop.turn.end()
    loop.run()
    assert loop.written == ["a", "b"]
    loop.turn.at_end(loop.writes("c"))
    loop.run()
    assert loop.written[-1] == "c"


def test_what_is_asked_for_while_writing_is_written_too() -> None:
    loop = _Loop()
    loop.turn.within = True
    loop.turn.at_end(lambda: loop.turn.at_end(loop.writes("later")))
    loop.turn.end()
    loop.run()
    assert loop.written == ["later"]
