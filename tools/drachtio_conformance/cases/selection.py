"""Which cases run: by name (``--filter``) and by clause (``--clause``).

A filter is a case's name, the beginning of one up to a ``/`` (``framing/split``), or a pattern in which ``*`` and
``?`` stay within one part of the name and ``**`` crosses parts. A clause is an id (``FRAME-1``) or a family
(``FRAME``). Several filters add up, so do several clauses; both together must both apply.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from drachtio_conformance.cases.case import Case


class NothingMatches(ValueError):
    """A filter or clause selects no case; the message names what is near."""


def select(cases: Sequence[Case], filters: Sequence[str] = (), clauses: Sequence[str] = ()) -> list[Case]:
    """The cases to run, in their order. Raises NothingMatches if any filter or clause selects nothing."""
    chosen = list(cases)
    if filters:
        names = _matching(chosen, filters)
        chosen = [case for case in chosen if case.name in names]
    if clauses:
        wanted = _testing(cases, clauses)
        both = [case for case in chosen if case.name in wanted]
        if not both:
            raise NothingMatches(
                f"no case that matches {_listed(filters)} tests {_listed(clauses)}; each alone matches cases"
            )
        chosen = both
    return chosen


def near(word: str, known: Iterable[str]) -> str:
    """`` (did you mean …?)`` with the nearest of ``known``, or nothing."""
    names = list(dict.fromkeys(known))
    lowered = {name.lower(): name for name in names}
    close = [lowered[name] for name in difflib.get_close_matches(word.lower(), lowered, n=3, cutoff=0.6)]
    plain = word.lower().strip("*/?")
    close += [name for name in names if plain and plain in name.lower() and name not in close]
    return f" (did you mean {', '.join(close[:3])}?)" if close else ""


def pattern(text: str) -> re.Pattern[str]:
    """The names that a filter selects."""
    parts = [_GLOB.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*|\*|\?)", text.strip("/"))]
    return re.compile("".join(parts) + ("" if _WILD.search(text) else "(/.*)?"))


_WILD = re.compile(r"[*?]")
_GLOB = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def _matching(cases: Sequence[Case], filters: Sequence[str]) -> set[str]:
    selected: set[str] = set()
    names = [case.name for case in cases]
    for text in filters:
        matcher = pattern(text)
        found = {name for name in names if matcher.fullmatch(name)}
        if not found:
            prefixes = {
                "/".join(parts[:depth]) for name in names if (parts := name.split("/")) for depth in (1, 2)
            }
            raise NothingMatches(f"no case is called '{text}'{near(text, [*sorted(prefixes), *names])}")
        selected |= found
    return selected


def _testing(cases: Sequence[Case], clauses: Sequence[str]) -> set[str]:
    selected: set[str] = set()
    known = sorted({clause for case in cases for clause in case.clauses})
    for wanted in clauses:
        upper = wanted.upper()
        found = {
            case.name
            for case in cases
            if any(clause == upper or clause.rpartition("-")[0] == upper for clause in case.clauses)
        }
        if not found:
            families = sorted({clause.rpartition("-")[0] for clause in known})
            raise NothingMatches(f"no case tests the clause '{wanted}'{near(wanted, [*known, *families])}")
        selected |= found
    return selected


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
