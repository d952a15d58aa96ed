"""The world as the core sees it: settings, clock and ports in one value. Nothing here knows of any call.

What is known of calls stands in tables, each with who owns it: ``TransactionLayer``, ``PendingRequests``,
``DialogTable``, the tables of the UAC and of the proxy, ``RegisteredFlows``.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from reference_server.account import Account
from reference_server.core.call_observer import CallObserver
from reference_server.core.defects import NONE, Defects
from reference_server.core.patience import Patience
from reference_server.core.ports import (
    Applications,
    Clock,
    ListeningApplications,
    RequestHandler,
    SipNetwork,
    Taps,
    Timers,
)
from reference_server.core.screening import Screening
from reference_server.sip.identifiers import Identifiers
from reference_server.sip.session_timer import Refresher
from reference_server.sip.transactions.timing import Timing
from reference_server.wire.timestamp import TimeToken


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
    best_effort_tls: bool = False
    """in answers a Contact of ours that is ``sips`` becomes ``sip`` if the caller's is"""
    open_relay: bool = False
    """requests whose Route names us are sent on, whoever made that Route"""
    relay_key: str = ""
    """what proves that we made it, in common with other servers; empty: a random one"""
    preserved_header_names: frozenset[str] = frozenset()
    """in lower case"""
    screening: Screening = Screening()
    """who may not come in"""
    default_refresher: Refresher | None = None
    """who refreshes where a caller's Session-Expires leaves it open; None: nobody, no session timer begins"""
    largest_datagram: int = 0
    """octets of the largest request that goes by UDP where the far end takes TCP; 0: as large as a datagram may be"""
    patience: Patience = Patience()
    most_dialogs: int = 100_000
    """with so many, what would begin another gets 503"""
    most_waiting: int = 10_000
    """requests that may wait for the answer of one application before it gets no more"""
    defects: Defects = NONE
    """what is done wrong on purpose"""
    local_domain: str = ""
    """in lower case; what an application sends to it or a subdomain of it would come back here"""

    def __repr__(self) -> str:
        """Nothing of what is in it: there is a key."""
        return "Settings(…)"


class Context:
    """Settings, clock and ports."""

    __slots__ = (
        "account",
        "applications",
        "event",
        "handler",
        "identifiers",
        "listening",
        "monotonic",
        "network",
        "observer",
        "settings",
        "sip_taps",
        "time_token",
        "timers",
        "timing",
        "transaction_taps",
        "wall",
    )

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
        time_token: Callable[[], str] | None = None,
        observer: CallObserver | None = None,
        account: Account | None = None,
    ) -> None:
        """``observer`` hears what happens to calls; without one nothing is said.

        In ``account`` stands what is kept for peers; it is shared with the network.
        """
        self.account = account if account is not None else Account()  # an empty one is false
        self.settings = settings
        self.timing = settings.timing
        self.wall = clock.wall
        self.monotonic = clock.monotonic
        self.time_token = time_token or TimeToken(clock.wall).now
        self.timers = timers
        self.identifiers = identifiers
        self.network = network
        self.applications = applications
        self.handler: RequestHandler | None = None
        """who is asked about new requests first"""
        self.listening: ListeningApplications | None = None
        """by whom it may have them delivered"""
        self.event = taps.event
        self.sip_taps = taps.sip
        self.transaction_taps = taps.transactions
        self.observer = observer

    def apply(self, settings: Settings) -> None:
        """From now on these settings hold; the times of what is under way stay as they were."""
        self.settings = settings
        self.timing = settings.timing

    def handled_by(self, handler: RequestHandler | None, listening: ListeningApplications | None) -> None:
        """From now on ``handler`` is asked, if there is one; what was asked before is answered all the same."""
        self.handler = handler
        self.listening = listening

    def watched_by(self, observer: CallObserver) -> None:
        """From now on ``observer`` hears what happens to calls; of those under way only the rest."""
        self.observer = observer
