"""``--follow``: what is appended is shown as it comes, also behind a rotation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgtrace.entries import Account
from msgtrace.source import Source
from tests.msgtrace import call_set
from tests.msgtrace.call_set import Played

COMMAND = [sys.executable, "-u", "-m", "msgtrace.cli", "decode", "--follow"]


def call(number: int, answer: str) -> bytes:
    """A call in a server's log at info, and a record behind it, which ends the last one of the call."""
    play = Played()
    play.request("INVITE", f"c{number}", 1, answers=[answer])
    if answer < "3":
        play.hang_up(f"c{number}", 2)
    return call_set.info_log(play.scene) + b"2026-11-23 08:00:00.000000 nothing of interest\n"


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A log with one call, and ``--follow --calls`` on it."""
    path = tmp_path / "drachtio.log"
    path.write_bytes(call(1, "486 Busy Here"))
    with subprocess.Popen([*COMMAND, "--calls", str(path)], stdout=subprocess.PIPE, text=True) as process:
        yield path, process
        process.terminate()


def next_line(process: subprocess.Popen[str]) -> str:
    """Waits for it."""
    assert process.stdout is not None
    return process.stdout.readline()


def test_calls_are_listed_as_they_end(follow: tuple[Path, subprocess.Popen[str]]) -> None:
    path, process = follow
    assert next_line(process).split()[:2] == ["call", "message"]
    assert next_line(process).split()[:2] == ["✗", "1"]
    with path.open("ab") as file:
        file.write(call(2, "200 OK"))
    line = next_line(process)
    assert line.split()[:2] == ["✓", "2"]
    assert "the caller hung up" in line


def test_a_file_that_is_rotated_goes_on(follow: tuple[Path, subprocess.Popen[str]]) -> None:
    path, process = follow
    for _ in range(2):
        next_line(process)
    path.rename(path.with_suffix(".1"))
    path.write_bytes(call(3, "404 Not Found"))
    assert "404 Not Found" in next_line(process)


def test_a_file_that_is_cut_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first" * 100)
    source = Source(str(path), Account(), follow=True)
    blocks = iter(source)
    assert next(blocks) == b"first" * 100
    path.write_bytes(b"second")
    assert next(blocks) == b"second"
    source.close()
