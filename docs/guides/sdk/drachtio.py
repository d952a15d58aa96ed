"""A small SDK for the drachtio admin protocol: what "An SDK in an hour" builds, step by step."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable


# [step 1]
def encode(payload: bytes) -> bytes:
    """A payload as a frame: the count is of octets."""
    return b"%d#%b" % (len(payload), payload)


class Decoder:
    """Cuts a stream that comes in any pieces into payloads."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that are complete now. Raises ValueError where there is no frame."""
        self._buffer += data
        found: list[bytes] = []
        while self._buffer:
            count, hash_sign, rest = self._buffer.partition(b"#")
            if len(count) > 8 or (count and not count.isdigit()) or (hash_sign and not count):
                raise ValueError(f"expected 1-8 digits and '#', got {self._buffer[:16]!r}")
            if not hash_sign or len(rest) < int(count):
                break
            payload, self._buffer = rest[: int(count)], rest[int(count) :]
            if payload:  # an empty frame is skipped
                found.append(payload)
        return found


# [step 2]
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
        return self.message.partition(b"\r\n")[0].decode("utf-8", "replace")

    @property
    def method(self) -> str:
        """Of a request, its method; of a response, nothing."""
        return "" if self.start.startswith("SIP/") else self.start.partition(" ")[0]

    @property
    def status(self) -> int:
        """Of a response, its status; of a request, 0."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/") else 0


# [step 3]
class Failed(Exception):
    """NO or NOK; the text is the rest of the line."""


Handler = Callable[["Connection", Frame], Awaitable[None]]


class Connection:
    """An admin connection. Open one with ``await Connection.open(…)``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._handlers: dict[str, Handler] = {}  # by method, for requests outside dialogs
        self._accepting: dict[str, Handler] = {}  # by transaction id
        self._calls: dict[str, Handler] = {}  # by dialog id
        self._responses: dict[str, asyncio.Queue[Frame]] = {}  # by transaction id
        self._tasks: set[asyncio.Task[None]] = set()
        self._run(self._read())

    @classmethod
    async def open(cls, host: str, port: int, secret: str) -> Connection:
        """Connect and authenticate. Raises OSError, Failed."""
        connection = cls(*await asyncio.open_connection(host, port))
        await connection.ask("authenticate", secret, "")
        return connection

    async def ask(self, *tokens: str, message: bytes = b"") -> Frame:
        """Send a frame and wait for its last answer. Raises Failed, ConnectionError."""
        message_id = str(uuid.uuid4())
        answer = self._waiting[message_id] = asyncio.get_running_loop().create_future()
        self._writer.write(encode(Frame([message_id, *tokens], message).format()))
        frame = await answer
        if frame.token(3) != "OK":
            raise Failed("|".join(frame.tokens[4:]))
        return frame

    def close(self) -> None:
        self._writer.close()

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, ConnectionError):  # who waits for an answer is told of the end
            task.get_loop().call_exception_handler({"message": "a handler failed", "exception": error})

    async def _read(self) -> None:
        decoder = Decoder()
        try:
            while data := await self._reader.read(65536):
                for payload in decoder.feed(data):
                    self._take(Frame.parse(payload))
        except (OSError, ValueError):
            pass
        self._writer.close()
        for answer in self._waiting.values():
            answer.set_exception(ConnectionError("the connection ended"))

    def _take(self, frame: Frame) -> None:
        if frame.token(1) == "response":
            if frame.token(12) != "continue" and (answer := self._waiting.pop(frame.token(2), None)):
                self._learn(frame)
                answer.set_result(frame)
        elif frame.token(1) == "sip":
            self._sip(frame)
        # any other type: left out

    # [step 4]
    async def route(self, method: str, handler: Handler) -> None:
        """Have the requests of a method delivered to ``handler``. Raises Failed."""
        self._handlers[method.upper()] = handler
        await self.ask("route", method.lower())

    async def respond(
        self, request: Frame, status: int, reason: str = "", headers: str = "", body: str = ""
    ) -> str:
        """Answer a request; the dialog id, where there is one. Raises Failed."""
        message = f"SIP/2.0 {status} {reason}\r\n{headers}\r\n{body}".encode()
        echo = await self.ask("sip", request.token(8), "", message=message)
        return echo.token(11)

    def _sip(self, frame: Frame) -> None:
        if queue := self._responses.get(frame.token(8)) if frame.status else None:
            queue.put_nowait(frame)
            return
        handler = self._calls.get(frame.token(9)) or self._handlers.get(frame.method)
        if handler and not frame.status:
            self._run(handler(self, frame))
        elif frame.method not in ("ACK", "CANCEL", "") and frame.token(2) == "network":
            self._run(self._refuse(frame))

    async def _refuse(self, request: Frame) -> None:
        await self.respond(request, 405, "Method Not Allowed")

    # [step 5]
    def take(self, request: Frame, handler: Handler) -> None:
        """What comes inside the dialog that the answer to ``request`` makes is for ``handler``."""
        self._accepting[request.token(8)] = handler

    async def send(self, dialog_id: str, method: str, headers: str = "", body: str = "") -> Frame:
        """Send a request inside a dialog; its final response, or the echo of an ACK. Raises Failed."""
        message = f"{method} sip:placeholder SIP/2.0\r\n{headers}\r\n{body}".encode()
        echo = await self.ask("sip", "", dialog_id, message=message)
        return echo if method == "ACK" else await self._final(echo.token(10))

    def _learn(self, answer: Frame) -> None:
        """An echo comes ahead of all that follows from it: be ready for that."""
        if answer.token(11) == "Msg sent:":  # of a request
            self._responses[answer.token(10)] = asyncio.Queue()
        elif 200 <= answer.status < 300 and (handler := self._accepting.pop(answer.token(10), None)):
            self._calls[answer.token(11)] = handler

    async def _final(self, transaction_id: str) -> Frame:
        while True:
            response = await self._responses[transaction_id].get()
            if response.status >= 200:
                del self._responses[transaction_id]
                return response

    # [step 6]
    async def request(self, method: str, uri: str, headers: str = "", body: str = "") -> Frame:
        """Send a request outside dialogs; its final response. A 2xx to INVITE is acknowledged. Raises Failed."""
        message = f"{method} {uri} SIP/2.0\r\n{headers}\r\n{body}".encode()
        echo = await self.ask("sip", "", "", message=message)
        final = await self._final(echo.token(10))
        if method == "INVITE" and final.status < 300:
            await self.send(final.token(9), "ACK")
        return final

    # [end]
