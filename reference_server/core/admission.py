"""May it come in? What is refused before anybody behind the core hears of a request (RFC 3261 §8.2, §16.3).

What nobody could answer properly has been refused before (sip/messages/sanity.py). What is here already by another way
is merged, 482. Whom the configuration keeps out (screening.py) is refused or not heard at all: an address that is
blacklisted whatever it sends, a spammer outside of dialogs, since the others began when it was none.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_server.core.context import Settings
from reference_server.core.dialog.table import DialogTable
from reference_server.core.methods import INVITE
from reference_server.core.ports import Flow
from reference_server.core.saturation import Saturation
from reference_server.core.screening import Screening, SpamAction
from reference_server.core.server_request import PendingRequests, ServerRequest
from reference_server.core.transactions import TransactionLayer
from reference_server.sip.messages.message import Request


class Doorkeeper:
    """Applies the screening that is configured; it may change at any time."""

    __slots__ = (
        *("_closed", "_context", "_dialogs", "_in_dialog", "_most_dialogs", "_most_waiting", "_quiet"),
        *("_saturation", "_waiting", "unheard"),
    )

    def __init__(
        self, pending: PendingRequests, dialogs: DialogTable, in_dialog: Callable[[Request], bool]
    ) -> None:
        """``in_dialog`` tells whether a request with a To tag belongs to a dialog that there is."""
        self._context = pending.context
        self._in_dialog = in_dialog
        self._closed = False
        self._saturation = Saturation(self._context, pending, dialogs)
        self._dialogs = dialogs.known
        self._waiting = pending.waiting
        self.apply(self._context.settings)
        self.unheard: frozenset[str] = frozenset()
        """literal addresses of which nothing is looked at"""

    @property
    def screening(self) -> Screening:
        """What is configured now."""
        return self._context.settings.screening

    def apply(self, settings: Settings) -> None:
        """From now on these settings hold."""
        screening = settings.screening
        answers = screening.reject_register_without_realm or bool(screening.answered_user_agent)
        self._quiet = not (self._closed or answers or self._saturation.passes_over)
        self._most_dialogs = settings.most_dialogs
        self._most_waiting = settings.most_waiting

    def close(self) -> None:
        """The server is about to end: nothing new begins from now on."""
        self._closed = True
        self._quiet = False

    def blacklist(self, addresses: frozenset[str]) -> None:
        """From now on nothing of these literal addresses is heard."""
        self.unheard = addresses

    def turn_away(self, flow: Flow) -> None:
        """Something came by ``flow`` from an address that is not heard."""
        source = f"{flow.transport}/{flow.remote_host}:{flow.remote_port}"
        self._context.event("blacklisted", source=source)

    def judge(self, request: Request, flow: Flow) -> SpamAction | None:
        """What becomes of ``request`` if it is a spammer's; None if it may come in."""
        screening = self.screening
        if not screening.spam:
            return None
        sign = screening.sign_of_spam(request)
        if not sign or (request.to_tag and self._in_dialog(request)):
            return None
        source = f"{flow.transport}/{flow.remote_host}:{flow.remote_port}"
        self._context.event("spam", source=source, value=sign, method=request.method)
        return screening.action_on_connections if flow.transport.stream else screening.action

    def answers(self, incoming: ServerRequest) -> bool:
        """Answer a sound request outside of dialogs as the configuration has it; False if it says nothing of it."""
        few = len(self._dialogs) < self._most_dialogs and len(self._waiting) < self._most_waiting
        if few and self._quiet:
            return False
        refused = self._saturation.refuses(incoming)
        self.apply(self._context.settings)
        return refused or self._answers(incoming)

    def _answers(self, incoming: ServerRequest) -> bool:
        screening, request = self._context.settings.screening, incoming.request
        if self._closed and incoming.method.routable:
            incoming.reject(503)
        elif screening.reject_register_without_realm and screening.lacks_realm(request):
            incoming.reject(403)
        elif screening.answered_user_agent and screening.answers_itself(request):
            incoming.reject(200)
        else:
            return False
        return True


def is_new(transactions: TransactionLayer, incoming: ServerRequest, *, call_is_up: bool) -> bool:
    """Whether a request without a To tag is not merged with one that is under way; if it is, it has been rejected.

    ``call_is_up``: its Call-ID and From tag are those of a call that was answered.
    """
    if not transactions.is_merged(incoming.request, incoming.transaction, call_is_up=call_is_up):
        return True
    if transactions.offers_copies:
        return True
    if incoming.method is INVITE:
        incoming.trying()
    incoming.reject(482)
    return False
