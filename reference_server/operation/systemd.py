"""What a service manager is told (sd_notify(3)): a datagram to the socket that ``NOTIFY_SOCKET`` names."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

READY = "READY=1"
STOPPING = "STOPPING=1"


def reloading() -> str:
    """The configuration is being read again; ``READY=1`` follows (``Type=notify-reload``)."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"


def notify(*states: str) -> None:
    """Tell the service manager, if one wants to know. Nothing that goes wrong here matters to a call."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        manager.sendto("\n".join(states).encode(), address)


# Tested by tests/operation/test_operation.py.
