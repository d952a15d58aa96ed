"""What several tests of the suite's command line need."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from drachtio_conformance.peers.tls import own_certificate
from drachtio_load.free_port import free_port

ATTEMPTS = 5


class Running(NamedTuple):
    """A reference server in a process of its own."""

    admin: str
    """HOST:PORT"""
    sip: str
    """HOST:PORT, UDP and TCP"""
    secret: str
    secure_admin: str
    """HOST:PORT of the admin port by TLS"""
    doors: dict[str, str]
    """transport to HOST:PORT of all SIP contacts"""


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """A reference server that other programs can reach."""
    with started() as server:
        yield server


@contextmanager
def started(*options: str) -> Iterator[Running]:
    """A reference server in a process of its own, with these options."""
    with _process(*options) as (process, line):
        ready = json.loads(line)
        doors = dict(reversed([contact.split("/", 1) for contact in ready["sip"]]))
        try:
            yield Running(ready["admin"], doors["udp"], "cymru", ready["adminTls"], doors)
        finally:
            process.terminate()
            process.communicate(timeout=10)


@contextmanager
def _process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the line in which it says where it listens; another port if somebody was faster to take one."""
    for attempt in range(ATTEMPTS):
        with _begun(*options) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            if line or attempt + 1 == ATTEMPTS:
                yield process, line
                return


def _begun(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "reference_server.cli", "--secret", "cymru", "--port", "0"]
    own = own_certificate()
    command += [
        "--key-file",
        str(own.key),
        "--cert-file",
        str(own.certificate),
        "--tls-port",
        str(free_port()),
    ]
    for contact in ("", ";transport=tls", ";transport=ws", ";transport=wss"):
        command += ["--contact", f"sip:127.0.0.1:0{contact}"]
    command += options
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
