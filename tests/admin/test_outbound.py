"""Connections that the server makes to applications, on real sockets: the handshake, and what goes wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from reference_server.admin import outbound
from reference_server.config.handler_url import parse_handler_url
from reference_server.config.model import (
    DEFAULT_LIMITS,
    HandlerConfiguration,
    LimitConfiguration,
    RoutingConfiguration,
)
from tests.admin.admin_port import Client
from tests.conftest import Run
from tests.handlers.callback import Callback, never_accepting, says
from tests.handlers.test_http_handler import Handled, handled
from tests.net.nameserver import Nameserver
from tests.test_server import SECRET, transaction_id_of
from tests.tls.openssl import Authority


class Listener:
    """An application that listens; each connection to it is a client of the admin protocol."""

    def __init__(self) -> None:
        self.accepted: asyncio.Queue[Client] = asyncio.Queue()
        self.port = 0
        self.clients: list[Client] = []

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(reader, writer)
        self.clients.append(client)
        self.accepted.put_nowait(client)

    @asynccontextmanager
    async def listening(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Listener]:
        server = await asyncio.start_server(self._accept, host, 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            for client in self.clients:
                await client.close()
            server.close()
            await server.wait_closed()

    async def authenticated(self) -> tuple[Client, str]:
        """The next connection, when it has shown the secret; and the request that came behind the answer."""
        client = await self.accepted.get()
        assert "|OK|" in await client.ask(f"authenticate|{SECRET}|")
        return client, await client.receive()


@asynccontextmanager
async def reaching(
    *uris: str,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    zone: str | None = None,
    limits: LimitConfiguration = DEFAULT_LIMITS,
) -> AsyncIterator[tuple[Handled, Listener]]:
    """A server whose callback routes to ``uris``, in which PORT is that of the listener, as in the DNS's ``zone``."""
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(Listener().listening(host, tls))
        places = [uri.replace("PORT", str(listener.port)) for uri in uris]
        callback = Callback(says("route", uri=places if len(places) > 1 else places[0]))
        await stack.enter_async_context(callback.listening())
        settings: dict[str, object] = {"limits": limits}
        if zone is not None:
            zone = zone.replace("PORT", str(listener.port))
            nameserver = await stack.enter_async_context(Nameserver(zone))
            settings["routing"] = RoutingConfiguration(nameserver=nameserver.address)
        one = await stack.enter_async_context(handled(HandlerConfiguration(url=callback.url), **settings))
        yield one, listener
        for client in listener.clients:
            await client.close()


def test_the_application_speaks_first_and_gets_the_request_behind_the_answer(run: Run) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT") as (one, listener):
            phone = await one.phone()
            phone.send("INVITE")
            client = await listener.accepted.get()
            other = await one.phone()
            other.send("BYE")  # a turn of the server in which it could say something
            assert await other.status() == 481
            client.send(f"authenticate|{SECRET}|")
            first, second = await client.receive(), await client.receive()
            assert first.split("|")[1:4] == ["response", "id1", "OK"]
            tokens = second.partition("\r\n")[0].split("|")
            assert tokens[1:3] == ["sip", "network"]
            assert tokens[5:7] == ["127.0.0.1", str(phone.port)]
            assert tokens[9] == ""
            assert tokens[10:] == ["127.0.0.1", one.server.hostports[0].rpartition(":")[2], ""]
            await client.ask(f"sip|{transaction_id_of(second)}|\r\nSIP/2.0 486 Busy Here\r\n\r\n")
            assert await one.final(phone) == "SIP/2.0 486 Busy Here"

    run(story())


def test_a_call_and_its_end_on_the_connection_that_stays_open(run: Run) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT") as (one, listener):
            phone = await one.phone()
            phone.send("INVITE")
            client, offered = await listener.authenticated()
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert [await phone.status() for _ in range(2)] == [100, 200]
            phone.send("ACK", cseq=1)
            assert "\r\nACK " in await client.receive()
            phone.send("BYE")
            bye = await client.receive()
            await client.ask(f"sip|{transaction_id_of(bye)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            await one.server.advance(64)
            assert (await client.ask("ping")).endswith("|OK|pong")
            assert (await client.ask("route|message")).endswith("|OK")

    run(story())


def test_each_request_has_a_connection_of_its_own(run: Run) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT") as (one, listener):
            for number in (1, 2):
                phone = await one.phone()
                phone.send("OPTIONS")
                client, offered = await listener.authenticated()
                await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
                assert await phone.status() == 200
                assert len(listener.clients) == number
            assert one.server.occupancy()["admin connections"] == 2

    run(story())


def test_a_name_and_ipv6(run: Run) -> None:
    async def story() -> None:
        for uri, host in (("localhost:PORT", "127.0.0.1"), ("[::1]:PORT", "::1")):
            async with reaching(uri, host=host) as (one, listener):
                phone = await one.phone()
                phone.send("OPTIONS")
                client, offered = await listener.authenticated()
                await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
                assert await phone.status() == 200

    run(story())


def test_the_next_place_is_tried(run: Run) -> None:
    async def story() -> None:
        async with Listener().listening() as gone:
            refused = gone.port
        async with reaching("nosuch.invalid:4000", f"127.0.0.1:{refused}", "127.0.0.1:PORT") as (
            one,
            listener,
        ):
            phone = await one.phone()
            phone.send("OPTIONS")
            client, offered = await listener.authenticated()
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            assert one.events("application-not-reached") == [
                {"place": "tcp/nosuch.invalid:4000", "reason": "the name leads nowhere"},
                {"place": f"tcp/127.0.0.1:{refused}", "reason": "127.0.0.1: Connection refused"},
            ]

    run(story())


@pytest.mark.parametrize("uri", ["app.test", "app.test;transport=tls"])
def test_a_name_without_a_port_is_where_its_srv_records_say(run: Run, tls: ssl.SSLContext, uri: str) -> None:
    secure = uri.endswith("tls")
    zone = f"""
_drachtio{"s" if secure else ""}._tcp.app SRV 20 0 PORT there
_drachtio{"s" if secure else ""}._tcp.app SRV 10 0 9 there
_drachtio{"" if secure else "s"}._tcp.app SRV 0 0 9 elsewhere
there A 127.0.0.1
"""

    async def story() -> None:
        async with reaching(uri, tls=tls if secure else None, zone=zone) as (one, listener):
            phone = await one.phone()
            phone.send("OPTIONS")
            client, offered = await listener.authenticated()
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            assert one.events("application-not-reached") == [
                {
                    "place": f"{'tls' if secure else 'tcp'}/app.test",
                    "reason": "127.0.0.1: Connection refused",
                }
            ]

    run(story())


def test_a_name_without_a_port_and_without_srv_records(run: Run) -> None:
    async def story() -> None:
        async with reaching("app.test", zone="app A 127.0.0.1\n") as (one, _):
            assert await one.outcome() == "SIP/2.0 500 Server Internal Error"
            assert one.events("application-not-reached") == [
                {"place": "tcp/app.test", "reason": "the name has no SRV records"}
            ]

    run(story())


def test_refused_everywhere_and_known_nowhere(run: Run) -> None:
    async def story() -> None:
        async with Listener().listening() as gone:
            refused = gone.port
        for uri, outcome in (
            (f"127.0.0.1:{refused}", "SIP/2.0 480 Temporarily Unavailable"),
            (f"127.0.0.1:{refused};transport=tls", "SIP/2.0 480 Temporarily Unavailable"),
            ("nosuch.invalid:4000", "SIP/2.0 500 Server Internal Error"),
        ):
            async with reaching(uri) as (one, _):
                assert await one.outcome() == outcome

    run(story())


@pytest.mark.parametrize("says_", ["authenticate|wrong|", "ping", ""])
def test_who_does_not_know_the_secret_gets_nothing_and_the_caller_480(run: Run, says_: str) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT") as (one, listener):
            phone = await one.phone()
            phone.send("INVITE")
            client = await listener.accepted.get()
            if says_:
                assert "|NO|" in await client.ask(says_)
                assert await client.rest() == ""
            await client.close()
            assert await one.final(phone) == "SIP/2.0 480 Temporarily Unavailable"
            assert len(one.events("application-not-reached")) == 1

    run(story())


def test_who_is_silent_for_too_long(run: Run) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT") as (one, listener):
            phone = await one.phone()
            phone.send("INVITE")
            client = await listener.accepted.get()
            while not one.events("admin-connected"):
                await asyncio.sleep(0)
            await one.server.advance(10)
            assert await one.final(phone) == "SIP/2.0 480 Temporarily Unavailable"
            assert await client.rest_or_reset() == ""
            assert one.events("application-not-reached")[0]["reason"] == "it has not authenticated in 10 s"

    run(story())


def test_so_many_are_sought_at_a_time(run: Run) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT", limits=LimitConfiguration(outbound_attempts=1)) as (
            one,
            listener,
        ):
            phone = await one.phone()
            phone.send("INVITE")
            client = await listener.accepted.get()
            assert await one.outcome() == "SIP/2.0 480 Temporarily Unavailable"
            (told,) = one.events("application-not-reached")
            assert told["limit"] == "outbound-attempts"
            assert told["reason"] == "1 connections are being made already"
            phone.send("CANCEL", same=True)
            assert [await phone.status() for _ in range(3)] == [100, 200, 487]
            phone.send("ACK", same=True)
            assert await client.rest_or_reset() == ""

    run(story())


def test_a_cancel_closes_a_connection_that_nobody_needs_any_more(run: Run) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT") as (one, listener):
            phone = await one.phone()
            phone.send("INVITE")
            client = await listener.accepted.get()
            phone.send("CANCEL", same=True)
            assert [await phone.status() for _ in range(3)] == [100, 200, 487]
            phone.send("ACK", same=True)
            assert await client.rest_or_reset() == ""
            assert one.server.occupancy()["outbound connections being made"] == 0

    run(story())


def test_an_application_that_leaves_without_an_answer(run: Run) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT") as (one, listener):
            phone = await one.phone()
            phone.send("INVITE")
            client, _ = await listener.authenticated()
            await client.close()
            assert await one.final(phone) == "SIP/2.0 480 Temporarily Unavailable"

    run(story())


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("certificates")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(folder).signed("app.test"))
    return context


@pytest.mark.parametrize("uri", ["127.0.0.1:PORT;transport=tls", "localhost:PORT;transport=TLS"])
def test_over_tls_without_certificates_of_our_own(run: Run, tls: ssl.SSLContext, uri: str) -> None:
    async def story() -> None:
        async with reaching(uri, tls=tls) as (one, listener):
            phone = await one.phone()
            phone.send("OPTIONS")
            client, offered = await listener.authenticated()
            assert client.writer.get_extra_info("ssl_object").version() == "TLSv1.3"
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200

    run(story())


def test_tls_towards_who_speaks_none(run: Run) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT;transport=tls") as (one, listener):
            phone = await one.phone()
            phone.send("INVITE")
            client = await listener.accepted.get()
            client.write(b"nonsense that is no TLS\r\n")
            assert await one.final(phone) == "SIP/2.0 480 Temporarily Unavailable"

    run(story())


def test_a_direct_handler_by_srv(run: Run) -> None:
    async def story() -> None:
        async with (
            Listener().listening() as listener,
            Nameserver(f"_drachtio._tcp.app SRV 0 0 {listener.port} there\nthere A 127.0.0.1\n") as names,
            handled(
                HandlerConfiguration(url="tcp://app.test"),
                routing=RoutingConfiguration(nameserver=names.address),
            ) as one,
        ):
            phone = await one.phone()
            phone.send("OPTIONS")
            client, offered = await listener.authenticated()
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            await client.close()

    run(story())


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("tcp://127.0.0.1:PORT", False),
        ("tls://127.0.0.1:PORT", True),
        ("TCP://127.0.0.1:PORT", False),
        ("Tls://127.0.0.1:PORT", True),
        ("tcp://127.0.0.1:PORT;transport=tls", True),
        ("tcp://127.0.0.1:PORT;transport=TLS", True),
        ("tls://127.0.0.1:PORT;transport=tcp", True),
        ("tcp://127.0.0.1:PORT/", False),
        ("tcp://localhost:PORT", False),
    ],
)
def test_a_direct_handler(run: Run, tls: ssl.SSLContext, url: str, secure: bool) -> None:
    async def story() -> None:
        async with Listener().listening(tls=tls if secure else None) as listener:
            configured = parse_handler_url(url.replace("PORT", str(listener.port)))
            async with handled(HandlerConfiguration(url=configured)) as one:
                phone = await one.phone()
                phone.send("OPTIONS")
                client, offered = await listener.authenticated()
                assert (client.writer.get_extra_info("ssl_object") is not None) == secure
                await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
                assert await phone.status() == 200
                await client.close()

    run(story())


def test_an_address_that_does_not_take_the_connection(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outbound.CONNECT_SECONDS == 2.0
    monkeypatch.setattr(outbound, "CONNECT_SECONDS", 0.05)

    async def story() -> None:
        with never_accepting() as port:
            async with reaching(f"127.0.0.1:{port}") as (one, _):
                assert await one.outcome() == "SIP/2.0 480 Temporarily Unavailable"
                (told,) = one.events("application-not-reached")
                assert told["reason"] == "127.0.0.1 has not answered in 0.05 s"

    run(story())


def test_the_oldest_that_nothing_goes_on_upon_make_room(run: Run) -> None:
    async def story() -> None:
        async with reaching("127.0.0.1:PORT", limits=LimitConfiguration(outbound_connections=4)) as (
            one,
            listener,
        ):
            clients: list[Client] = []
            for number in range(5):
                phone = await one.phone()
                phone.send("INVITE" if number == 0 else "OPTIONS")
                client, offered = await listener.authenticated()
                clients.append(client)
                if number == 1:
                    await client.ask("route|message")
                if number < 4:
                    await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
                if number == 0:
                    assert [await phone.status() for _ in range(2)] == [100, 200]
                    phone.send("ACK", cseq=1)
                    assert "\r\nACK " in await client.receive()
                elif number < 4:
                    assert await phone.status() == 200
            assert await clients[2].rest() == ""
            for client in (clients[0], clients[1], clients[3], clients[4]):
                assert (await client.ask("ping")).endswith("|OK|pong")
            assert one.events("applications-crowded-out") == [
                {"connections": 1, "open": 5, "limit": "outbound-connections"}
            ]
            dialogs = one.server.occupancy()["dialogs by id"]
            assert dialogs == 1
            phone = one.first
            phone.send("BYE")
            bye = await clients[0].receive()
            await clients[0].ask(f"sip|{transaction_id_of(bye)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200

    run(story())
