"""Defects in what applications do inside dialogs (DEV-41, DEV-43, DEV-72, DEV-206, DEV-212, DEV-224)."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

from reference_server.core.core import Core
from reference_server.emulation.frames import SILENT, Frame, put_together, taken_apart
from reference_server.emulation.recent import Recent
from reference_server.faults.filters import Filter, Forward, framed

_CONTACT = re.compile(r"(?im)^Contact[ \t]*:.*?\r\n")
_CONTENT_TYPE = re.compile(r"(?im)^Content-Type[ \t]*:.*?\r\n")
_UNKNOWN_DIALOG = "unknown;from-tag=unknown"


class EarlyUpdates(Filter):
    """An UPDATE that comes before the INVITE is answered has the INVITE's transaction id (DEV-41).

    A response to that id is for the UPDATE if its CSeq says so.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._invites: Recent[str, str] = Recent()
        """the transaction of the INVITE, by dialog id"""
        self._updates: Recent[str, str] = Recent()
        """the transaction of the UPDATE, by that of the INVITE"""

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """Find out what it answers."""
        frame = Frame(payload)
        update = self._updates.get(frame.token(2)) if frame.token(1) == "sip" else None
        if update is not None and frame.header("cseq").upper().endswith("UPDATE"):
            frame.tokens[2] = update
            payload = frame.payload
        forward(payload)

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Give it the other id."""
        message = taken_apart(frame)
        if message.token(1) == "response" and message.token(4) == "application" and message.token(11):
            self._invites.keep(message.token(11), message.token(10))
        elif message.token(1) == "sip" and message.start_line.startswith("UPDATE "):
            usage = self._core.dialogs.by_id(message.token(9))
            invite = self._invites.get(message.token(9))
            if usage is not None and usage.is_early and invite is not None:
                self._updates.keep(invite, message.token(8))
                message.tokens[8] = invite
                frame = put_together(message)
        forward(frame)


class ReInvites(Filter):
    """A re-INVITE of the application cannot be cancelled (DEV-72), but its BYE cancels one (DEV-43)."""

    def __init__(self) -> None:
        self._asked: Recent[tuple[int, str], str] = Recent()
        """the dialog id of an INVITE, by connection and message id"""
        self._open: Recent[str, str] = Recent()
        """the dialog id, by transaction"""
        self._forward: dict[int, Forward] = {}

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """Refuse a CANCEL, make another."""
        frame = Frame(payload)
        if frame.token(1) == "sip" and frame.message:
            dialog_id, transaction = frame.token(3), frame.token(2)
            if frame.message.startswith("INVITE ") and dialog_id:
                self._asked.keep((connection, frame.token(0)), dialog_id)
            elif frame.message.startswith("CANCEL ") and self._is_open(transaction, dialog_id):
                self._refuse(connection, frame.token(0), transaction)
                return
            elif frame.message.startswith("BYE ") and dialog_id:
                for other in self._open.keys_of(dialog_id):
                    self._open.drop(other)
                    forward(f"{SILENT}|sip|{other}|\r\nCANCEL sip:x SIP/2.0\r\n\r\n")
        forward(payload)

    def _is_open(self, transaction: str, dialog_id: str) -> bool:
        return self._open.get(transaction) is not None or bool(dialog_id and self._open.keys_of(dialog_id))

    def _refuse(self, connection: int, message_id: str, transaction: str) -> None:
        text = f"{uuid4()}|response|{message_id}|NOK|unable to cancel unknown transaction id: {transaction}"
        if connection in self._forward:
            self._forward[connection](framed(text.encode("latin-1")))

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """Learn its transaction, and when it is over."""
        self._forward[connection] = forward
        message = taken_apart(frame)
        if message.token(1) == "response":
            dialog_id = self._asked.drop((connection, message.token(2)))
            if dialog_id is not None and message.token(3) == "OK":
                self._open.keep(message.token(10), dialog_id)
        elif message.message.startswith("SIP/2.0 ") and message.message[8:9] > "1":
            self._open.drop(message.token(8))
        forward(frame)

    def ended(self, connection: int) -> None:
        """Forget the way to it."""
        self._forward.pop(connection, None)


class InDialogRequests(Filter):
    """What goes out is not what the application gives, or it is refused."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """Mutilate it."""
        frame = Frame(payload)
        if frame.token(1) != "sip" or not frame.token(3):
            forward(payload)
            return
        head = frame.head
        if frame.message.startswith("UPDATE "):
            frame.message = _CONTACT.sub("", head) + frame.body  # DEV-206
        elif frame.message.startswith("PRACK "):
            frame.message = _CONTENT_TYPE.sub("", head)  # DEV-224
        if self._is_unknown(frame.token(3)):
            frame.tokens[3] = _UNKNOWN_DIALOG  # DEV-212
        forward(frame.payload)

    def _is_unknown(self, dialog_id: str) -> bool:
        """An early dialog of the application's own call that no reliable response has made known."""
        usage = self._core.dialogs.by_id(dialog_id)
        early = usage is not None and usage.begun_here and usage.is_early and not usage.subscription
        return early and dialog_id not in self._core.uac.reliable_calls


# Tested by tests/emulation/test_agreement.py.
