"""A port for SIPp, which must be told its own: when it chooses itself it begins at 5060, a server's."""

from __future__ import annotations

import random
import socket
from contextlib import closing
from pathlib import Path

_LOWEST = 12_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""the ports that the kernel gives to anybody who asks for none, of Linux"""
_ATTEMPTS = 100


def free_port(address: str) -> int:
    """A port of ``address`` that nobody has by UDP or TCP.

    It is none that the kernel gives away: SIPp takes it a moment later, when it might have been given to somebody.
    Raises OSError if ``address`` is none of this machine.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        highest = max(int(_EPHEMERAL.read_text().split()[0]), _LOWEST + 1)
    except OSError:  # another system; 49152 is where IANA has them begin
        highest = 49_152
    for _ in range(_ATTEMPTS):
        port = random.randrange(_LOWEST, highest)
        if _is_free(family, address, port):
            return port
    with closing(socket.socket(family)) as chosen:
        chosen.bind((address, 0))
        return int(chosen.getsockname()[1])


def _is_free(family: socket.AddressFamily, address: str, port: int) -> bool:
    with (
        closing(socket.socket(family, socket.SOCK_STREAM)) as stream,
        closing(socket.socket(family, socket.SOCK_DGRAM)) as datagram,
    ):
        try:
            stream.bind((address, port))
            datagram.bind((address, port))
        except OSError:
            return False
    return True
