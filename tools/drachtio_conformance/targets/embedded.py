"""The reference server inside the suite's own process and event loop: the one file that imports it."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Sequence
from typing import TypeVar

from msgspec import structs

from drachtio_conformance.peers.tls import NoCertificate, own_certificate
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.targets.target import Endpoints, StartFailed
from reference_server.config.fault import FAULT_LIST
from reference_server.config.model import (
    AdminConfiguration,
    Configuration,
    ContactConfiguration,
    Dialect,
    Fault,
    HandlerConfiguration,
    LimitConfiguration,
    LoggingConfiguration,
    LogLevel,
    RoutingConfiguration,
    ScreeningConfiguration,
    SpamHeader,
    TimerConfiguration,
    TlsConfiguration,
    TransportConfiguration,
)
from reference_server.config.values import WrongValue
from reference_server.core.ports import Tap
from reference_server.server import Server, StartError

T = TypeVar("T")

logging.getLogger("reference_server").addHandler(logging.NullHandler())
"""its warnings are about what cases provoke; they must not stand between the lines of the report"""

NO_NAMESERVER = ("127.0.0.1", 9)
"""Where nobody answers: no case asks a real DNS server."""


class EmbeddedServer:
    """A reference server on ephemeral loopback ports."""

    def __init__(
        self, server: Server, secret: str, handler: socket.socket | None, *, leaks: bool = False
    ) -> None:
        """``handler`` is bound where the request handler is, so that nobody else takes the port.

        ``leaks``: it is to leave things behind, so that its tables say nothing.
        """
        self._server = server
        self._handler = handler
        self._leaks = leaks
        self._endpoints = Endpoints(
            admin=server.admin_address,
            secret=secret,
            hostports=tuple(server.hostports),
            version=server.version,
            tls_admin=server.admin_tls_address,
            handler=None if handler is None else handler.getsockname(),
        )

    @property
    def endpoints(self) -> Endpoints:
        """Where it listens."""
        return self._endpoints

    async def advance(self, seconds: float) -> None:
        """Move its clock; what falls due runs in order."""
        await self._server.advance(seconds)

    def now(self) -> float:
        """Seconds on its clock."""
        return self._server.now()

    def occupancy(self) -> dict[str, int] | None:
        """Size of each of its tables."""
        return None if self._leaks else self._server.occupancy()

    def drop(self, number: int, *, reset: bool) -> None:
        """End the admin connection of that number."""
        self._server.drop_application(number, reset=reset)

    def set_faults(self, text: str) -> None:
        """Do this harm from now on, ``split=1,no-pong``, and no other; none if it is empty. Raises ValueError."""
        self._server.set_faults(_faults(text))

    @property
    def faults(self) -> str:
        """The harm that is done, with the seed of what is left to chance; empty if none is."""
        return self._server.faults

    async def gone(self) -> str:
        """It lives in this process."""
        return ""

    async def stop(self) -> None:
        """Close all its sockets."""
        await self._server.stop()
        if self._handler is not None:
            self._handler.close()


class EmbeddedTarget:
    """Starts reference servers."""

    description = "reference server (embedded)"
    embedded = True
    shared = True

    async def start(self, settings: ServerSettings | None) -> EmbeddedServer:
        """A new server. Raises :class:`StartFailed`."""
        return await embedded(settings or ServerSettings())


class EmulatedTarget:
    """Starts reference servers that behave as a genuine one, with its defects: each case has one of its own."""

    embedded = True
    shared = False

    def __init__(self, release: str) -> None:
        """``release`` as ``--emulate`` has it: ``0.9``."""
        self._release = release
        self.description = f"reference server (embedded) as {release}"

    async def start(self, settings: ServerSettings | None) -> EmbeddedServer:
        """A new server. Raises :class:`StartFailed`."""
        wanted = settings or ServerSettings()
        return await embedded(wanted if wanted.emulate else structs.replace(wanted, emulate=self._release))


async def embedded(settings: ServerSettings, taps: Sequence[Tap] = ()) -> EmbeddedServer:
    """A new server with these settings, watched by ``taps``. Raises :class:`StartFailed`."""
    secret = secrets.token_hex(8)
    handler = _reserved() if settings.request_handler else None
    port = 0 if handler is None else int(handler.getsockname()[1])
    server = Server(configuration(settings, secret, port), taps=taps)
    try:
        await server.start()
    except StartError as error:
        if handler is not None:
            handler.close()
        raise StartFailed(f"the reference server did not start: {error}") from None
    return EmbeddedServer(server, secret, handler, leaks=server.emulation is not None)


def _reserved() -> socket.socket:
    """A socket that keeps a port without listening; whoever reuses addresses may listen there."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


def _handlers(settings: ServerSettings, port: int) -> tuple[HandlerConfiguration, ...]:
    if settings.request_handler is None:
        return ()
    kind = settings.request_handler
    return (
        HandlerConfiguration(
            url=f"{'http' if kind in ('GET', 'POST') else kind}://127.0.0.1:{port}",
            http_method=kind if kind in ("GET", "POST") else "GET",
            sip_method=settings.handled_method or "*",
        ),
    )


def configuration(settings: ServerSettings, secret: str, handler_port: int = 0) -> Configuration:
    """The server's configuration for a case's settings; ``handler_port`` is where its request handler is."""
    admin, timers = AdminConfiguration(), TimerConfiguration()
    return Configuration(
        admin=AdminConfiguration(
            port=0,
            tls_port=0 if settings.admin_tls else None,
            secret=secret,
            frame_limit=_or(settings.frame_limit, admin.frame_limit),
            frame_limit_before_authentication=_or(
                settings.frame_limit_before_authentication, admin.frame_limit_before_authentication
            ),
            incomplete_frame_timeout=_or(settings.incomplete_frame_timeout, admin.incomplete_frame_timeout),
            incomplete_frame_timeout_before_authentication=_or(
                settings.incomplete_frame_timeout_before_authentication,
                admin.incomplete_frame_timeout_before_authentication,
            ),
            hangup_on_application_loss=_or(settings.hangup_on_app_loss, admin.hangup_on_application_loss),
        ),
        contacts=_contacts(settings),
        tls=_tls(settings),
        routing=RoutingConfiguration(
            outbound_proxy=settings.outbound_proxy or "",
            aggressive_nat_detection=bool(settings.aggressive_nat_detection),
            disable_nat_detection=bool(settings.disable_nat_detection),
            nameserver=NO_NAMESERVER,
            open_relay=bool(settings.open_relay),
        ),
        handlers=_handlers(settings, handler_port),
        timers=TimerConfiguration(
            t1=_or(settings.t1, timers.t1),
            t2=_or(settings.t2, timers.t2),
            t4=_or(settings.t4, timers.t4),
            t1x64=_or(settings.t1x64, timers.t1x64),
            default_refresher=_or(settings.default_refresher, timers.default_refresher),
        ),
        transports=TransportConfiguration(udp_mtu=settings.udp_mtu or 0),
        screening=_screening(settings),
        logging=LoggingConfiguration(level=LogLevel.NOTICE),
        limits=_limits(settings),
        faults=_faults(settings.fault),
        lint=bool(settings.lint),
        cdrs=bool(settings.cdrs),
        dialect=Dialect(settings.emulate) if settings.emulate else Dialect.OURS,
    )


def _limits(settings: ServerSettings) -> LimitConfiguration:
    """Those that are bounded differently."""
    wanted = {name: getattr(settings, name, None) for name in LimitConfiguration.__struct_fields__}
    return LimitConfiguration(**{name: limit for name, limit in wanted.items() if limit is not None})


def _faults(text: str | None) -> tuple[Fault, ...]:
    """Raises ValueError."""
    try:
        return FAULT_LIST.parse(text) if text else ()
    except WrongValue as error:
        raise ValueError(str(error)) from None


def _contacts(settings: ServerSettings) -> tuple[ContactConfiguration, ...]:
    """Each on a port of its own."""
    plain = ContactConfiguration(port=0, external_ip=settings.external_ip or "")
    others = {
        "tls": structs.replace(plain, scheme="sips", transports=("tls",)),
        "ws": structs.replace(plain, transports=("ws",)),
        "wss": structs.replace(plain, scheme="sips", transports=("wss",)),
        "ipv6": structs.replace(plain, host="::1"),
    }
    return plain, *(contact for setting, contact in others.items() if getattr(settings, setting))


def _tls(settings: ServerSettings) -> TlsConfiguration:
    """The suite's own certificate where one is needed. Raises :class:`StartFailed`."""
    if not (settings.tls or settings.wss or settings.admin_tls):
        return TlsConfiguration()
    try:
        own = own_certificate()
    except NoCertificate as error:
        raise StartFailed(str(error)) from None
    return TlsConfiguration(cert_file=str(own.certificate), key_file=str(own.key))


def _screening(settings: ServerSettings) -> ScreeningConfiguration:
    signs = {"user-agent": settings.spam_user_agent, "contact": settings.spam_contact}
    action = settings.spam_action or "reject"
    return ScreeningConfiguration(
        spam=tuple(SpamHeader(name, (text,)) for name, text in signs.items() if text),
        action=action,
        tcp_action=settings.spam_tcp_action or action,
        reject_register_with_no_realm=bool(settings.reject_register_with_no_realm),
        answered_user_agent=settings.user_agent_options_auto_respond or "",
        always_send_180=bool(settings.always_send_180),
    )


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
