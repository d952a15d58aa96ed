"""The reference server in the loop of a test, and telephones that call through it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Literal, Self, TypeAlias

from msgspec import Struct

from drachtio_conformance.peers.channel import NothingCame
from drachtio_conformance.peers.recorder import WireEvent
from drachtio_conformance.peers.sip_compose import Changes
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import Received
from drachtio_conformance.peers.variables import octets
from drachtio_conformance.steps.stage import Pace, Stage
from drachtio_conformance.targets.embedded import EmbeddedServer, embedded
from drachtio_conformance.targets.settings import ServerSettings
from drachtio_conformance.telephone import lines
from drachtio_conformance.telephone.acts import Act, Answer, Ring
from drachtio_conformance.telephone.telephone import Played, Telephone
from drachtio_testing.watcher import Watcher
from msgtrace import ladder, sip
from msgtrace.sip import SipMessage

Transport: TypeAlias = Literal["udp", "tcp", "tls", "ws", "wss"]


class Options(Struct, frozen=True, kw_only=True):
    """What a server of a test may be told; the rest is as by default."""

    transports: tuple[Transport, ...] = ("udp", "tcp")
    """by which telephones can call; those two are always there"""
    fault: str | None = None
    """harm done to what the application gets (docs/guides/faults.md): ``split=1,delay-echo=0.5``"""
    lint: bool = False
    """note what the application does that is merely tolerated; it stands in the ladder and in ``findings``"""
    cdrs: bool = False
    """send call detail records"""
    dialect: str | None = None
    """``0.8``"""
    hangup_on_app_loss: bool = False
    patience: float = 5.0
    """seconds that a telephone waits for a message"""


class ReferenceServer:
    """A server on free ports of 127.0.0.1; use it as an async context manager."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self._watcher = Watcher()
        self._server: EmbeddedServer | None = None
        self._stage: Stage | None = None

    async def start(self) -> Self:
        """Start it. Raises StartFailed."""
        chosen = self.options
        settings = ServerSettings(
            emulate=chosen.dialect,
            hangup_on_app_loss=chosen.hangup_on_app_loss or None,
            cdrs=chosen.cdrs or None,
            fault=chosen.fault,
            lint=chosen.lint or None,
            tls="tls" in chosen.transports or None,
            ws="ws" in chosen.transports or None,
            wss="wss" in chosen.transports or None,
        )
        self._server = await embedded(settings, taps=[self._watcher])
        self._watcher.begin(self._server.now)
        self._stage = Stage(self._server, Pace(deadline=chosen.patience), embedded=True)
        return self

    async def stop(self) -> None:
        """Close the telephones and the server."""
        if self._stage is not None:
            await self._stage.clear()
        if self._server is not None:
            await self._server.stop()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def host(self) -> str:
        """Where applications connect."""
        return self._running().endpoints.admin[0]

    @property
    def port(self) -> int:
        """The admin port."""
        return self._running().endpoints.admin[1]

    @property
    def secret(self) -> str:
        """The shared secret, another for each server."""
        return self._running().endpoints.secret

    def sip(self, transport: Transport = "udp") -> str:
        """host:port where the server takes SIP. Raises ValueError for a transport that ``Options`` does not name."""
        endpoints = self._running().endpoints
        address = endpoints.sip(transport, "ipv4")
        if address is None:
            there = ", ".join(hostport.partition("/")[0] for hostport in endpoints.hostports)
            raise ValueError(f"the server has {there}, not {transport}: Options(transports=('{transport}',))")
        return address

    def sips(self) -> dict[str, str]:
        """That of each transport."""
        names = [hostport.partition("/")[0] for hostport in self._running().endpoints.hostports]
        return {name: self._running().endpoints.sip(name, "ipv4") or "" for name in names}

    @property
    def faults(self) -> str:
        """The harm that is done to what applications get, with the seed of what is left to chance."""
        return self._running().faults

    def set_faults(self, faults: str) -> str:
        """Do this harm from now on, and no other; none if it is empty. Returns what is done. Raises ValueError."""
        self._running().set_faults(faults)
        return self.faults

    async def advance(self, seconds: float) -> None:
        """Let the server's time pass; what falls due happens at once. The application's own time is its own."""
        await self._running().advance(seconds)

    def drop_application(self, number: int, *, reset: bool = False) -> None:
        """End the connection of an application, 1, 2 … in the order in which they connected: orderly, or with RST."""
        self._running().drop(number, reset=reset)

    def occupancy(self) -> dict[str, int]:
        """How many calls, requests, applications the server holds, by table."""
        return self._running().occupancy() or {}

    async def applications(self, count: int = 1, *, routed: Sequence[str] = ()) -> None:
        """Wait until so many applications have authenticated, and the verbs (``invite``) are routed.

        Raises TimeoutError.
        """
        wanted = [f"|route|{verb}" for verb in routed]
        deadline = time.monotonic() + self.options.patience

        def ready() -> bool:
            frames = [event.data for event in self._watcher.events if event.kind == "frame"]
            authenticated = sum("|authenticate|" in frame for frame in frames)
            answered = sum("|OK" in frame and "|response|" in frame for frame in frames)
            return (
                authenticated >= count
                and all(any(frame.endswith(verb) for frame in frames) for verb in wanted)
                and answered >= authenticated + len(wanted)
            )

        while not ready():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{count} applications, with routes {list(routed)}, within {self.options.patience:g} s"
                )
            await self._watcher.something(self.options.patience)

    async def happens(self, what: str, *, times: int = 1, within: float | None = None) -> WireEvent:
        """Wait until an event of the trace has ``what`` in its summary, as often as that; the last of them.

        Raises TimeoutError.
        """
        patience = self.options.patience if within is None else within
        deadline = time.monotonic() + patience
        while True:
            seen = [event for event in self._watcher.events if what in event.summary]
            if len(seen) >= times:
                return seen[times - 1]
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError(
                    f"'{what}' has been seen {len(seen)} times, not {times}, within {patience:g} s"
                )
            await self._watcher.something(left)

    async def phone(self, name: str = "phone", transport: Transport = "udp") -> Phone:
        """A telephone on a port of its own. Raises ValueError."""
        self.sip(transport)
        assert self._stage is not None
        peer = await self._stage.open_peer(name, transport, "ipv4")
        self._watcher.names[peer.address] = name
        return Phone(peer, self, transport)

    @property
    def trace(self) -> list[WireEvent]:
        """What has crossed the wires: frames of applications, SIP, findings."""
        return list(self._watcher.events)

    @property
    def findings(self) -> list[str]:
        """What ``lint`` has found: ``APP-6: route|INVITE matches no request``."""
        return list(self._watcher.findings)

    def ladder(self, width: int = 110) -> str:
        """The trace as a drawing, applications on one side and telephones on the other."""
        return ladder.text(self._watcher.events, width=width)

    def _running(self) -> EmbeddedServer:
        if self._server is None:
            raise RuntimeError("the server is not started: use it as a context manager")
        return self._server


class Phone:
    """A telephone: it plays scripts, or does message by message what a test says, and nothing by itself."""

    def __init__(self, peer: SipPeer, server: ReferenceServer, transport: Transport) -> None:
        self._peer = peer
        self._server = server
        self._transport: Transport = transport
        self._telephone = Telephone(peer, patience=server.options.patience)

    @property
    def address(self) -> str:
        """host:port"""
        return self._peer.address

    @property
    def uri(self) -> str:
        """By which an application calls it."""
        return lines.uri_of(self._peer)

    async def play(self, *script: Act, user: str = "bob", headers: Mapping[str, str] | None = None) -> Played:
        """Call a user at the server, or a whole URI, and play the script; a call that it leaves up stays up.

        Raises ScriptError.
        """
        return await self._telephone.call(
            self._uri(user), script, headers=_changes(headers).headers, body=None
        )

    async def take(self, *script: Act, within: float | None = None) -> Played:
        """Wait for a call and play the script; one that it does not answer is answered 200.

        Raises ScriptError, and AssertionError if none comes ``within`` so many seconds.
        """
        patience = self._server.options.patience if within is None else within
        taken = await self._telephone.take(script, within=patience)
        if taken is None:
            raise AssertionError(f"{self._peer.name}: expected a call, none came within {patience:g} s")
        return taken

    async def go_on(self, *script: Act) -> Played:
        """Play a script in the call that is up. Raises ScriptError."""
        return await self._telephone.go_on(script)

    def send(
        self,
        method: str,
        user: str = "bob",
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        in_dialog: bool = False,
    ) -> None:
        """Send a request: to a user at the server, or a whole URI, or inside the latest dialog."""
        self._peer.request(
            method,
            uri=None if in_dialog else self._uri(user),
            changes=_changes(headers),
            body=None if body is None else octets(body),
            in_dialog=in_dialog,
        )

    async def receive(
        self, what: int | str, *, skip: Sequence[int | str] = (100,), within: float | None = None
    ) -> SipMessage:
        """The next message, which has to be this response (486) or request (``BYE``), but for those in ``skip``.

        Raises AssertionError if another comes, or none within ``within`` seconds.
        """
        patience = self._server.options.patience if within is None else within
        deadline = time.monotonic() + patience
        while True:
            try:
                item = await self._peer.endpoint.incoming.take(max(deadline - time.monotonic(), 0))
            except NothingCame:
                raise AssertionError(
                    f"{self._peer.name}: expected {what}, nothing came within {patience:g} s"
                ) from None
            if not isinstance(item, Received):
                raise AssertionError(f"{self._peer.name}: expected {what}, the connection was closed")
            repeated = self._peer.is_repeat(item.raw)
            message = sip.parse(item.raw)
            if repeated:
                continue
            self._peer.learn(item)
            if _is(message, what):
                return message
            if not any(_is(message, each) for each in skip):
                raise AssertionError(f"{self._peer.name}: expected {what}, got {message.summary()}")

    def respond(self, status: int, *, headers: Mapping[str, str] | None = None, body: str = "") -> None:
        """Answer the latest request."""
        self._peer.respond(status, changes=_changes(headers), body=octets(body))

    def ack(self) -> None:
        """Acknowledge the final response to the latest INVITE."""
        self._peer.ack()

    def cancel(self) -> None:
        """Cancel the latest INVITE; its 200 and the 487 come to :meth:`receive`."""
        self._peer.cancel()

    async def call(self, user: str = "bob", *, headers: Mapping[str, str] | None = None) -> SipMessage:
        """Send an INVITE, let it ring, acknowledge the final response and return it.

        Raises AssertionError if none comes.
        """
        played = await self.play(user=user, headers=headers)
        if played.message is None:
            raise AssertionError(f"{self._peer.name}: {played.sentence}")
        return played.message

    async def hang_up(self) -> SipMessage:
        """Send a BYE in the latest dialog; the final response to it."""
        self.send("BYE", in_dialog=True)
        return await self._response()

    async def answer(self, status: int = 200, *, rings: bool = True) -> SipMessage:
        """Wait for an INVITE, ring, answer it, and wait for the ACK; returns the INVITE.

        Raises AssertionError if it does not come to that.
        """
        taken = await self.take(*((Ring(), Answer(status)) if rings else (Answer(status),)))
        if not taken.good or taken.message is None:
            raise AssertionError(f"{self._peer.name}: {taken.sentence}")
        return taken.message

    async def hung_up(self) -> SipMessage:
        """Wait for a BYE and answer it 200; returns the BYE."""
        bye = await self.receive("BYE")
        self.respond(200)
        return bye

    def _uri(self, user: str) -> str:
        return user if ":" in user else f"sip:{user}@{self._server.sip(self._transport)}"

    async def _response(self) -> SipMessage:
        """The next response but 100."""
        deadline = self._server.options.patience
        while True:
            try:
                item = await self._peer.endpoint.incoming.take(deadline)
            except NothingCame as nothing:
                raise AssertionError(f"{self._peer.name}: expected a response, {nothing}") from None
            if not isinstance(item, Received):
                raise AssertionError(f"{self._peer.name}: expected a response, the connection was closed")
            if self._peer.is_repeat(item.raw):
                continue
            self._peer.learn(item)
            message = sip.parse(item.raw)
            if message.is_request:
                raise AssertionError(f"{self._peer.name}: expected a response, got {message.summary()}")
            if message.status != 100:
                return message


def _is(message: SipMessage, what: int | str) -> bool:
    return message.status == what if isinstance(what, int) else message.is_request and message.method == what


def _changes(headers: Mapping[str, str] | None) -> Changes:
    return Changes(tuple((name, octets(value)) for name, value in (headers or {}).items()))
