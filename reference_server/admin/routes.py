"""Who is connected and wants what: round robin per verb (ROUTE-3 to ROUTE-6)."""

from __future__ import annotations

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

    def add_route(self, application: TaggedApplication, verb: str) -> None:
        """``application`` wants ``verb``; one that asks twice gets a double share, as in the genuine server."""
        self._routes.setdefault(verb, []).append(application)

    def remove_route(self, application: TaggedApplication, verb: str) -> None:
        """``application`` does not want ``verb`` any more; its other verbs stay (RROUTE-1)."""
        self._keep(verb, [entry for entry in self._routes.get(verb, ()) if entry is not application])

    def remove(self, application: TaggedApplication) -> None:
        """``application`` is gone, and all it wanted."""
        for verb, entries in list(self._routes.items()):
            if application in entries:
                self._keep(verb, [entry for entry in entries if entry is not application])

    def applications(self) -> set[TaggedApplication]:
        """Those that have routed something."""
        return {entry for entries in self._routes.values() for entry in entries}

    def select(self, verb: str, tag: str = "") -> TaggedApplication | None:
        """The next application that has routed ``verb``; the verb is compared exactly, so it is in lower case."""
        entries = self._routes.get(verb)
        if not entries:
            return None
        start = self._next.get(verb, 0)
        for step in range(len(entries)):
            index = (start + step) % len(entries)
            candidate = entries[index]
            if candidate.connected and candidate.reads and (not tag or tag in candidate.tags):
                self._next[verb] = index + 1
                return candidate
        return None

    def _keep(self, verb: str, entries: list[TaggedApplication]) -> None:
        if entries:
            self._routes[verb] = entries
        else:
            self._routes.pop(verb, None)
            self._next.pop(verb, None)

    def __len__(self) -> int:
        """How many routes there are."""
        return sum(len(entries) for entries in self._routes.values())
