"""What several tests of the suite's command line need."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest


class Running(NamedTuple):
    """A reference server in a process of its own."""

    admin: str
    """HOST:PORT"""
    sip: str
    """HOST:PORT, UDP and TCP"""
    secret: str


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """A reference server that other programs can reach."""
    with started() as server:
        yield server


@contextmanager
def started(*options: str) -> Iterator[Running]:
    """A reference server in a process of its own, with these options."""
    command = [sys.executable, "-m", "reference_server.cli", "--secret", "cymru", "--port", "0"]
    command += ["--contact", "sip:127.0.0.1:0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        try:
            yield Running(ready["admin"], ready["sip"][0].partition("/")[2], "cymru")
        finally:
            process.terminate()
            process.communicate(timeout=10)
