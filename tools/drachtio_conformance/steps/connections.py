"""Connections opened and closed, of applications and of SIP peers."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import field

from drachtio_conformance.steps.stage import Finding, Stage
from drachtio_conformance.steps.step import Step
from drachtio_conformance.steps.terms import Name


class Connect(Step, frozen=True, kw_only=True, tag="connect"):
    """Open a connection to the admin port and name it; nothing is sent."""

    shorthand: ClassVar[str] = "name"
    name: Name = field(default="app", name="as")
    tls: bool = False
    """by TLS, for cases that require ``admin_tls``"""

    def words(self) -> str:
        return f"{self.name} connects to the admin port{' by TLS' if self.tls else ''}"

    async def carry_out(self, stage: Stage) -> Finding:
        await stage.connect(self.name, secure=self.tls)
        return Finding()


class SipPeer(Step, frozen=True, kw_only=True, tag="sip_peer"):
    """Open a SIP endpoint on loopback with a port of its own.

    All but udp connect to the server at once and also listen on their port.
    """

    shorthand: ClassVar[str] = "name"
    name: Name = field(default="phone", name="as")
    transport: Literal["udp", "tcp", "tls", "ws", "wss"] = "udp"
    family: Literal["ipv4", "ipv6"] = "ipv4"

    def words(self) -> str:
        return f"{self.name} listens on {self.transport}"

    async def carry_out(self, stage: Stage) -> Finding:
        await stage.open_peer(self.name, self.transport, self.family)
        return Finding()


class Close(Step, frozen=True, kw_only=True, tag="close"):
    """Close a connection in an orderly way (FIN)."""

    shorthand: ClassVar[str] = "of"
    of: Name = "app"

    def words(self) -> str:
        return f"{self.of} closes"

    async def carry_out(self, stage: Stage) -> Finding:
        if self.of in stage.peers:
            stage.peer(self.of).close()
        else:
            stage.application(self.of).close()
        return Finding()


class Abort(Step, frozen=True, kw_only=True, tag="abort"):
    """Break a connection (RST)."""

    shorthand: ClassVar[str] = "of"
    of: Name = "app"

    def words(self) -> str:
        return f"{self.of} breaks its connection"

    async def carry_out(self, stage: Stage) -> Finding:
        if self.of in stage.peers:
            stage.peer(self.of).close(broken=True)
        else:
            stage.application(self.of).abort()
        return Finding()


class StopReading(Step, frozen=True, kw_only=True, tag="stop_reading"):
    """An application takes nothing more of what the server sends; its connection stays."""

    shorthand: ClassVar[str] = "app"
    app: Name = "app"

    def words(self) -> str:
        return f"{self.app} reads nothing more"

    async def carry_out(self, stage: Stage) -> Finding:
        stage.application(self.app).stop_reading()
        return Finding()
