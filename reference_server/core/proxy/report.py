"""What the application hears of a request that it proxied (PROXY-7, PROXY-8).

Without ``fullResponse`` it is one answer, ``OK|done`` when the first copy is on its way. With it each final response
comes with ``continue``, and ``done`` at the end. Nothing follows ``done`` or a ``NOK``.
"""

from __future__ import annotations

from reference_server.core.context import Context
from reference_server.core.ports import Application, Flow
from reference_server.core.to_application import target_answered
from reference_server.sip.messages.message import Response
from reference_server.wire.frames_to_application import Accepted, NotSent, ServerMessage


class Report:
    """The answers to one ``proxy`` message."""

    __slots__ = ("_context", "_full", "_message_id", "_over", "application")

    def __init__(
        self, context: Context, application: Application | None, message_id: str, *, full: bool
    ) -> None:
        """``full``: the application asked for every final response; None: no application asked, so none hears."""
        self.application = application
        self._message_id = message_id
        self._full = full
        self._context = context
        self._over = False

    def under_way(self) -> None:
        """The first copy was sent."""
        if not self._full:
            self.done()

    def received(self, response: Response, flow: Flow) -> None:
        """A final response of a target."""
        if self._full and not self._over:
            self._deliver(target_answered(self._context, self._message_id, flow, response.text))

    def done(self) -> None:
        """The caller has its final response, and nothing more is to be told."""
        if not self._over:
            self._over = True
            self._deliver(Accepted(self._message_id, "done"))

    def refused(self, text: str) -> None:
        """Nothing was sent."""
        if not self._over:
            self._over = True
            self._deliver(NotSent(self._message_id, text))

    def _deliver(self, message: ServerMessage) -> None:
        if self.application is not None and self.application.connected:
            self.application.deliver(message)
