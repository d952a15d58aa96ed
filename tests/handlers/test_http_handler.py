"""A server with request handlers on real sockets: phones by UDP, callbacks by HTTP, what each of them sees."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reference_server import handling
from reference_server.config.model import (
    DEFAULT_LIMITS,
    AdminConfiguration,
    Configuration,
    ContactConfiguration,
    HandlerConfiguration,
    LimitConfiguration,
)
from reference_server.handlers import http_handler
from reference_server.server import Server, StartError
from tests.admin.admin_port import WatchingTap
from tests.conftest import Run
from tests.handlers.callback import CLOSES, Callback, http, never_accepting, says
from tests.test_server import SECRET, Application, Phone, serving, transaction_id_of
from tests.tls.openssl import Authority

REJECTS = says("reject", status=486)


class Handled:
    """A server that asks, and who watches it."""

    def __init__(self, server: Server, application: Application) -> None:
        self.server = server
        self.application = application
        self.tap = WatchingTap()
        server.taps.add(self.tap)
        self._phones: list[Phone] = []

    async def phone(self) -> Phone:
        self._phones.append(await Phone.to(self.server))
        return self._phones[-1]

    @property
    def first(self) -> Phone:
        """The first phone."""
        return self._phones[0]

    async def outcome(self, method: str = "INVITE") -> str:
        """What a new request comes to: the start line of its final response."""
        phone = await self.phone()
        phone.send(method)
        return await self.final(phone, method)

    async def final(self, phone: Phone, method: str = "INVITE") -> str:
        """The start line of the final response; an INVITE has got its 100 before."""
        if method == "INVITE":
            assert (await phone.came.get()).startswith("SIP/2.0 100 Trying\r\n")
        final = await phone.came.get()
        if method == "INVITE":
            phone.send("ACK", same=True)
        return final.partition("\r\n")[0]

    def events(self, name: str) -> list[dict[str, str | int]]:
        return [details for event, details in self.tap.events if event == name]

    def close(self) -> None:
        for phone in self._phones:
            phone.transport.close()


@asynccontextmanager
async def handled(*handlers: HandlerConfiguration, **settings: object) -> AsyncIterator[Handled]:
    async with serving(handlers=handlers, **settings) as (server, application):
        handled_ = Handled(server, application)
        try:
            yield handled_
        finally:
            handled_.close()


@asynccontextmanager
async def asking(
    callback: Callback, limits: LimitConfiguration = DEFAULT_LIMITS, **handler: str | bool
) -> AsyncIterator[Handled]:
    """A server that asks ``callback`` about everything."""
    async with callback.listening():
        options = {"url": callback.url, **handler}
        async with handled(HandlerConfiguration(**options), limits=limits) as one:  # type: ignore[arg-type]
            yield one


def test_the_question_by_get(run: Run) -> None:
    async def story() -> None:
        async with asking(Callback(REJECTS)) as one:
            pass
        callback = Callback(REJECTS)
        async with asking(callback) as one:
            phone = await one.phone()
            phone.send("INVITE")
            assert await one.final(phone) == "SIP/2.0 486 Busy Here"
            asked = callback.asked.get_nowait()
            assert asked.line == (
                "GET /?method=INVITE&domain=127.0.0.1&protocol=udp&source_address=127.0.0.1&fromUser=a&toUser=bob"
                "&uriUser=bob&contentType=&uri=sip%3abob%40127.0.0.1 HTTP/1.1"
            )
            assert asked.headers == {
                "Host": f"127.0.0.1:{callback.port}",
                "User-Agent": f"Drachtio/{one.server.version}",
                "Accept": "application/json",
            }
            (answered,) = one.events("http-answered")
            assert answered == {
                "url": callback.url,
                "http": 200,
                "seconds": answered["seconds"],
                "action": "reject",
            }

    run(story())


def test_the_question_by_post(run: Run) -> None:
    async def story() -> None:
        callback = Callback(REJECTS)
        async with asking(callback, http_method="POST") as one:
            phone = await one.phone()
            phone.send("OPTIONS")
            assert await one.final(phone, "OPTIONS") == "SIP/2.0 486 Busy Here"
            asked = callback.asked.get_nowait()
            assert asked.line.startswith("POST /?method=OPTIONS&")
            assert asked.headers["Content-Type"] == "text/plain; charset=UTF-8"
            text = asked.body.decode()
            assert text.startswith("OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\n")
            assert f";branch={phone.branch};rport={phone.port}\r\n" in text

    run(story())


def test_one_connection_for_questions_one_after_the_other(run: Run) -> None:
    async def story() -> None:
        callback = Callback(REJECTS)
        async with asking(callback) as one:
            for _ in range(3):
                assert await one.outcome("MESSAGE") == "SIP/2.0 486 Busy Here"
            assert [callback.asked.get_nowait().connection for _ in range(3)] == [1, 1, 1]

    run(story())


def test_a_get_is_a_get_behind_a_post_on_one_connection(run: Run) -> None:
    async def story() -> None:
        callback = Callback(REJECTS)
        async with callback.listening():
            handlers = (
                HandlerConfiguration(url=callback.url, sip_method="MESSAGE", http_method="POST"),
                HandlerConfiguration(url=callback.url),
            )
            async with handled(*handlers) as one:
                for method in ("MESSAGE", "OPTIONS", "MESSAGE", "INVITE", "REGISTER"):
                    assert await one.outcome(method) == "SIP/2.0 486 Busy Here"
            verbs = [callback.asked.get_nowait() for _ in range(5)]
            assert [asked.line.split(" ")[0] for asked in verbs] == ["POST", "GET", "POST", "GET", "GET"]
            assert [bool(asked.body) for asked in verbs] == [True, False, True, False, False]

    run(story())


def test_a_handler_wins_over_applications_for_its_method_only(run: Run) -> None:
    async def story() -> None:
        callback = Callback(REJECTS)
        async with asking(callback, sip_method="INVITE") as one:
            client = await one.application("invite", "options")
            assert await one.outcome() == "SIP/2.0 486 Busy Here"
            phone = await one.phone()
            phone.send("OPTIONS")
            offered = await client.receive()
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            assert await one.outcome("MESSAGE") == "SIP/2.0 503 Service Unavailable"
            assert callback.asked.qsize() == 1

    run(story())


def test_user_and_password_go_to_the_callback_and_nowhere_else(run: Run) -> None:
    async def story() -> None:
        callback = Callback(http("x"))
        async with callback.listening():
            url = f"http://user:p%40w@127.0.0.1:{callback.port}/a"
            async with handled(HandlerConfiguration(url=url)) as one:
                assert await one.outcome() == "SIP/2.0 500 Server Internal Error"
                assert callback.asked.get_nowait().headers["Authorization"] == "Basic dXNlcjpwQHc="
                told = str(one.tap.events)
                assert "p%40w" not in told
                assert "p@w" not in told
                assert one.events("http-failed")[0]["url"] == f"http://127.0.0.1:{callback.port}/a"

    run(story())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirections_are_followed(run: Run, status: int) -> None:
    async def story() -> None:
        callback = Callback(http("", status=f"{status} Go", headers="Location: /other?x=1\r\n"), REJECTS)
        async with asking(callback) as one:
            assert await one.outcome() == "SIP/2.0 486 Busy Here"
            assert callback.asked.get_nowait().line.startswith("GET /?method=")
            assert callback.asked.get_nowait().line == "GET /other?x=1 HTTP/1.1"

    run(story())


@pytest.mark.parametrize("status", ["201 Created", "302 Found", "404 Not Found", "500 Oops"])
def test_whatever_the_status_the_body_counts(run: Run, status: str) -> None:
    async def story() -> None:
        body = '{"action": "reject", "data": {"status": 404}}'
        async with asking(Callback(http(body, status=status))) as one:
            assert await one.outcome() == "SIP/2.0 404 Not Found"

    run(story())


def test_a_chunked_answer(run: Run) -> None:
    async def story() -> None:
        body = b'{"action":"reject","data":{"status":486}}'
        chunks = (
            b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:5], body[5:])) + b"0\r\n\r\n"
        )
        async with asking(Callback(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)) as one:
            assert await one.outcome() == "SIP/2.0 486 Busy Here"

    run(story())


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (CLOSES, "the end of the connection"),
        (b"nonsense\r\n\r\n", "no HTTP"),
        (http(""), "nothing"),
        (http("hello"), "hello"),
        (http("", status="204 No Content"), "nothing"),
        (http("", status="302 Found", headers="Location: /\r\n"), "too many redirections"),
        (http("", status="302 Found", headers="Location: ftp://h/\r\n"), "a redirection that is no URL of HTTP"),
        (http(b"\x1f\x8b\x08\x00", headers="Content-Encoding: gzip\r\n"), "\\x1f"),
    ],
)  # fmt: skip
def test_what_is_no_answer(run: Run, answer: bytes, came: str) -> None:
    async def story() -> None:
        async with asking(Callback(answer)) as one:
            assert await one.outcome() == "SIP/2.0 500 Server Internal Error"
            (failed,) = one.events("http-failed")
            assert came in str(failed["came"])

    run(story())


def test_an_answer_that_is_too_large_is_not_read_to_its_end(run: Run) -> None:
    async def story() -> None:
        body = b'{"action":"reject","data":{"status":486}}'
        async with asking(Callback(http(body.ljust(1024 * 1024)), http(body.ljust(50_000_000)))) as one:
            assert await one.outcome() == "SIP/2.0 486 Busy Here"
            assert await one.outcome() == "SIP/2.0 500 Server Internal Error"
            (failed,) = one.events("http-failed")
            assert failed["expected"] == "an answer of at most 1048576 bytes"

    run(story())


def test_how_large_an_answer_may_be_is_a_setting(run: Run) -> None:
    async def story() -> None:
        body = b'{"action":"reject","data":{"status":486}}'
        answers = Callback(http(body.ljust(2000)), http(body.ljust(2001)))
        async with asking(answers, LimitConfiguration(callback_answer=2000)) as one:
            assert await one.outcome() == "SIP/2.0 486 Busy Here"
            assert await one.outcome() == "SIP/2.0 500 Server Internal Error"
            (failed,) = one.events("http-failed")
            assert failed["limit"] == "callback-answer-limit"
            assert failed["expected"] == "an answer of at most 2000 bytes"

    run(story())


def test_a_refused_connection_and_a_name_that_leads_nowhere(run: Run) -> None:
    async def story() -> None:
        async with Callback().listening() as gone:
            port = gone.port
        handlers = (
            HandlerConfiguration(url=f"http://127.0.0.1:{port}"),
            HandlerConfiguration(url="http://nosuch.invalid", sip_method="OPTIONS"),
        )
        async with handled(*handlers) as one:
            assert await one.outcome() == "SIP/2.0 500 Server Internal Error"
            assert await one.outcome("OPTIONS") == "SIP/2.0 500 Server Internal Error"
            refused, nowhere = one.events("http-failed")
            assert refused["came"] == "no connection: Connection refused"
            assert "the name leads nowhere" in str(nowhere["came"])

    run(story())


def test_a_callback_that_does_not_take_the_connection(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert http_handler.CONNECT_SECONDS == 2.0
    monkeypatch.setattr(http_handler, "CONNECT_SECONDS", 0.05)

    async def story() -> None:
        with never_accepting() as port:
            async with handled(HandlerConfiguration(url=f"http://127.0.0.1:{port}")) as one:
                assert await one.outcome() == "SIP/2.0 500 Server Internal Error"
                (failed,) = one.events("http-failed")
                assert failed["came"] == "no connection within 0.05 s"

    run(story())


@pytest.mark.parametrize(("http_method", "asked"), [("GET", 2), ("POST", 1)])
def test_a_question_whose_connection_ends_is_repeated_only_where_that_is_safe(
    run: Run, http_method: str, asked: int
) -> None:
    async def story() -> None:
        callback = Callback(CLOSES)
        async with asking(callback, http_method=http_method) as one:
            assert await one.outcome() == "SIP/2.0 500 Server Internal Error"
            assert callback.asked.qsize() == asked

    run(story())


@pytest.mark.parametrize("answer", [None, b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"action":'])
def test_three_seconds_and_no_more(run: Run, answer: bytes | None) -> None:
    async def story() -> None:
        callback = Callback(*([answer] if answer else []))
        async with asking(callback) as one:
            phone = await one.phone()
            begun = time.monotonic()
            phone.send("INVITE")
            await callback.asked.get()
            await one.server.advance(max(2.9 - (time.monotonic() - begun), 0))
            assert one.server.occupancy()["open questions"] == 1
            assert one.events("http-failed") == []
            await one.server.advance(0.1)
            assert await one.final(phone) == "SIP/2.0 500 Server Internal Error"
            (failed,) = one.events("http-failed")
            assert failed["came"] == "none within 3 s"
            assert await callback.left.get() == 1

    run(story())


def test_a_cancel_while_the_question_is_open(run: Run) -> None:
    async def story() -> None:
        callback = Callback()
        async with asking(callback) as one:
            phone = await one.phone()
            phone.send("INVITE")
            await callback.asked.get()
            phone.send("CANCEL", same=True)
            assert [await phone.status() for _ in range(3)] == [100, 200, 487]
            phone.send("ACK", same=True)
            assert await callback.left.get() == 1
            await one.server.advance(3.0)
            assert one.events("http-failed") == []
            assert one.server.occupancy()["open questions"] == 0

    run(story())


def test_a_repetition_while_the_question_is_open_asks_nobody(run: Run) -> None:
    async def story() -> None:
        callback = Callback()
        async with asking(callback) as one:
            phone = await one.phone()
            phone.send("INVITE")
            await callback.asked.get()
            phone.send("INVITE", same=True)
            other = await one.phone()
            other.send("OPTIONS")  # which is read behind the repetition
            assert (await callback.asked.get()).line.startswith("GET /?method=OPTIONS&")
            await one.server.advance(3.0)
            assert [await phone.status() for _ in range(2)] == [100, 500]
            phone.send("ACK", same=True)

    run(story())


def test_beyond_the_limit_of_open_questions_503_comes_at_once(run: Run) -> None:
    async def story() -> None:
        callback = Callback()
        async with asking(callback, LimitConfiguration(callback_questions=2)) as one:
            waiting = [await one.phone() for _ in range(2)]
            for phone in waiting:
                phone.send("INVITE")
                await callback.asked.get()
            assert await one.outcome() == "SIP/2.0 503 Service Unavailable"
            assert [told["limit"] for told in one.events("http-failed")] == ["callback-questions"]
            await one.server.advance(3.0)
            for phone in waiting:
                assert await one.final(phone) == "SIP/2.0 500 Server Internal Error"

    run(story())


def test_a_callback_that_hangs_costs_each_caller_three_seconds_and_nothing_more(run: Run) -> None:
    async def story() -> None:
        callback = Callback()
        async with asking(callback) as one:
            phones = [await one.phone() for _ in range(200)]  # twice as many as there may be connections
            for phone in phones:
                phone.send("INVITE")
                assert await phone.status() == 100
            for _ in range(http_handler.MOST_CONNECTIONS):
                await callback.asked.get()
            over = len(one.events("http-failed"))  # where to call took three seconds
            assert one.server.occupancy()["open questions"] == 200 - over
            await one.server.advance(3.0)
            for phone in phones:
                assert await phone.status() == 500
                phone.send("ACK", same=True)
            assert len(one.events("http-failed")) == 200
            while one.server.occupancy()["open questions"]:
                await callback.left.get()
            callback.answers.append(REJECTS)
            assert await one.outcome() == "SIP/2.0 486 Busy Here"
            more = [phone.came.get_nowait() for phone in phones for _ in range(phone.came.qsize())]
            assert {text[:12] for text in more} <= {"SIP/2.0 500 "}, "repeated until the ACK, nothing else"

    run(story())


def test_requests_that_are_offered_to_nobody_are_not_asked_about(run: Run) -> None:
    async def story() -> None:
        callback = Callback(REJECTS)
        async with asking(callback) as one:
            for method in ("BYE", "UPDATE", "CANCEL"):
                assert await one.outcome(method) == "SIP/2.0 481 Call/Transaction Does Not Exist"
            for method in ("REFER", "FOO"):
                assert (await one.outcome(method)).startswith("SIP/2.0 405 ")
            assert callback.asked.empty()

    run(story())


def test_a_redirection_of_the_call(run: Run) -> None:
    async def story() -> None:
        callback = Callback(says("redirect", contact=["sip:a@b.com", "<sip:c@d.com>;q=0.5"]))
        async with asking(callback) as one:
            phone = await one.phone()
            phone.send("REGISTER")
            final = await phone.came.get()
            assert final.startswith("SIP/2.0 302 Moved\r\n")
            assert "Contact: <sip:a@b.com>\r\nContact: <sip:c@d.com>;q=0.5\r\n" in final

    run(story())


def test_a_proxied_call(run: Run) -> None:
    async def story() -> None:
        async with Callback().listening() as callback, handled(HandlerConfiguration(url=callback.url)) as one:
            callee, phone = await one.phone(), await one.phone()
            callback.answers.append(
                says("proxy", destination=f"sip:c@127.0.0.1:{callee.port}", recordRoute=True)
            )
            phone.send("INVITE")
            came = await callee.came.get()
            assert came.startswith("INVITE sip:bob@127.0.0.1 SIP/2.0\r\n")
            assert "Record-Route: <sip:127.0.0.1:" in came
            assert "Max-Forwards: 69\r\n" in came
            callee.answer(came)
            assert [await phone.status() for _ in range(2)] == [100, 200]
            phone.send("ACK", cseq=1)

    run(story())


def test_a_tagged_application(run: Run) -> None:
    async def story() -> None:
        callback = Callback(says("route", tag="green"))
        async with asking(callback) as one:
            red, green = await one.application("invite"), await one.application("invite")
            await red.ask("authenticate|cymru|red,blue")
            await green.ask("authenticate|cymru|green")
            phone = await one.phone()
            phone.send("INVITE")
            offered = await green.receive()
            await green.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 486 Busy Here\r\n\r\n")
            assert await one.final(phone) == "SIP/2.0 486 Busy Here"
            assert await one.outcome("MESSAGE") == "SIP/2.0 480 Temporarily Unavailable"
            await green.ask("remove_route|invite")
            assert await one.outcome() == "SIP/2.0 480 Temporarily Unavailable"

    run(story())


class Verifying:
    """Certificates of a callback called localhost, and a server that knows their root or does not."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*self.authority.signed("localhost"))


@pytest.fixture(scope="module")
def verifying(tmp_path_factory: pytest.TempPathFactory) -> Verifying:
    return Verifying(tmp_path_factory.mktemp("callback"))


@pytest.mark.parametrize(
    ("verify", "trusted", "outcome"),
    [
        (False, False, "SIP/2.0 486 Busy Here"),
        (True, True, "SIP/2.0 486 Busy Here"),
        (True, False, "SIP/2.0 500 Server Internal Error"),
    ],
)
def test_https(
    run: Run, monkeypatch: pytest.MonkeyPatch, verifying: Verifying, verify: bool, trusted: bool, outcome: str
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(verifying.authority.root))

    async def story() -> None:
        callback = Callback(REJECTS)
        async with callback.listening(verifying.context):
            url = f"https://localhost:{callback.port}"
            async with handled(HandlerConfiguration(url=url, verify_peer=verify)) as one:
                assert await one.outcome() == outcome
                if not outcome.endswith("Here"):
                    assert "certificate" in str(one.events("http-failed")[0]["came"])

    run(story())


def test_stopping_while_a_question_is_open(run: Run) -> None:
    async def story() -> None:
        async with Callback().listening() as callback:
            configuration = Configuration(
                admin=AdminConfiguration(port=0),
                contacts=(ContactConfiguration(port=0),),
                handlers=(HandlerConfiguration(url=callback.url),),
            )
            server = Server(configuration)
            await server.start()
            phone = await Phone.to(server)
            phone.send("OPTIONS")
            await callback.asked.get()
            await server.stop()
            assert server.occupancy()["open questions"] == 0
            assert await callback.left.get() == 1
            phone.transport.close()

    run(story())


def test_other_handlers_from_now_on(run: Run) -> None:
    """SIGHUP: none before, one, another for one method, none again; an open question stays where it was put."""

    def configured(*handlers: HandlerConfiguration) -> Configuration:
        return Configuration(
            admin=AdminConfiguration(port=0, secret=SECRET),
            contacts=(ContactConfiguration(port=0),),
            handlers=handlers,
        )

    async def story() -> None:
        slow, quick = Callback(), Callback(REJECTS)
        async with slow.listening(), quick.listening(), handled() as one:
            assert await one.outcome("OPTIONS") == "SIP/2.0 503 Service Unavailable"
            assert await one.server.reconfigure(configured(HandlerConfiguration(url=slow.url))) == []
            waiting = await one.phone()
            waiting.send("MESSAGE")
            await slow.asked.get()
            both = configured(
                HandlerConfiguration(url=slow.url), HandlerConfiguration(url=quick.url, sip_method="OPTIONS")
            )
            assert await one.server.reconfigure(both) == []
            assert await one.outcome("OPTIONS") == "SIP/2.0 486 Busy Here"
            assert await one.server.reconfigure(configured()) == []
            assert await one.outcome("OPTIONS") == "SIP/2.0 503 Service Unavailable"
            assert slow.asked.empty()
            await one.server.advance(3)
            assert await one.final(waiting, "MESSAGE") == "SIP/2.0 500 Server Internal Error"

    run(story())


def test_handlers_that_cannot_be_had_change_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        callback = Callback(REJECTS)
        async with asking(callback) as one:
            monkeypatch.setattr(handling, "find_spec", lambda name: None)
            other = Configuration(handlers=(HandlerConfiguration(url="http://127.0.0.1:1"),))
            with pytest.raises(StartError, match="aiohttp"):
                await one.server.reconfigure(other)
            assert await one.outcome() == "SIP/2.0 486 Busy Here"

    run(story())
