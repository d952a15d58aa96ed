"""A relay between callers and a server over UDP that loses, doubles, delays and so reorders, as it is told."""

from __future__ import annotations

import heapq
import random
import selectors
import socket
import threading
import time
from typing import Self

from msgspec import Struct


class Weather(Struct, frozen=True, kw_only=True):
    """What becomes of datagrams."""

    lost: float
    """share, 0 to 1"""
    doubled: float
    """share of those that are not lost"""
    late: float
    """seconds at most by which each is delayed; they overtake each other"""


class Relay:
    """Runs in a thread of its own from ``with`` to its end; callers send to ``port``."""

    def __init__(self, server_port: int, weather: Weather, seed: int = 1) -> None:
        self._server = ("127.0.0.1", server_port)
        self._weather = weather
        self._dice = random.Random(seed)
        self._outside = _bound()
        self._inside = _bound()
        self._caller: tuple[str, int] | None = None
        self._due: list[tuple[float, int, bool, bytes]] = []
        self._number = 0
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = int(self._outside.getsockname()[1])
        self.lost = self.doubled = self.passed = 0
        """datagrams"""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.send(b".")
        self._thread.join()
        for one in (self._outside, self._inside, self._wake, self._woken):
            one.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for one in (self._outside, self._inside, self._woken):
                selector.register(one, selectors.EVENT_READ)
            while True:
                wait = max(self._due[0][0] - time.monotonic(), 0) if self._due else None
                for key, _ in selector.select(wait):
                    if key.fileobj is self._woken:
                        return
                    self._take(key.fileobj is self._outside)
                self._deliver()

    def _take(self, from_caller: bool) -> None:
        try:
            data, sender = (self._outside if from_caller else self._inside).recvfrom(65_535)
        except ConnectionRefusedError:  # by ICMP, about an earlier one
            return
        if from_caller:
            self._caller = sender
        if self._dice.random() < self._weather.lost:
            self.lost += 1
            return
        copies = 2 if self._dice.random() < self._weather.doubled else 1
        self.doubled += copies - 1
        for _ in range(copies):
            self._number += 1
            at = time.monotonic() + self._dice.uniform(0, self._weather.late)
            heapq.heappush(self._due, (at, self._number, from_caller, data))

    def _deliver(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, from_caller, data = heapq.heappop(self._due)
            self.passed += 1
            if from_caller:
                self._inside.sendto(data, self._server)
            elif self._caller is not None:
                self._outside.sendto(data, self._caller)


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    made.bind(("127.0.0.1", 0))
    return made
