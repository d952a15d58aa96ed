"""Call detail records that the genuine server does not send, or sends twice (DEV-90, DEV-91, DEV-92)."""

from __future__ import annotations

from uuid import uuid4

from reference_server.emulation.frames import Frame, put_together, taken_apart
from reference_server.emulation.recent import Recent
from reference_server.faults.filters import Filter, Forward


class MissingRecords(Filter):
    """No stop for a call that is cancelled before its first answer, nor for one that cannot be hung up."""

    def __init__(self) -> None:
        self._answered: Recent[str, bool] = Recent()
        self._proxied: Recent[str, bool] = Recent()
        self._hung_up: Recent[str, tuple[Frame, Forward]] = Recent()

    def sent(self, connection: int, frame: bytes, forward: Forward) -> None:
        """On, or nowhere."""
        message = taken_apart(frame)
        if message.token(4) == "application" and message.message.startswith("SIP/"):
            self._answered.keep(message.header("call-id"), True)
        if message.token(4).startswith("proxy-"):
            self._proxied.keep(message.header("call-id"), True)
        if message.token(1) == "cdr:stop":
            reason = message.token(4)
            of_caller = not message.message.startswith("SIP/")
            if reason == "call-canceled" and of_caller and not self._answered.get(message.header("call-id")):
                return  # DEV-90
            own = not self._proxied.get(message.header("call-id"))
            if reason == "system-error-initiated-termination" and own:
                return  # DEV-91
            if reason == "system-initiated-termination" and "ACK timeout" in message.header("reason"):
                return  # DEV-91
            if message.token(2) == "application" and reason == "normal-release":
                self._hung_up.keep(message.header("call-id"), (message, forward))
        forward(frame)
        if message.token(1) == "sip" and message.start_line.startswith("BYE "):
            self._tell_again(message)

    def _tell_again(self, bye: Frame) -> None:
        """The far end hangs up, too: one more stop (DEV-92)."""
        known = self._hung_up.drop(bye.header("call-id"))
        if known is not None:
            stop, forward = known
            second = Frame(f"{uuid4()}|cdr:stop|network|{stop.token(3)}|normal-release\r\n{bye.message}")
            forward(put_together(second))


# Tested by tests/emulation/test_agreement.py.
