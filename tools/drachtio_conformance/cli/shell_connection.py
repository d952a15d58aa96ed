"""An admin connection for a person: a thread takes what comes, the person's commands send.

Blocking on purpose: it serves one person, and ``input()`` with history and editing blocks anyway.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

from msgspec import Struct

from drachtio_conformance.cli.arguments import AdminAddress
from drachtio_conformance.peers import tls
from drachtio_conformance.peers.admin_peer import told
from msgtrace.frames import Damage, Frame, FrameDecoder


class CannotConnect(Exception):
    """No connection; the message says where to and why."""


class Arrival(Struct, frozen=True):
    """Something that came, or the end of the connection."""

    at: float
    """monotonic seconds"""
    item: Frame | Damage | None
    """None: the server has closed the connection"""


class ShellConnection:
    """One connection; ``arrived`` is called in the receiving thread for each arrival."""

    def __init__(
        self, address: AdminAddress, arrived: Callable[[Arrival], None], *, timeout: float = 5.0
    ) -> None:
        """Connect. Raises CannotConnect."""
        try:
            self._socket = socket.create_connection((address.host, address.port), timeout)
            if address.secure:
                self._socket = tls.connecting().wrap_socket(self._socket)
        except OSError as error:
            reason = told(error) if isinstance(error, ssl.SSLError) else error.strerror or error
            raise CannotConnect(f"no connection to {address}: {reason}") from None
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._arrived = arrived
        self._closing = False
        self.open = True
        self._thread = threading.Thread(target=self._receive, name="admin connection", daemon=True)
        self._thread.start()

    def send(self, octets: str) -> bool:
        """Send octets; False if the connection is gone."""
        try:
            self._socket.sendall(octets.encode("latin-1"))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """End the connection; nothing arrives after this."""
        self._closing = True
        with contextlib.suppress(OSError):  # the server may have been faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _receive(self) -> None:
        decoder = FrameDecoder()
        while data := self._read():
            for item in decoder.feed(data):
                self._arrived(Arrival(time.monotonic(), item))
        self.open = False
        if not self._closing:
            for item in decoder.close():
                self._arrived(Arrival(time.monotonic(), item))
            self._arrived(Arrival(time.monotonic(), None))

    def _read(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except OSError:
            return b""
