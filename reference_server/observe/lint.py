"""Says what applications do that is tolerated, or works by luck: the rules of ``application_rules``, heard live.

Each finding becomes an event, ``lint``, with the clause and what to do instead: so it stands in the log, in the
trace, and in whatever else hears events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from application_rules.judge import Judge
from application_rules.rules import Problem, Weight


class Tell(Protocol):
    """Where events go."""

    def __call__(self, name: str, **details: str | int) -> None:
        """One event."""


class Lint:
    """A tap of frames and events. What it has found of the latest frame of an application, :meth:`latest` has."""

    def __init__(self, tell: Tell) -> None:
        """``tell`` gets the events."""
        self.judge = Judge()
        self._tell = tell
        self._latest: list[Problem] = []

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        """A frame of either side; ``sent`` by the server."""
        if sent:
            self._say(self.judge.received(connection, payload))
            return
        self._latest = self.judge.sent(connection, payload)
        self._say(self._latest)

    def event(self, name: str, **details: str | int) -> None:
        """What no frame tells."""
        match name:
            case "admin-disconnected":
                self._say(self.judge.left(int(details["connection"])))
            case "nobody-routed":
                self._say(self.judge.nobody_routed(str(details["verb"])))
            case "application-silent":
                transaction = str(details["transaction"])
                self._say(
                    self.judge.given_up(int(details["connection"]), str(details["method"]), transaction)
                )
            case "admin-refused" if str(details.get("reason", "")).startswith("framing error"):
                self._say(self.judge.broke(int(details["connection"]), str(details["reason"])))
            case _:
                pass

    def latest(self) -> list[Problem]:
        """What broke a MUST in the latest frame of any application."""
        return [problem for problem in self._latest if problem.rule.weight is Weight.VIOLATION]

    def _say(self, problems: Iterable[Problem]) -> None:
        for each in problems:
            rule = each.rule
            self._tell(
                "lint",
                connection=each.connection,
                clause=rule.clause,
                rule=rule.name,
                weight=rule.weight.value,
                what=each.what,
                remedy=rule.remedy,
            )


class Strict:
    """Stands at the seam of the admin sessions and refuses frames in which :class:`Lint` has found a violation."""

    def __init__(self, lint: Lint, refuse: Callable[[int, str, str], None]) -> None:
        """``refuse`` answers NOK: the connection, the id of the frame, the text."""
        self._lint = lint
        self._refuse = refuse

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """A frame that was shown to Lint just now."""
        problems = self._lint.latest()
        if not problems:
            forward(payload)
            return
        message_id = payload.partition("\r\n")[0].partition("|")[0]
        self._refuse(connection, message_id, f"strict: {problems[0].sentence}")

    def sent(self, connection: int, frame: bytes, forward: Callable[[bytes], None]) -> None:
        """Frames of the server pass."""
        forward(frame)
