"""What all admin sessions share: the secret, the limits, whom they talk to, who watches. Nothing of a single one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reference_server.admin.failed_attempts import FailedAttempts
from reference_server.admin.routes import RouteTable
from reference_server.config.model import DEFAULT_LIMITS, AdminConfiguration, LimitConfiguration
from reference_server.core.core import Core
from reference_server.core.ports import Taps, Timers
from reference_server.sip.identifiers import Identifiers


class FrameInterceptor(Protocol):
    """Stands between the sessions and their wires, to do harm on purpose: it may pass a frame on as it is or altered,
    once, several times, later, or never.
    """

    def received(self, connection: int, payload: str, forward: Callable[[str], None]) -> None:
        """A frame came in; ``forward`` takes each payload that the session shall see instead."""

    def sent(self, connection: int, frame: bytes, forward: Callable[[bytes], None]) -> None:
        """``frame``, with its length, is to go out; ``forward`` takes the octets that shall go instead."""


class AdminContext:
    """One for a server; shared by the sessions of all its listeners."""

    def __init__(
        self,
        configuration: AdminConfiguration,
        *,
        version: str,
        dialect_0_8: bool,
        hostports: Callable[[], tuple[str, str]],
        routes: RouteTable,
        core: Core,
        timers: Timers,
        identifiers: Identifiers,
        taps: Taps,
        limits: LimitConfiguration = DEFAULT_LIMITS,
    ) -> None:
        """``hostports`` returns the two lists of the authenticate reply: as advertised, as bound."""
        self.version = version
        self.dialect_0_8 = dialect_0_8
        self.hostports = hostports
        self.routes = routes
        self.core = core
        self.timers = timers
        self.identifiers = identifiers
        self.taps = taps
        self.interceptor: FrameInterceptor | None = None
        """may be set at any time"""
        self.failed_attempts = FailedAttempts(timers)
        self.internal_errors = 0
        """messages whose handling failed by a mistake of ours, since the start"""
        self._numbered = 0
        self.configure(configuration, limits)

    def configure(self, configuration: AdminConfiguration, limits: LimitConfiguration) -> None:
        """From now on this holds; applications that have authenticated stay, whatever the secret is now."""
        self.configuration = configuration
        self.limits = limits
        self.secret = configuration.secret.encode().decode("latin-1")
        """as it is on the wire, one character an octet"""

    def new_number(self) -> int:
        """The number of the next connection: 1, 2 …; none comes twice."""
        self._numbered += 1
        return self._numbered
