"""A log file with rotation: archived before it exceeds its size, and at local midnight.

A full file ``dr.log`` moves into the archive as ``dr.log``, ``dr.log00000``, ``dr.log00001`` … (the first free name),
and the archive's oldest files go until it is within its limits. At the end the active file stays where it is, and the
next start appends to it. When writing or archiving fails, that is said once on standard error and the server goes on.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import time
from contextlib import suppress
from io import FileIO
from pathlib import Path

from reference_server.config.model import LogFileConfiguration

_MEGABYTE = 1_000_000
_COLLECTED = 64 * 1024  # octets, and
_COLLECTED_FOR = 1.0  # seconds; what a file without auto-flush keeps back at most
_RETRY_AFTER = 60.0  # seconds until an archive that failed is tried again


class LogFileError(Exception):
    """The log file cannot be opened; the text says which and why."""


class LogFile:
    """A sink of the log."""

    def __init__(self, configuration: LogFileConfiguration, *, globally_readable: bool = False) -> None:
        """Create the directory, open the file. Raises LogFileError."""
        self._path = Path(configuration.name)
        self._archive = Path(configuration.archive)
        self._limit = configuration.size * _MEGABYTE
        self._archive_limit = configuration.max_size * _MEGABYTE
        self._free_limit = configuration.min_size * _MEGABYTE
        self._archive_files = configuration.max_files
        self._mode = 0o644 if globally_readable else 0o660
        self._auto_flush = configuration.auto_flush
        self._collected: list[bytes] = []
        self._collected_size = 0
        self._flushed = 0.0
        self._retry = 0.0
        self._complained = False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file: FileIO | None = self._open()
        except FileExistsError:
            raise LogFileError(
                f"cannot open the log file {configuration.name}: {self._path.parent} is no directory"
            ) from None
        except (OSError, ValueError) as reason:
            text = os.strerror(reason.errno) if isinstance(reason, OSError) and reason.errno else str(reason)
            raise LogFileError(f"cannot open the log file {configuration.name}: {text}") from None
        self._midnight = next_midnight(time.time())

    def write(self, record: bytes, now: float) -> None:
        """Append one record, archiving the file before if it is time to."""
        if self._file is None:
            return
        if now >= self._midnight or self._size + len(record) > self._limit:
            self._rotate(now)
        self._size += len(record)
        if self._auto_flush:
            self._append(record)
            return
        self._collected.append(record)
        self._collected_size += len(record)
        if self._collected_size >= _COLLECTED or now - self._flushed >= _COLLECTED_FOR:
            self._flushed = now
            self.flush()

    def flush(self) -> None:
        """Write what has been collected."""
        if self._collected:
            records = b"".join(self._collected)
            self._collected.clear()
            self._collected_size = 0
            self._append(records)

    def close(self) -> None:
        """Flush, and close the file; it stays where it is."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> FileIO:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, self._mode)
        file = FileIO(descriptor, "ab")
        status = os.fstat(descriptor)
        self._regular = stat.S_ISREG(status.st_mode)
        if self._regular:  # the mode of /dev/null is everybody's
            with suppress(PermissionError):  # another user's file that we may write to: not ours to set
                os.fchmod(descriptor, self._mode)  # whatever the umask and the former run said
        self._size = status.st_size
        return file

    def _append(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as reason:
            self._complain(f"cannot write to the log file {self._path}", reason)

    def _rotate(self, now: float) -> None:
        day_ends = now >= self._midnight
        if day_ends:
            self._midnight = next_midnight(now)
        if not self._size or self._file is None or (now < self._retry and not day_ends):
            return
        if not self._regular:  # a device, a pipe: nothing that could be archived
            return
        self.flush()
        try:
            self._archive.mkdir(parents=True, exist_ok=True)
            shutil.move(self._path, self._free_name())
        except FileNotFoundError:
            pass  # somebody has moved the file away: begin a new one
        except OSError as reason:
            self._retry = now + _RETRY_AFTER
            self._complain(f"cannot archive the log file {self._path} in {self._archive}", reason)
            return
        self._file.close()
        try:
            self._file = self._open()
        except OSError as reason:
            self._file = None
            self._complain(f"cannot open the log file {self._path}", reason)
        self._collect_garbage()

    def _free_name(self) -> Path:
        name = self._archive / self._path.name
        number = 0
        while name.exists():
            name = self._archive / f"{self._path.name}{number:05d}"
            number += 1
        return name

    def _collect_garbage(self) -> None:
        """Delete the oldest archived files of this log until the archive is within its limits."""
        try:
            files = sorted(self._archived(), key=lambda entry: (entry[1].st_mtime_ns, entry[0].name))
            total = sum(status.st_size for _, status in files)
            while files and (
                len(files) > self._archive_files
                or total > self._archive_limit
                or (self._free_limit and shutil.disk_usage(self._archive).free < self._free_limit)
            ):
                path, status = files.pop(0)
                path.unlink(missing_ok=True)
                total -= status.st_size
        except OSError as reason:
            self._complain(f"cannot tidy up the archive {self._archive}", reason)

    def _archived(self) -> list[tuple[Path, os.stat_result]]:
        name = self._path.name
        active = os.stat(self._path) if self._path.exists() else None
        found: list[tuple[Path, os.stat_result]] = []
        for path in self._archive.iterdir():
            suffix = path.name.removeprefix(name)
            if not path.name.startswith(name) or (suffix and not (suffix.isdigit() and len(suffix) >= 5)):
                continue
            status = path.stat()
            if active is None or not os.path.samestat(status, active):
                found.append((path, status))
        return found

    def _complain(self, what: str, reason: OSError) -> None:
        """Say it once: where the log fails, the log is no place to say so."""
        if not self._complained and sys.stderr is not None:
            self._complained = True
            text = os.strerror(reason.errno or errno.EIO)
            try:
                sys.stderr.write(f"{what}: {text}\n")
            except (OSError, ValueError):
                return


def next_midnight(now: float) -> float:
    """Unix seconds of the local midnight that comes after ``now``."""
    local = time.localtime(now)
    return time.mktime((local.tm_year, local.tm_mon, local.tm_mday + 1, 0, 0, 0, 0, 0, -1))
