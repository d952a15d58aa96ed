"""Standard output as it may be: a pipe whose reader has gone, a disk that is full, an encoding without arrows."""

from __future__ import annotations

import io
import os
import sys


def prepare() -> None:
    """From now on a character that the encoding of standard output lacks is written as ``?``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def abandon() -> None:
    """Nobody reads any more (``| head``): what is still written goes nowhere, and the end is silent."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
