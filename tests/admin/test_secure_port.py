"""The admin port over TLS, on a real socket: as without, and what can go wrong before a session begins."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reference_server.admin.listener import AdminListener
from reference_server.config.model import TlsConfiguration
from reference_server.tls.certificates import Certificates
from reference_server.turn import Turn
from reference_server.wire.framing import encode_frame
from tests.admin.admin_port import SECRET, AdminPort, Client, admin_port
from tests.conftest import Run
from tests.core.world import Phone
from tests.tls.openssl import Authority


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsConfiguration:
    """Key, certificate and chain of a server at 127.0.0.1."""
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    certificate, key = authority.signed("admin.test")
    return TlsConfiguration(cert_file=str(certificate), key_file=str(key), chain_file=str(authority.root))


class SecurePort:
    """A second listener of an admin port, with TLS."""

    def __init__(self, port: AdminPort, files: TlsConfiguration) -> None:
        self.port = port
        self.files = files
        turn = Turn(asyncio.get_running_loop().call_soon)
        self.listener = AdminListener(
            port.context,
            port.connections,
            turn,
            address=("127.0.0.1", 0),
            certificates=Certificates(files),
        )

    async def client(self) -> Client:
        context = ssl.create_default_context(cafile=self.files.chain_file)
        reader, writer = await asyncio.open_connection(*self.listener.address, ssl=context)
        self.port.clients.append(Client(reader, writer))
        return self.port.clients[-1]


@asynccontextmanager
async def secure_port(files: TlsConfiguration) -> AsyncIterator[SecurePort]:
    async with admin_port() as port:
        secure = SecurePort(port, files)
        await secure.listener.start()
        try:
            yield secure
        finally:
            for client in port.clients:
                await client.close()
            await secure.listener.stop()


def test_who_was_refused_says_goodbye_and_nothing_escapes(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        escaped: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        async with secure_port(files) as secure:
            client = await secure.client()
            client.write(encode_frame("id1|authenticate|wrong|"))
            assert (await client.receive()).endswith("|id1|NO|incorrect secret")
            client.write(encode_frame("id2|ping"))
            await client.close()
            while secure.port.connections.sockets:
                await asyncio.sleep(0)
        assert not escaped

    run(story())


def test_stopping_while_one_that_was_refused_lingers(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        escaped: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        context = ssl.create_default_context(cafile=files.chain_file)
        async with secure_port(files) as secure:
            with socket.create_connection(secure.listener.address) as plain:
                client = await asyncio.to_thread(context.wrap_socket, plain, server_hostname="127.0.0.1")
                client.sendall(encode_frame("id1|authenticate|wrong|"))
                assert b"NO|incorrect secret" in await asyncio.to_thread(client.recv, 1000)
                await secure.listener.stop()
                client.close()
        assert not escaped

    run(story())


def test_an_application_over_tls_beside_one_without(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        async with secure_port(files) as secure:
            plain = await secure.port.application("options")
            client = await secure.client()
            assert "|OK|" in await client.ask(f"authenticate|{SECRET}|")
            assert (await client.ask("route|options")).endswith("|OK")
            phone = Phone(secure.port.world)
            for one in (plain, client):
                phone.send("OPTIONS")
                assert "|sip|network|" in await one.receive()
            big = encode_frame("id9|ping|" + "x" * 1_000_000)
            client.write(big)
            assert (await client.receive()).endswith("|id9|OK|pong")

    run(story())


def test_a_refusal_arrives_before_the_end(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        async with secure_port(files) as secure:
            client = await secure.client()
            client.send("ping")
            assert (await client.rest()).endswith("|NO|authentication required")
            await client.close()
            while secure.port.connections.sockets:
                await asyncio.sleep(0)

    run(story())


def test_the_server_says_when_it_ends(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        async with secure_port(files) as secure:
            client = await secure.client()
            assert "|OK|" in await client.ask(f"authenticate|{SECRET}|")
            stopping = asyncio.ensure_future(secure.listener.stop())
            assert await client.rest() == ""
            await stopping

    run(story())


def test_plain_text_on_the_tls_port_is_named(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        async with secure_port(files) as secure:
            reader, writer = await asyncio.open_connection(*secure.listener.address)
            writer.write(encode_frame(f"id1|authenticate|{SECRET}|"))
            await reader.read()
            writer.close()
            names = secure.port.tap.names()
            assert names == ["admin-connected", "admin-refused", "admin-disconnected"]
            reason = str(secure.port.tap.events[1][1]["reason"])
            assert reason.startswith("expected a TLS handshake, got '")
            assert SECRET not in reason
            other = await secure.client()
            assert "|OK|" in await other.ask(f"authenticate|{SECRET}|")

    run(story())


def test_tls_on_the_plain_port_is_named(run: Run, files: TlsConfiguration) -> None:
    async def story() -> None:
        async with secure_port(files) as secure:
            context = ssl.create_default_context(cafile=files.chain_file)
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection(*secure.port.listener.address, ssl=context)
            while "admin-refused" not in secure.port.tap.names():
                await asyncio.sleep(0)
            ((_, details),) = [event for event in secure.port.tap.events if event[0] == "admin-refused"]
            # in either quotation marks: among the octets behind it, which are random, may be one of them
            assert re.search(r"""got ['"]\\x16\\x03\\x01""", str(details["reason"]))
            while secure.port.connections.sockets:
                await asyncio.sleep(0)
                secure.port.world.advance(1)

    run(story())


@pytest.mark.parametrize("octets", [b"", b"\x16\x03\x01"])
def test_half_a_handshake_is_not_waited_for(run: Run, files: TlsConfiguration, octets: bytes) -> None:
    async def story() -> None:
        async with secure_port(files) as secure:
            with socket.create_connection(secure.listener.address) as half:
                half.sendall(octets)
                while not secure.port.connections.sockets:
                    await asyncio.sleep(0)
                secure.port.world.advance(secure.port.context.limits.handshake_timeout)
                while secure.port.connections.sockets:
                    await asyncio.sleep(0)
            assert "admin-refused" in secure.port.tap.names()

    run(story())
