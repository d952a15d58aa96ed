"""What a basic call costs the server by TLS, beside the same call by TCP.

Debian's SIPp speaks no TLS, so the caller is one of our own; its CPU does not count. Each way is measured with one
connection for all calls, as gateways and registered phones do, and with one for each call, where TLS shakes hands
anew or resumes the session of the call before (RFC 8446 §2.2).
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tests.bench.measure import ANSWERING, cpu_of
from tests.peers.processes import NodeApplication, Server
from tests.tls.openssl import Authority

PATIENCE = 10.0
"""seconds that a call may take before it counts as failed"""
WARM_UP = 50


class Way(Struct, frozen=True):
    """How the calls go."""

    transport: str
    connections: str
    """``one`` for all calls, ``each`` call its own, ``resumed``: each its own, with the session of the one before"""

    def __str__(self) -> str:
        """For the table."""
        how = {"one": "one connection", "each": "a connection each", "resumed": "a connection each, resumed"}
        return f"{self.transport}, {how[self.connections]}"


WAYS = (Way("tcp", "one"), Way("tls", "one"), Way("tcp", "each"), Way("tls", "resumed"), Way("tls", "each"))


class Cost(Struct, frozen=True):
    """What one way costs."""

    way: str
    rate: float
    """calls a second"""
    calls: int
    failed: int
    resumed: int
    """connections that went on with a session"""
    cpu: float
    """milliseconds of the server's process for each call, user and system"""


class _Wire(asyncio.Protocol):
    """One connection; TLS without I/O, since asyncio's own resumes no session."""

    def __init__(self, context: ssl.SSLContext | None, session: ssl.SSLSession | None) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = None
        if context is not None:
            self._tls = context.wrap_bio(self._in, self._out, server_hostname=None, session=session)
        self._text = b""
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[tuple[str, str], asyncio.Future[str]] = {}
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def session(self) -> ssl.SSLSession | None:
        """What the next connection may go on with."""
        return self._tls.session if self._tls is not None else None

    @property
    def resumed(self) -> bool:
        """Whether it has gone on with a session."""
        return bool(self._tls is not None and self._tls.session_reused)

    @property
    def port(self) -> int:
        """The local one."""
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._go_on()

    def data_received(self, data: bytes) -> None:
        if self._tls is None:
            self._take(data)
            return
        self._in.write(data)
        if not self.ready.done():
            self._go_on()
        try:
            while piece := self._tls.read(65_536):
                self._take(piece)
        except ssl.SSLWantReadError:
            pass

    def _go_on(self) -> None:
        assert self._transport is not None
        if self._tls is not None:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._transport.write(self._out.read())
                return
            self._transport.write(self._out.read())
        self.ready.set_result(None)

    def send(self, message: str) -> None:
        assert self._transport is not None
        if self._tls is None:
            self._transport.write(message.encode())
        else:
            self._tls.write(message.encode())
            self._transport.write(self._out.read())

    def final(self, call_id: str, method: str) -> asyncio.Future[str]:
        """The final response to that request of that call."""
        waiting: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[call_id, method] = waiting
        return waiting

    def _take(self, data: bytes) -> None:
        self._text += data
        while (end := self._text.find(b"\r\n\r\n")) >= 0:
            head = self._text[: end + 4].decode()
            whole = end + 4 + int(value(head, "Content-Length"))
            if len(self._text) < whole:
                return
            self._text = self._text[whole:]
            if not head.startswith("SIP/2.0 1"):
                key = value(head, "Call-ID"), value(head, "CSeq").rpartition(" ")[2]
                if (waiting := self._waiting.pop(key, None)) is not None and not waiting.done():
                    waiting.set_result(head)

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


def value(head: str, name: str) -> str:
    """Of the first header of that name."""
    return head.partition(f"\r\n{name}: ")[2].partition("\r\n")[0]


class Caller:
    """Places basic calls one way."""

    def __init__(self, way: Way, port: int) -> None:
        self._way = way
        self._port = port
        self._context: ssl.SSLContext | None = None
        if way.transport == "tls":
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._session: ssl.SSLSession | None = None
        self._shared: _Wire | None = None
        self._number = 0
        self.failed = self.resumed = 0

    async def run(self, calls: int, rate: float) -> None:
        """So many calls, so many each second."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.TaskGroup() as group:
            for index in range(calls):
                if (early := begun + index / rate - loop.time()) > 0:
                    await asyncio.sleep(early)
                group.create_task(self._counted())

    async def _counted(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._call()
        except (OSError, TimeoutError, ssl.SSLError, ValueError):
            self.failed += 1

    async def _wire(self) -> _Wire:
        session = self._session if self._way.connections == "resumed" else None
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(lambda: _Wire(self._context, session), "127.0.0.1", self._port)
        await wire.ready
        self.resumed += wire.resumed
        return wire

    async def _call(self) -> None:
        if self._way.connections != "one":
            wire = await self._wire()
        else:
            self._shared = wire = self._shared or await self._wire()
        self._number += 1
        request = self._requests(f"{self._number}-{wire.port}", wire.port)
        answered = wire.final(f"{self._number}-{wire.port}", "INVITE")
        over = wire.final(f"{self._number}-{wire.port}", "BYE")
        wire.send(request("INVITE", 1, ""))
        answer = await answered
        if not answer.startswith("SIP/2.0 200"):
            raise ValueError(answer)
        to_tag = value(answer, "To").partition(">")[2]
        wire.send(request("ACK", 1, to_tag))
        wire.send(request("BYE", 2, to_tag))
        await over
        self._session = wire.session
        if self._way.connections != "one":
            wire.close()

    def _requests(self, call_id: str, port: int) -> Callable[[str, int, str], str]:
        transport = self._way.transport

        def composed(method: str, number: int, to_tag: str) -> str:
            body = "v=0\r\n" if method == "INVITE" else ""
            kind = "Content-Type: application/sdp\r\n" if body else ""
            return (
                f"{method} sip:service@127.0.0.1:{self._port};transport={transport} SIP/2.0\r\n"
                f"Via: SIP/2.0/{transport.upper()} 127.0.0.1:{port};branch=z9hG4bK{call_id}{method}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:bench@127.0.0.1:{port}>;tag={call_id}\r\n"
                f"To: <sip:service@127.0.0.1:{self._port}>{to_tag}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n"
                f"Contact: <sip:bench@127.0.0.1:{port};transport={transport}>\r\n{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            )

        return composed


def measured(way: Way, rate: float, seconds: float) -> Cost:
    """Start a server and its application, place the calls, and say what they cost."""
    with tempfile.TemporaryDirectory(prefix="drachtio-bench-") as folder:
        certificate, key = Authority(Path(folder)).signed("bench.test")
        server = Server(
            *("--loglevel", "notice", "--key-file", str(key), "--cert-file", str(certificate)),
            *("--contact", "sips:127.0.0.1:0;transport=tls"),
        )
        application = NodeApplication(ANSWERING, server.admin_port)
        caller = Caller(way, server.sip_port(way.transport))
        calls = round(rate * seconds)
        spent = 0.0

        async def story() -> None:
            nonlocal spent
            await caller.run(WARM_UP, rate)
            caller.failed = caller.resumed = 0
            before = cpu_of(server.process)
            await caller.run(calls, rate)
            spent = cpu_of(server.process) - before

        try:
            asyncio.run(story())
        finally:
            application.stop()
            server.stop()
    return Cost(str(way), rate, calls, caller.failed, caller.resumed, 1000 * spent / calls)


def best(way: Way, rate: float, seconds: float, runs: int) -> Cost:
    """The cheapest of so many runs, of those without a failed call if there are any: noise only ever adds."""
    costs = [measured(way, rate, seconds) for _ in range(runs)]
    return min([cost for cost in costs if not cost.failed] or costs, key=lambda cost: cost.cpu)
