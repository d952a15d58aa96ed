"""The state of one running case: who is on stage, what is known, how long to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec import Struct, structs

from drachtio_conformance.peers.admin_peer import AdminPeer
from drachtio_conformance.peers.callback_peer import CallbackPeer
from drachtio_conformance.peers.channel import Bell, Channel
from drachtio_conformance.peers.door import AcceptedPeer, Door
from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.peers.sip_peer import SipPeer
from drachtio_conformance.peers.sip_transport import StreamEndpoint, UdpEndpoint
from drachtio_conformance.peers.transports import SECURE, TRANSPORTS
from drachtio_conformance.peers.variables import Variables, octets
from drachtio_conformance.steps.mutation import Mutation, MutationKind
from drachtio_conformance.steps.proof import Proof
from drachtio_conformance.steps.terms import seconds
from drachtio_conformance.targets.client import ClientSide, ClientUnderTest
from drachtio_conformance.targets.target import ServerUnderTest

Item = TypeVar("Item")
Judged = TypeVar("Judged")


class CheckFailed(Exception):
    """The peer did something else than expected; both texts are wire text."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"expected {expected}, got {actual}")
        self.expected = expected
        self.actual = actual


class NotOffered(Exception):
    """An application under test says that it does not do what the step is about."""


class StepError(Exception):
    """A step could not be carried out: the case or the surroundings are wrong, not the peer."""


class Pace(Struct, frozen=True, kw_only=True):
    """How patient a run is."""

    deadline: float = 2.0
    """seconds that a check waits when the step does not say"""
    longest: float | None = None
    """seconds that no check waits longer, whatever its step says: where it is known how quick the peer is"""
    scale: float = 1.0
    """``--slow``: factor for deadlines and quiet periods"""

    def patience(self, within: str | None) -> float:
        """Seconds that a check waits whose step says ``within``."""
        wanted = self.deadline if within is None else seconds(within)
        return (wanted if self.longest is None else min(wanted, self.longest)) * self.scale


class Finding(Struct, frozen=True):
    """What a check that held looked at; wire text."""

    expected: str = ""
    actual: str = ""


class Stage:
    """Applications and SIP peers by name, variables, and the mutation that the present step must notice."""

    def __init__(self, server: ServerUnderTest, pace: Pace, *, embedded: bool, case: str = "") -> None:
        """``case`` is the name of what is played."""
        self.server = server
        self.embedded = embedded
        self.recorder = Recorder(octets(server.endpoints.secret), server.now)
        self.bell = Bell()
        self.applications: dict[str, AdminPeer] = {}
        self.peers: dict[str, SipPeer] = {}
        self._callbacks: dict[str, CallbackPeer] = {}
        self._doors: dict[str, Door] = {}
        self._client = (
            ClientSide(server, self.recorder, self.bell, case=case)
            if isinstance(server, ClientUnderTest)
            else None
        )
        self.mutation: Mutation | None = None
        """to be applied to what a check of the present step looks at"""
        self.proof = Proof()
        """of the checks of the present step"""
        self.proving = False
        """whether each check is to be shown what it must object to"""
        self._checks = 0
        self.variables = Variables(self._facts())
        self._pace = pace

    def _facts(self) -> dict[str, str]:
        endpoints = self.server.endpoints
        host, port = endpoints.admin
        facts = {
            "admin.host": host,
            "admin.port": str(port),
            "admin.secret": octets(endpoints.secret),
            "server.version": endpoints.version,
            "server.hostports": ",".join(endpoints.hostports),
        }
        for transport in TRANSPORTS:
            for family, suffix in (("ipv4", ""), ("ipv6", "6")):
                address = endpoints.sip(transport, family)
                if address is not None:
                    facts[f"sip.{transport}{suffix}"] = address
                    facts[f"sip.{transport}{suffix}.port"] = address.rpartition(":")[2]
        return facts

    def patience(self, within: str | None) -> float:
        """Seconds that a check waits."""
        return self._pace.patience(within)

    # Broken twins

    def begin_step(self) -> None:
        """A step begins: nothing is asserted yet."""
        self.proof = Proof()
        self._checks = 0

    def asserts(self, mutations: Iterable[Mutation]) -> None:
        """What the check that looks next asserts, as mutations that break it; not iterated over unless proving."""
        if self.proving:
            check = self._checks
            self.proof.open += dict.fromkeys(structs.replace(mutation, check=check) for mutation in mutations)

    def take_mutation(self) -> Mutation | None:
        """The mutation that concerns the check that looks now, if there is one; counts the check."""
        number, self._checks = self._checks, self._checks + 1
        if self.mutation is None or self.mutation.check != number:
            return None
        mutation, self.mutation = self.mutation, None
        return mutation

    def judged(
        self,
        channel: Channel[Item],
        item: Item,
        foreign: Item,
        *,
        rewrite: Callable[[Item, Mutation], Item],
        judge: Callable[[Item], Judged],
    ) -> Judged:
        """What the check that looks now makes of ``item``, the latest of ``channel``.

        ``judge`` looks and changes nothing; it raises :class:`CheckFailed` if it objects. When proving, it is first
        shown what it must object to. ``foreign`` is what no server sends there.
        """

        def as_seen(mutation: Mutation) -> Item:
            match mutation.kind:
                case MutationKind.DROP | MutationKind.DELAY:
                    raise CheckFailed("a message", "nothing (it was held back)")
                case MutationKind.DUPLICATE:
                    return item
                case MutationKind.INJECT:
                    return foreign
                case _:
                    return rewrite(item, mutation)

        self._prove(self._checks, lambda mutation: judge(as_seen(mutation)))
        mutation = self.take_mutation()
        if mutation is None:
            return judge(item)
        if mutation.kind in (MutationKind.DUPLICATE, MutationKind.INJECT):
            channel.put_back(item)
        return judge(as_seen(mutation))

    def _prove(self, check: int, judge: Callable[[Mutation], object]) -> None:
        """Let a check object to each mutation that breaks what it asserts; a duplicate is for a later one."""
        left = []
        for mutation in self.proof.open:
            if mutation.check != check or mutation.kind is MutationKind.DUPLICATE:
                left.append(mutation)
                continue
            try:
                judge(mutation)
            except CheckFailed:
                self.proof.noticed += 1
            else:
                self.proof.unnoticed.append(mutation)
        self.proof.open = left

    # Applications

    async def connect(self, name: str, *, secure: bool = False) -> AdminPeer:
        """Open an admin connection, ``secure`` by TLS. Raises ConnectFailed, :class:`StepError`."""
        self._must_be_free(name)
        peer = AdminPeer(name, self.recorder, self.bell)
        plain, by_tls = self.server.endpoints.admin, self.server.endpoints.tls_admin
        if secure and by_tls is None:
            raise StepError("the server awaits no application by TLS")
        secure = secure or plain == by_tls
        host, port = by_tls if secure and by_tls is not None else plain
        await peer.connect(host, port, seconds=self.patience(None), secure=secure)
        self.applications[name] = peer
        self.variables[f"{name}.port"] = str(peer.port)
        return peer

    def application(self, name: str) -> AdminPeer:
        """The application of that name. Raises :class:`StepError`."""
        if name not in self.applications:
            known = ", ".join(self.applications) or "none"
            raise StepError(f"there is no application {name!r}; connected are {known}")
        return self.applications[name]

    # An application under test

    @property
    def client(self) -> ClientSide:
        """The application under test and its connection. Raises :class:`StepError`."""
        if self._client is None:
            raise StepError("there is no application under test: this is a case for 'client'")
        return self._client

    async def objections(self, *, at_once: bool) -> list[str]:
        """What the application under test has done that no application may; unless ``at_once``, what it owes, too."""
        if self._client is None:
            return []
        return await self._client.objections(None if at_once else self.patience(None))

    # SIP peers

    async def open_peer(self, name: str, transport: str, family: str) -> SipPeer:
        """Open a SIP endpoint. Raises ConnectFailed, :class:`StepError`."""
        self._must_be_free(name)
        server = self.server.endpoints.sip(transport, family)
        if server is None:
            listed = ", ".join(self.server.endpoints.hostports) or "none"
            raise StepError(f"the server has no {transport} endpoint with {family}; it lists {listed}")
        literal, _, port = server.rpartition(":")
        address = (literal.strip("[]"), int(port))
        host = "::1" if family == "ipv6" else "127.0.0.1"

        def arrived(raw: str) -> None:
            self.recorder.sip(name, raw, from_server=True)

        endpoint: UdpEndpoint | StreamEndpoint
        if transport == "udp":
            endpoint = udp = UdpEndpoint(address, arrived, self.bell)
            await udp.open(host)
        else:
            endpoint = stream = StreamEndpoint(address, arrived, self.bell, transport=transport)
            await stream.open(host, seconds=self.patience(None))
        peer = SipPeer(
            name,
            transport,
            host,
            endpoint=endpoint,
            server=server,
            recorder=self.recorder,
            variables=self.variables,
        )
        self.peers[name] = peer
        return peer

    def peer(self, name: str) -> SipPeer:
        """The SIP peer of that name. Raises :class:`StepError`."""
        if name not in self.peers:
            known = ", ".join(self.peers) or "none"
            raise StepError(f"there is no SIP peer {name!r}; there are {known}")
        return self.peers[name]

    # Whom the server asks, and where it connects to

    async def open_callback(self, name: str) -> CallbackPeer:
        """Listen where the server's request handler is. Raises ConnectFailed, :class:`StepError`."""
        self._must_be_free(name)
        callback = CallbackPeer(name, self.recorder, self.bell)
        await callback.listen(*self._handler())
        self._callbacks[name] = callback
        return callback

    def callback(self, name: str) -> CallbackPeer:
        """The callback of that name. Raises :class:`StepError`."""
        if name not in self._callbacks:
            raise StepError(
                f"there is no callback {name!r}; there are {', '.join(self._callbacks) or 'none'}"
            )
        return self._callbacks[name]

    async def open_door(self, name: str, *, handler: bool, secure: bool = False) -> Door:
        """Listen for the server, where its ``handler`` is or anywhere, ``secure`` by TLS.

        Raises ConnectFailed, :class:`StepError`.
        """
        self._must_be_free(name)
        door = Door(name, self.recorder, self.bell)
        host, port = self._handler() if handler else ("127.0.0.1", 0)
        listening = await door.listen(host, port, patience=self.patience(None), secure=secure)
        self.variables[f"{name}.port"] = str(listening)
        self._doors[name] = door
        return door

    def door(self, name: str) -> Door:
        """The listener of that name. Raises :class:`StepError`."""
        if name not in self._doors:
            raise StepError(f"nobody listens as {name!r}; there are {', '.join(self._doors) or 'none'}")
        return self._doors[name]

    def take_application(self, name: str, peer: AcceptedPeer) -> None:
        """A connection that the server has made is the application of that name. Raises :class:`StepError`."""
        self._must_be_free(name)
        peer.name = name
        self.applications[name] = peer
        self.variables[f"{name}.port"] = str(peer.port)

    def _handler(self) -> tuple[str, int]:
        address = self.server.endpoints.handler
        if address is None:
            raise StepError("the server asks nobody: the case needs server: {request-handler: …}")
        return address

    def _must_be_free(self, name: str) -> None:
        known = [
            self.applications.get(name),
            self.peers.get(name),
            self._callbacks.get(name),
            self._doors.get(name),
        ]
        if any(one is not None and not one.closed for one in known):
            raise StepError(f"the name {name!r} is taken")

    async def clear(self) -> None:
        """Close everything, and wait until a foreign server has seen it, lest it offers the next case's calls here.

        An embedded server's tables tell when it has.
        """
        if not self.embedded:
            await asyncio.gather(*(peer.leave(1.0 * self._pace.scale) for peer in self.applications.values()))
        if self._client is not None:
            await self._client.stop()
        for application in self.applications.values():
            application.close()
        for peer in self.peers.values():
            peer.close()
        for callback in self._callbacks.values():
            callback.close()
        for door in self._doors.values():
            door.close()
        patience = 1.0 * self._pace.scale
        secure = [peer.endpoint for peer in self.peers.values() if peer.transport in SECURE]
        await asyncio.gather(*(endpoint.gone(patience) for endpoint in secure))
        await asyncio.gather(*(one.gone(patience) for one in self.applications.values() if one.secure))
