"""What crosses the wires of a server that is watched from inside, as rows of a ladder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol

from drachtio_conformance.peers.channel import Bell, NothingCame
from drachtio_conformance.peers.recorder import SERVER, WireEvent
from drachtio_conformance.peers.variables import readable
from msgtrace import messages, sip


class _Flow(Protocol):
    """Where SIP comes from or goes to."""

    @property
    def remote_host(self) -> str:
        """Literal address."""

    @property
    def remote_port(self) -> int:
        """Port."""


class Watcher:
    """A tap of frames, SIP and events. Phones are called by their names once those are known."""

    def __init__(self) -> None:
        self.events: list[WireEvent] = []
        self.names: dict[str, str] = {}
        """host:port to the name of a phone"""
        self.findings: list[str] = []
        """what lint has found, one sentence each"""
        self._bell = Bell()
        self._now: Callable[[], float] = lambda: 0.0
        self._started = 0.0

    def begin(self, now: Callable[[], float]) -> None:
        """Times are those of this clock, from now on."""
        self._now, self._started = now, now()

    async def something(self, seconds: float) -> None:
        """Wait for the next event; that none comes in time is for the caller to notice."""
        before = len(self.events)
        with contextlib.suppress(NothingCame):
            await self._bell.until(lambda: True if len(self.events) > before else None, seconds)

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        """A frame of an application."""
        told = messages.decode(payload, from_server=sent)
        self._add(
            "frame", f"app {connection}", f"{len(payload)}#{payload}", summary=told.summary(), sent=sent
        )

    def sip(self, sent: bool, flow: _Flow, text: str) -> None:
        """A SIP message."""
        address = f"{flow.remote_host}:{flow.remote_port}"
        name = self.names.get(address, address)
        self._add("sip", name, text, summary=sip.parse(text).summary(), sent=sent)

    def event(self, name: str, **details: str | int) -> None:
        """What else happens: findings of lint, connections."""
        if name == "lint":
            self.findings.append(f"{details['clause']}: {details['what']}")
            self._note(f"{details['clause']}: {details['what']}", f"app {details['connection']}")
        elif name in ("admin-connected", "admin-disconnected"):
            self._note(name.removeprefix("admin-"), f"app {details['connection']}")

    def _note(self, summary: str, lifeline: str) -> None:
        at = self._now() - self._started
        self.events.append(
            WireEvent(at=at, kind="note", source=lifeline, target=lifeline, summary=readable(summary))
        )
        self._bell.ring()

    def _add(self, kind: str, name: str, data: str, *, summary: str, sent: bool) -> None:
        source, target = (SERVER, name) if sent else (name, SERVER)
        at = self._now() - self._started
        self.events.append(
            WireEvent(at=at, kind=kind, source=source, target=target, summary=readable(summary), data=data)
        )
        self._bell.ring()
