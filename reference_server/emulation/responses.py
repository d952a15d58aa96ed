"""Defects in what an application is answered to its responses (DEV-20, DEV-21, DEV-53)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from reference_server.emulation.frames import Frame, put_together, taken_apart
from reference_server.emulation.recent import Recent
from reference_server.faults.filters import Filter, Forward

_UNKNOWN = "Response not sent due to unknown transaction"


class FormerAnswers(Filter):
    """A response that is not sent, or not yet, is answered with what was sent before it (DEV-21, DEV-53)."""

    def __init__(self) -> None:
        self._names: Recent[tuple[int, str], str] = Recent()
        """the transaction that a frame without an answer is about, by connection and message id"""
        self._echoes: Recent[str, Frame] = Recent()
        """the latest echo, by transaction"""
        self._answered: Recent[tuple[int, str], bool] = Recent()
        """what was answered too early, by connection and message id"""
        self._forward: dict[int, Forward] = {}

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """A response that waits is answered at once, with the text of the one before it."""
        frame = Frame(payload)
        key = connection, frame.token(0)
        if frame.token(1) != "sip" or not frame.message.startswith("SIP/"):
            forward(payload)
            return
        transaction = frame.token(2)
        before = self._echoes.get(transaction)
        self._names.keep(key, transaction)
        forward(payload)
        waits = before is not None and before.header("rseq") and self._names.get(key) is not None
        if before is not None and waits and connection in self._forward:
            self._answered.keep(key, True)
            self._forward[connection](put_together(_again(before, key[1])))

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Remember echoes, and put them in the place of a refusal."""
        self._forward[connection] = forward
        answer = taken_apart(frame)
        if answer.token(1) == "sip":
            if answer.start_line.startswith("ACK "):
                self._echoes.drop(answer.token(8))
            forward(frame)
            return
        key = connection, answer.token(2)
        transaction = self._names.drop(key)
        if self._answered.drop(key):
            return
        if transaction is not None:
            before = self._echoes.get(transaction)
            if answer.token(3) == "OK":
                self._echoes.keep(transaction, answer)
            elif answer.token(4) == _UNKNOWN and before is not None and _is_final_to_invite(before):
                forward(put_together(_again(before, key[1])))
                return
        forward(frame)

    def ended(self, connection: int) -> None:
        """Forget the way to it."""
        self._forward.pop(connection, None)


def _again(echo: Frame, message_id: str) -> Frame:
    other = Frame(echo.payload)
    other.tokens[0], other.tokens[2] = str(uuid4()), message_id
    return other


def _is_final_to_invite(echo: Frame) -> bool:
    words = echo.start_line.split(" ")
    return len(words) > 1 and words[1] >= "200" and echo.header("cseq").endswith("INVITE")


class LengthOfTheInvite(Filter):
    """A CANCEL is delivered with the length of its INVITE, once the application has answered that (DEV-20)."""

    def __init__(self) -> None:
        self._lengths: Recent[str, str] = Recent()

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Replace it."""
        if b"|sip|network|" in frame[:80]:
            message = taken_apart(frame)
            if message.start_line.startswith("INVITE "):
                self._lengths.keep(message.token(8), message.token(3))
            elif message.start_line.startswith("CANCEL ") and message.token(9):
                message.tokens[3] = self._lengths.get(message.token(8)) or message.token(3)
                frame = put_together(message)
        forward(frame)


# Tested by tests/emulation/test_agreement.py.
