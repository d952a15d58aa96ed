"""Datagrams leave by a thread, behind a bounded queue: nobody waits for a name, a route or a buffer.

A name is looked up when the first datagram is to go, and again after a failure, but not more often than every few
seconds. What finds no room, no address, or nobody who listens (as ICMP says of the datagram before) is counted.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

LIMIT: Final = 4 * 1024 * 1024
"""Octets of datagrams that wait at most."""

LARGEST: Final = 65_507 - 40
"""Octets of one datagram: what UDP carries, less the header that IPv6 has more than IPv4."""

PACE: Final = 0.02
"""Seconds for which datagrams are collected, so that the thread wakes less often."""

RETRY: Final = 5.0
"""Seconds until what failed is tried again."""

PATIENCE: Final = 2.0
"""Seconds that the thread has at the end."""

BETWEEN_WORDS: Final = 10.0
"""Seconds between two words of what is lost."""


class Lost(Struct, frozen=True):
    """What did not go out, or did not arrive."""

    count: int
    reason: str
    """of the latest"""


class Datagrams:
    """Sends datagrams to one place. ``write`` and ``take_lost`` are for one thread, any."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        limit: int = LIMIT,
        pace: float = PACE,
        retry: float = RETRY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``host`` is a literal address or a name, ``limit`` in octets, ``pace`` and ``retry`` in seconds."""
        self._host = host
        self._port = port
        self._limit = limit
        self._pace = pace
        self._retry = retry
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._queue: list[tuple[bytes, int]] = []
        self._waiting = 0  # octets, those in the hands of the thread included
        self._full = False
        self._lost = 0
        self._reason = ""
        self._closing = False
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None  # of the thread, as what follows
        self._not_before = 0.0
        self._failure = ""
        self._before = 0  # what the datagram before stood for

    def write(self, datagram: bytes, stands_for: int = 1) -> None:
        """Queue one, or count it; ``stands_for`` is what counts as lost if it is."""
        with self._changed:
            if self._closing:
                return
            if len(datagram) > LARGEST:
                self._lose(stands_for, f"larger than {LARGEST} octets")
                return
            room = self._limit // 2 if self._full else self._limit
            if self._waiting + len(datagram) > room:
                self._full = True
                self._lose(stands_for, "not taken in time")
                return
            self._full = False
            self._queue.append((datagram, stands_for))
            self._waiting += len(datagram)
            if self._thread is None:
                # a daemon: the process ends although it hangs in a look-up
                self._thread = threading.Thread(target=self._run, name="datagrams", daemon=True)
                self._thread.start()
            elif len(self._queue) == 1:
                self._changed.notify_all()

    @property
    def losing(self) -> bool:
        """Whether something was lost since ``take_lost``; a glance that costs nothing."""
        return self._lost > 0

    def take_lost(self) -> Lost | None:
        """What was lost since the last call."""
        with self._changed:
            if not self._lost:
                return None
            lost = Lost(self._lost, self._reason)
            self._lost = 0
            return lost

    def close(self) -> None:
        """Let the thread send the rest; it is not waited for for ever."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _lose(self, count: int, reason: str) -> None:
        self._lost += count
        self._reason = reason

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if self._pace:
                    self._changed.wait_for(lambda: self._closing, self._pace)
                queue, self._queue = self._queue, []
                closing = self._closing
            for datagram, stands_for in queue:
                self._send(datagram, stands_for)
                with self._changed:
                    self._waiting -= len(datagram)
            if closing:
                if self._socket is not None:
                    self._socket.close()
                return

    def _send(self, datagram: bytes, stands_for: int) -> None:
        try:
            to = self._open()
            try:
                to.send(datagram)
            except ConnectionRefusedError as refused:  # the word of ICMP on the one before
                with self._changed:
                    self._lose(self._before, f"nobody listens there: {_words(refused)}")
                to.send(datagram)
            self._before = stands_for
        except OSError as error:
            self._failure = _words(error)
            self._not_before = self._monotonic() + self._retry
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            with self._changed:
                self._lose(stands_for, self._failure)

    def _open(self) -> socket.socket:
        if self._socket is not None:
            return self._socket
        if self._monotonic() < self._not_before:
            raise OSError(self._failure)
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_DGRAM
        )
        opened = socket.socket(family, kind, protocol)
        try:
            opened.connect(address)
        except OSError:
            opened.close()
            raise
        self._before = 0
        self._socket = opened
        return opened


def _words(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name leads nowhere: {error.strerror}"
    return os.strerror(error.errno) if error.errno else str(error)
