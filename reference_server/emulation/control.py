"""Defects in the handling of an application's frames, whatever they are about (DEV-2, DEV-10, DEV-15, DEV-19)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from reference_server.core.ports import Timers
from reference_server.emulation.frames import SILENT, Frame, taken_apart
from reference_server.faults.filters import Filter, Forward

_LONGEST_ID = 128


class EveryRoute(Filter):
    """``remove_route`` removes all that the connection has routed (DEV-2), with a verb or without one (DEV-10)."""

    def __init__(self) -> None:
        self._routed: dict[int, set[str]] = {}

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """Once for each verb."""
        frame = Frame(payload)
        kind, verb = frame.token(1), frame.token(2)
        if kind == "route":
            self._routed.setdefault(connection, set()).add(verb)
        elif kind == "remove_route":
            for other in self._routed.pop(connection, ()):
                forward(f"{SILENT}|remove_route|{other}")
            payload = f"{frame.token(0)}|remove_route|{verb}"
        forward(payload)

    def ended(self, connection: int) -> None:
        """Forget it."""
        self._routed.pop(connection, None)


class Swallowed(Filter):
    """What names a transaction and is neither a response nor a CANCEL is nothing (DEV-15)."""

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """On, or nowhere."""
        frame = Frame(payload)
        if (
            frame.token(1) != "sip"
            or not frame.token(2)
            or frame.token(3)
            or frame.message.startswith(("SIP/", "CANCEL"))
        ):
            forward(payload)


class LostAnswers(Filter):
    """A ``sip`` frame without a usable message id is carried out and not answered (DEV-19).

    It is of no use if it is empty, long, or that of another frame that has not been answered.
    """

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._open: set[tuple[int, str]] = set()
        self._recent: set[tuple[int, str]] = set()
        self._lost: Counter[tuple[int, str]] = Counter()

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """Look at its id."""
        frame = Frame(payload)
        if frame.token(1) == "sip":
            key = connection, frame.token(0)
            if not key[1] or len(key[1]) > _LONGEST_ID or key in self._open or key in self._recent:
                self._lost[key] += 1
            else:
                self._open.add(key)
                self._recent.add(key)  # the genuine server answers later than in this turn
                self._timers.start(0, lambda: self._recent.discard(key))
        forward(payload)

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """On, or nowhere."""
        answer = taken_apart(frame)
        key = connection, answer.token(2)
        if answer.token(1) == "response":
            if key in self._open:
                self._open.discard(key)
            elif self._lost[key]:
                self._lost[key] -= 1
                return
        forward(frame)

    def ended(self, connection: int) -> None:
        """Forget its frames."""
        self._open = {key for key in self._open if key[0] != connection}
        for key in [key for key in self._lost if key[0] == connection]:
            del self._lost[key]


# Tested by tests/emulation/test_agreement.py.
