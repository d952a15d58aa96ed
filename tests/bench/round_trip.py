"""How long an application waits for ``pong`` while calls go on: the delay of the server's event loop, as it is felt."""

from __future__ import annotations

import socket
import threading
import time

from msgspec import Struct

INTERVAL = 0.01
"""seconds between two pings"""


class RoundTrip(Struct, frozen=True):
    """Percentiles in milliseconds."""

    p50: float
    p99: float
    worst: float
    pings: int


class Pinger:
    """An admin connection of its own that pings until it is stopped."""

    def __init__(self, admin_port: int, secret: str) -> None:
        """Connects and authenticates. Raises OSError."""
        self._socket = socket.create_connection(("127.0.0.1", admin_port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._seconds: list[float] = []
        self._stopped = threading.Event()
        self._exchange(f"a|authenticate|{secret}|")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            started = time.perf_counter()
            self._exchange("p|ping")
            self._seconds.append(time.perf_counter() - started)

    def _exchange(self, payload: str) -> None:
        """Send one frame and read the one that answers it."""
        self._socket.sendall(f"{len(payload)}#{payload}".encode())
        received = b""
        while b"#" not in received or len(received) < received.index(b"#") + 1 + int(
            received.partition(b"#")[0]
        ):
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("the server has closed the admin connection of the bench")
            received += data

    def stop(self) -> RoundTrip:
        """Close; what was measured."""
        self._stopped.set()
        self._thread.join()
        self._socket.close()
        ordered = sorted(1000 * second for second in self._seconds) or [0.0]
        last = len(ordered) - 1
        return RoundTrip(ordered[last // 2], ordered[last * 99 // 100], ordered[last], len(self._seconds))
