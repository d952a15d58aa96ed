"""Compressed files, whole, cut, damaged, and far larger than they look."""

from __future__ import annotations

import bz2
import gzip
import lzma
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from msgtrace.entries import Account
from msgtrace.source import BLOCK, Source
from tests.msgtrace import samples

ZSTD = shutil.which("zstd")
DATA = samples.client().encode() * 500


def zstd(data: bytes) -> bytes:
    """By its program."""
    assert ZSTD is not None
    return subprocess.run([ZSTD, "-qc"], input=data, capture_output=True, check=True).stdout


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}
COMPRESSIONS |= {"zstd": zstd} if ZSTD else {}


def read(folder: Path, data: bytes) -> tuple[bytes, str, int]:
    """What comes out, what is wrong with it, and the largest block."""
    path = folder / "file"
    path.write_bytes(data)
    source = Source(str(path), Account())
    blocks = list(source)
    source.close()
    return b"".join(blocks), source.problem, max(map(len, blocks), default=0)


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_what_is_compressed_is_read(name: str, tmp_path: Path) -> None:
    compress = COMPRESSIONS[name]
    assert read(tmp_path, compress(DATA)) == (DATA, "", min(BLOCK, len(DATA)))
    assert read(tmp_path, compress(DATA) + compress(b"more"))[:2] == (DATA + b"more", "")


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_what_is_cut_is_read_to_there_and_told(name: str, tmp_path: Path) -> None:
    packed = COMPRESSIONS[name](DATA)
    found, problem, _ = read(tmp_path, packed[:-7])
    assert DATA.startswith(found)
    assert problem.startswith("the compressed data ")


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_what_is_damaged_is_told(name: str, tmp_path: Path) -> None:
    packed = bytearray(COMPRESSIONS[name](DATA))
    packed[len(packed) // 2] ^= 0xFF
    _, problem, _ = read(tmp_path, bytes(packed))
    assert problem.startswith("the compressed data ")


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_a_bomb_takes_no_memory(name: str, tmp_path: Path) -> None:
    """150 MB of zeros in a few kB: a file of many parts, which is one as well."""
    path = tmp_path / "bomb"
    path.write_bytes(COMPRESSIONS[name](bytes(10_000_000)) * 15)
    script = "import sys, resource; from msgtrace.cli import main; sys.exit(main(['decode', sys.argv[1]]))"
    limit = 100_000_000

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    ended = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        preexec_fn=limited,
        check=False,
    )
    assert ended.returncode == 1
    assert "not a recording of the admin protocol" in ended.stderr
