"""What a source gives: texts for settings, each with the place it comes from, and what is wrong with them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from reference_server.config.setting import Effect, Setting
from reference_server.config.values import WrongValue


class Severity(Enum):
    """An error prevents the start; a warning does not, and makes ``--check`` fail."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the configuration: where it stands, and in a sentence what was expected and came."""

    severity: Severity
    place: str
    text: str
    without_effect: bool = False
    """a setting that is known, right and does nothing here: to ``--check`` a fault only if that is strict"""

    def __str__(self) -> str:
        """``error: drachtio.xml:3: <admin port>: expected …, got 'abc'``"""
        return f"{self.severity.value}: {self.place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Given:
    """One text for one setting."""

    setting: Setting[object]
    text: str
    place: str
    """how a user finds it: ``drachtio.xml:3: <admin port>``, ``option --port``, ``variable DRACHTIO_SECRET``"""
    element: int = 0
    """for the file: the number of the element that it belongs to, so that attributes find their contact"""
    announced: bool = False
    """it has been said already that the setting has no effect, of an element around it"""

    def __repr__(self) -> str:
        """Without the text of a secret."""
        text = "***" if self.setting.secret else repr(self.text)
        return f"Given({self.place!r}, text={text})"


def error(place: str, text: str) -> Problem:
    """A problem that prevents the start."""
    return Problem(Severity.ERROR, place, text)


def warning(place: str, text: str) -> Problem:
    """A problem that does not."""
    return Problem(Severity.WARNING, place, text)


def without_effect(place: str, effect: Effect, without: str) -> Problem:
    """A known setting does nothing here: what that means stands in ``without``."""
    text = "has no effect in this release yet" if effect is Effect.NOT_YET else "has no effect in this server"
    return Problem(Severity.WARNING, place, f"{text}: {without}", without_effect=True)


def nearest(name: str, known: Iterable[str], shown: str = "{}", cutoff: float = 0.6) -> str:
    """``, did you mean --port?``, or nothing if no known name is near; ``shown`` formats the name."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f", did you mean {shown.format(near[0])}?" if near else ""


def judge(given: Iterable[Given], *, variable: bool = False) -> list[Problem]:
    """Check each value, and name once each setting that has no effect."""
    problems: list[Problem] = []
    named: set[int] = set()
    for item in given:
        kind = item.setting.variable_kind if variable else item.setting.kind
        try:
            kind.parse(item.text)
        except WrongValue as wrong:
            came = "something else" if item.setting.secret else repr(item.text) if item.text else "nothing"
            problems.append(error(item.place, f"{wrong}, got {came}"))
            continue
        if item.setting.effect is not Effect.NOW and not item.announced and id(item.setting) not in named:
            named.add(id(item.setting))
            problems.append(without_effect(item.place, item.setting.effect, item.setting.without))
    return problems
