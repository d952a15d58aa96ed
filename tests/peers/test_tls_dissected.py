"""What the server says by TLS and WSS, as tshark reads it off the wire with the keys of the session."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.peers.capture import Segment, dissect_connection
from tests.peers.processes import PATIENCE, Server
from tests.tls.openssl import Authority

REQUEST = (
    "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via} 127.0.0.1:50000;branch=z9hG4bK77q2;rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:alice@127.0.0.1>;tag=k2x8\r\nTo: <sip:bob@127.0.0.1>\r\n"
    "Call-ID: mq7zt9\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
TLS_1_2, TLS_1_3 = "0x0303", "0x0304"
FIELDS = (
    *("tls.handshake.type", "tls.handshake.extensions.supported_version", "tls.alert_message.desc"),
    *("sip.Method", "sip.Status-Code", "websocket.opcode", "_ws.malformed"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    certificate, key = Authority(tmp_path_factory.mktemp("certificates")).signed("server.test")
    running = Server(
        *("--loglevel", "notice", "--key-file", str(key), "--cert-file", str(certificate)),
        *("--contact", "sip:127.0.0.1:0;transport=tls", "--contact", "sip:127.0.0.1:0;transport=wss"),
    )
    yield running
    assert running.stop() == 0


@asynccontextmanager
async def wire(port: int, segments: list[Segment]) -> AsyncIterator[int]:
    """A port that leads to ``port`` of the server, on a wire that is listened to."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_server: bool) -> None:
        with suppress(ConnectionError):
            while octets := await reader.read(65536):
                segments.append(Segment(from_server, octets))
                writer.write(octets)
                await writer.drain()
        writer.close()

    over = asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            carry(reader, far_writer, from_server=False), carry(far_reader, writer, from_server=True)
        )
        over.set()

    listener = await asyncio.start_server(take, "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]
        await over.wait()


def client(keys: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = context.minimum_version = version
    context.keylog_filename = str(keys)
    return context


async def asked_by_tls(port: int, context: ssl.SSLContext) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(REQUEST.format(via="TLS").encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return answer.decode()


async def asked_by_wss(port: int, context: ssl.SSLContext) -> str:
    async with connect(f"wss://127.0.0.1:{port}", ssl=context, subprotocols=[Subprotocol("sip")]) as browser:
        await browser.send(REQUEST.format(via="WSS"))
        return str(await browser.recv())


def heard(server: Server, transport: str, folder: Path, version: ssl.TLSVersion) -> list[tuple[str, ...]]:
    """What tshark makes of one request and its answer."""
    segments: list[Segment] = []
    keys = folder / "keys.txt"

    async def story() -> None:
        async with asyncio.timeout(PATIENCE), wire(server.sip_port(transport), segments) as port:
            ask = asked_by_tls if transport == "tls" else asked_by_wss
            assert (await ask(port, client(keys, version))).startswith("SIP/2.0 503")

    asyncio.run(story())
    port = 5061 if transport == "tls" else 443
    return dissect_connection(segments, folder / "wire.pcap", port=port, keys=keys, fields=FIELDS)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("transport", ["tls", "wss"])
def test_tshark_reads_the_session(
    server: Server, transport: str, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    packets = heard(server, transport, tmp_path, version)
    of = {field: [packet[index] for packet in packets] for index, field in enumerate(FIELDS)}
    assert not any(of["_ws.malformed"])
    said = "|".join(of["tls.handshake.type"]).replace(",", "|").split("|")
    assert {"1", "2", "11", "20"} <= set(said), "ClientHello, ServerHello, Certificate, Finished"
    if version is ssl.TLSVersion.TLSv1_3:
        assert TLS_1_3 in of["tls.handshake.extensions.supported_version"]
    assert [method for method in of["sip.Method"] if method] == ["OPTIONS"]
    assert [status for status in of["sip.Status-Code"] if status] == ["503"]
    assert any(alert.endswith("0") for alert in of["tls.alert_message.desc"] if alert), "close_notify"
    if transport == "wss":
        opcodes = "|".join(of["websocket.opcode"]).split("|")
        assert opcodes.count("1") == 2, "the request and its answer, a message of text each"
        assert "8" in opcodes, "the end is said"
