"""Ports for programs that must be told theirs, where a test cannot let the kernel choose at the moment of binding."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

_LOWEST = 12_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _candidates() -> Iterator[int]:
    """Below those that the kernel gives to others at any moment, no number twice in a round.

    Each process begins somewhere else, so that tests side by side do not meet.
    """
    width = int(_RANGE.read_text().split()[0]) - _LOWEST
    place = os.getpid() * 613
    while True:
        place += 1
        yield _LOWEST + place % width


_CANDIDATES = _candidates()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has by UDP or TCP, and that nobody else is told or given soon."""
    while True:
        port = next(_CANDIDATES)
        with closing(socket.socket()) as stream, closing(socket.socket(type=socket.SOCK_DGRAM)) as datagram:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                stream.bind(("127.0.0.1", port))
                datagram.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
