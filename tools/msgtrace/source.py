"""Files as blocks of octets: plain, compressed with gzip, xz, bzip2 or zstd, or standard input; in constant memory."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from msgtrace.entries import Account

BLOCK = 128 * 1024
"""octets; what is made of a block should still be in the processor's cache when its lines are written"""
_LOOK_AGAIN = 0.2
"""seconds between two looks at a file that is followed"""
_ZSTD = b"\x28\xb5\x2f\xfd"
_DAMAGED = frozenset({"error", "LZMAError", "OSError", "ValueError", "EOFError"})
"""names of what decompressors raise; the module of the one is not loaded for the other"""
_MEMORY = 256 * 1024 * 1024
"""octets that a decompressor may take"""
_GZIP_OR_ZLIB_HEADER = 31  # wbits of zlib: a gzip header, largest window


class Source:
    """One input; iterate over it once. Raises OSError where the file cannot be read.

    What cannot be decompressed ends the input; ``problem`` then says why and where.
    """

    def __init__(self, path: str, account: Account, *, follow: bool = False) -> None:
        """``path`` is a file's, or ``-`` for standard input; ``follow`` waits for more at the end of a file, also of
        one that was rotated away."""
        self._account = account
        self._path = path
        self._follow = follow and path != "-"
        self._file = _opened(path)
        self.problem = ""
        self.live = False
        """whether more may come as time goes by: a pipe or a terminal"""
        try:
            self.live = not stat.S_ISREG(stat.S_IFMT(_mode(self._file)))
        except OSError:
            self.live = path == "-"
        self.live = self.live or self._follow

    def __iter__(self) -> Iterator[bytes]:
        first = self._read()
        for block in self._blocks(first):
            if block:
                self._account.total += len(block)
                yield block

    def _blocks(self, first: bytes) -> Iterator[bytes]:
        for magic, made in _COMPRESSED:
            if first.startswith(magic):
                return self._decompressed(first, made)
        return self._by_program(first) if first.startswith(_ZSTD) else self._plain(first)

    def close(self) -> None:
        """Close what was opened."""
        if self._file is not sys.stdin.buffer:
            self._file.close()

    def _read(self) -> bytes:
        read = getattr(self._file, "read1", self._file.read)  # a pipe gives what it has
        data: bytes | None = read(BLOCK)
        while not data and self._follow:
            if self._was_rotated():
                self._file.close()
                self._file = open(self._path, "rb", buffering=0)  # noqa: SIM115
            else:
                time.sleep(_LOOK_AGAIN)
            data = self._file.read(BLOCK)
        return data or b""

    def _was_rotated(self) -> bool:
        """Whether the file's name belongs to another one, or it was cut."""
        try:
            now, mine = os.stat(self._path), os.fstat(self._file.fileno())
        except OSError:
            return False  # it will come
        if (now.st_ino, now.st_dev) != (mine.st_ino, mine.st_dev):
            return True
        if mine.st_size < os.lseek(self._file.fileno(), 0, os.SEEK_CUR):
            os.lseek(self._file.fileno(), 0, os.SEEK_SET)
        return False

    def _plain(self, block: bytes) -> Iterator[bytes]:
        while block:
            yield block
            block = self._read()

    def _decompressed(self, block: bytes, made: Callable[[], _Decompressor]) -> Iterator[bytes]:
        """What a compressed file holds, one stream after the other, :data:`BLOCK` octets at a time: a small file may
        hold very many."""
        position = 0
        decompressor = made()
        while block:
            position += len(block)
            try:
                yield decompressor.decompress(block, BLOCK)
                while not decompressor.eof and (more := decompressor.decompress(b"", BLOCK)):
                    yield more
            except Exception as error:
                if type(error).__name__ not in _DAMAGED:
                    raise
                self.problem = f"the compressed data is damaged before octet {position}: {error}"
                return
            if decompressor.eof:
                block = decompressor.unused_data.lstrip(b"\0") or self._read()
                if block:
                    decompressor = made()
                    position -= len(block)
            else:
                block = self._read()
        if not decompressor.eof:
            self.problem = f"the compressed data ends at octet {position}, before its end mark"

    def _by_program(self, block: bytes) -> Iterator[bytes]:
        """zstd has no module of its own in Python; its program reads what is given to it."""
        import subprocess
        import threading

        try:
            process = subprocess.Popen(
                ["zstd", "-dcq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError:
            yield block  # which is refused with advice
            return
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        into, said = process.stdin, process.stderr

        def give() -> None:
            piece = block
            try:
                while piece:
                    into.write(piece)
                    piece = self._read()
                into.close()
            except (BrokenPipeError, ValueError):
                pass  # it has seen enough, or the reader has

        feeder = threading.Thread(target=give, daemon=True)
        feeder.start()
        try:
            while piece := process.stdout.read(BLOCK):
                yield piece
            feeder.join()
            if process.wait():
                why = said.read().decode("utf-8", "replace").strip().rpartition(": ")[2]
                self.problem = f"the compressed data cannot be read to its end: {why}"
        finally:
            process.kill()
            process.wait()
            for pipe in (into, process.stdout, said):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class _Readable(Protocol):
    """What is used of a file."""

    def fileno(self) -> int: ...
    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


def _opened(path: str) -> BinaryIO | _Readable:
    if path == "-":
        return sys.stdin.buffer
    if path.startswith("hep:") and not os.path.exists(path):
        from msgtrace.hep_socket import HepSocket

        return HepSocket(path)
    return open(path, "rb", buffering=0)


class _Decompressor(Protocol):
    """What the modules of the standard library have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """zlib keeps what it has not yet taken; the others do it inside."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(_GZIP_OR_ZLIB_HEADER)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def _xz() -> _Decompressor:
    import lzma

    return lzma.LZMADecompressor(memlimit=_MEMORY)


def _bzip2() -> _Decompressor:
    import bz2

    return bz2.BZ2Decompressor()


_COMPRESSED: tuple[tuple[bytes, Callable[[], _Decompressor]], ...] = (
    (b"\x1f\x8b\x08", _Gzip),
    (b"\xfd7zXZ\x00", _xz),
    (b"BZh", _bzip2),
)


def _mode(file: BinaryIO | _Readable) -> int:
    return os.fstat(file.fileno()).st_mode
