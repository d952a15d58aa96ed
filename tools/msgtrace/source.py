"""Files as blocks of octets: plain, compressed with gzip, or standard input; in constant memory."""

from __future__ import annotations

import os
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from msgtrace.entries import Account

BLOCK = 128 * 1024
"""octets; what is made of a block should still be in the processor's cache when its lines are written"""
_LOOK_AGAIN = 0.2
"""seconds between two looks at a file that is followed"""
_GZIP = b"\x1f\x8b\x08"
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
        self._file: BinaryIO = sys.stdin.buffer if path == "-" else open(path, "rb", buffering=0)  # noqa: SIM115
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
        blocks = self._decompressed(first) if first.startswith(_GZIP) else self._plain(first)
        for block in blocks:
            if block:
                self._account.total += len(block)
                yield block

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
        if mine.st_size < self._file.tell():
            self._file.seek(0)
        return False

    def _plain(self, block: bytes) -> Iterator[bytes]:
        while block:
            yield block
            block = self._read()

    def _decompressed(self, block: bytes) -> Iterator[bytes]:
        position = 0
        decompressor = zlib.decompressobj(_GZIP_OR_ZLIB_HEADER)
        while block:
            position += len(block)
            try:
                yield decompressor.decompress(block, BLOCK)
                while decompressor.unconsumed_tail:
                    yield decompressor.decompress(decompressor.unconsumed_tail, BLOCK)
            except zlib.error as error:
                self.problem = f"the compressed data is damaged before octet {position}: {error}"
                return
            if decompressor.eof:
                block = decompressor.unused_data.lstrip(b"\0") or self._read()
                if block:
                    decompressor = zlib.decompressobj(_GZIP_OR_ZLIB_HEADER)
                    position -= len(block)
            else:
                block = self._read()
        if not decompressor.eof:
            yield decompressor.flush()
            self.problem = f"the compressed data ends at octet {position}, before its end mark"


def _mode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_mode
