"""A file that holds the pid of the server while it runs."""

from __future__ import annotations

import os
from contextlib import suppress


class PidFileError(Exception):
    """The file cannot be written, or another server has it; the text says which."""


class PidFile:
    """One that is written."""

    def __init__(self, path: str) -> None:
        """Write it. Raises PidFileError, also if the process that it names is alive."""
        self._path = os.path.abspath(path)
        other = _pid_in(self._path)
        if other and other != os.getpid() and _lives(other):
            raise PidFileError(f"pid-file {path}: the server with pid {other} runs already")
        try:
            with open(self._path, "w", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
        except (OSError, ValueError) as reason:
            text = reason.strerror if isinstance(reason, OSError) else str(reason)
            raise PidFileError(f"pid-file {path}: {text}") from None

    def remove(self) -> None:
        """Take it away, or empty it where its directory is not ours."""
        if _pid_in(self._path) != os.getpid():
            return
        try:
            os.unlink(self._path)
        except OSError:
            with suppress(OSError):
                os.truncate(self._path, 0)


def _pid_in(path: str) -> int:
    try:
        with open(path, "rb") as file:
            text = file.read(32).strip()
    except (OSError, ValueError):
        return 0
    return int(text) if text.isdigit() else 0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's
    return True


# Tested by tests/operation/test_operation.py.
