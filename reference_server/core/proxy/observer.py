"""Who may watch proxied requests: the one port through which everything of a proxied call can be seen.

For one INVITE the order is: ``branch_sent`` for each copy; of a copy ``branch_answered`` or ``branch_failed``, once;
then ``caller_answered`` or ``caller_failed``, once. Only when the caller cancels does it hear its 487 before its copies
have failed. Requests inside a dialog, which pass by their Route, are told by ``passed_on``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reference_server.sip.messages.message import Response

if TYPE_CHECKING:
    from reference_server.core.proxy.branch import Branch
    from reference_server.core.proxy.response_context import ResponseContext
    from reference_server.core.server_request import ServerRequest


class ProxyObserver(Protocol):
    """Watches the requests that applications proxy, of any method, and those that pass by their Route."""

    def branch_sent(self, branch: Branch) -> None:
        """A copy was sent for the first time; ``branch.text`` is what went out."""

    def branch_answered(self, branch: Branch, response: Response) -> None:
        """The first 2xx of a copy, as received."""

    def branch_failed(self, branch: Branch, response: Response | None) -> None:
        """The final response of 300 or above, as received; None if a copy that was sent got no final response."""

    def branch_refused(self, branch: Branch, bye: str) -> None:
        """The caller of a copy that was answered has got another final response, and the server hung up in its place:
        ``bye`` was sent; empty if it found no way."""

    def caller_answered(self, branch: Branch, response: Response, text: str) -> None:
        """The first 2xx, which ``branch`` got, was passed on; ``text`` is what went out."""

    def caller_failed(self, proxied: ResponseContext, status: int, text: str, cancelled: bool) -> None:
        """The caller got the final response ``text``, of the server's own or a target's; ``cancelled``: by itself."""

    def passed_on(self, incoming: ServerRequest, text: str) -> None:
        """A request inside a dialog passed by its Route; ``text`` is the copy that went out."""
