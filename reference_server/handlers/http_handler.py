"""One callback, asked over HTTP (HTTP-1, HTTP-10).

One client of aiohttp, with its pool of connections, serves all callbacks of a server: a question is a task of its own.
Three seconds after it was asked it is over, whatever the callback does, and the caller hears 500; no question is left
open for longer, and beyond some open ones (``--callback-questions``) a new request is answered 503 at once.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Sequence
from socket import AF_INET, AF_INET6, AddressFamily
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from reference_server.config.model import LimitConfiguration
from reference_server.core.decisions import Decision, Reject
from reference_server.core.methods import method_named
from reference_server.core.ports import Abandon, HandlerQuestion, Names, Taps
from reference_server.handlers.answer import Answer, AnswerError, read_answer
from reference_server.handlers.phrases import PHRASES, SERVER_INTERNAL_ERROR
from reference_server.handlers.question import url_for
from reference_server.sip.timers import TimerHandle, Timers

TOTAL_SECONDS: Final = 3.0
"""From the question to the end of its answer, redirections included."""

CONNECT_SECONDS: Final = 2.0

MOST_CONNECTIONS: Final = 100
"""To all callbacks together; a question that finds none free waits for one."""

_FAILED: Final = Reject(status=500, reason=SERVER_INTERNAL_ERROR)
_TOO_MANY: Final = Reject(status=503, reason=PHRASES[503])


class HttpClient:
    """What all callbacks share: the pool of connections, and the open questions."""

    def __init__(
        self, *, version: str, names: Names, timers: Timers, taps: Taps, limits: LimitConfiguration
    ) -> None:
        """Inside the running loop. ``version`` is that of the authenticate reply."""
        self.limits = limits
        self.timers = timers
        self.taps = taps
        self.open: set[asyncio.Task[Answer]] = set()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, resolver=_Resolver(names)),
            headers={"User-Agent": f"Drachtio/{version}", "Accept": "application/json"},
            skip_auto_headers=("Accept-Encoding", "Content-Type"),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def exchange(self, url: str, body: bytes | None, tls: ssl.SSLContext | bool) -> tuple[int, bytes]:
        """Ask ``url``, by POST if there is a ``body``; returns the status and as much of the answer as is read.

        Raises aiohttp's ClientError, OSError and ValueError.
        """
        headers = None if body is None else {"Content-Type": "text/plain; charset=UTF-8"}
        async with self._session.request(
            "GET" if body is None else "POST", URL(url, encoded=True), data=body, headers=headers, ssl=tls
        ) as response:
            pieces: list[bytes] = []
            length = 0
            async for piece in response.content.iter_any():
                pieces.append(piece)
                length += len(piece)
                if length > self.limits.callback_answer:
                    break
            return response.status, b"".join(pieces)

    def bound(self, limits: LimitConfiguration) -> None:
        """From now on these limits hold."""
        self.limits = limits

    async def stop(self) -> None:
        """Give up all questions; nobody is told."""
        tasks = list(self.open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()


class HttpHandler:
    """One callback."""

    def __init__(self, client: HttpClient, url: str, *, post: bool, verify_peer: bool) -> None:
        """``post``: by POST, with the SIP message as body."""
        self._client = client
        self._url = url
        self._shown = _without_credentials(url)
        self._post = post
        self._tls: ssl.SSLContext | bool = ssl.create_default_context() if verify_peer else False
        self._remarked: set[str] = set()

    def ask(self, question: HandlerQuestion, decided: Callable[[Decision], None]) -> Abandon:
        """See ``RequestHandler`` of core/ports.py."""
        client = self._client
        most = client.limits.callback_questions
        if len(client.open) >= most:
            self._failed(f"fewer than {most} open questions", "one more", 0.0, "callback-questions")
            decided(_TOO_MANY)
            return _nothing
        return _Open(self, question, decided).abandon

    # What an open question needs.

    @property
    def client(self) -> HttpClient:
        """By whom it is asked."""
        return self._client

    async def answer_to(self, question: HandlerQuestion) -> Answer:
        """Ask. Raises AnswerError."""
        body = question.text.encode("latin-1") if self._post else None
        expected = "an answer over HTTP"
        started = asyncio.get_running_loop().time()
        try:
            status, answer = await self._client.exchange(url_for(self._url, question), body, self._tls)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise AnswerError(expected, _why(error)) from None
        seconds = asyncio.get_running_loop().time() - started
        most = self._client.limits.callback_answer
        read = read_answer(answer, method_named(question.request.method), most)
        self._client.taps.event(
            "http-answered", url=self._shown, http=status, seconds=f"{seconds:.3f}", action=read.action
        )
        for remark in read.remarks:
            self._remark(remark)
        return read

    def failed(self, error: AnswerError, seconds: float) -> None:
        """There is no answer, or none that says what to do."""
        self._failed(error.expected, error.came, seconds, error.limit)

    def late(self) -> None:
        """Nobody has answered in time."""
        self._failed("an answer over HTTP", f"none within {TOTAL_SECONDS:g} s", TOTAL_SECONDS)

    def _failed(self, expected: str, came: str, seconds: float, limit: str = "") -> None:
        details = {"limit": limit} if limit else {}
        self._client.taps.event(
            "http-failed", url=self._shown, expected=expected, came=came, seconds=f"{seconds:.3f}", **details
        )

    def _remark(self, remark: str) -> None:
        """Each once: a callback that words its answers so does it always."""
        if remark not in self._remarked and len(self._remarked) < 100:
            self._remarked.add(remark)
            self._client.taps.event("http-answer-odd", url=self._shown, remark=remark)


class _Open:
    """One question that has no answer yet."""

    __slots__ = ("_decided", "_handler", "_started", "_task", "_timer")

    def __init__(
        self, handler: HttpHandler, question: HandlerQuestion, decided: Callable[[Decision], None]
    ) -> None:
        self._handler = handler
        self._decided = decided
        loop = asyncio.get_running_loop()
        self._started = loop.time()
        self._task = loop.create_task(handler.answer_to(question))
        open_ = handler.client.open
        open_.add(self._task)
        self._task.add_done_callback(open_.discard)
        self._task.add_done_callback(self._answered)
        self._timer: TimerHandle = handler.client.timers.start(TOTAL_SECONDS, self._give_up)

    def abandon(self) -> None:
        """Nobody wants to know any more."""
        self._timer.cancel()
        self._task.remove_done_callback(self._answered)
        self._task.add_done_callback(_look_away)
        self._task.cancel()

    def _give_up(self) -> None:
        self.abandon()
        self._handler.late()
        self._decided(_FAILED)

    def _answered(self, task: asyncio.Task[Answer]) -> None:
        self._timer.cancel()
        if task.cancelled():  # the server stops
            return
        error = task.exception()
        if error is None:
            self._decided(task.result().decision)
            return
        if not isinstance(error, AnswerError):
            error = AnswerError("an answer over HTTP", f"an error of ours, please report: {error!r}")
        self._handler.failed(error, asyncio.get_running_loop().time() - self._started)
        self._decided(Reject(status=500, reason=error.reason))


class _Resolver(AbstractResolver):
    """Names for aiohttp, as the SIP side looks them up; no thread waits for a name server."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        """Raises OSError."""
        found: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()

        def done(addresses: Sequence[str]) -> None:
            if not found.done():
                found.set_result(addresses)

        self._names.addresses(host, done)
        addresses = await found
        if not addresses:
            raise OSError(None, "the name leads nowhere")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=AF_INET6 if ":" in address else AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


def _look_away(task: asyncio.Task[Answer]) -> None:
    """Its error, if it ended with one, is of no interest any more."""
    if not task.cancelled():
        task.exception()


def _nothing() -> None:
    """There is nothing to abandon."""


def _without_credentials(url: str) -> str:
    """For those who watch: neither user and password nor what a query may carry."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path.partition('?')[0]}".partition("?")[0]


def _why(error: Exception) -> str:
    """In a few words, and without the URL, in which there may be a password."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"no connection: {error.certificate_error}"
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            return f"no connection: {os.strerror(number) if number else error.os_error}"
        case aiohttp.ServerDisconnectedError():
            return "the end of the connection"
        case aiohttp.TooManyRedirects():
            return "too many redirections"
        case aiohttp.ClientResponseError():
            return f"no HTTP: {error.message!r}"
        case aiohttp.InvalidURL() | aiohttp.RedirectClientError() | aiohttp.NonHttpUrlClientError():
            return "a redirection that is no URL of HTTP"
        case TimeoutError():
            return f"no connection within {CONNECT_SECONDS:g} s"
        case _:
            return f"{type(error).__name__}: {error}"
