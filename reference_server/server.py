"""The server: puts the parts together, starts them, stops them."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from msgspec import structs

from reference_server import PARITY_VERSION, __version__
from reference_server.account import Account, shares_of
from reference_server.admin.connections import AdminConnections
from reference_server.admin.context import AdminContext, FrameInterceptor
from reference_server.admin.interceptors import in_a_row
from reference_server.admin.listener import AdminListener
from reference_server.admin.routes import RouteTable
from reference_server.config.model import (
    BlacklistConfiguration,
    Configuration,
    Dialect,
    Fault,
    HandlerConfiguration,
    LimitConfiguration,
)
from reference_server.core.context import Settings
from reference_server.core.core import Core
from reference_server.core.defects import NONE
from reference_server.core.ports import SipNetwork, SipUser, Tap, Taps
from reference_server.net.blacklist import Blacklist, BlacklistError
from reference_server.net.clock import LoopClock
from reference_server.net.network import Network
from reference_server.net.sockets.descriptors import for_strangers
from reference_server.net.sockets.listening import TransportError
from reference_server.net.stream_framing import StreamFraming
from reference_server.reload import changes, effective
from reference_server.settings import core_settings
from reference_server.sip.identifiers import Identifiers
from reference_server.tls.certificates import CertificateError, Certificates
from reference_server.turn import Turn
from reference_server.wire.frames_to_application import NotSent

if TYPE_CHECKING:  # loaded only where they are wanted
    from reference_server.emulation.emulation import Emulation
    from reference_server.emulation.frames import Filters
    from reference_server.faults.faults import Faults
    from reference_server.handling import Handling

VERSION = f"{PARITY_VERSION}-ref.{__version__}"
"""What the authenticate reply says; drachtio-srf wants ``vN.N.N`` at its beginning."""


class StartError(Exception):
    """The server cannot start; the text says which address and why."""


class Server:
    """One server in the running loop; as an async context manager it starts and stops."""

    def __init__(
        self, configuration: Configuration, *, taps: Sequence[Tap] = (), advances: bool = True
    ) -> None:
        """``advances``: its clock can be advanced, which costs something all the time."""
        self._advances = advances
        self.emulation: Emulation | None = None
        """the defects of a genuine server, if they are wanted"""
        if configuration.dialect.has_defects:
            from reference_server.emulation.emulation import Emulation

            self.emulation = Emulation(configuration.dialect)
            configuration = self.emulation.as_genuine(configuration)
        self._configuration = configuration
        self.taps = Taps(*taps)
        """those who watch; may be changed while the server runs"""
        self._faults: Faults | None = None
        self._judge: FrameInterceptor | None = None
        self._genuine: Filters | None = None
        self._registry = RouteTable()
        self._identifiers = Identifiers(os.urandom)
        self._certificates: Certificates | None = None
        self._admin_certificates: Certificates | None = None
        self._plain: list[AdminListener] = []
        self._secure: list[AdminListener] = []
        self._handling: Handling | None = None
        self._blacklist: Blacklist | None = None

    async def start(self) -> None:
        """Open the SIP transports, then the admin port. Raises StartError."""
        configuration = self._configuration
        self._clock = LoopClock(advances=self._advances)
        turn = Turn(asyncio.get_running_loop().call_soon)
        if configuration.tls.key_file or configuration.tls.cert_file or configuration.tls.chain_file:
            try:
                self._certificates = Certificates(configuration.tls)
            except CertificateError as error:
                raise StartError(str(error)) from error
        limits = configuration.limits
        account = self._account = Account(*shares_of(limits.kept_for_peers))
        self._network = Network(
            lambda text: self.taps.event("sip-transport", reason=text),
            limits=limits,
            met=lambda limit, text: self.taps.event("sip-transport", reason=text, limit=limit),
            most_connections=_most_sip_connections(limits),
            nameserver=configuration.routing.nameserver,
            hosts=None if self.emulation is None else self.emulation.hosts,
            monotonic=self._clock.monotonic,
            turn=turn,
            account=account,
            certificates=self._certificates,
            udp_buffer=configuration.transports.udp_buffer_size,
            most_unanswered=configuration.transports.most_consecutive_timeouts,
            opened=lambda connection, origin: self.taps.event(
                "browser-connected", connection=connection, origin=origin
            ),
            stream=StreamFraming if self.emulation is None else self.emulation.stream,
        )
        dialect_0_8 = configuration.dialect is Dialect.V0_8
        emulation = self.emulation
        network: SipNetwork = self._network if emulation is None else emulation.network(self._network)
        core = self._core = Core(
            self._core_settings(configuration),
            clock=self._clock,
            timers=self._clock.timers,
            identifiers=self._identifiers,
            network=network,
            applications=self._registry,
            taps=self.taps,
            account=account,
        )
        self._admin = AdminContext(
            configuration.admin,
            version=self.version,
            dialect_0_8=dialect_0_8,
            hostports=self._hostports,
            routes=self._registry,
            core=core,
            timers=self._clock.timers,
            identifiers=self._identifiers,
            taps=self.taps,
            limits=limits,
        )
        self._connections = AdminConnections(self.taps, *_most_strangers(limits))
        if emulation is not None:
            self._genuine = emulation.frames(core, self._clock.timers)
            self.taps.add(self._genuine)
        if configuration.lint or configuration.strict:
            self._judge = self._judge_applications(strict=configuration.strict)
        self.set_faults(configuration.faults)
        self._turn = turn
        if configuration.handlers:
            self._handlers_made(configuration.handlers)()
        self._plain = [
            AdminListener(
                self._admin,
                self._connections,
                turn,
                address=(address, configuration.admin.port),
                door=None if emulation is None else emulation.door(configuration.admin.secret),
            )
            for address in configuration.admin.addresses
            if configuration.admin.port is not None
        ]
        if configuration.admin.tls_port is not None:
            self._secure = self._secure_listeners(configuration.admin.tls_port, turn)
        try:
            user: SipUser = core if emulation is None else emulation.user(core)
            await self._network.start(configuration.contacts, user)
        except TransportError as error:
            raise StartError(str(error)) from error
        for listener in self._listeners:
            try:
                await listener.start()
            except OSError as error:
                await self.stop()
                host, port = listener.address
                reason = error.strerror or error
                raise StartError(f"cannot listen for applications on {host}:{port}: {reason}") from error
        try:
            await self._set_blacklist(configuration.screening.blacklist)
        except StartError:
            await self.stop()
            raise

    @property
    def _listeners(self) -> list[AdminListener]:
        return [*self._plain, *self._secure]

    def _judge_applications(self, *, strict: bool) -> FrameInterceptor | None:
        from reference_server.observe.lint import Lint, Strict

        lint = Lint(self.taps.event)
        self.taps.add(lint)

        def refuse(connection: int, message_id: str, text: str) -> None:
            self._connections.answer(connection, NotSent(message_id, text.encode().decode("latin-1")))

        return Strict(lint, refuse) if strict else None

    def _core_settings(self, configuration: Configuration) -> Settings:
        return core_settings(configuration, NONE if self.emulation is None else self.emulation.defects)

    def set_faults(self, chosen: tuple[Fault, ...]) -> None:
        """From now on do this harm, and no other; frames of connections are counted from now on."""
        if self._faults is not None:
            self._faults.release()
            self.taps.remove(self._faults)
            self._faults = None
        if chosen:
            from reference_server.faults.faults import Faults

            self._faults = Faults(chosen, self._clock.timers, self._connections)
            self.taps.add(self._faults)
        self._admin.interceptor = in_a_row(self._genuine, self._judge, self._faults)

    @property
    def faults(self) -> str:
        """The harm that is done on purpose, with the seed of what is left to chance; empty if none is."""
        return "" if self._faults is None else self._faults.description

    def _secure_listeners(self, port: int, turn: Turn) -> list[AdminListener]:
        if self._certificates is None:
            raise StartError("tls-port: expected <tls> with a key-file and a cert-file or chain-file")
        # Certificates are demanded of SIP clients only; applications have the secret.
        self._admin_certificates = Certificates(structs.replace(self._configuration.tls, verify_client=False))
        return [
            AdminListener(
                self._admin,
                self._connections,
                turn,
                address=(address, port),
                certificates=self._admin_certificates,
            )
            for address in self._configuration.admin.addresses
        ]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _set_blacklist(self, wanted: BlacklistConfiguration | None) -> None:
        """Read this blacklist from now on, and no other. Raises StartError without the library that reads it."""
        blacklist: Blacklist | None = None
        if wanted is not None:
            try:
                blacklist = Blacklist(
                    wanted, self._core.blacklist, lambda text: self.taps.event("blacklist", reason=text)
                )
            except BlacklistError as error:
                raise StartError(str(error)) from error
        if self._blacklist is not None:
            await self._blacklist.stop()
        self._blacklist = blacklist
        if blacklist is None:
            self._core.blacklist(frozenset())
        else:
            blacklist.start()

    def _handlers_made(self, wanted: Sequence[HandlerConfiguration]) -> Callable[[], None]:
        """Returns what has these asked from now on, and no others. Raises StartError without the HTTP library."""
        from reference_server.handling import Handling, HandlingError

        if self._handling is None:
            self._handling = Handling(
                admin=self._admin,
                connections=self._connections,
                turn=self._turn,
                network=self._network,
                most_connections=_most_outbound(self._configuration.limits),
            )
        handling = self._handling
        try:
            made = handling.made(wanted)
        except HandlingError as error:
            raise StartError(str(error)) from error
        return lambda: handling.ask(made)

    def _hostports(self) -> tuple[str, str]:
        return ",".join(self._network.hostports()), ",".join(self._network.local_hostports())

    def drop_application(self, number: int, *, reset: bool) -> None:
        """End the admin connection of that number, if it is there: orderly, or with RST."""
        self._connections.break_off(number, reset=reset)

    @property
    def admin_address(self) -> tuple[str, int]:
        """Where applications connect, the first address of several; with TLS if they may only so."""
        return self._listeners[0].address

    @property
    def admin_addresses(self) -> list[tuple[str, int]]:
        """Where they connect without TLS."""
        return [listener.address for listener in self._plain]

    @property
    def admin_tls_address(self) -> tuple[str, int] | None:
        """Where they connect with TLS, if they may, the first address of several."""
        return self._secure[0].address if self._secure else None

    @property
    def admin_tls_addresses(self) -> list[tuple[str, int]]:
        """Where they connect with TLS."""
        return [listener.address for listener in self._secure]

    @property
    def hostports(self) -> list[str]:
        """Where SIP is listened for: ``udp/127.0.0.1:5060``."""
        return self._network.local_hostports()

    @property
    def version(self) -> str:
        """As in the authenticate reply: of the release that is emulated."""
        if self._configuration.dialect is Dialect.V0_9_5:
            return VERSION.replace(PARITY_VERSION, "v0.9.5")
        return VERSION

    async def reconfigure(self, new: Configuration) -> list[str]:
        """Let hold at once what of ``new`` can change while calls are up (reload.py).

        Returns the names of what differs and waits for a restart. Raises CertificateError and StartError (no library
        for handlers or the blacklist), and changes nothing then.
        """
        old = self._configuration
        if self.emulation is not None:
            new = self.emulation.as_genuine(new)
        now = effective(old, new)
        ask = self._handlers_made(now.handlers) if now.handlers != old.handlers else None
        if self._certificates is None:
            now = structs.replace(now, tls=old.tls)  # there is no door that would use them
        else:
            self._certificates.reload(now.tls)
            if self._admin_certificates is not None:
                self._admin_certificates.reload(structs.replace(now.tls, verify_client=False))
        if now.screening.blacklist != old.screening.blacklist:
            await self._set_blacklist(now.screening.blacklist)
        if ask is not None:
            ask()
        self._configuration = now
        self._core.apply(self._core_settings(now))
        self._admin.configure(now.admin, now.limits)
        self._bound(now.limits)
        self._network.close_after(now.transports.most_consecutive_timeouts)
        return changes(now, new)

    def _bound(self, limits: LimitConfiguration) -> None:
        """From now on these limits hold; what exceeds them stays until it ends."""
        self._account.bound(*shares_of(limits.kept_for_peers))
        self._network.bound(limits, _most_sip_connections(limits))
        self._connections.bound(*_most_strangers(limits))
        if self._handling is not None:
            self._handling.bound(limits, _most_outbound(limits))

    @property
    def has_certificates(self) -> bool:
        """Whether TLS is spoken at any door."""
        return self._certificates is not None

    def occupancy(self) -> dict[str, int]:
        """The size of every table; all 0 when nothing is going on and nobody is connected."""
        return {
            **self._core.occupancy(),
            "routes": len(self._registry),
            "admin connections": len(self._connections),
            "addresses that failed to authenticate": len(self._admin.failed_attempts),
            **(self._handling.occupancy() if self._handling is not None else {}),
            "timers": len(self._clock.timers),
        }

    def stable_dialogs(self) -> tuple[int, int]:
        """How many dialogs are confirmed: begun by the far end, begun by applications."""
        return self._core.dialogs.stable()

    def applications(self) -> int:
        """How many applications are connected and have authenticated."""
        return self._connections.applications

    async def advance(self, seconds: float) -> None:
        """Move the clock on; what falls due runs in order, as if the time had passed."""
        await self._clock.advance(seconds)

    def now(self) -> float:
        """Seconds on the server's clock, which only goes forward; what was advanced counts."""
        return self._clock.monotonic()

    async def drain(self, seconds: float) -> None:
        """Take nothing new, free the ports of connections, and wait until no call is going on, at most ``seconds``.

        UDP is heard as long: it is what calls are ended by. What would begin another call gets 503.
        """
        for listener in self._listeners:
            listener.stop_accepting()
        self._network.stop_accepting()
        self._core.close_door()
        end = self._clock.monotonic() + seconds
        while self._clock.monotonic() < end and self._core.busy:
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Close everything, as far as it has been opened."""
        if self._blacklist is not None:
            await self._blacklist.stop()
        if not self._listeners:
            return
        if self._handling is not None:
            await self._handling.stop()
        for listener in self._listeners:
            await listener.stop()
        await self._network.stop()
        self._clock.stop()


def _most_sip_connections(limits: LimitConfiguration) -> int:
    """As many as are configured, if the system grants so many descriptors."""
    return min(limits.sip_connections, for_strangers() // 2)


def _most_strangers(limits: LimitConfiguration) -> tuple[int, int]:
    """In all, and of one address."""
    most = min(limits.unauthenticated_connections, for_strangers() // 4)
    return most, limits.unauthenticated_connections_per_address


def _most_outbound(limits: LimitConfiguration) -> int:
    return min(limits.outbound_connections, for_strangers() // 4)


def tune_for_traffic() -> None:
    """Spare the garbage collector what lives as long as the process, and keep its passes short.

    A call leaves no cycle behind, and four objects that the collector looks at until the timers of its transactions
    are over. It looks at ten thousand new ones at a time, which takes a millisecond or two; at all of them, tens of
    thousands, which would stop the server for longer than T1 allows, hardly ever.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 100, 100)
