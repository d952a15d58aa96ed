"""A small SDK for the drachtio admin protocol, standard library alone: what "An SDK in an hour" builds, step by step.

``docs/guides/an-sdk-in-an-hour.md`` quotes it, ``app.py`` beside it is the conformance application on top.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import uuid
from collections.abc import Callable, Coroutine, Iterator


# [frames]
def encode(payload: bytes) -> bytes:
    """A payload as a frame: the count is of octets."""
    return b"%d#%b" % (len(payload), payload)


class Decoder:
    """Cuts a stream that comes in any pieces into payloads."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads that are complete now. Raises ValueError where there is no frame, behind those before it."""
        self._buffer += data
        while self._buffer:
            count, hash_sign, rest = self._buffer.partition(b"#")
            if len(count) > 8 or (count and not count.isdigit()) or (hash_sign and not count):
                raise ValueError(f"expected 1-8 digits and '#', got {self._buffer[:16]!r}")
            if not hash_sign or len(rest) < int(count):
                break
            payload, self._buffer = rest[: int(count)], rest[int(count) :]
            if payload:  # an empty frame is skipped
                yield payload


# [tokens]
class Frame:
    """The tokens of a payload, and the SIP message behind them."""

    def __init__(self, tokens: list[str], message: bytes = b"") -> None:
        self.tokens, self.message = tokens, message

    @classmethod
    def parse(cls, payload: bytes) -> Frame:
        line, _, message = payload.partition(b"\r\n")
        return cls(line.decode("utf-8", "surrogateescape").split("|"), message)

    def format(self) -> bytes:
        line = "|".join(self.tokens).encode("utf-8", "surrogateescape")
        return line + b"\r\n" + self.message if self.message else line

    def token(self, place: int) -> str:
        """A token, empty if it is missing; what is behind those that one knows does not matter."""
        return self.tokens[place] if place < len(self.tokens) else ""

    @property
    def start(self) -> str:
        """The first line of the SIP message."""
        return self.message.partition(b"\r\n")[0].decode("utf-8", "surrogateescape")

    @property
    def method(self) -> str:
        """Of a request, its method; of a response, nothing."""
        return "" if self.start.startswith("SIP/") else self.start.partition(" ")[0]

    @property
    def status(self) -> int:
        """Of a response, its status; of a request, 0."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/") else 0

    def header(self, name: str) -> str:
        """The value of the first header of that name, empty if there is none."""
        head = self.message.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
        for known, _, value in (line.partition(":") for line in head.split("\r\n")[1:]):
            if known.strip().lower() == name.lower():
                return value.strip()
        return ""

    @property
    def body(self) -> bytes:
        return self.message.partition(b"\r\n\r\n")[2]


# [connection]
class Refused(Exception):
    """NO or NOK; the message is the rest of the line."""


Handler = Callable[["Connection", Frame], Coroutine[object, object, object]]
Told = Callable[[Frame], object]


def nobody(frame: Frame) -> None:
    """Is told, and does nothing."""


class Application:
    """What outlives a connection: who handles which requests, and the work under way."""

    def __init__(self, failed: Callable[[str], object] = print) -> None:
        """``failed`` is told what went wrong and what no caller of a method waits for."""
        self.failed = failed
        self.handlers: dict[str, Handler] = {}  # by method: requests outside dialogs
        self.dialogs: dict[str, Handler] = {}  # by dialog id: requests inside
        self.tasks: set[asyncio.Task[object]] = set()

    def start(self, work: Coroutine[object, object, object]) -> asyncio.Task[object]:
        """Do ``work`` beside all else; that it fails is told, unless the connection has ended, and ends nothing."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[object]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Refused):
            self.failed(str(error))
        elif error and not isinstance(error, ConnectionError):
            task.get_loop().call_exception_handler({"message": "a handler failed", "exception": error})


class Connection:
    """An admin connection. Open one with ``await Connection.open(…)``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, application: Application
    ) -> None:
        self.application, self._writer = application, writer
        self.heard = 0.0  # when something came last, by the clock of the loop
        self._waiting: dict[str, tuple[asyncio.Future[Frame], Told]] = {}  # frames without their last answer
        self._open: dict[str, tuple[asyncio.Future[Frame], Told]] = {}  # requests without a final response
        self.reading = application.start(self._read(reader))
        self.reading.add_done_callback(self._ended)

    @classmethod
    async def open(cls, host: str, port: int, secret: str) -> Connection:
        """Connect and authenticate. Raises OSError, Refused."""
        connection = cls(*await asyncio.open_connection(host, port), Application())
        await connection.ask("authenticate", secret, "")
        return connection

    async def ask(self, *tokens: str, message: bytes = b"", told: Told = nobody) -> Frame:
        """Send a frame and wait for its last answer; ``told`` sees each. Raises Refused, ConnectionError."""
        if self._writer.is_closing():
            raise ConnectionError("the connection has ended")
        message_id = str(uuid.uuid4())
        last: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = last, told
        self._writer.write(encode(Frame([message_id, *tokens], message).format()))
        return await last

    def close(self) -> None:
        self._writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        decoder = Decoder()
        try:
            while data := await reader.read(65536):
                self.heard = asyncio.get_running_loop().time()
                for payload in decoder.feed(data):
                    self._take(Frame.parse(payload))
        except (OSError, ValueError) as error:
            self.application.failed(str(error))

    def _ended(self, _: asyncio.Task[object]) -> None:
        self.close()
        for future, _told in [*self._waiting.values(), *self._open.values()]:
            if not future.done():
                future.set_exception(ConnectionError("the connection ended"))
                future.exception()  # perhaps nobody waits any more

    def _take(self, frame: Frame) -> None:
        if frame.token(1) == "response":
            self._answer(frame)
        elif frame.token(1) == "sip" and frame.status:
            self._response(frame)
        elif frame.token(1) == "sip":
            self._request(frame)
        # any other type: left out (FRAME-25)

    def _answer(self, frame: Frame) -> None:
        """What follows from an echo follows at once: what it brings about may be the next frame (FRAME-26)."""
        text = "|".join(frame.tokens[4:])
        last, told = self._waiting.get(frame.token(2), (None, nobody))
        if last is None:
            if frame.token(3) == "NO":
                self.application.failed(text)  # it belongs to no frame (APP-4)
            return
        if frame.token(3) == "OK":
            told(frame)
        if frame.tokens[-1] == "continue":
            return  # more answers to this frame will come (APP-3)
        del self._waiting[frame.token(2)]
        if last.done():
            return  # who asked waits no longer
        if frame.token(3) == "OK":
            last.set_result(frame)
        else:
            last.set_exception(Refused(text))

    # [requests]
    async def route(self, method: str, handler: Handler) -> None:
        """Have the requests of a method delivered to ``handler``. Raises Refused, ConnectionError."""
        self.application.handlers[method.upper()] = handler
        await self.ask("route", method.lower())

    async def respond(
        self, request: Frame, status: str, headers: str = "", body: bytes = b"", *, told: Told = nobody
    ) -> str:
        """Answer a request, "486 Busy Here" or so; the dialog id, if there is one. Raises Refused, ConnectionError."""
        message = f"SIP/2.0 {status}\r\n{headers}\r\n".encode("utf-8", "surrogateescape") + body
        echo = await self.ask("sip", request.token(8), "", message=message, told=told)
        return echo.token(11)

    def _request(self, request: Frame) -> None:
        application, dialog = self.application, request.token(9)
        handler = application.dialogs.get(dialog)
        if handler is None and not dialog:
            handler = application.handlers.get(request.method)
        if handler:
            application.start(handler(self, request))
        elif request.token(2) == "network" and request.method not in ("ACK", "CANCEL"):
            application.start(
                self.respond(request, "481 No Such Call" if dialog else "405 Method Not Allowed")
            )

    # [dialogs]
    async def accept(
        self, request: Frame, status: str, inside: Handler, headers: str = "", body: bytes = b""
    ) -> str:
        """Answer 101 to 299; what comes in the dialog that this makes is for ``inside``. Raises as ``respond``."""

        def told(echo: Frame) -> None:
            if echo.token(11):
                self.application.dialogs[echo.token(11)] = inside

        return await self.respond(request, status, headers, body, told=told)

    async def send(
        self,
        method: str,
        uri: str = "sip:placeholder",
        dialog: str = "",
        *,
        headers: str = "",
        body: bytes = b"",
        told: Told = nobody,
    ) -> Frame:
        """Send a request in a dialog, or outside to ``uri``; its final response, or the echo of an ACK.

        ``told`` sees the echo and each response as it comes: the next frame may be in its dialog already.
        Raises Refused, ConnectionError.
        """
        final: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()

        def sent(echo: Frame) -> None:
            if method != "ACK":
                self._open[echo.token(10)] = final, told
                told(echo)

        message = f"{method} {uri} SIP/2.0\r\n{headers}\r\n".encode("utf-8", "surrogateescape") + body
        echo = await self.ask("sip", "", dialog, message=message, told=sent)
        return echo if method == "ACK" else await final

    def _response(self, response: Frame) -> None:
        final, told = self._open.get(response.token(8), (None, nobody))
        told(response)
        if final and response.status >= 200:
            del self._open[response.token(8)]
            if not final.done():
                final.set_result(response)

    # [calls]
    async def begin(
        self,
        method: str,
        uri: str,
        inside: Handler,
        *,
        headers: str = "",
        body: bytes = b"",
        told: Told = nobody,
    ) -> Frame:
        """Send INVITE or SUBSCRIBE; its final response. What comes in the dialog that this makes is for ``inside``.

        A 2xx to INVITE is acknowledged. ``told`` sees the echo and each response. Raises Refused, ConnectionError.
        """
        known: set[str] = set()

        def heard(frame: Frame) -> None:
            if 100 < frame.status < 300 and frame.token(1) == "sip" and frame.token(9):
                known.add(frame.token(9))
                self.application.dialogs[frame.token(9)] = inside
            told(frame)

        final = None
        try:
            final = await self.send(method, uri, headers=headers, body=body, told=heard)
        finally:
            if final is None or final.status >= 300:  # there is no call
                for dialog in known:
                    self.application.dialogs.pop(dialog, None)
        if method == "INVITE" and final.status < 300:
            await self.send("ACK", dialog=final.token(9))
        return final

    async def cancel(self, transaction: str) -> None:
        """Cancel an INVITE of one's own, by the transaction id of its echo alone. Raises Refused, ConnectionError."""
        await self.ask("sip", transaction, "", message=b"CANCEL sip:placeholder SIP/2.0\r\n\r\n")


# [survive]
class Client(Application):
    """An application that stays connected."""

    def __init__(
        self, secret: str, *, pause: float = 1.0, ping: float = 20.0, failed: Callable[[str], object] = print
    ) -> None:
        """``pause``: seconds before the first try to connect again; ``ping``: of silence before a ping."""
        super().__init__(failed)
        self._connection: Connection | None = None
        self._ready = asyncio.Event()
        self._secret, self._pause, self._silence = secret, pause, ping

    async def connected(self) -> Connection:
        """The connection, once there is one."""
        while self._connection is None:
            await self._ready.wait()
        return self._connection

    async def dial(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Connect, and after each loss again, later and later (APP-24). Raises Refused: the secret is wrong."""
        pause = self._pause
        while True:
            try:
                await self.serve(*await asyncio.open_connection(host, port, ssl=tls))
                pause = self._pause
            except OSError as error:
                self.failed(str(error))
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, 30.0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection to its end, who ever made it. Raises Refused, ConnectionError if it did not come to be."""
        connection = Connection(reader, writer, self)
        greeting = await connection.ask("authenticate", self._secret, "")
        if greeting.token(5):  # a server that tells no version knows no ping
            self.start(self._ping(connection))
        for method in self.handlers:
            if method != "CANCEL":  # which comes where its INVITE went
                await connection.ask("route", method.lower())
        self._connection = connection
        self._ready.set()
        await connection.reading
        if self._connection is connection:
            self._connection = None
            self._ready.clear()

    async def _ping(self, connection: Connection) -> None:
        """Give a connection up on which nothing comes, not even a pong (APP-25)."""
        clock = asyncio.get_running_loop().time
        while not connection.reading.done():
            await asyncio.sleep(max(connection.heard + self._silence - clock(), 0.01))
            if clock() - connection.heard >= self._silence:
                try:
                    await asyncio.wait_for(connection.ask("ping"), self._silence / 2)
                except OSError:  # no pong in time, or no connection any more
                    if clock() - connection.heard >= self._silence:
                        connection.close()


# [end]
