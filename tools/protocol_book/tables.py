"""The tables of docs/protocol.md that are made of the book's own: each stands between two comments in the document.

::

    <!-- table: NAME; made by python -m protocol_book -->
    …
    <!-- end of table -->
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from protocol_book.facts import RELEASES
from protocol_book.texts import FAILURES

_TABLE: Final = re.compile(
    r"(<!-- table: ([a-z-]+); made by python -m protocol_book -->\n).*?(\n<!-- end of table -->)", re.DOTALL
)


class UnknownTable(ValueError):
    """The document has a place for a table that nothing makes."""


def fill(document: str, makers: Mapping[str, Callable[[], str]]) -> str:
    """The document with all its tables made anew, each by the maker of its name. Raises UnknownTable."""

    def made(match: re.Match[str]) -> str:
        if match[2] not in makers:
            raise UnknownTable(f"no table is called '{match[2]}'; there are {', '.join(makers)}")
        return f"{match[1]}\n{makers[match[2]]()}{match[3]}"

    return _TABLE.sub(made, document)


def row(*cells: str) -> str:
    """A row; what would end a cell is escaped."""
    escaped = [re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in cells]
    return f"| {' | '.join(escaped)} |\n"


def table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    return row(*titles) + "|" + "---|" * len(titles) + "\n" + "".join(row(*cells) for cells in rows)


def failures(outcome: str) -> str:
    """The texts of NO or of NOK."""
    return table(
        ("text", "when", "clause"),
        [
            (f"`{failure.text}`", failure.when, ", ".join(failure.clauses))
            for failure in FAILURES
            if failure.outcome == outcome
        ],
    )


def releases() -> str:
    """What changed in which release of the genuine server."""
    return table(("first release", "change"), [(release.version, release.change) for release in RELEASES])
