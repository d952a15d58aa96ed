"""Which handler is asked about which method."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reference_server.core.decisions import Decision, Place, Reject, ToListening
from reference_server.core.ports import Abandon, HandlerQuestion
from reference_server.handlers.by_method import DirectHandler, HandlersByMethod
from tests.handlers.test_question import question


class Says:
    """A handler that rejects with one status."""

    def __init__(self, status: int) -> None:
        self._status = status

    def ask(self, question: HandlerQuestion, decided: Callable[[Decision], None]) -> Abandon:
        decided(Reject(status=self._status, reason=""))
        return lambda: None


def said(handlers: HandlersByMethod) -> list[Decision]:
    heard: list[Decision] = []
    handlers.ask(question("sip:a@b"), heard.append)
    return heard


def test_the_method_comes_before_any() -> None:
    handlers = HandlersByMethod({"*": Says(400), "INVITE": Says(486), "OPTIONS": Says(404)})
    assert said(handlers) == [Reject(status=486, reason="")]
    assert said(HandlersByMethod({"*": Says(400)})) == [Reject(status=400, reason="")]


def test_who_is_not_to_be_asked() -> None:
    handlers = HandlersByMethod({"OPTIONS": Says(404)})
    assert [handlers.wants(method) for method in ("OPTIONS", "INVITE")] == [True, False]
    with pytest.raises(ValueError, match="nobody is to be asked about INVITE"):
        said(handlers)


def test_a_direct_handler_answers_at_once() -> None:
    place = Place(host="127.0.0.1", port=4000)
    heard: list[Decision] = []
    DirectHandler(place).ask(question("sip:a@b"), heard.append)()
    assert heard == [ToListening(places=(place,))]
