"""What the server knows while it runs, and the ports through which it acts.

One value shared by the modules of this folder; each module adds one kind of behaviour to it. Every table empties by
itself: :meth:`Context.occupancy` is all zero 64·T1 after the last message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from reference_server.core.cdr.leg import CallRecords
from reference_server.core.cdr.proxied_calls import ProxyRecords
from reference_server.core.location.own_addresses import OwnAddresses
from reference_server.core.location.registered_flows import RegisteredFlows
from reference_server.core.ports import Applications, Clock, Flow, SipNetwork, Taps, Timers
from reference_server.core.proxy.tables import ProxyTables
from reference_server.memo import Memo
from reference_server.sip.identifiers import Identifiers
from reference_server.sip.transactions.client import ClientMeans, ClientTransaction
from reference_server.sip.transactions.server import ServerMeans, ServerTransaction
from reference_server.sip.transactions.timing import Timing
from reference_server.wire.timestamp import TimeToken

if TYPE_CHECKING:
    from reference_server.core.dialog.usage import DialogUsage
    from reference_server.core.invite_client import Invitation
    from reference_server.core.server_request import ServerRequest
    from reference_server.core.uac.invite import OriginatedCall
    from reference_server.core.uac.subscribe import OriginatedSubscription

PENDING_INVITE_SECONDS = 64.0
"""How long an INVITE waits for an application's first response (CALL-11)."""

LONGEST_RINGING_SECONDS = 1800.0
"""From one provisional response to an INVITE to the next response, in either direction (CALL-11, OUT-21): it is for a
person to pick up, but an end that still rings says so every minute (RFC 3261 §13.3.1.1)."""

TIMER_C_SECONDS = 185.0
"""The same inside a dialog, where nobody has to pick up: what a proxy waits (§16.6 item 11)."""


class Settings(Struct, frozen=True, kw_only=True):
    """What of the configuration concerns calls."""

    timing: Timing = Timing()
    hangup_on_application_loss: bool = False
    dialect_0_8: bool = False
    call_records: bool = False
    outbound_proxy: str = ""
    """the URI where requests outside dialogs go, if the application does not say where"""
    aggressive_nat_detection: bool = False
    disable_nat_detection: bool = False
    preserved_header_names: frozenset[str] = frozenset()
    """in lower case"""


class Context:
    """The tables and the ports."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        timers: Timers,
        identifiers: Identifiers,
        network: SipNetwork,
        applications: Applications,
        taps: Taps,
    ) -> None:
        self.settings = settings
        self.timing = settings.timing
        self.wall = clock.wall
        self.monotonic = clock.monotonic
        self.time_token = TimeToken(clock.wall)
        self.timers = timers
        self.identifiers = identifiers
        self.network = network
        self.applications = applications
        self.records = CallRecords(applications, self.time_token) if settings.call_records else None
        """call detail records; None if they are switched off"""
        self.event = taps.event
        self.sip_taps = taps.sip
        self.server_transactions: dict[str, ServerTransaction] = {}
        self.first_arrivals: dict[str, ServerTransaction] = {}
        """those of them whose request is outside dialogs, by what it has in common with its copies (CALL-17)"""
        self.client_transactions: dict[str, ClientTransaction] = {}
        self.by_connection: dict[int, dict[str, ClientTransaction]] = {}
        """those of them whose request went over a connection, by its number"""
        self.incoming: dict[str, ServerRequest] = {}
        """requests without a final response, by transaction id"""
        self.held_answers: dict[str, ServerRequest] = {}
        """INVITEs that the application has answered 2xx and that wait for a PRACK first, by transaction id"""
        self.invites: dict[str, ServerRequest] = {}
        """INVITEs without a final response on the wire, which a CANCEL may end, by the key of their transaction"""
        self.outgoing_invites: dict[str, Invitation] = {}
        """INVITEs of applications without a final response, by transaction id"""
        self.reliable_calls: dict[str, OriginatedCall] = {}
        """those of them outside dialogs that got a reliable provisional response, by dialog id"""
        self.subscribing: dict[str, OriginatedSubscription] = {}
        """SUBSCRIBEs of applications, outside dialogs, without a final response, by the id of their dialogs"""
        self.bindings = RegisteredFlows(timers, clock.monotonic)
        """connections by which phones have registered"""
        self.dialogs_by_id: dict[str, DialogUsage] = {}
        self.dialogs_by_key: dict[str, DialogUsage] = {}
        self.proxying = ProxyTables(identifiers, settings.timing)
        if self.records is not None:
            self.proxying.observer = ProxyRecords(self.records, timers, clock.monotonic)
        self.own_addresses = OwnAddresses(network.endpoints)
        self.server_means = ServerMeans(timers, settings.timing, self._forget_server_transaction)
        self.client_means = ClientMeans(timers, settings.timing, self.forget_client_transaction)
        self.proxied_means = ClientMeans(timers, self.proxying.timing, self.forget_client_transaction)
        self._senders = Memo[int, Callable[[str], bool]](entries=10_000)  # as many as a transport keeps flows
        """by the identity of the flow, which each of them keeps"""

    def occupancy(self) -> dict[str, int]:
        """The size of every table."""
        return {
            "server transactions": len(self.server_transactions),
            "first arrivals": len(self.first_arrivals),
            "client transactions": len(self.client_transactions),
            "connections with requests": len(self.by_connection),
            "pending requests": len(self.incoming),
            "held answers": len(self.held_answers),
            "cancellable INVITEs": len(self.invites),
            "outgoing INVITEs": len(self.outgoing_invites),
            "reliable calls": len(self.reliable_calls),
            "outgoing SUBSCRIBEs": len(self.subscribing),
            "registered connections": len(self.bindings),
            "dialogs by id": len(self.dialogs_by_id),
            "dialogs by key": len(self.dialogs_by_key),
            "calls without a stop record": self.records.unfinished if self.records else 0,
            "proxied requests": len(self.proxying.open),
            "proxy challengers": len(self.proxying.challengers),
        }

    def send(self, text: str, flow: Flow) -> bool:
        """Put one SIP message on the wire; False if the flow is gone, or the message fits into no datagram."""
        if not self.network.send(text, flow):
            return False
        for tap in self.sip_taps:
            tap.sip(True, flow, text)
        return True

    def sender(self, flow: Flow) -> Callable[[str], bool]:
        """A function that sends by ``flow``, for a transaction: the same one as long as the flow is the same object."""
        known = self._senders.known.get(id(flow))
        if known is not None:
            return known
        send = self.send

        def sender(text: str) -> bool:
            return send(text, flow)

        return self._senders.keep(id(flow), sender)

    def _forget_server_transaction(self, transaction: ServerTransaction) -> None:
        """It is over."""
        self.server_transactions.pop(transaction.key, None)
        if transaction.identity:
            self.first_arrivals.pop(transaction.identity, None)

    def keep_client_transaction(self, transaction: ClientTransaction, flow: Flow) -> None:
        """Responses find it from now on, and so does the loss of its connection, be it lost already."""
        self.client_transactions[transaction.key] = transaction
        if flow.connection:
            transaction.connection = flow.connection
            self.by_connection.setdefault(flow.connection, {})[transaction.key] = transaction
            if not self.network.alive(flow):
                self.timers.start(0.0, transaction.fail)

    def forget_client_transaction(self, transaction: ClientTransaction) -> None:
        """It is over."""
        self.client_transactions.pop(transaction.key, None)
        if transaction.connection:
            fellows = self.by_connection.get(transaction.connection, {})
            fellows.pop(transaction.key, None)
            if not fellows:
                self.by_connection.pop(transaction.connection, None)
