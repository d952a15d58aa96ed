"""The behaviour as one object: what comes in from the network and from applications, and the loss of an application."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.account import Account
from reference_server.core.application_loss import lose_application
from reference_server.core.cdr.observer import CallRecords
from reference_server.core.context import Context, Settings
from reference_server.core.dialog.table import DialogTable
from reference_server.core.location.service import LocationService
from reference_server.core.ports import (
    Application,
    Applications,
    Clock,
    Flow,
    ListeningApplications,
    RequestHandler,
    SipNetwork,
    Taps,
    Timers,
)
from reference_server.core.proxy.core import ProxyCore
from reference_server.core.proxy.verb import proxy_for
from reference_server.core.receive import Receiver
from reference_server.core.server_request import PendingRequests
from reference_server.core.stuck_application import pass_over
from reference_server.core.transactions import TransactionLayer
from reference_server.core.uac.cancel import cancel_invite
from reference_server.core.uac.core import UacCore
from reference_server.core.uac.in_dialog import request_in_dialog, usage_by_call_id
from reference_server.core.uac.outside_dialog import request_outside_dialogs
from reference_server.core.uac.refresh_request import SessionRefreshes
from reference_server.core.uas.core import UasCore
from reference_server.core.uas.in_dialog import InDialogDelivery
from reference_server.core.uas.respond import respond
from reference_server.sip.identifiers import Identifiers
from reference_server.wire.frames_to_application import NotSent, Refused
from reference_server.wire.requests import Proxy, Sip
from reference_server.wire.timestamp import TimeToken

TRANSACTION_ID_MISSING = "transaction id missing"
HEADER_LIMIT = 64 * 1024
"""Octets of start line and headers; no transport carries more, and the cutting of 16 MiB would stop every call."""

HEADERS_TOO_LARGE = f"headers too large: expected an empty line within {HEADER_LIMIT} bytes"


class Core:
    """Everything that a server does with calls: the cores of RFC 3261 §6, on one transaction layer."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        timers: Timers,
        identifiers: Identifiers,
        network: SipNetwork,
        applications: Applications,
        taps: Taps,
        account: Account | None = None,
    ) -> None:
        """``clock`` and ``timers`` run on one time; ``network``, ``applications`` and ``taps`` are the ports.

        ``account`` is shared with the network.
        """
        time_token = TimeToken(clock.wall).now
        self._records = (
            CallRecords(applications, time_token, timers, clock.monotonic) if settings.call_records else None
        )
        self.context = Context(
            settings,
            clock=clock,
            timers=timers,
            identifiers=identifiers,
            network=network,
            applications=applications,
            taps=taps,
            time_token=time_token,
            observer=self._records,
            account=account,
        )
        self.transactions = TransactionLayer(self.context)
        self.location = LocationService(self.context)
        self.dialogs = DialogTable(self.context, self.transactions, self.location)
        self.pending = PendingRequests(self.context, self.transactions, self.dialogs)
        refreshes = SessionRefreshes(self.dialogs)
        self.uas = UasCore(self.pending, refreshes)
        self.uac = UacCore(self.pending, refreshes)
        self.proxying = ProxyCore(self.pending)
        self._delivery = InDialogDelivery(self.uas)
        self._receiver = Receiver(self.pending, self.uas, self.uac, self.proxying)
        self.receive: Callable[[str, Flow], None] = self._receiver.receive
        """one SIP message came from the network; without a step between"""

    def occupancy(self) -> dict[str, int]:
        """The size of every table; all are 0 when nothing is going on, 64·T1 after the last message."""
        return {
            **self.transactions.occupancy(),
            **self.pending.occupancy(),
            **self.uac.occupancy(),
            "registered connections": len(self.location.registered),
            **self.dialogs.occupancy(),
            "calls without a stop record": self._records.unfinished if self._records else 0,
            **self.proxying.occupancy(),
        }

    @property
    def busy(self) -> bool:
        """Whether a call or another request is going on."""
        return len(self.pending) > 0 or len(self.dialogs) > 0 or len(self.proxying.open) > 0

    def engaged(self) -> set[Application]:
        """The applications of which a request is waited for or a dialog lives. It takes a look at all there are."""
        owners = [
            *[incoming.application for incoming in self.pending],
            *[usage.owner for usage in self.dialogs],
            *[invite.application for invite in self.uac.invites.values()],
            *[proxied.application for proxied in self.proxying.open.values()],
        ]
        return {owner for owner in owners if owner is not None}

    def apply(self, settings: Settings) -> None:
        """From now on these settings hold; calls that have begun keep their times and their records."""
        self.context.apply(settings)
        if self._records is None and settings.call_records:
            context = self.context
            self._records = CallRecords(
                context.applications, context.time_token, context.timers, context.monotonic
            )
            context.watched_by(self._records)
        if self._records is not None:
            self._records.record_new(settings.call_records)
        self.transactions.apply(settings.timing)
        self._receiver.doorkeeper.apply(settings)

    def handled_by(self, handler: RequestHandler | None, listening: ListeningApplications) -> None:
        """From now on ``handler`` is asked about new requests first, and ``listening`` may have them delivered."""
        self.context.handled_by(handler, listening)

    def close_door(self) -> None:
        """From now on nothing new begins: what asks for it gets 503."""
        self._receiver.doorkeeper.close()

    def blacklist(self, addresses: frozenset[str]) -> None:
        """From now on nothing that comes from these literal addresses is heard."""
        self._receiver.doorkeeper.blacklist(addresses)

    def undelivered(self, beginning: str) -> None:
        """A datagram that begins so has not arrived."""
        self.transactions.undelivered(beginning)

    def connection_lost(self, flow: Flow) -> None:
        """The connection of ``flow`` is gone."""
        self.location.registered.connection_lost(flow)
        self.transactions.connection_lost(flow)

    def sip(self, application: Application, message: Sip) -> bool:
        """An application's ``sip`` message; False if it was refused and the connection has to end (RSP-1, DLG-4)."""
        if len(message.text) > HEADER_LIMIT and _ends_too_late(message.text):
            application.deliver(NotSent(message.message_id, HEADERS_TOO_LARGE))
        elif message.text.startswith("SIP/"):
            if not message.transaction_id:
                application.deliver(Refused(message.message_id, TRANSACTION_ID_MISSING))
                return False
            respond(self.uas, application, message)
        elif message.text.startswith("CANCEL") and (message.transaction_id or message.dialog_id):
            cancel_invite(self.uac, application, message)
        elif message.dialog_id:
            request_in_dialog(self.uac, application, message, message.dialog_id)
        elif not message.transaction_id:
            usage = usage_by_call_id(self.uac, application, message.text)
            if usage is not None and not self.context.settings.defects.knows_no_call_id:
                request_in_dialog(self.uac, application, message, usage.dialog_id)
            else:
                request_outside_dialogs(self.uac, application, message, self._delivery)
        else:
            start_line = message.text.partition("\r\n")[0]
            text = f"Server error: invalid or missing method supplied on start line: {start_line}"
            application.deliver(NotSent(message.message_id, text))
        return True

    def proxy(self, application: Application, message: Proxy) -> None:
        """An application's ``proxy`` message."""
        if len(message.text) > HEADER_LIMIT and _ends_too_late(message.text):
            application.deliver(NotSent(message.message_id, HEADERS_TOO_LARGE))
        else:
            proxy_for(self.proxying, application, message)

    def application_stuck(self, application: Application) -> None:
        """It has stopped reading (CONN-7)."""
        pass_over(self.uas, application)

    def application_lost(self, application: Application) -> None:
        """Its connection ended (CONN-3, CONN-4)."""
        lose_application(self.pending, self.uac, application)


def _ends_too_late(text: str) -> bool:
    """Whether the header block of so long a text is longer than it may be."""
    return text.find("\r\n\r\n", 0, HEADER_LIMIT) < 0
