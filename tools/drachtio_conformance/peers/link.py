"""The admin connection of an application under test: between it and a reference server, with a judge in the middle.

Octets of the application go on as they are; each frame of it is judged, recorded and queued for the checks. Frames of
the server pass a row of *filters*, which steps put there: held back, doubled, altered, cut into pieces.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import cast

from msgspec import Struct, field

from application_rules.judge import Judge
from application_rules.rules import Problem, Weight
from drachtio_conformance.peers.admin_peer import ConnectFailed, Incoming, own_segments, reset, told
from drachtio_conformance.peers.channel import Bell, Channel, Closed
from drachtio_conformance.peers.random_faults import RandomFaults
from drachtio_conformance.peers.recorder import Recorder
from msgtrace.frames import Damage, DamageKind, Frame, FrameDecoder, LengthUnit

APPLICATION = "app"
"""The lifeline of the application under test."""
_OURS = "suite-"
"""how ids of frames begin that are not the application's"""


class Filter(Struct):
    """What is done to frames of the server that ``wanted`` picks out, as often as ``times`` says."""

    wanted: Callable[[str], bool]
    alter: Callable[[str], list[str]] | None = None
    """what goes to the application instead; None holds the frame back"""
    times: int | None = None
    held: deque[str] = field(default_factory=deque)


class Leg(asyncio.Protocol):
    """The connection of the application, and the one to the server behind it."""

    def __init__(self, link: Link, number: int) -> None:
        self.number = number
        self._link = link
        self._up = ServerLeg(self)
        self._decoder = FrameDecoder()
        self._transport: asyncio.Transport | None = None
        self._reaching: asyncio.Future[None] | None = None
        self._early = b""
        self._ready = False
        self._lost = asyncio.Event()
        self._road = link.faults.road(number, self._write) if link.faults is not None else None
        self.closed = False
        self.answered = False
        """the server has answered a frame of it"""
        self.asked = 0
        """routes in the place of the application that the server has not answered"""

    async def ended(self) -> None:
        """Wait until both connections are closed."""
        if self._transport is not None:
            await self._lost.wait()
            await self._up.ended()
        if self._reaching is not None:
            await self._reaching

    async def upstream_ended(self) -> None:
        """Wait until the connection to the server is closed."""
        await self._up.ended()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop: the application has connected."""
        self._transport = cast(asyncio.Transport, transport)
        own_segments(transport)
        if self._link.refused(self._transport):
            self.closed = True
            return
        self._link.joined(self)
        self._reaching = asyncio.ensure_future(self._reach())

    async def _reach(self) -> None:
        loop = asyncio.get_running_loop()
        if self.closed:
            return
        try:
            await loop.create_connection(lambda: self._up, *self._link.upstream)
        except OSError as error:
            self._link.recorder.note(APPLICATION, f"the server does not take the connection: {told(error)}")
            self.close()
            return
        self._ready = True
        self._up.write(self._early)

    def data_received(self, data: bytes) -> None:
        """Called by the loop: the application has sent something."""
        if self.closed:
            return
        for item in self._decoder.feed(data):
            self._link.sent(self.number, item)
        if self._ready:
            self._up.write(data)
        else:
            self._early += data

    def eof_received(self) -> bool:
        """Called by the loop."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop: the application is gone."""
        self._lost.set()
        for item in self._decoder.close():
            self._link.sent(self.number, item)
        self._up.close()
        if not self.closed:
            self.closed = True
            self._link.lost(self.number, exc is not None)

    def ask_for_requests(self) -> None:
        """Route in the place of an application that the server has connected to."""
        for verb in ("invite", "message", "options"):
            self.asked += 1
            payload = f"{_OURS}{verb}|route|{verb}"
            self._up.write(f"{len(payload)}#{payload}".encode())

    def down(self, data: bytes) -> None:
        """To the application."""
        if self._road is not None:
            self._road.send(data)
        else:
            self._write(data)

    def _write(self, data: bytes) -> None:
        """A frame in pieces may outlive the connection."""
        if self._transport is not None and not self.closed and not self._transport.is_closing():
            self._transport.write(data)

    def pause(self, stopped: bool) -> None:
        """Read nothing of what the application sends, or again."""
        if self._transport is not None and not self.closed:
            (self._transport.pause_reading if stopped else self._transport.resume_reading)()

    def server_closed(self) -> None:
        """The server has closed its side."""
        if not self.closed and not self._link.keeps_open:
            self._link.recorder.note(APPLICATION, "closed by the server")
            self.close()

    def close(self, *, how: str = "fin") -> None:
        """End the connection: ``fin``, ``reset``."""
        if self.closed or self._transport is None:
            return
        if self._road is not None:
            self._road.flush()
        self.closed = True
        if how == "reset":
            reset(self._transport)
        else:
            self._transport.close()
        self._up.close()
        self._link.gone(self.number)

    def came(self, frame: Frame) -> None:
        """The server has sent a frame."""
        self._link.pass_on(self, frame)


class ServerLeg(asyncio.Protocol):
    """The connection to the server."""

    def __init__(self, leg: Leg) -> None:
        self._leg = leg
        self._decoder = FrameDecoder()
        self._transport: asyncio.Transport | None = None
        self._closed = False
        self._lost = asyncio.Event()

    async def ended(self) -> None:
        """Wait until it is closed, if it was ever made."""
        if self._transport is not None:
            await self._lost.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast(asyncio.Transport, transport)
        own_segments(transport)
        if self._closed:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        for item in self._decoder.feed(data):
            if isinstance(item, Frame):
                self._leg.came(item)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._lost.set()
        self._leg.server_closed()

    def write(self, data: bytes) -> None:
        """To the server."""
        if self._transport is not None and data and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End it."""
        self._closed = True
        if self._transport is not None:
            self._transport.close()


class Link:
    """Where the application under test connects to, or is connected to."""

    def __init__(
        self,
        upstream: tuple[str, int],
        recorder: Recorder,
        bell: Bell,
        *,
        faults: RandomFaults | None = None,
    ) -> None:
        """``upstream`` is the admin port of the server behind it; ``faults`` are done to what the application gets."""
        self.upstream = upstream
        self.faults = faults
        self.recorder = recorder
        self.incoming: Channel[Incoming] = Channel(bell)
        """what the application sent and no check has taken"""
        self.arrivals: Channel[Leg] = Channel(bell)
        """connections that no check has taken"""
        self.problems: list[Problem] = []
        """what the judge has found"""
        self.filters: list[Filter] = []
        self.holds: dict[str, Filter] = {}
        """those that hold frames back, by name"""
        self.cut: int | None = None
        """frames go in pieces of so many octets"""
        self.glued: list[bytes] | None = None
        """frames are kept, to go in one piece"""
        self.answered: dict[str, str] = {}
        """what the server has answered to which message id: ``OK``, ``NO`` or ``NOK``"""
        self.keeps_open = False
        """a close of the server is not passed on"""
        self.judge = Judge()
        self._bell = bell
        self._port = 0  # at which the application listens
        self._in_code_points = False  # as the dialect 0.8 counts
        self._refusals = 0
        self._numbered = 0
        self._leg: Leg | None = None
        self._legs: list[Leg] = []
        self._server: asyncio.Server | None = None

    async def listen(self, tls: ssl.SSLContext | None = None) -> int:
        """Take connections; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._new, "127.0.0.1", 0, ssl=tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def connect(self, port: int) -> None:
        """Connect to an application that listens: it gets requests without a route (OUTB-4). Raises ConnectFailed."""
        self._port = port
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(self._new, "127.0.0.1", port)
        except OSError as error:
            raise ConnectFailed(
                f"the application takes no connection at port {port}: {told(error)}"
            ) from None

    async def connect_again(self) -> None:
        """Connect to it once more. Raises ConnectFailed."""
        if not self._port:
            raise ConnectFailed("the application does not listen: app_start: outbound")
        await self.connect(self._port)

    def _new(self) -> Leg:
        self._numbered += 1
        leg = Leg(self, self._numbered)
        self._legs.append(leg)
        return leg

    def refuse(self, times: int) -> None:
        """Break the next connections at once."""
        self._refusals = times

    def refused(self, transport: asyncio.Transport) -> bool:
        """Whether a new connection is broken."""
        if not self._refusals:
            return False
        self._refusals -= 1
        self.recorder.note(APPLICATION, "connected, and was refused")
        reset(transport)
        self._bell.ring()
        return True

    @property
    def refusing(self) -> int:
        """How many connections are still to be refused."""
        return self._refusals

    @property
    def is_asking(self) -> bool:
        """Whether the server has yet to answer routes in the place of an application that listens."""
        return any(leg.asked and not leg.closed for leg in self._legs)

    @property
    def leg(self) -> Leg | None:
        """The latest connection."""
        return self._leg

    def joined(self, leg: Leg) -> None:
        """The application has connected."""
        self.recorder.note(APPLICATION, "connected")
        self._leg = leg
        self.arrivals.put(leg)

    def sent(self, number: int, item: Frame | Damage) -> None:
        """The application has sent something."""
        if isinstance(item, Damage):
            if item.kind is not DamageKind.TRUNCATED:
                self.problems += self.judge.broke(number, item.octets)
            self.recorder.octets(APPLICATION, item.octets, from_server=False)
        else:
            if not item.payload.isascii():
                unit = (
                    LengthUnit.BYTES
                    if LengthUnit.BYTES in item.units
                    else item.units[0]
                    if item.units
                    else ""
                )
                self.problems += self.judge.counted(number, unit)
            self.problems += self.judge.sent(number, item.payload)
            self.recorder.frame(APPLICATION, item.payload, item.length, from_server=False)
        self.incoming.put(item)

    def pass_on(self, leg: Leg, frame: Frame) -> None:
        """A frame of the server: to the application, through the filters."""
        payload = frame.payload
        self._in_code_points |= LengthUnit.BYTES not in frame.units
        tokens = payload.partition("\r\n")[0].split("|")
        if tokens[1:2] == ["response"] and len(tokens) > 3:
            if tokens[2].startswith(_OURS):
                leg.asked -= 1
                self._bell.ring()
                return
            if self._port and tokens[3] == "OK" and not leg.answered:
                leg.ask_for_requests()
            leg.answered = True
            self.answered[tokens[2]] = tokens[3]
            self._bell.ring()
        for each in self.filters:
            if each.times == 0 or not each.wanted(payload):
                continue
            if each.times is not None:
                each.times -= 1
            if each.alter is None:
                each.held.append(payload)
                self._bell.ring()
                return
            for altered in each.alter(payload):
                self.deliver(altered, leg)
            return
        self.deliver(payload, leg)

    def deliver(self, payload: str, leg: Leg | None = None) -> None:
        """Send a payload to the application, as if the server had."""
        leg = leg or self._leg
        if leg is None or leg.closed:
            return
        for each in [payload] if self.faults is None else self.faults.around(payload):
            self._deliver(each, leg)

    def _deliver(self, payload: str, leg: Leg) -> None:
        length = len(payload)
        if self._in_code_points:
            length = len(payload.encode("latin-1").decode("utf-8", "replace"))
        self.problems += self.judge.received(leg.number, payload)
        self.recorder.frame(APPLICATION, payload, length, from_server=True)
        self._write(leg, f"{length}#{payload}".encode("latin-1"))

    def deliver_octets(self, data: str) -> None:
        """Send octets to the application that are no frame."""
        if self._leg is not None:
            self.recorder.octets(APPLICATION, data, from_server=True)
            self._write(self._leg, data.encode("latin-1"))

    def _write(self, leg: Leg, data: bytes) -> None:
        if self.glued is not None:
            self.glued.append(data)
        elif self.cut:
            for start in range(0, len(data), self.cut):
                leg.down(data[start : start + self.cut])
        else:
            leg.down(data)

    def glue(self) -> None:
        """Keep what goes to the application."""
        self.glued = []

    def unglue(self) -> None:
        """What was kept goes in one piece, and from now on all goes at once."""
        data, self.glued = b"".join(self.glued or []), None
        if self._leg is not None:
            self._leg.down(data)

    def lost(self, number: int, broken: bool) -> None:
        """The application has ended a connection."""
        self.recorder.note(APPLICATION, "reset by the application" if broken else "closed by the application")
        self.gone(number)
        self.incoming.put(Closed(reset=broken))

    def gone(self, number: int) -> None:
        """A connection has ended."""
        self.problems += [each for each in self.judge.left(number) if each.rule.weight is not Weight.HINT]

    async def close(self) -> None:
        """Listen no more, close everything, and wait until it is."""
        if self._server is not None:
            self._server.close()
        for leg in self._legs:
            leg.close()
        await asyncio.gather(*(leg.ended() for leg in self._legs))
