"""The suite's peers over TLS, WS and WSS: against each other, and against who speaks something else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from drachtio_conformance.peers import tls
from drachtio_conformance.peers.admin_peer import AdminPeer, ConnectFailed, Unreachable
from drachtio_conformance.peers.channel import Closed
from drachtio_conformance.peers.door import Door
from drachtio_conformance.peers.recorder import Recorder
from drachtio_conformance.peers.sip_transport import Received, StreamEndpoint
from tests.conftest import Run
from tests.serving import Serve, serving

MESSAGE = "OPTIONS sip:a@h SIP/2.0\r\nX: é\r\nContent-Length: 2\r\n\r\nhi"


def ignored(raw: str) -> None:
    """What came is looked at where it is queued."""


@pytest.mark.parametrize("transport", ["tls", "ws", "wss"])
def test_each_transport_carries_messages_both_ways(run: Run, transport: str) -> None:
    async def story() -> None:
        async with _listening(transport) as other:
            one = StreamEndpoint(("127.0.0.1", other.port), ignored, transport=transport)
            await one.open("127.0.0.1", seconds=5)
            one.send(MESSAGE.encode("latin-1"), "every-byte")
            came = await other.incoming.take(5)
            assert isinstance(came, Received)
            assert came.raw == MESSAGE
            came.reply.send(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n")
            back = await one.incoming.take(5)
            assert isinstance(back, Received)
            assert back.raw.startswith("SIP/2.0 200 OK")
            one.abort()
            assert isinstance(await other.incoming.take(5), Closed)

    run(story())


@asynccontextmanager
async def _listening(transport: str) -> AsyncIterator[StreamEndpoint]:
    """An endpoint whose own connection leads to a server of the test that only takes it."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if transport in ("ws", "wss"):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            writer.write(_accepted(request).encode())
        await reader.read()

    context = tls.listening() if transport in ("tls", "wss") else None
    async with serving(take, context) as port:
        endpoint = StreamEndpoint(("127.0.0.1", port), ignored, transport=transport)
        await endpoint.open("127.0.0.1", seconds=5)
        yield endpoint
        endpoint.close()


def _accepted(request: str, subprotocol: str = "sip") -> str:
    key = next(line for line in request.split("\r\n") if line.lower().startswith("sec-websocket-key"))
    digest = hashlib.sha1((key.partition(": ")[2] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())
    chosen = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"{chosen}Sec-WebSocket-Accept: {base64.b64encode(digest.digest()).decode()}\r\n\r\n"
    )


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.write(b"SIP/2.0 400 Bad Request\r\n\r\n")
    writer.close()


async def _without_subprotocol(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_accepted((await reader.readuntil(b"\r\n\r\n")).decode(), "").encode())
    await reader.read()
    writer.close()


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.close()


@pytest.mark.parametrize(
    ("transport", "serve", "reason"),
    [
        ("tls", _refuse, r"no TLS connection to 127\.0\.0\.1:\d+: the TLS handshake failed: .+"),
        ("ws", _refuse, r"no WS connection to 127\.0\.0\.1:\d+: expected a WebSocket for SIP, got .+"),
        ("ws", _without_subprotocol, r"no WS connection to .+: expected the subprotocol 'sip', got None"),
        ("ws", _hang_up, r"no WS connection to .+: .*(closed before|expected a WebSocket).+"),
    ],
)
def test_a_server_that_speaks_something_else_is_named(
    run: Run, transport: str, serve: Serve, reason: str
) -> None:
    async def story() -> None:
        async with serving(serve) as port:
            endpoint = StreamEndpoint(("127.0.0.1", port), ignored, transport=transport)
            with pytest.raises(Unreachable, match=reason):
                await endpoint.open("127.0.0.1", seconds=5)

    run(story())


def test_a_listening_peer_insists_on_the_subprotocol(run: Run) -> None:
    async def story() -> None:
        async with _listening("ws") as endpoint:
            for subprotocols in (None, [Subprotocol("xmpp")]):
                with pytest.raises(InvalidStatus):
                    await connect(f"ws://127.0.0.1:{endpoint.port}", subprotocols=subprotocols)

    run(story())


def test_an_application_by_tls_leaves_and_the_other_end_has_seen_it(run: Run) -> None:
    async def story() -> None:
        recorder = Recorder()
        door = Door("door", recorder)
        port = await door.listen("127.0.0.1", 0, patience=5, secure=True)
        peer = AdminPeer("app", recorder)
        await peer.connect("127.0.0.1", port, seconds=5, secure=True)
        other = await door.incoming.take(5)
        await peer.send_message("1|ping")
        await other.incoming.take(5)
        await peer.leave(5)
        assert isinstance(await other.incoming.take(5), Closed)
        assert "connected by TLS" in [event.summary for event in recorder.events]
        door.close()

    run(story())


def test_an_application_that_meets_no_tls_says_so(run: Run) -> None:
    async def story() -> None:
        async with serving(_refuse) as port:
            reason = rf"no connection to 127\.0\.0\.1:{port}: the TLS handshake"
            with pytest.raises(Unreachable, match=reason):
                await AdminPeer("app", Recorder()).connect("127.0.0.1", port, seconds=5, secure=True)

    run(story())


def test_the_certificate_is_made_once_and_holds_for_loopback() -> None:
    own = tls.own_certificate()
    assert tls.own_certificate() is own
    context = ssl.create_default_context(cafile=str(own.certificate))
    assert context.get_ca_certs()[0]["subjectAltName"] == (
        ("IP Address", "127.0.0.1"),
        ("IP Address", "0:0:0:0:0:0:0:1"),
        ("DNS", "localhost"),
    )


def test_without_openssl_it_is_said_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    tls.own_certificate.cache_clear()
    with pytest.raises(tls.NoCertificate, match="TLS needs the command openssl"):
        tls.own_certificate()

    async def story() -> None:
        endpoint = StreamEndpoint(("127.0.0.1", 9), ignored, transport="tls")
        with pytest.raises(ConnectFailed, match="TLS needs the command openssl"):
            await endpoint.open("127.0.0.1", seconds=5)
        with pytest.raises(ConnectFailed, match="door cannot listen: TLS needs the command openssl"):
            await Door("door", Recorder()).listen("127.0.0.1", 0, patience=5, secure=True)

    run(story())
