"""A port for a program that must be told its own, as SIPp, whose own choice begins at 5060, a server's."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

_LOWEST = 12_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""the ports that the kernel gives to anybody who asks for none, of Linux"""
_IANA = 49_152
"""where they begin on other systems"""


def _candidates() -> Iterator[int]:
    """Below those that the kernel gives away, no number twice in a round.

    Each process begins somewhere else, so that programs side by side do not meet.
    """
    try:
        highest = int(_EPHEMERAL.read_text().split()[0])
    except OSError:
        highest = _IANA
    width = (highest if highest > _LOWEST else _IANA) - _LOWEST
    place = os.getpid() * 613
    while True:
        place += 1
        yield _LOWEST + place % width


_CANDIDATES = _candidates()


def free_port(address: str = "127.0.0.1") -> int:
    """A port of ``address`` that nobody has by UDP or TCP, and that nobody else is told or given soon.

    Raises OSError if ``address`` is none of this machine.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family)) as any_port:
        any_port.bind((address, 0))
    while True:
        port = next(_CANDIDATES)
        with (
            closing(socket.socket(family)) as stream,
            closing(socket.socket(family, socket.SOCK_DGRAM)) as datagram,
        ):
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                stream.bind((address, port))
                datagram.bind((address, port))
            except OSError:
                continue
            return port
