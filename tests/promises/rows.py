"""The rows of both documents, and the tables that are made of them."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.promises.figures import Figures
from tests.promises.limits import limits, limits_table

FOLDER = Path(__file__).parent
DOCS = FOLDER.parents[1] / "docs"
PAGES = ("reliability", "security")

_BEGIN = "<!-- made of tests/promises/{page}.yaml by python -m tests.promises -->"
_END = "<!-- end of what is made -->"


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One promise."""

    against: str
    """a fault or a threat"""
    promise: str
    tests: tuple[str, ...]
    """``FILE``, ``FILE::FUNCTION`` below ``tests/``, ``make TARGET``, or ``case:PATTERN`` of the suite's cases"""
    figure: str = ""
    """what was measured; ``{run.name}`` stands for a figure of a run"""


def rows_of(page: str) -> list[Row]:
    """The rows of ``docs/PAGE.md``; msgspec.ValidationError says which row has not the form of one."""
    return msgspec.yaml.decode((FOLDER / f"{page}.yaml").read_bytes(), type=list[Row])


def filled(text: str, figures: Figures) -> str:
    """``text`` with figures in place of their names; KeyError names one that no run has counted."""

    def figure(match: re.Match[str]) -> str:
        value = figures[match[1]][match[2]]
        return f"{value:,}" if isinstance(value, int) else str(value)

    return re.sub(r"\{(\w+)\.(\w+)\}", figure, text)


def table(page: str, rows: list[Row], figures: Figures) -> str:
    """``rows`` as a table in Markdown."""
    first = {"reliability": "fault", "security": "threat"}[page]
    lines = [f"| {first} | promise | test | figure |", "|---|---|---|---|"]
    for row in rows:
        tests = ", ".join(f"`{_shown(test)}`" for test in row.tests)
        figure = filled(row.figure, figures)
        lines.append(f"| {row.against} | {row.promise} | {tests} | {figure}{' ' if figure else ''}|")
    return "\n".join(lines)


def with_table(page: str, text: str, figures: Figures) -> str:
    """The document ``text`` with its table anew; ValueError if it has no place for one."""
    made = _between(text, page, _BEGIN.format(page=page), table(page, rows_of(page), figures))
    return with_limits(made) if page == "reliability" else made


def with_limits(text: str) -> str:
    """``docs/reliability.md`` with its table of limits anew; ValueError if it has no place for one."""
    return _between(text, "reliability", _BEGIN.format(page="limits"), limits_table(limits()))


def _between(text: str, page: str, begin: str, made: str) -> str:
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(_END)
    if not found or not ended:
        raise ValueError(f"docs/{page}.md: expected a line {begin!r} and a line {_END!r} behind it")
    return f"{before}{begin}\n\n{made}\n\n{_END}{after}"


def _shown(test: str) -> str:
    """A function alone says enough, and a case needs no mark."""
    return test.removeprefix("case:").rpartition("::")[2]
