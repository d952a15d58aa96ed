"""Writes the log of a night: 200 calls through the reference server, of which some went wrong, for several causes.

``python -m tests.msgtrace.night_log calls.log`` writes the server's log, as an operator has it. The calls are
real: phones of Python's, an application of drachtio-srf that connects callers with callees, and a gateway that is down.
Which one is worth a question, :data:`WANTED` tells: give somebody the log and ask why Dave could not call out.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import socket
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from msgspec import Struct

from drachtio_load.free_port import free_port
from tests.peers.processes import NodeApplication, Server

PEOPLE = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
OUTSIDE = "+15550137"
CALLS = {"answered": 168, "busy": 12, "unknown": 8, "cancelled": 6, "late": 4, "declined": 1, "outside": 1}
"""how many of what; ``late`` are those whose ACK takes its time, ``outside`` the one that the gateway should take"""
WANTED = ("dave", OUTSIDE)
APPLICATION = Path(__file__).parents[1] / "peers" / "apps" / "front_desk.js"
_AT_ONCE = 8
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0 101\r\n"
_FIELD = re.compile(r"(?im)^(via|from|to|call-id|cseq|contact|record-route):[ \t]*([^\r\n]*)\r?$")
_USER = re.compile(r"sip:([^@;>]+)")
_PATIENCE = 30.0
"""seconds that a phone waits for a message"""


class Message(Struct, frozen=True):
    """What a phone got."""

    text: str

    @property
    def start(self) -> str:
        """Method or status: ``INVITE``, ``200``."""
        first = self.text.split(" ", 2)
        return first[1] if first[0] == "SIP/2.0" else first[0]

    def all(self, name: str) -> list[str]:
        """The values of a header."""
        return [found[2] for found in _FIELD.finditer(self.text) if found[1].lower() == name]

    def one(self, name: str) -> str:
        """The first value of a header."""
        return self.all(name)[0]


class Line(asyncio.DatagramProtocol):
    """The socket of many phones; messages are told apart by their Call-ID."""

    def __init__(self) -> None:
        self.calls: dict[str, asyncio.Queue[Message]] = {}
        self.new: asyncio.Queue[Message] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """To the call, or to whoever takes new ones."""
        message = Message(data.decode("latin-1"))
        waiting = self.calls.get(message.one("call-id"))
        (waiting if waiting is not None else self.new).put_nowait(message)

    @property
    def address(self) -> str:
        """host:port"""
        host, port = self.transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def send(self, text: str, to: tuple[str, int]) -> None:
        """A message."""
        self.transport.sendto(text.encode("latin-1"), to)


class Plan(Struct, frozen=True):
    """What is to happen to a call."""

    name: str
    kind: str
    callee_hangs_up: bool


class Night:
    """All that happens."""

    def __init__(self, server: tuple[str, int], callers: Line, callees: Line) -> None:
        self._server = server
        self._callers = callers
        self._callees = callees
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._pairs: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._plans: dict[tuple[str, str], Plan] = {}
        self._random = random.Random(16)
        self.ended: Counter[str] = Counter()

    async def pass_by(self) -> None:
        """All calls, in an order by lot that is always the same."""
        kinds = [kind for kind, count in CALLS.items() for _ in range(count)]
        self._random.shuffle(kinds)
        async with asyncio.TaskGroup() as calls, asyncio.TaskGroup() as answers:
            answering = answers.create_task(self._answering(answers))
            for number, kind in enumerate(kinds, 1):
                pair = WANTED if kind == "outside" else tuple(self._random.sample(PEOPLE, 2))
                if kind == "unknown":
                    pair = (pair[0], f"room{number}")
                plan = Plan(f"{number:08x}", kind, self._random.random() < 0.5)
                await self._places.acquire()
                calls.create_task(self._call(plan, (pair[0], pair[1])))
            for _ in range(_AT_ONCE):
                await self._places.acquire()
            answering.cancel()

    async def _call(self, plan: Plan, pair: tuple[str, str]) -> None:
        async with self._pairs[pair]:
            self._plans[pair] = plan
            await asyncio.wait_for(self._talk(plan, *pair), _PATIENCE)
        self.ended[plan.kind] += 1
        self._places.release()

    async def _talk(self, plan: Plan, caller: str, callee: str) -> None:
        """What the caller does."""
        call_id, line = f"{plan.name}{self._random.getrandbits(48):012x}@127.0.0.1", self._callers
        heard = line.calls[call_id] = asyncio.Queue()
        via = f"Via: SIP/2.0/UDP {line.address};rport;branch=z9hG4bK{plan.name}"
        uri, contact = (
            "sip:{}@{}:{}".format(callee, *self._server),
            f"Contact: <sip:{caller}@{line.address}>\r\n",
        )
        parties = f"From: <sip:{caller}@pbx.example>;tag={plan.name}\r\nTo: <sip:{callee}@pbx.example>"

        def send(method: str, target: str, to: str, branch: str, body: str = "") -> None:
            line.send(
                f"{method} {target} SIP/2.0\r\n{via}{branch}\r\nMax-Forwards: 70\r\n{parties}{to}\r\n"
                f"Call-ID: {call_id}\r\nCSeq: {2 if method == 'BYE' else 1} {method}\r\n{contact}{_content(body)}",
                self._server,
            )

        send("INVITE", uri, "", "", _SDP.format(20000 + 2 * int(plan.name, 16)))
        cancelled = False
        while (answer := await heard.get()).start < "200" or not answer.one("cseq").endswith("INVITE"):
            if plan.kind == "cancelled" and answer.start == "180" and not cancelled:
                send("CANCEL", uri, "", "")
                cancelled = True
        to = answer.one("to").partition(">")[2]
        if answer.start >= "300":
            send("ACK", uri, to, "")
            return
        for _ in range(2 if plan.kind == "late" else 0):
            answer = await heard.get()  # the same 200 again
        remote = answer.one("contact").strip("<>")
        send("ACK", remote, to, "a")
        if plan.callee_hangs_up:
            while (message := await heard.get()).start != "BYE":
                pass
            line.send(_answered(message, "200 OK"), self._server)
            return
        await asyncio.sleep(self._random.random() / 4)  # they talk
        send("BYE", remote, to, "b")
        while not (await heard.get()).one("cseq").endswith("BYE"):
            pass

    async def _answering(self, group: asyncio.TaskGroup) -> None:
        """All phones that are called."""
        while True:
            message = await self._callees.new.get()
            if message.start == "INVITE":
                self._callees.calls[message.one("call-id")] = asyncio.Queue()
                group.create_task(asyncio.wait_for(self._answer(message), _PATIENCE))

    async def _answer(self, invite: Message) -> None:
        """What the callee does."""
        line, call_id = self._callees, invite.one("call-id")
        caller, callee = (_USER.findall(invite.one(name))[0] for name in ("from", "to"))
        plan = self._plans[caller, callee]
        contact = f"Contact: <sip:{callee}@{line.address}>\r\n"

        def send(status: str, message: Message = invite, body: str = "") -> None:
            line.send(_answered(message, status, plan.name, contact, body), self._server)

        async def until(method: str) -> Message:
            while (message := await line.calls[call_id].get()).start != method:
                pass
            return message

        send("180 Ringing")
        refusals = {"busy": "486 Busy Here", "declined": "603 Decline"}
        if plan.kind in refusals:
            send(refusals[plan.kind])
            await until("ACK")
        elif plan.kind == "cancelled":
            send("200 OK", await until("CANCEL"))
            send("487 Request Terminated")
            await until("ACK")
        else:
            send("200 OK", body=_SDP.format(30000))
            await until("ACK")
            if not plan.callee_hangs_up:
                send("200 OK", await until("BYE"))
                return
            await asyncio.sleep(self._random.random() / 4)  # they talk
            via = f"Via: SIP/2.0/UDP {line.address};rport;branch=z9hG4bK{plan.name}c\r\nMax-Forwards: 70\r\n"
            parties = f"From: {invite.one('to')};tag={plan.name}\r\nTo: {invite.one('from')}\r\n"
            start = f"BYE {invite.one('contact').strip('<>')} SIP/2.0\r\n"
            line.send(
                f"{start}{via}{parties}Call-ID: {call_id}\r\nCSeq: 1 BYE\r\n{_content('')}", self._server
            )
            await until("200")


def _answered(request: Message, status: str, tag: str = "", contact: str = "", body: str = "") -> str:
    vias = "".join(f"Via: {via}\r\n" for via in request.all("via"))
    routes = "".join(f"Record-Route: {route}\r\n" for route in request.all("record-route"))
    to = request.one("to")
    to = f"{to};tag={tag}" if tag and ";tag=" not in to else to
    return (
        f"SIP/2.0 {status}\r\n{vias}{routes}From: {request.one('from')}\r\nTo: {to}\r\n"
        f"Call-ID: {request.one('call-id')}\r\nCSeq: {request.one('cseq')}\r\n{contact}{_content(body)}"
    )


def _content(body: str) -> str:
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"


async def _pass(server: tuple[str, int], callers: socket.socket, callees: socket.socket) -> Counter[str]:
    loop = asyncio.get_running_loop()
    ends = [await loop.create_datagram_endpoint(Line, sock=sock) for sock in (callers, callees)]
    night = Night(server, *(line for _, line in ends))
    try:
        await night.pass_by()
    finally:
        for transport, _ in ends:
            transport.close()
    return night.ended


def write(path: Path, trace: Path | None = None) -> Counter[str]:
    """Write the server's log, and its trace, which has the frames, too; how many calls of which kind there were."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "server.xml"
        configuration.write_text(
            '<drachtio><admin port="0" secret="cymru">127.0.0.1</admin><logging>'
            f"<file><name>{path}</name></file></logging></drachtio>"
        )
        callers, callees = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
        for phones in (callers, callees):
            phones.bind(("127.0.0.1", 0))
        server = Server("--file", str(configuration), *(("--trace", str(trace)) if trace else ()))
        application = NodeApplication(
            APPLICATION,
            server.admin_port,
            CALLEES="{}:{}".format(*callees.getsockname()),
            GATEWAY=f"127.0.0.1:{free_port()}",
            KNOWN=",".join(PEOPLE),
        )
        try:
            return asyncio.run(_pass(("127.0.0.1", server.sip_port("udp")), callers, callees))
        finally:
            application.stop()
            server.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.msgtrace.night_log", description=__doc__)
    parser.add_argument("log", type=Path, help="the file that is written")
    parser.add_argument("--trace", type=Path, help="the server's trace besides, which holds the frames, too")
    options = parser.parse_args(arguments)
    ended = write(options.log.absolute(), options.trace)
    sys.stdout.write(", ".join(f"{count} {kind}" for kind, count in ended.items()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
