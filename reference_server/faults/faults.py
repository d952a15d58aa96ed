"""The faults of a server put together: implements ``FrameInterceptor`` of the admin sessions, and hears of connections.

A frame passes the filters in the order of the table in ``config/fault.py``, so that it is altered before it is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import SystemRandom

from reference_server.config.fault import FAULTS
from reference_server.config.model import Fault
from reference_server.core.ports import Timers
from reference_server.faults import filters
from reference_server.faults.filters import Filter, Forward, Wires

_LAST = ("wrong-length", "close", "reset", "half-open", "glue", "split")
"""what is done to a frame when all else is done"""


class Faults:
    """All that is done on purpose."""

    def __init__(self, faults: Sequence[Fault], timers: Timers, lines: Wires) -> None:
        """``lines`` are the connections of the server."""
        self._timers = timers
        self._lines = lines
        self._told: list[str] = []
        order = [*(name for name in FAULTS if name not in _LAST), *_LAST]
        chosen = sorted(faults, key=lambda fault: order.index(fault.name))
        self._filters = [self._filter(fault) for fault in chosen]

    @property
    def description(self) -> str:
        """``split=1, random=0.2:4711``: what brings the same about again."""
        return ", ".join(self._told)

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """A frame is to go out."""
        for each in reversed(self._filters):
            forward = partial(each.sent, connection, forward=forward)
        forward(frame)

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """A frame came in."""
        for each in reversed(self._filters):
            forward = partial(each.received, connection, forward=forward)
        forward(payload)

    def event(self, name: str, **details: str | int) -> None:
        """Connections come and go."""
        if name == "admin-connected":
            for each in self._filters:
                each.begun(int(details["connection"]))
        elif name == "admin-disconnected":
            for each in self._filters:
                each.ended(int(details["connection"]))

    def release(self) -> None:
        """They are taken away: what is kept goes on, in the order in which frames pass."""
        for each in self._filters:
            each.release()

    def _filter(self, fault: Fault) -> Filter:
        name, number, timers, lines = fault.name, int(fault.value), self._timers, self._lines
        if name != "random":
            self._told.append(f"{name}={fault.value:g}" if FAULTS[name].has_value else name)
        match name:
            case "split":
                return filters.Split(number, timers)
            case "glue":
                return filters.glue(number, timers)
            case "delay-echo":
                return filters.Delay(fault.value, timers, filters.is_echo)
            case "drop-echo":
                return filters.Drop(number, filters.is_echo)
            case "reorder":
                return filters.reorder(number, timers)
            case "twice":
                return filters.Twice(number)
            case "unknown-type":
                return filters.UnknownType(number)
            case "extra-tokens":
                return filters.ExtraTokens()
            case "wrong-length":
                return filters.WrongLength(number)
            case "close" | "reset":
                return filters.BreakOff(number, timers, lines, reset=name == "reset")
            case "half-open":
                return filters.HalfOpen(number, lines)
            case "stop-reading":
                return filters.StopReading(number, lines)
            case "refuse":
                return filters.Refuse(number, timers, lines)
            case "no-pong":
                return filters.NoPong()
            case "slow-hostports":
                return filters.Delay(fault.value, timers, filters.tells_addresses)
            case "no-hostports":
                return filters.NoHostports()
            case _:
                return self._by_chance(fault)

    def _by_chance(self, fault: Fault) -> Filter:
        """Mishaps that leave the connection as it is."""
        seed = SystemRandom().randrange(10**9) if fault.seed is None else fault.seed
        self._told.append(f"random={fault.value:g}:{seed}")
        mishaps: list[Filter] = [
            filters.Delay(0.05, self._timers, filters.is_answer),
            filters.Twice(1),
            filters.UnknownType(1),
            filters.ExtraTokens(),
        ]
        return filters.Mishaps(fault.value, seed, mishaps)
