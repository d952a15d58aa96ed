"""Which handler is asked about which method (HTTP-1): the one of the method itself, else the one of ``*``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from reference_server.core.decisions import Decision, Place, ToListening
from reference_server.core.ports import Abandon, HandlerQuestion

ANY_METHOD = "*"


class Asked(Protocol):
    """Who answers questions, whatever they are about."""

    def ask(self, question: HandlerQuestion, decided: Callable[[Decision], None]) -> Abandon:
        """See ``RequestHandler`` of core/ports.py."""


class HandlersByMethod:
    """All handlers of a server; implements ``RequestHandler`` of core/ports.py."""

    def __init__(self, handlers: Mapping[str, Asked]) -> None:
        """By method in upper case, or ``*``."""
        self._handlers = handlers
        self._any = handlers.get(ANY_METHOD)

    def wants(self, method: str) -> bool:
        """Whether any is to be asked."""
        return self._any is not None or method in self._handlers

    def ask(self, question: HandlerQuestion, decided: Callable[[Decision], None]) -> Abandon:
        """Ask the one that is to be asked."""
        handler = self._handlers.get(question.request.method, self._any)
        if handler is None:
            raise ValueError(f"nobody is to be asked about {question.request.method}")
        return handler.ask(question, decided)


class DirectHandler:
    """A handler ``tcp://HOST:PORT`` or ``tls://HOST:PORT``: nobody is asked, the application listens there (OUTB-2)."""

    def __init__(self, place: Place) -> None:
        self._decision = ToListening(places=(place,))

    def ask(self, question: HandlerQuestion, decided: Callable[[Decision], None]) -> Abandon:
        """The answer comes at once."""
        decided(self._decision)
        return _nothing


def _nothing() -> None:
    """There is nothing to abandon."""
