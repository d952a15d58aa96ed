"""The whole server on real sockets: applications on TCP, phones on UDP and TCP, the clock advanced."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec import structs
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from reference_server.config.model import (
    AdminConfiguration,
    Configuration,
    ContactConfiguration,
    Dialect,
    LimitConfiguration,
    ScreeningConfiguration,
    SpamHeader,
    TimerConfiguration,
    TlsConfiguration,
)
from reference_server.server import VERSION, Server, StartError
from reference_server.sip.messages.message import parse_message
from tests.admin.admin_port import Client
from tests.conftest import Run
from tests.tls.openssl import Authority

SECRET = "cymru"


class Phone(asyncio.DatagramProtocol):
    """A far end on UDP; its address is that of its socket."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[str] = asyncio.Queue()
        self.called = "bob"
        self.tag = ""
        self.count = 0
        self.branch = ""

    @classmethod
    async def to(cls, server: Server) -> Phone:
        """A phone that sends to the server's first UDP port."""
        _, _, port = server.hostports[0].rpartition(":")
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(cls, remote_addr=("127.0.0.1", int(port)))
        phone.transport = transport
        phone.port = transport.get_extra_info("sockname")[1]
        return phone

    transport: asyncio.DatagramTransport
    port: int

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put_nowait(data.decode("latin-1"))

    def send(self, method: str, *, same: bool = False, cseq: int = 0) -> None:
        """Send a request of the phone's only call."""
        if not same:
            self.count += 1
            self.branch = f"z9hG4bK{self.port}.{self.count}"
        tag = f";tag={self.tag}" if self.tag else ""
        self.transport.sendto(
            (
                f"{method} sip:{self.called}@127.0.0.1 SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={self.branch}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=f\r\nTo: <sip:bob@127.0.0.1>{tag}\r\n"
                f"Call-ID: {self.port}\r\nCSeq: {cseq or self.count} {method}\r\n"
                f"Contact: <sip:a@127.0.0.1:{self.port}>\r\nContent-Length: 0\r\n\r\n"
            ).encode()
        )

    async def status(self) -> int:
        """The status of the next message, which is a response; its To tag is kept."""
        message = parse_message(await self.came.get())
        self.tag = message.to_tag or self.tag
        return int(message.start_line.split(" ")[1])

    def answer(self, request: str) -> None:
        """200 to a request of the server."""
        message = parse_message(request)
        lines = "".join(
            f"{name}: {message.get(name.lower())}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq")
        )
        self.transport.sendto(f"SIP/2.0 200 OK\r\n{lines}Content-Length: 0\r\n\r\n".encode())


Application = Callable[..., Awaitable[Client]]


@asynccontextmanager
async def serving(**settings: object) -> AsyncIterator[tuple[Server, Application]]:
    """A server, and what makes applications of it; in the end nothing is left."""
    configuration = Configuration(
        admin=AdminConfiguration(port=0, secret=SECRET), contacts=(ContactConfiguration(port=0),)
    )
    server = Server(structs.replace(configuration, **settings))
    await server.start()
    clients: list[Client] = []

    async def application(*verbs: str) -> Client:
        reader, writer = await asyncio.open_connection(*server.admin_address)
        client = Client(reader, writer)
        clients.append(client)
        assert "|OK|" in await client.ask(f"authenticate|{SECRET}|")
        for verb in verbs:
            await client.ask(f"route|{verb}")
        return client

    try:
        yield server, application
        for client in clients:
            await client.close()
        while server.occupancy()["admin connections"]:
            await asyncio.sleep(0)
        await server.advance(64)
        assert server.occupancy() == dict.fromkeys(server.occupancy(), 0)
    finally:
        await server.stop()


def transaction_id_of(payload: str) -> str:
    return payload.split("|")[8]


def test_what_it_says_of_itself(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            host, port = server.admin_address
            assert host == "127.0.0.1"
            assert port > 0
            assert [hostport.rpartition(":")[0] for hostport in server.hostports] == [
                "udp/127.0.0.1",
                "tcp/127.0.0.1",
            ]
            assert server.version.startswith("v0.9.9-ref.")
            client = await application()
            answer = await client.ask(f"authenticate|{SECRET}")
            hostports = ",".join(server.hostports)
            assert answer.split("|")[3:] == ["OK", hostports, server.version, hostports]

    run(story())


def test_a_call_from_beginning_to_end(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            client, phone = await application("invite"), await Phone.to(server)
            phone.send("INVITE")
            assert await phone.status() == 100
            offered = await client.receive()
            assert offered.split("|")[5:7] == ["127.0.0.1", str(phone.port)]
            echo = await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            phone.send("ACK", cseq=1)
            assert transaction_id_of(await client.receive()) == transaction_id_of(offered)
            dialog_id = echo.split("|")[11]
            bye = await client.ask(f"sip||{dialog_id}\r\nBYE sip:x SIP/2.0\r\n\r\n")
            phone.answer(await phone.came.get())
            response = await client.receive()
            assert transaction_id_of(response) == bye.split("|")[10]
            phone.transport.close()

    run(story())


def test_time_passes_at_once_and_in_order(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            client, phone = await application("invite"), await Phone.to(server)
            phone.send("INVITE")
            offered = await client.receive()
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert [await phone.status() for _ in range(2)] == [100, 200]
            await server.advance(32)
            assert [await phone.status() for _ in range(10)] == [200] * 10
            phone.answer(await phone.came.get())
            unsolicited = await client.receive()
            assert unsolicited.split("|")[2] == "application"
            assert transaction_id_of(unsolicited) == "unsolicited"
            phone.transport.close()

    run(story())


def test_a_silent_application(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            client, phone = await application("options"), await Phone.to(server)
            phone.send("OPTIONS")
            await client.receive()
            await server.advance(31)
            assert phone.came.empty()
            await server.advance(0.5)
            assert await phone.status() == 504
            phone.transport.close()

    run(story())


def test_an_application_that_is_lost_and_another(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            first, second, phone = (
                await application("invite"),
                await application("invite"),
                await Phone.to(server),
            )
            phone.send("INVITE")
            assert await phone.status() == 100
            await first.receive()
            await first.close()
            assert await phone.status() == 480
            phone.send("ACK", same=True, cseq=1)
            phone.tag = ""
            phone.send("INVITE")
            assert await phone.status() == 100
            offered = await second.receive()
            await second.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 486 Busy\r\n\r\n")
            assert await phone.status() == 486
            phone.transport.close()

    run(story())


def test_hanging_up_when_the_application_is_lost(run: Run) -> None:
    async def story() -> None:
        admin = AdminConfiguration(port=0, secret=SECRET, hangup_on_application_loss=True)
        async with serving(admin=admin) as (server, application):
            client, phone = await application("invite"), await Phone.to(server)
            phone.send("INVITE")
            offered = await client.receive()
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert [await phone.status() for _ in range(2)] == [100, 200]
            phone.send("ACK", cseq=1)
            await client.receive()
            await client.close()
            bye = await phone.came.get()
            assert bye.startswith("BYE ")
            phone.answer(bye)
            phone.transport.close()

    run(story())


def test_over_tcp(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            client = await application("options")
            port = int(server.hostports[1].rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            text = (
                "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
                "From: <sip:a@b>;tag=f\r\nTo: <sip:c@d>\r\nCall-ID: t\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            )
            for octet in text.encode():
                writer.write(bytes([octet]))
                await asyncio.sleep(0)
            offered = await client.receive()
            assert offered.split("|")[3:5] == [str(len(text)), "tcp"]
            echo = await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            sent = echo.partition("\r\n")[2].encode()
            assert await reader.readexactly(len(sent)) == sent
            writer.close()
            await writer.wait_closed()

    run(story())


def test_garbage_disturbs_nobody(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            client, phone = await application("options"), await Phone.to(server)
            for data in (
                b"",
                b"\0",
                b"garbage\r\n\r\n",
                b"\xff" * 1000,
                b"SIP/2.0 200 OK\r\n\r\n",
                b"x" * 60_000,
            ):
                phone.transport.sendto(data)
            digits = "9" * 5000
            phone.transport.sendto(
                f"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nCSeq: {digits} OPTIONS\r\n\r\n".encode()
            )
            assert await phone.status() == 400
            bad, bad_writer = await asyncio.open_connection(*server.admin_address)
            bad_writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert b"|NO|framing error: " in await bad.read()
            bad_writer.close()
            phone.tag = ""
            phone.send("OPTIONS")
            offered = await client.receive()
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            phone.transport.close()

    run(story())


def test_the_0_8_dialect(run: Run) -> None:
    async def story() -> None:
        async with serving(dialect=Dialect.V0_8) as (server, application):
            client, phone = await application("options"), await Phone.to(server)
            assert len((await client.ask(f"authenticate|{SECRET}")).split("|")) == 5
            phone.send("OPTIONS")
            offered = await client.receive()
            assert len(offered.partition("\r\n")[0].split("|")) == 10
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            phone.transport.close()

    run(story())


def test_release_0_9_5(run: Run) -> None:
    async def story() -> None:
        async with serving(dialect=Dialect.V0_9_5) as (server, application):
            client = await application()
            answer = await client.ask(f"authenticate|{SECRET}")
            assert answer.split("|")[5] == server.version == VERSION.replace("v0.9.9", "v0.9.5")
            stranger = Client(*await asyncio.open_connection(*server.admin_address))
            assert (await stranger.ask("ping")).endswith("|OK|pong")  # DEV-1
            await stranger.close()

    run(story())


def test_configured_timers_and_names(run: Run) -> None:
    async def story() -> None:
        timers = TimerConfiguration(t1=0.25, t2=1.0, t4=1.0, t1x64=16.0)
        async with serving(timers=timers, preserve_header_names=("Odd-NAME",)) as (server, application):
            client, phone = await application("invite"), await Phone.to(server)
            phone.send("INVITE")
            offered = await client.receive()
            text = "SIP/2.0 486 Busy\r\nodd-naME: 1\r\n\r\n"
            echo = await client.ask(f"sip|{transaction_id_of(offered)}|\r\n{text}")
            assert "\r\nodd-naME: 1\r\n" in echo
            await server.advance(1)
            assert [await phone.status() for _ in range(4)] == [100, 486, 486, 486]
            phone.transport.close()

    run(story())


def test_occupancy_shows_what_is_there(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            assert set(server.occupancy().values()) == {0}
            client, phone = await application("invite"), await Phone.to(server)
            phone.send("INVITE")
            offered = await client.receive()
            assert {table: size for table, size in server.occupancy().items() if size} == {
                "server transactions": 1,
                "first arrivals": 1,
                "pending requests": 1,
                "cancellable INVITEs": 1,
                "routes": 1,
                "admin connections": 1,
                "timers": 1,
            }
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 486 Busy\r\n\r\n")
            phone.transport.close()

    run(story())


def test_draining_waits_for_calls_and_takes_no_new_applications(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            await server.drain(10)
            with pytest.raises(OSError):  # noqa: PT011 - refused or reset
                await application()
        async with serving() as (server, application):
            client, phone = await application("options"), await Phone.to(server)
            phone.send("OPTIONS")
            offered = await client.receive()
            draining = asyncio.create_task(server.drain(10))
            await asyncio.sleep(0)
            assert not draining.done()
            await client.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            await draining
            assert await phone.status() == 200
            phone.send("OPTIONS")
            assert await phone.status() == 503  # nothing new begins
            phone.transport.close()
        async with serving() as (server, application):
            client, phone = await application("options"), await Phone.to(server)
            phone.send("OPTIONS")
            assert "sip" in await client.receive()
            await server.drain(0.05)  # it is waited for no longer
            phone.transport.close()

    run(story())


def test_an_admin_port_that_is_taken(run: Run) -> None:
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            server = Server(
                Configuration(admin=AdminConfiguration(port=port), contacts=(ContactConfiguration(port=0),))
            )
            with pytest.raises(
                StartError, match=rf"cannot listen for applications on 127\.0\.0\.1:{port}: .*in use"
            ):
                await server.start()
            sip_ports = server.hostports
            assert sip_ports == [], "what was opened is closed again"

    run(story())


def test_a_sip_port_that_is_taken(run: Run) -> None:
    async def story() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            server = Server(
                Configuration(admin=AdminConfiguration(port=0), contacts=(ContactConfiguration(port=port),))
            )
            with pytest.raises(StartError, match=str(port)):
                await server.start()

    run(story())


def test_it_starts_again_on_its_ports(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            await application()
            ports = server.admin_address[1], int(server.hostports[0].rpartition(":")[2])
        admin = AdminConfiguration(port=ports[0], secret=SECRET)
        async with serving(admin=admin, contacts=(ContactConfiguration(port=ports[1]),)) as (
            server,
            application,
        ):
            await application()

    run(story())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsConfiguration:
    """Key and certificate of a server at 127.0.0.1."""
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    certificate, key = authority.signed("server.test")
    return TlsConfiguration(cert_file=str(certificate), key_file=str(key), chain_file=str(authority.root))


@pytest.mark.parametrize(("transport", "token"), [("tls", "tls"), ("wss", "tcp")])
def test_a_call_over_a_secure_transport(
    run: Run, files: TlsConfiguration, transport: str, token: str
) -> None:
    async def story() -> None:
        contact = ContactConfiguration(port=0, scheme="sips", transports=(transport,))
        async with serving(contacts=(contact,), tls=files) as (server, application):
            app = await application("invite")
            port = int(server.hostports[0].rpartition(":")[2])
            assert server.hostports == [f"{transport}/127.0.0.1:{port}"]
            secured = ssl.create_default_context(cafile=files.chain_file)
            async with far_end(transport, port, secured) as far:
                via = f"Via: SIP/2.0/{transport.upper()} far.invalid;branch=z9hG4bK"
                contact_of_caller = f"Contact: <sips:a@far.invalid;transport={transport}>"
                await far.say(
                    f"INVITE sips:bob@127.0.0.1 SIP/2.0\r\n{via}1\r\n"
                    "Max-Forwards: 70\r\nFrom: <sips:a@far.invalid>;tag=f\r\nTo: <sips:bob@127.0.0.1>\r\nCall-ID: 1\r\n"
                    f"CSeq: 1 INVITE\r\n{contact_of_caller}\r\nContent-Length: 0\r\n\r\n"
                )
                assert (await far.hears()).startswith("SIP/2.0 100 ")
                offered = (await app.receive()).split("|")
                assert offered[1:3] + offered[4:5] == ["sip", "network", token]
                app.send(f"sip|{offered[8]}|\r\nSIP/2.0 200 OK\r\n\r\n")
                answer = await far.hears()
                assert answer.startswith("SIP/2.0 200 OK\r\n")
                assert f"Via: SIP/2.0/{transport.upper()} far.invalid" in answer
                assert f"Contact: <sips:127.0.0.1:{port};transport={transport}>" in answer
                assert (await app.receive()).split("|")[6] == token
                dialog_id = "1;from-tag=f"
                await far.say(
                    f"ACK sips:bob@127.0.0.1 SIP/2.0\r\n{via}2\r\n"
                    f"Max-Forwards: 70\r\nFrom: <sips:a@far.invalid>;tag=f\r\nTo: {parse_message(answer).get('to')}\r\n"
                    "Call-ID: 1\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
                )
                assert "|ACK" in (await app.receive()).replace("\r\n", "|")
                app.send(f"sip||{dialog_id}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n")
                bye = await far.hears()
                assert bye.startswith("BYE sips:a@far.invalid"), (
                    "by the connection of the caller, who has no name"
                )
                assert f"Via: SIP/2.0/{transport.upper()} 127.0.0.1:{port}" in bye

    run(story())


class FarEnd:
    """A caller on a connection."""

    def __init__(self, say: Callable[[str], Awaitable[None]], hears: Callable[[], Awaitable[str]]) -> None:
        self.say = say
        self.hears = hears


@asynccontextmanager
async def far_end(transport: str, port: int, secured: ssl.SSLContext) -> AsyncIterator[FarEnd]:
    if transport == "wss":
        uri = f"wss://127.0.0.1:{port}/"
        async with connect(uri, subprotocols=[Subprotocol("sip")], ssl=secured) as browser:

            async def received() -> str:
                message = await browser.recv()
                assert isinstance(message, str)
                return message

            yield FarEnd(browser.send, received)
        return
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=secured)

    async def write(text: str) -> None:
        writer.write(text.encode())

    async def read() -> str:
        return (await reader.readuntil(b"\r\n\r\n")).decode()

    yield FarEnd(write, read)
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"tls": TlsConfiguration(key_file="/none", cert_file="/none")}, "tls key-file /none: No such file"),
        (
            {"contacts": (ContactConfiguration(scheme="sips", transports=("tls",)),)},
            "expected <tls> with a key-file",
        ),
        ({"admin": AdminConfiguration(port=0, tls_port=0)}, "tls-port: expected <tls> with a key-file"),
    ],
)
def test_without_certificates_there_is_no_tls(run: Run, changes: dict[str, object], text: str) -> None:
    async def story() -> None:
        quiet = Configuration(
            admin=AdminConfiguration(port=0), contacts=(ContactConfiguration(port=0, transports=("udp",)),)
        )
        server = Server(structs.replace(quiet, **changes))
        with pytest.raises(StartError, match=text):
            await server.start()
        await server.stop()

    run(story())


def test_an_admin_port_with_tls(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        admin = AdminConfiguration(port=0, tls_port=0, secret=SECRET)
        demanding = structs.replace(files, verify_client=True)  # of SIP clients, not of applications
        async with serving(admin=admin, tls=demanding) as (server, _):
            assert server.admin_tls_address is not None
            secured = ssl.create_default_context(cafile=files.chain_file)
            reader, writer = await asyncio.open_connection(*server.admin_tls_address, ssl=secured)
            client = Client(reader, writer)
            assert "|OK|" in await client.ask(f"authenticate|{SECRET}|")
            await client.close()

    run(story())


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_a_registered_browser_is_called_by_its_connection(
    run: Run, files: TlsConfiguration, transport: str
) -> None:
    async def story() -> None:
        scheme = "sips" if transport == "wss" else "sip"
        contact = ContactConfiguration(port=0, scheme=scheme, transports=(transport,))
        async with serving(contacts=(contact,), tls=files) as (server, application):
            app = await application("register")
            port = int(server.hostports[0].rpartition(":")[2])
            secured = ssl.create_default_context(cafile=files.chain_file) if transport == "wss" else None
            uri = f"{transport}://127.0.0.1:{port}/"
            async with connect(uri, subprotocols=[Subprotocol("sip")], ssl=secured) as browser:
                via = f"Via: SIP/2.0/{transport.upper()} x7.invalid;branch=z9hG4bK1"
                await browser.send(
                    f"REGISTER sip:example.com SIP/2.0\r\n{via}\r\n"
                    "Max-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=f\r\nTo: <sip:bob@example.com>\r\n"
                    "Call-ID: r\r\nCSeq: 1 REGISTER\r\nContact: <sip:bob@x7.invalid;transport=ws>\r\n"
                    "Expires: 600\r\nContent-Length: 0\r\n\r\n"
                )
                transaction_id = (await app.receive()).split("|")[8]
                app.send(
                    f"sip|{transaction_id}|\r\nSIP/2.0 200 OK\r\n"
                    "Contact: <sip:bob@x7.invalid;transport=ws>;expires=600\r\n\r\n"
                )
                await app.receive()
                assert str(await browser.recv()).startswith("SIP/2.0 200 OK")
                app.send(
                    "sip||\r\nMESSAGE sip:bob@x7.invalid;transport=ws SIP/2.0\r\nFrom: <sip:a@example.com>\r\n"
                    "To: <sip:bob@example.com>\r\nContent-Type: text/plain\r\n\r\nhello"
                )
                message = str(await browser.recv())
                assert message.startswith("MESSAGE sip:bob@x7.invalid;transport=ws SIP/2.0\r\n")
                assert f"Via: SIP/2.0/{transport.upper()} 127.0.0.1:{port}" in message
                assert message.endswith("\r\n\r\nhello")
                found = parse_message(message)
                lines = "".join(
                    f"{name}: {found.get(name.lower())}\r\n"
                    for name in ("Via", "From", "To", "Call-ID", "CSeq")
                )
                await browser.send(f"SIP/2.0 200 OK\r\n{lines}Content-Length: 0\r\n\r\n")
                await app.receive()
                assert "SIP/2.0 200 OK" in await app.receive()
            await server.advance(700)

    run(story())


def test_network_and_core_keep_one_account(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, _):
            streams = server._network._streams
            assert streams is not None
            assert streams._account is server._core.context.account

    run(story())


def screening_server(**settings: object) -> Configuration:
    configuration = Configuration(
        admin=AdminConfiguration(port=0, secret=SECRET), contacts=(ContactConfiguration(port=0),)
    )
    return structs.replace(configuration, **settings)


def test_each_limit_may_change_while_the_server_runs(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            now = structs.replace(
                server._configuration,
                limits=LimitConfiguration(
                    sip_connections=1,
                    routes_per_application=1,
                    unauthenticated_connections=1,
                    dialogs=1,
                    kept_for_peers=4000,
                    lookups=7,
                ),
            )
            assert await server.reconfigure(now) == []
            client = await application("options")
            assert (await client.ask("route|invite")).endswith("|NOK|too many routes")
            port = int(server.hostports[1].rpartition(":")[2])
            first, writer = await asyncio.open_connection("127.0.0.1", port)
            _, other = await asyncio.open_connection("127.0.0.1", port)
            assert await first.read() == b""
            strangers = [await asyncio.open_connection(*server.admin_address) for _ in range(2)]
            assert await strangers[0][0].read() == b""
            phone = await Phone.to(server)
            phone.send("OPTIONS")  # the first is kept, whatever it weighs
            phone.send("MESSAGE")
            assert await phone.status() == 503
            assert (server._core.context.settings.most_dialogs, server._network._resolver._most) == (1, 7)  # type: ignore[union-attr]
            for one in (writer, other, *(writer for _, writer in strangers)):
                one.close()
            phone.transport.close()

    run(story())


def test_a_reload_with_a_call_up(run: Run) -> None:
    async def story() -> None:
        async with serving() as (server, application):
            client, phone = await application("invite", "options"), await Phone.to(server)
            phone.send("INVITE")
            assert await phone.status() == 100
            transaction = transaction_id_of(await client.receive())
            await client.ask(f"sip|{transaction}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            phone.send("ACK", cseq=1)
            await client.receive()

            spam = ScreeningConfiguration(spam=(SpamHeader("from", ("a",)),), action="reject")
            new = screening_server(
                screening=spam,
                timers=TimerConfiguration(t1=0.25),
                contacts=(ContactConfiguration(port=1),),
                cdrs=True,
            )
            assert await server.reconfigure(new) == ["contacts"]
            stranger = await Phone.to(server)
            stranger.send("OPTIONS")
            assert await stranger.status() == 603
            phone.send("BYE")
            bye = await client.receive()
            while "BYE sip:" not in bye:
                bye = await client.receive()
            await client.ask(f"sip|{transaction_id_of(bye)}|\r\nSIP/2.0 200 OK\r\n\r\n")
            assert await phone.status() == 200
            await server.reconfigure(screening_server())
            again = await Phone.to(server)
            again.send("MESSAGE")
            assert await again.status() == 503
            for one in (phone, stranger, again):
                one.transport.close()

    run(story())
