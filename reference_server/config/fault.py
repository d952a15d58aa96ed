"""What ``--fault`` says: which harm is done on purpose to frames and connections of applications.

::

    split=1,delay-echo=0.5        frames octet by octet, echoes half a second late
    close=7                       each connection is closed behind its seventh frame
    random=0.2:4711               one frame in five meets some mishap; the same ones for the same seed
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from reference_server.config.model import Fault
from reference_server.config.values import Kind, WrongValue


class _Row(Struct, frozen=True):
    meaning: str
    smallest: float = 0.0
    """of its value"""
    largest: float = 0.0
    whole: bool = True
    """its value is a whole number"""

    @property
    def has_value(self) -> bool:
        return self.largest > 0


FAULTS: Final = {
    "split": _Row("frames leave in pieces of N octets", 1, 1_000_000),
    "glue": _Row("N frames leave in one piece, or what there is after 0.1 s", 2, 1000),
    "delay-echo": _Row("echoes of what the application sent come S seconds late", 0.001, 3600, whole=False),
    "drop-echo": _Row("each N-th echo never comes", 1, 1_000_000),
    "reorder": _Row("answers come in reverse order, N at a time, or what there is after 0.2 s", 2, 1000),
    "twice": _Row("each N-th frame comes twice", 1, 1_000_000),
    "unknown-type": _Row("a frame of a type that nobody knows goes ahead of each N-th", 1, 1_000_000),
    "extra-tokens": _Row("each frame has two tokens more"),
    "wrong-length": _Row("the count of the N-th frame of a connection is wrong by one", 1, 1_000_000),
    "close": _Row("the connection is closed behind its N-th frame", 1, 1_000_000),
    "reset": _Row("the connection is reset behind its N-th frame", 1, 1_000_000),
    "half-open": _Row(
        "behind its N-th frame the connection stays open, and nothing more is sent or read", 1, 1e6
    ),
    "stop-reading": _Row("behind the application's N-th frame nothing more is read", 1, 1_000_000),
    "refuse": _Row("the first N connections are reset as soon as they are made", 1, 1_000_000),
    "no-pong": _Row("pings are not answered"),
    "slow-hostports": _Row("the answer to authenticate comes S seconds late", 0.001, 3600, whole=False),
    "no-hostports": _Row("the answer to authenticate tells no addresses"),
    "random": _Row(
        "a mishap with the probability P for each frame, by a seed: P:SEED", 0.000001, 1, whole=False
    ),
}
"""By name, in the order in which a frame meets them."""

_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_SEED = re.compile(r"[0-9]{1,18}")


def faults(text: str) -> tuple[Fault, ...]:
    """The faults of a list, ``split=1,no-pong``. Raises WrongValue."""
    found = tuple(_fault(part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise WrongValue(f"expected faults, {', '.join(FAULTS)}")
    return found


def _fault(text: str) -> Fault:
    name, equals, value = text.partition("=")
    row = FAULTS.get(name)
    if row is None:
        raise WrongValue(f"there is no fault '{name}'; there are {', '.join(FAULTS)}")
    if not row.has_value:
        if equals:
            raise WrongValue(f"'{name}' takes no value")
        return Fault(name)
    number, _, seed = value.partition(":") if name == "random" else (value, "", "")
    fits = _NUMBER.fullmatch(number) is not None and (not row.whole or "." not in number)
    if not fits or not row.smallest <= float(number) <= row.largest or (seed and not _SEED.fullmatch(seed)):
        kind = "a whole number" if row.whole else "a number"
        raise WrongValue(f"expected {name}=N, {kind} from {row.smallest:g} to {row.largest:g}, got '{text}'")
    return Fault(name, float(number), int(seed) if seed else None)


FAULT_LIST: Kind[tuple[Fault, ...]] = Kind(
    "faults", f"a list of {', '.join(FAULTS)}, like split=1,no-pong", faults
)
