"""The base times of RFC 3261 §17.1.1.1 and the two rows of intervals that are made of them. Seconds throughout."""

from __future__ import annotations

from msgspec import Struct

BEFORE_CLIENT_GIVES_UP = 63 / 64
"""of 64·T1: one T1 is left for a final response to arrive before timer F of the client (RFC 3261 §17.1.2.2)"""


class Timing(Struct, frozen=True):
    """T1, T2, T4 and 64·T1, each configurable as the genuine server has it (``<timers>``)."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    t1x64: float = 32.0

    @property
    def first_client_interval(self) -> float:
        """When a client first repeats a request: the genuine server waits a second even if T1 is shorter."""
        return max(self.t1, 1.0)


class ForwardedTiming(Timing, frozen=True):
    """The times of requests that are passed on: these are repeated after T1 already (PROXY-27)."""

    @property
    def first_client_interval(self) -> float:
        """When a proxied request is first repeated (§17.1.1.2)."""
        return self.t1
