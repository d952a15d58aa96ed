"""What the suite tests: a server that it can reach, and perhaps steer."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from drachtio_conformance.targets.settings import ServerSettings


class StartFailed(Exception):
    """The server did not come up; the text says what was tried and what happened."""


class Endpoints(Struct, frozen=True):
    """Where a server listens and who it is."""

    admin: tuple[str, int]
    secret: str
    hostports: tuple[str, ...]
    """``udp/127.0.0.1:5060`` …, as the authenticate answer lists them"""
    version: str = ""
    tls_admin: tuple[str, int] | None = None
    """where applications connect by TLS; the same as ``admin`` where they cannot do without"""
    handler: tuple[str, int] | None = None
    """where its request handler is, if it has one that the suite plays"""

    def sip(self, transport: str, family: str) -> str | None:
        """host:port of the first endpoint of that transport (``udp``, ``tcp``, ``tls``, …) and family."""
        for hostport in self.hostports:
            name, _, address = hostport.partition("/")
            if name == transport and address.startswith("[") == (family == "ipv6"):
                return address
        return None


class ServerUnderTest(Protocol):
    """One running server."""

    @property
    def endpoints(self) -> Endpoints:
        """Where it listens."""

    async def advance(self, seconds: float) -> None:
        """Let time pass: at once if the clock can be moved, else by waiting."""

    def now(self) -> float:
        """Seconds on a clock that only goes forward, time that was advanced included."""

    def occupancy(self) -> dict[str, int] | None:
        """Size of each of its tables; None if nobody can look inside."""

    async def gone(self) -> str:
        """Why it no longer serves; empty if it does. One that would take the suite with it need not be asked."""

    async def stop(self) -> None:
        """Stop it if the suite started it."""


class Target(Protocol):
    """Makes servers to test."""

    @property
    def description(self) -> str:
        """For reports: ``reference server (embedded)`` or ``HOST:PORT``."""

    @property
    def embedded(self) -> bool:
        """Whether time can be advanced, settings chosen, and tables seen."""

    @property
    def shared(self) -> bool:
        """Whether cases may follow each other on one server."""

    async def start(self, settings: ServerSettings | None) -> ServerUnderTest:
        """A server with these settings. Raises :class:`StartFailed`."""
