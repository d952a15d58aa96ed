"""Broken and hostile files: no crash, no escape on the terminal, bounded memory, the place named, an exit code."""

from __future__ import annotations

import gzip
import lzma
import random
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from msgtrace import wrapping
from msgtrace.cli import main
from msgtrace.entries import Account, EntryKind, NotARecording
from msgtrace.recordings import read_blocks
from tests.bench import msgtrace as bench
from tests.msgtrace import samples

MEMORY = 100
"""megabytes; it takes about 60"""
_RUN = """
import sys
from msgtrace.cli import main
code = main()
sys.stderr.write("\\nPEAK " + open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
sys.exit(code)
"""
STYLES = [[], ["--full"], ["--jsonl"], ["--calls"], ["--stats"], ["--ladder"], ["--mermaid"], ["--svg"]]
BEGIN = samples.client().encode()
LARGE = 120_000_000
"""octets, of which no more than two thirds fit"""


def peak(file: Path, *options: str) -> tuple[int, float]:
    """Exit code and megabytes of a process that decodes."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, "decode", *options, str(file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    return done.returncode, int(done.stderr.rpartition(b"PEAK ")[2]) / 1024


@pytest.mark.parametrize(
    ("packed", "filling"),
    [
        (partial(gzip.open, mode="wb", compresslevel=1), b"\0"),
        (partial(lzma.open, mode="wb", preset=0), b"a"),
        (partial(gzip.open, mode="wb", compresslevel=1), b"99999999#"),
    ],
)
def test_a_small_file_that_holds_very_much(
    packed: Callable[[Path], BinaryIO], filling: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "bomb"
    piece = filling * (500_000 // len(filling))
    with packed(file) as out:
        out.write(BEGIN)
        for _ in range(LARGE // len(piece)):
            out.write(piece)
    assert file.stat().st_size < 700_000
    code, megabytes = peak(file, "--stats")
    assert code in (0, 1)
    assert megabytes < MEMORY


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A log, and one that is six times as long."""
    folder = tmp_path_factory.mktemp("logs")
    files = [folder / str(calls) for calls in (500, 3_000)]
    for file in files:
        with file.open("w", newline="") as out:
            for number in range(int(file.name)):
                out.write(bench.written("server log", bench.exchange(number)))
    return files


@pytest.mark.parametrize("style", [[], ["--jsonl"], ["--stats"]])
def test_memory_does_not_grow_with_the_file(style: list[str], logs: list[Path]) -> None:
    sizes = []
    for file in logs:
        code, megabytes = peak(file, *style)
        assert code == 0
        sizes.append(megabytes)
    assert sizes[1] < sizes[0] + 8


@pytest.mark.parametrize("style", STYLES)
def test_no_escape_reaches_the_terminal(
    style: list[str], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    evil = "\x07\x9b2J\x90\x08\u202e\x7f\x1b]0;owned\x07"
    parts = [*samples.EXCHANGE, (True, samples.received("call03").replace("Zoé", f"Z{evil}é"))]
    parts.append((False, f"a\x9b1|sip|t-call02|\r\nSIP/2.0 486 {evil}\r\nX{evil}: y\r\n\r\n"))
    file = tmp_path / "x.log"
    # The escape itself would be taken for the colours of a log: other control characters say as much.
    text = "".join(f"{'<===' if down else '===>'}\r\n{samples.frame(part)}\r\n" for down, part in parts)
    file.write_bytes(text.encode())
    main(["decode", *style, "--color", "never", str(file)])
    main(["explain", str(file)])
    main(["check", str(file)])
    main(["stats", str(file)])
    said = capsysbinary.readouterr()
    for output in (said.out.decode(), said.err.decode()):
        assert not [letter for letter in output if not (letter.isprintable() or letter in "\n\t ")]


@pytest.mark.parametrize("style", STYLES)
def test_octets_without_sense_are_refused_or_told(
    style: list[str], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    noise = random.Random(1).randbytes(100_000)
    (tmp_path / "noise").write_bytes(noise)
    assert main(["decode", *style, str(tmp_path / "noise")]) == 1
    assert b"not a recording of the admin protocol" in capsysbinary.readouterr().err
    (tmp_path / "both").write_bytes(BEGIN + b"===>\r\n" + noise + b"\r\n" + BEGIN)
    assert main(["decode", *style, str(tmp_path / "both")]) == 1
    said = capsysbinary.readouterr()
    assert b"could not be read, the first at line " in said.err


def looked_at(blocks: list[bytes]) -> float:
    """Seconds of the processor that it takes to refuse them."""
    before = time.process_time()
    with pytest.raises(NotARecording):
        list(read_blocks(blocks, Account()))
    return time.process_time() - before


def test_octets_that_are_no_recording_are_looked_at_about_once() -> None:
    noise = random.Random(2).randbytes(3_000_000)
    blocks = [noise[place : place + 100_000] for place in range(0, len(noise), 100_000)]
    once = min(looked_at([noise]) for _ in range(2))
    assert min(looked_at(blocks) for _ in range(2)) < 2 * once


@pytest.mark.parametrize("before", [700_000, 1_048_570, 2_500_000])
def test_a_recording_that_begins_late_is_found(before: int) -> None:
    lines = (
        b"nothing of ours, 32 octets long.\n" * (before // 33)
        + bench.written("client log", bench.exchange(1)).encode()
    )
    account = Account()
    blocks = [lines[place : place + 131_072] for place in range(0, len(lines), 131_072)]
    frames = [one for one in read_blocks(blocks, account) if one.kind is EntryKind.FRAME]
    assert account.form == "a client's log"
    assert len(frames) == len(list(bench.exchange(1)))


def test_cut_anywhere_it_is_told_and_nothing_breaks(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    data = bench.written("client log", bench.exchange(1)).encode()
    for end in range(1, len(data), 97):
        (tmp_path / "cut").write_bytes(data[:end])
        code = main(["decode", "--jsonl", str(tmp_path / "cut")])
        assert code == 0 or b"/cut: " in capsysbinary.readouterr().err


@example([b"\n", b"", b"\n\x01"])
@given(st.lists(st.binary(max_size=12).map(lambda text: text.replace(b"\0", b"\n")), max_size=8))
@pytest.mark.parametrize("end", [b"\n", b"\n\n"])
def test_lines_are_cut_behind_their_ends_wherever_blocks_are(end: bytes, blocks: list[bytes]) -> None:
    found = list(wrapping.lines_of(blocks, end))
    assert b"".join(found) == b"".join(blocks)
    assert all(piece.endswith(end) for piece in found[:-1])
    assert not found or end not in found[-1].removesuffix(end) or found[-1].endswith(end)
