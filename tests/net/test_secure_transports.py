"""SIP over TLS, WS and WSS on real sockets: listening, connecting, and peers that speak something else."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from reference_server.config.model import (
    DEFAULT_LIMITS,
    ContactConfiguration,
    LimitConfiguration,
    TlsConfiguration,
)
from reference_server.core.ports import Flow, NoWay, Way
from reference_server.net.locate.hosts import HostsFile
from reference_server.net.network import Network
from reference_server.sip.transport import TLS, TRANSPORTS, WS, WSS
from reference_server.tls.certificates import Certificates
from tests.conftest import Run
from tests.net.hearing import Hearing
from tests.serving import serving
from tests.tls.openssl import Authority

REQUEST = "OPTIONS sip:a@h SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsConfiguration:
    """Key, certificate and chain of a server at 127.0.0.1."""
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    certificate, key = authority.signed("server.test")
    return TlsConfiguration(cert_file=str(certificate), key_file=str(key), chain_file=str(authority.root))


class Stage:
    """A network that listens by one transport, and what it hears and says."""

    def __init__(
        self, network: Network, messages: asyncio.Queue[tuple[str, Flow]], warnings: asyncio.Queue[str]
    ) -> None:
        self.network = network
        self.messages = messages
        self.warnings = warnings
        (self.endpoint,) = network.endpoints()

    async def open(self, next_hop: str) -> Way:
        outcome: asyncio.Future[Way] = asyncio.get_running_loop().create_future()
        self.network.open(next_hop, outcome.set_result)
        return await outcome


@asynccontextmanager
async def listening(
    transport: str, files: TlsConfiguration, limits: LimitConfiguration = DEFAULT_LIMITS
) -> AsyncIterator[Stage]:
    hearing = Hearing()
    warnings: asyncio.Queue[str] = asyncio.Queue()
    network = Network(warnings.put_nowait, certificates=Certificates(files), limits=limits)
    secure = TRANSPORTS[transport].secure
    scheme = "sips" if secure else "sip"
    await network.start([ContactConfiguration(port=0, scheme=scheme, transports=(transport,))], hearing)
    stage = Stage(network, hearing.messages, warnings)
    try:
        yield stage
    finally:
        await network.stop()


def trusting(files: TlsConfiguration) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=files.chain_file)


def test_a_request_and_its_answer_over_tls(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        async with listening("tls", files) as stage:
            port = stage.endpoint.port
            assert stage.endpoint.contact == f"sips:127.0.0.1:{port};transport=tls"
            assert stage.network.hostports() == [f"tls/127.0.0.1:{port}"]
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(files))
            for piece in (REQUEST[:10], REQUEST[10:] + REQUEST):
                writer.write(piece.encode())
                await writer.drain()
            for _ in range(2):
                text, flow = await stage.messages.get()
                assert text == REQUEST
            assert flow.transport is TLS
            assert stage.network.send("a" * 100_000, flow)
            assert await reader.readexactly(100_000) == b"a" * 100_000
            # A request to that address goes by the connection that exists.
            again = await stage.open(f"sips:127.0.0.1:{flow.remote_port}")
            assert again == flow
            writer.close()
            await writer.wait_closed()

    run(story())


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_a_request_and_its_answer_in_a_websocket(run: Run, files: TlsConfiguration, transport: str) -> None:
    async def story() -> None:
        async with listening(transport, files) as stage:
            secured = trusting(files) if transport == "wss" else None
            uri = f"{transport}://127.0.0.1:{stage.endpoint.port}/sip"
            async with connect(uri, subprotocols=[Subprotocol("sip")], ssl=secured) as browser:
                assert browser.subprotocol == "sip"
                await browser.send(REQUEST)
                text, flow = await stage.messages.get()
                assert (text, flow.transport) == (REQUEST, TRANSPORTS[transport])
                assert stage.network.send("SIP/2.0 200 OK\r\n\r\n", flow)
                assert await browser.recv() == "SIP/2.0 200 OK\r\n\r\n"
                await (await browser.ping())
            while stage.network.connections():
                await asyncio.sleep(0)
            assert not stage.network.alive(flow)

    run(story())


@pytest.mark.parametrize(
    ("transport", "next_hop"),
    [
        ("tls", "sips:127.0.0.1:PORT"),
        ("tls", "sip:127.0.0.1:PORT;transport=tls"),
        ("tls", "sips:127.0.0.1:PORT;transport=tcp"),
        ("ws", "sip:127.0.0.1:PORT;transport=ws"),
        ("wss", "sip:127.0.0.1:PORT;transport=wss"),
        ("wss", "sips:127.0.0.1:PORT;transport=ws"),
    ],
)
def test_connecting(run: Run, files: TlsConfiguration, transport: str, next_hop: str) -> None:
    async def story() -> None:
        async with listening(transport, files) as theirs, listening(transport, files) as ours:
            flow = await ours.open(next_hop.replace("PORT", str(theirs.endpoint.port)))
            assert isinstance(flow, Flow)
            assert ours.network.send(REQUEST, flow)
            text, back = await theirs.messages.get()
            assert text == REQUEST
            assert theirs.network.send("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", back)
            answer, by = await ours.messages.get()
            assert answer.startswith("SIP/2.0 200 OK")
            assert by == flow

    run(story())


@pytest.mark.parametrize(
    ("next_hop", "no_way"),
    [
        ("sip:127.0.0.1:5061;transport=tls", NoWay.NOT_AVAILABLE),
        ("sips:127.0.0.1", NoWay.UNSUPPORTED_SCHEME),
        ("sips:example.test", NoWay.UNSUPPORTED_SCHEME),
        ("sip:example.test;transport=wss", NoWay.NOT_AVAILABLE),
        ("sips:127.0.0.1;transport=udp", NoWay.NOT_AVAILABLE),
    ],
)
def test_without_such_a_contact_there_is_no_way(
    run: Run, files: TlsConfiguration, next_hop: str, no_way: NoWay
) -> None:
    async def story() -> None:
        async with listening("ws", files) as stage:
            assert await stage.open(next_hop) is no_way

    run(story())


@pytest.mark.parametrize(
    ("transport", "octets", "reason"),
    [
        ("tls", REQUEST.encode(), "expected a TLS handshake, got 'OPTIONS sip:a@h '"),
        ("wss", b"GET / HTTP/1.1\r\n\r\n", "expected a TLS handshake, got 'GET / HTTP/1.1\\r\\n'"),
        (
            "ws",
            REQUEST.encode() + b"\r\n",
            "expected a WebSocket handshake, got did not receive a valid HTTP request",
        ),
        ("tcp", b"\x16\x03\x01\x02\x00\x01", "expected a SIP message, got a TLS handshake"),
    ],
)
def test_who_speaks_something_else_is_named_and_others_are_served(
    run: Run, files: TlsConfiguration, transport: str, octets: bytes, reason: str
) -> None:
    async def story() -> None:
        async with listening(transport, files) as stage:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.endpoint.port)
            port = writer.get_extra_info("sockname")[1]
            writer.write(octets)
            assert (await stage.warnings.get()).startswith(
                f"closing {transport}/[127.0.0.1]:{port}: {reason}"
            )
            await reader.read()
            writer.close()
            async with listening(transport, files) as other:
                named = TRANSPORTS[transport].uri_parameter
                assert isinstance(await other.open(f"sip:127.0.0.1:{stage.endpoint.port}{named}"), Flow)

    run(story())


@pytest.mark.parametrize(
    ("transport", "octets"), [("tls", b"\x16"), ("tls", b""), ("ws", b"GET / HT"), ("wss", b"")]
)
def test_half_a_handshake_is_not_waited_for(
    run: Run, files: TlsConfiguration, transport: str, octets: bytes
) -> None:
    async def story() -> None:
        async with listening(transport, files, LimitConfiguration(handshake_timeout=0.2)) as stage:
            with socket.create_connection(("127.0.0.1", stage.endpoint.port)) as half:
                half.sendall(octets)
                assert (await stage.warnings.get()).endswith("the handshake is not over after 0.2 s")
                while stage.network.connections():
                    await asyncio.sleep(0)

    run(story())


def test_connecting_to_who_speaks_no_tls(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SIP/2.0 400 Bad Request\r\n\r\n")
            await reader.read(10)
            writer.close()

        async with listening("tls", files) as stage, serving(hang_up) as port:
            assert await stage.open(f"sips:127.0.0.1:{port}") is NoWay.UNREACHABLE
            assert "the TLS handshake failed: " in await stage.warnings.get()

    run(story())


def test_openssl_is_served(files: TlsConfiguration) -> None:
    async def story() -> None:
        async with listening("tls", files) as stage:
            client = await asyncio.create_subprocess_exec(
                *("openssl", "s_client", "-connect", f"127.0.0.1:{stage.endpoint.port}", "-quiet"),
                *("-verify_return_error", "-CAfile", files.chain_file, "-no_ign_eof"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write(REQUEST.encode())
            text, flow = await stage.messages.get()
            assert text == REQUEST
            stage.network.send("SIP/2.0 200 OK\r\n\r\n", flow)
            assert await client.stdout.readline() == b"SIP/2.0 200 OK\r\n"
            client.stdin.close()
            await client.wait()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_a_new_certificate_is_for_new_connections(run: Run, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    live = tmp_path / "live.pem", tmp_path / "live-key.pem"

    def put(name: str) -> None:
        for source, target in zip(authority.signed(name), live, strict=True):
            target.write_bytes(source.read_bytes())

    async def name_shown(port: int) -> tuple[str, asyncio.StreamWriter]:
        context = ssl.create_default_context(cafile=str(authority.root))
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        shown = writer.get_extra_info("peercert")["subject"][0][0][1]
        return shown, writer

    async def story() -> None:
        put("first.test")
        files = TlsConfiguration(cert_file=str(live[0]), key_file=str(live[1]))
        hearing = Hearing()
        certificates = Certificates(files)
        network = Network(certificates=certificates)
        await network.start([ContactConfiguration(port=0, scheme="sips", transports=("tls",))], hearing)
        port = network.endpoints()[0].port
        first, former = await name_shown(port)
        put("second.test")
        certificates.reload(files)
        second, newer = await name_shown(port)
        assert (first, second) == ("first.test", "second.test")
        former.write(REQUEST.encode())
        assert (await hearing.messages.get())[0] == REQUEST, "the former connection goes on"
        for writer in (former, newer):
            writer.close()
        await network.stop()

    run(story())


def test_a_server_of_several_names_is_told_which_is_meant(
    run: Run, files: TlsConfiguration, tmp_path: Path
) -> None:
    async def story() -> None:
        names: list[str | None] = []

        def asked(session: object, name: str | None, context: object) -> None:
            names.append(name)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.cert_file, files.key_file)
        context.sni_callback = asked

        def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        hosts = tmp_path / "hosts"
        hosts.write_text("127.0.0.1 carrier.test\n")
        network = Network(hosts=HostsFile(hosts), certificates=Certificates(files))
        contact = ContactConfiguration(port=0, scheme="sips", transports=("tls",))
        await network.start([contact], Hearing())
        outcome: asyncio.Future[Way] = asyncio.get_running_loop().create_future()
        network.open(f"sips:carrier.test:{port}", outcome.set_result)
        await outcome
        assert names == ["carrier.test"]
        await network.stop()
        server.close()
        await server.wait_closed()

    run(story())


def test_the_page_that_a_browser_comes_from_is_told(run: Run) -> None:
    async def story() -> None:
        told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        network = Network(opened=lambda connection, origin: told.put_nowait((connection, origin)))
        await network.start([ContactConfiguration(port=0, transports=("ws",))], Hearing())
        uri = f"ws://127.0.0.1:{network.endpoints()[0].port}"
        for origin in (None, Origin("https://phone.example.com")):
            async with connect(uri, subprotocols=[Subprotocol("sip")], origin=origin) as browser:
                port = browser.local_address[1]
        assert await told.get() == (f"ws/[127.0.0.1]:{port}", "https://phone.example.com")
        assert told.empty(), "who says of no page is no browser"
        await network.stop()

    run(story())


def test_the_tokens_of_via_are_those_of_the_standards() -> None:
    assert [one.via_token for one in (TLS, WS, WSS)] == ["TLS", "WS", "WSS"]


@pytest.mark.parametrize("transport", ["tls", "ws", "wss"])
def test_stopping_amid_a_handshake(run: Run, files: TlsConfiguration, transport: str) -> None:
    async def story() -> None:
        async with listening(transport, files) as stage:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.endpoint.port)
            while not stage.network.connections():
                await asyncio.sleep(0)
        assert await reader.read() == b""
        writer.close()

    run(story())


def test_what_is_sent_when_the_peer_has_said_goodbye_harms_nobody(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        async with listening("tls", files) as stage:
            _, writer = await asyncio.open_connection("127.0.0.1", stage.endpoint.port, ssl=trusting(files))
            writer.write(REQUEST.encode())
            _, flow = await stage.messages.get()
            writer.close()
            while stage.network.send("SIP/2.0 200 OK\r\n\r\n", flow):
                await asyncio.sleep(0)
            assert not stage.network.alive(flow)

    run(story())


@asynccontextmanager
async def deaf(transport: str, port: int, files: TlsConfiguration) -> AsyncIterator[None]:
    """A peer that sends a request and takes nothing more."""
    secured = None if transport == "ws" else trusting(files)
    connected = socket.socket()
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)  # or the system takes megabytes for it
    connected.connect(("127.0.0.1", port))
    if transport == "tls":
        _, writer = await asyncio.open_connection(sock=connected, ssl=secured, server_hostname="127.0.0.1")
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # sockets have it, other transports not
        writer.write(REQUEST.encode())
        try:
            yield
        finally:
            writer.transport.abort()
        return
    uri = f"{transport}://127.0.0.1:{port}/sip"
    browser = await connect(uri, subprotocols=[Subprotocol("sip")], ssl=secured, sock=connected)
    browser.transport.pause_reading()
    await browser.send(REQUEST)
    try:
        yield
    finally:
        browser.transport.abort()
        await browser.wait_closed()


@pytest.mark.parametrize("transport", ["tls", "ws", "wss"])
def test_a_peer_that_reads_nothing_delays_nobody_and_is_closed(
    run: Run, files: TlsConfiguration, transport: str
) -> None:
    async def story() -> None:
        async with (
            listening(transport, files, LimitConfiguration(sip_unread_timeout=0.3)) as stage,
            deaf(transport, stage.endpoint.port, files),
        ):
            _, stuck = await stage.messages.get()
            for _ in range(7):
                assert stage.network.send("x" * 900_000, stuck)
                await asyncio.sleep(0)
            async with deaf(transport, stage.endpoint.port, files):  # it is heard while that waits
                _, flow = await stage.messages.get()
                assert flow != stuck
                assert stage.network.send("SIP/2.0 200 OK\r\n\r\n", flow)
                warning = await stage.warnings.get()
                assert warning.startswith(f"closing {transport}/[127.0.0.1]:{stuck.remote_port}")
                assert warning.endswith("the peer has read nothing for 0.3 s")
                assert not stage.network.alive(stuck)
                assert stage.network.alive(flow)

    run(story())
