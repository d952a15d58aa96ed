"""What the transaction layer tells those who watch it. The layer asks first whether anybody does: else nothing is made.

Transactions themselves tell nobody what they send: a request or response that is the same object as the last was sent
again. Of client transactions it is kept whether a final response has come, until they are over; of those that began
before anybody watched nothing is known, and they end without a word of how.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.ports import Step, TransactionTap
from reference_server.sip.messages.message import Response

Send = Callable[[str], object]


class TransactionWatch:
    """Speaks to the taps."""

    def __init__(self, taps: list[TransactionTap]) -> None:
        """``taps`` may change at any time."""
        self._taps = taps
        self._unanswered: set[str] = set()

    def tell(self, step: Step, key: str, about: str = "") -> None:
        """One word."""
        for tap in self._taps:
            tap.transaction(step, key, about)

    def sending(self, key: str, send: Send, *, begun_by: str = "") -> Send:
        """``send``, which tells what is sent, but for the request that began it, of which is told already."""
        last = ""
        expected = begun_by

        def watched(text: str) -> object:
            nonlocal last, expected
            if text is last:
                self.tell(Step.SENT_AGAIN, key, _start_line(text))
            elif text is not expected:
                self.tell(Step.SENT, key, _start_line(text))
            last = text
            expected = ""
            return send(text)

        return watched

    def begin_client(self, key: str, text: str) -> None:
        """A request goes out."""
        self._unanswered.add(key)
        self.tell(Step.BEGAN, key, _start_line(text))

    def receive(self, key: str, response: Response) -> None:
        """A response came to it."""
        if response.status >= 200:
            self._unanswered.discard(key)
        self.tell(Step.RECEIVED, key, response.start_line)

    def fail(self, key: str, reason: str) -> None:
        """Its transport has failed."""
        self._unanswered.discard(key)
        self.tell(Step.TRANSPORT_FAILED, key, reason)

    def end_client(self, key: str) -> None:
        """It is over."""
        if key in self._unanswered:
            self._unanswered.discard(key)
            self.tell(Step.UNANSWERED, key)
        self.tell(Step.OVER, key)


def _start_line(text: str) -> str:
    return text.partition("\r\n")[0]
