"""Faults that every application has to bear, by chance: they leave the connection whole, and all frames in order.

Octets go in pieces of any size (some frames in many, some pieces with many frames) and come a little late (APP-2).
Ahead of some frames goes one of a type that nobody knows, and some have tokens more than anybody knows (FRAME-25). With
the same seed the same case meets the same ones, as far as its application sends the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from drachtio_conformance.peers.variables import new_id

_ALL = 1 << 20
_LATEST = 0.004
"""seconds that a piece may be on its way"""
_LONGEST = 0.1
"""seconds that what was sent may be on its way in all: behind it no piece is late"""
_STRANGERS = 0.1
_MORE_TOKENS = 0.2


class RandomFaults:
    """Those of one case."""

    def __init__(self, seed: str, *, frames: bool = True) -> None:
        """``seed`` is the run's, with the name of the case; without ``frames`` these stay as they are."""
        self._seed = seed
        self._alters = frames
        self._frames = Random(f"{seed}/frames")

    def around(self, payload: str) -> list[str]:
        """What goes to the application instead of a payload."""
        if not self._alters:
            return [payload]
        stranger = self._frames.random() < _STRANGERS
        if self._frames.random() < _MORE_TOKENS and payload.partition("\r\n")[0].split("|")[1:2] == ["sip"]:
            line, end, content = payload.partition("\r\n")
            payload = f"{line}|later|more{end}{content}"
        return [f"{new_id()}|weather|sunny|27", payload] if stranger else [payload]

    def road(self, connection: int, write: Callable[[bytes], None]) -> RoughRoad:
        """The way of the octets of a connection, by number."""
        return RoughRoad(Random(f"{self._seed}/{connection}"), write)


class RoughRoad:
    """Carries octets in order, in pieces, late."""

    def __init__(self, random: Random, write: Callable[[bytes], None]) -> None:
        self._random = random
        self._write = write
        self._waiting = b""
        self._late = 0.0  # in all, of what waits
        self._timer: asyncio.TimerHandle | None = None

    def send(self, data: bytes) -> None:
        """They arrive, some time."""
        self._waiting += data
        self._late = 0.0
        if self._timer is None:
            self._start()

    def _start(self) -> None:
        late = 0.0 if self._late > _LONGEST else self._random.random() * _LATEST
        self._late += late
        self._timer = asyncio.get_running_loop().call_later(late, self._next)

    def _next(self) -> None:
        self._timer = None
        size = self._random.choice((1, 2, self._random.randint(3, 30), self._random.randint(31, 600), _ALL))
        piece, self._waiting = self._waiting[:size], self._waiting[size:]
        self._write(piece)
        if self._waiting:
            self._start()

    def flush(self) -> None:
        """What is on its way arrives."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        data, self._waiting = self._waiting, b""
        if data:
            self._write(data)
