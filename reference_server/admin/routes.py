"""Who is connected and wants what: round robin per verb (ROUTE-3 to ROUTE-6)."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import Protocol

from reference_server.core.ports import Application


class TaggedApplication(Application, Protocol):
    """An application as far as it matters whether a request is for it."""

    @property
    def tags(self) -> frozenset[str]:
        """Names by which it can be selected, from its authenticate messages."""

    @property
    def reads(self) -> bool:
        """False while it takes nothing of what waits for it: what it were given would be lost."""


class RouteTable:
    """The connected applications; implements ``Applications`` of core/ports.py."""

    def __init__(self) -> None:
        self._routes: dict[str, list[TaggedApplication]] = {}
        self._next: dict[str, int] = {}
        self._counts = Counter[TaggedApplication]()
        """how many each has"""
        self._passed_over: frozenset[Application] = frozenset()

    def add_route(self, application: TaggedApplication, verb: str, most: float = inf) -> bool:
        """``application`` wants ``verb``; one that asks twice gets a double share, as in the genuine server.

        False, and it gets none, if it has ``most`` routes already.
        """
        if self._counts[application] >= most:
            return False
        self._counts[application] += 1
        self._routes.setdefault(verb, []).append(application)
        return True

    def remove_route(self, application: TaggedApplication, verb: str) -> None:
        """``application`` does not want ``verb`` any more; its other verbs stay (RROUTE-1)."""
        self._take_out(application, verb)

    def remove(self, application: TaggedApplication) -> None:
        """``application`` is gone, and all it wanted."""
        for verb, entries in list(self._routes.items()):
            if application in entries:
                self._take_out(application, verb)

    def pass_over(self, applications: frozenset[Application]) -> None:
        """From now on these are not selected, and all others are."""
        self._passed_over = applications

    def applications(self) -> set[TaggedApplication]:
        """Those that have routed something."""
        return {entry for entries in self._routes.values() for entry in entries}

    def select(self, verb: str, tag: str = "") -> TaggedApplication | None:
        """The next application that has routed ``verb``; the verb is compared exactly, so it is in lower case."""
        entries = self._routes.get(verb)
        if not entries:
            return None
        index = self._next.get(verb, 0) % len(entries)
        candidate = entries[index]
        if candidate.connected and candidate.reads and not (tag or self._passed_over):
            self._next[verb] = index + 1
            return candidate
        return self._search(verb, tag, index)

    def _search(self, verb: str, tag: str, start: int) -> TaggedApplication | None:
        """The first from ``start`` on that can be asked."""
        entries, passed_over = self._routes[verb], self._passed_over
        for step in range(len(entries)):
            index = (start + step) % len(entries)
            candidate = entries[index]
            available = candidate.connected and candidate.reads and candidate not in passed_over
            if available and (not tag or tag in candidate.tags):
                self._next[verb] = index + 1
                return candidate
        return None

    def _take_out(self, application: TaggedApplication, verb: str) -> None:
        before = self._routes.get(verb, [])
        entries = [entry for entry in before if entry is not application]
        self._counts[application] -= len(before) - len(entries)
        if not self._counts[application]:
            del self._counts[application]
        if entries:
            self._routes[verb] = entries
        else:
            self._routes.pop(verb, None)
            self._next.pop(verb, None)

    def __len__(self) -> int:
        """How many routes there are."""
        return sum(len(entries) for entries in self._routes.values())
